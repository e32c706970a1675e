//! What must be equal in two reports for them to be compared: of one study before and after a
//! change, or of two models.

use super::StudyDesign;
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// Two reports, with the words that tell them apart: `before` and `after`, or `of a` and `of b`.
struct Sides<'a> {
    words: [String; 2],
    asked: [&'a StudyDesign; 2],
    hint: &'static str,
}

/// Returns an error unless both reports asked and measured the same. One thing may have changed: how
/// it was asked, or the model.
pub(super) fn require_before_and_after(before: &StudyDesign, after: &StudyDesign) -> Result<()> {
    let sides = Sides {
        words: ["before".to_owned(), "after".to_owned()],
        asked: [before, after],
        hint: "keep the study and change only how it asks: `study.mitigate(MitigationPrompt::Neutral)`",
    };
    sides.require_same_design()?;
    sides.require_one_change()
}

/// Returns an error unless both models were asked and measured in the same way.
pub(super) fn require_same_study(
    first: &StudyDesign,
    second: &StudyDesign,
    names: [&str; 2],
) -> Result<()> {
    let sides = Sides {
        words: names.map(|name| format!("of {}", sanitize_line(name, 60))),
        asked: [first, second],
        hint: "ask all models the same study: `study.run_on([&first, &second])`",
    };
    sides.require_same_design()?;
    sides.require_equal("the system message", |asked| {
        asked.system.clone().unwrap_or_else(|| "none".to_owned())
    })?;
    sides.require_equal("the list of mitigations", |asked| {
        asked.mitigations.join(", ")
    })
}

impl Sides<'_> {
    fn require_same_design(&self) -> Result<()> {
        self.require_equal("the list of occupations", |asked| {
            asked.occupations.join(", ")
        })?;
        self.require_equal("the list of groups", |asked| asked.groups.join(", "))?;
        self.require_equal("the list of measures", |asked| asked.measures.join(", "))?;
        self.require_equal("the number of samples", |asked| asked.samples.to_string())?;
        self.require_equal("the seed", |asked| asked.seed.to_string())?;
        self.require_equal("the temperature", |asked| asked.temperature.to_string())?;
        self.require_equal("the token limit", |asked| asked.max_tokens.to_string())?;
        self.require_same_prompts()?;
        self.require_measured_alike()?;
        self.require_equal("the list of comparisons", |asked| {
            let pairs = asked.pairs.iter().map(|pair| pair.join(" - "));
            pairs.collect::<Vec<_>>().join(", ")
        })?;
        self.require_equal("the list of margins", |asked| {
            let margins = asked.margins.iter().flatten();
            let margins = margins.map(|(name, margin)| format!("{name} ±{margin}"));
            margins.collect::<Vec<_>>().join(", ")
        })
    }

    fn require_equal(&self, what: &str, value: impl Fn(&StudyDesign) -> String) -> Result<()> {
        let [one, other] = self.asked.map(value);
        match one == other {
            true => Ok(()),
            false => Err(self.differs(what, [one, other])),
        }
    }

    fn differs(&self, what: &str, values: [String; 2]) -> Error {
        self.refused(&self.difference(what, &values), self.hint)
    }

    /// `the seed before is 3, after it is 4`.
    fn difference(&self, what: &str, values: &[String; 2]) -> String {
        let [first, second] = &self.words;
        let [one, other] = values.each_ref().map(|value| sanitize_line(value, 200));
        format!("{what} {first} is {one}, {second} it is {other}")
    }

    fn refused(&self, why: &str, hint: &str) -> Error {
        let message = format!("the reports can't be compared: {why}");
        Error::new(ErrorKind::Argument, message).with_hint(hint)
    }

    fn require_same_prompts(&self) -> Result<()> {
        let [before, after] = self.asked.map(|asked| &asked.prompts);
        let both = before.iter().zip(after);
        if let Some((one, other)) = both.into_iter().find(|(one, other)| one != other) {
            return Err(self.differs("a prompt", [one, other].map(|prompt| format!("{prompt:?}"))));
        }
        self.require_equal("the number of prompts", |asked| {
            asked.prompts.len().to_string()
        })
    }

    /// A change of both the model and the way of asking could be due to either.
    fn require_one_change(&self) -> Result<()> {
        let models = self.asked.map(|asked| asked.provenance.models.join(", "));
        let [before, after] = self.asked;
        let is_asked_alike =
            before.system == after.system && before.mitigations == after.mitigations;
        let is_same_model = models[0] == models[1] || models.iter().any(String::is_empty);
        if is_same_model || is_asked_alike {
            return Ok(());
        }
        let why = format!(
            "{}, and the system message or the mitigations differ too, so a change could be due to \
             either",
            self.difference("the model", &models)
        );
        Err(self.refused(
            &why,
            "change one at a time: ask the same model again, or compare the models with the same \
             study",
        ))
    }

    fn require_measured_alike(&self) -> Result<()> {
        let is_older = |asked: &StudyDesign| asked.measuring.is_none() || asked.margins.is_none();
        let mut sides = self.words.iter().zip(self.asked);
        if let Some((word, _)) = sides.find(|(_, asked)| is_older(asked)) {
            let why = format!(
                "the one {word} was made by an earlier version, which did not record everything \
                 that it had fixed in advance"
            );
            return Err(self.refused(
                &why,
                "measure its answers again: `study.run(&client)?.measure()?` takes them from the \
                 journal",
            ));
        }
        let [before, after] = self.asked.map(|asked| asked.measuring.as_ref());
        let difference = before
            .zip(after)
            .and_then(|(one, other)| one.difference(other));
        let Some((what, values)) = difference else {
            return Ok(());
        };
        let why = format!(
            "{}, so the same answers would get different numbers",
            self.difference(&what, &values)
        );
        Err(self.refused(
            &why,
            "measure both with the same study, lexicon and version",
        ))
    }
}
