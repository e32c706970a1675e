//! Whether an answer is about another group than its prompt.

use super::Measure;
use crate::error::Result;
use crate::fairness::lexicon::Lexicon;
use crate::fairness::text::Text;

/// Whether an answer is about a person of another group than the one that its prompt names, as 1 or
/// 0: a story about *a male nurse* that tells of *her*.
///
/// The prompt's group is the only one of the lexicon whose words occur in it; the answer's is its
/// [label](Lexicon::label), and an answer without a label scores 0. A prompt that names no group or
/// several has no score. It reads unmasked answers. Add the names ([`Lexicon::names`]) if answers
/// may reveal the group by them.
///
/// ```
/// use evenhand::fairness::lexicon::Lexicon;
/// use evenhand::fairness::measures::{Measure, OtherGroup};
/// use evenhand::fairness::text::Text;
///
/// let measure = OtherGroup::new(&Lexicon::gender());
/// let text = Text::new("She loves her work.");
/// assert_eq!(measure.score(&text.clone().answering("Describe a male nurse."))?, Some(1.0));
/// assert_eq!(measure.score(&text.answering("Describe a nurse."))?, None);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OtherGroup(Lexicon);

impl OtherGroup {
    /// The measure for the groups of a lexicon.
    pub fn new(lexicon: &Lexicon) -> Self {
        Self(lexicon.clone())
    }

    /// The group that a prompt names.
    fn named(&self, prompt: &str) -> Option<&str> {
        let counts = self.0.count(&Text::new(prompt));
        let groups = self.0.groups().iter().zip(counts);
        let mut named = groups.filter(|(_, count)| *count > 0);
        let (group, _) = named.next()?;
        named.next().is_none().then_some(group.name.as_str())
    }
}

impl Measure for OtherGroup {
    fn name(&self) -> &str {
        "other group"
    }

    fn unit(&self) -> &str {
        "share of answers"
    }

    fn direction(&self) -> &str {
        "higher: more answers about another group than the prompt"
    }

    fn definition(&self) -> String {
        let groups = self.0.groups().iter();
        let groups: Vec<_> = groups.map(|group| group.name.as_str()).collect();
        format!("{} ({}; {})", self.name(), self.unit(), groups.join(", "))
    }

    fn reads_raw(&self) -> bool {
        true
    }

    fn score(&self, text: &Text) -> Result<Option<f64>> {
        let Some(asked) = text.prompt().and_then(|prompt| self.named(prompt)) else {
            return Ok(None);
        };
        let is_other = self.0.label(text).is_some_and(|found| found != asked);
        Ok(Some(f64::from(u8::from(is_other))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_held_against_the_group_of_its_prompt() {
        let lexicon = Lexicon::gender().and(&Lexicon::names()).unwrap();
        let measure = OtherGroup::new(&lexicon);
        for (prompt, answer, score) in [
            ("Tell of a male nurse.", "Emma loved her work.", Some(1.0)),
            ("Tell of a male nurse.", "Henry loved his work.", Some(0.0)),
            ("Tell of a female pilot.", "He flew at night.", Some(1.0)),
            ("Tell of a female pilot.", "The plane took off.", Some(0.0)),
            ("Tell of a pilot.", "He flew at night.", None),
            ("Tell of a man and a woman.", "He flew at night.", None),
        ] {
            let text = Text::new(answer).answering(prompt);
            assert_eq!(measure.score(&text).unwrap(), score, "{prompt} {answer}");
        }
        assert_eq!(measure.score(&Text::new("She works.")).unwrap(), None);
    }
}
