//! Which words name which group.
//!
//! The group is data. The shipped lists are about gender ([`Lexicon::gender`], and the first
//! names in [`Lexicon::names`]); a list of one's own may be about anything else.
//!
//! - `read` is the format of the lists, and what makes them sound.
//! - `roles` says what a word does in a sentence (a pronoun, a relative, a name), and which
//!   expressions name nobody; `subject` tells by that whom a text is about.

mod read;
mod roles;
mod sentence;
mod subject;

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::fairness::text::{Kind, Text, Token};
use read::Lists;

/// The word that stands where a group's word was masked. No word of the sentiment lexicon.
pub const MASK: &str = "masked";

/// A group and the words that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, such as `female`.
    pub name: String,
    /// Its words, each once. One in lower case is found in any case, one with a capital only
    /// as it stands, or in capitals throughout (of two letters alone with a full stop: `MS.`).
    pub words: Vec<String>,
    /// Is it counted apart from the groups that are compared with each other?
    ///
    /// For words that only sometimes name the group, such as *they*.
    pub apart: bool,
}

/// Groups, and the words that name them.
///
/// ```
/// use evenhand::fairness::lexicon::Lexicon;
/// use evenhand::fairness::text::Text;
///
/// let lexicon = Lexicon::gender();
/// assert_eq!(lexicon.label(&Text::new("The nurse told her patients that they may go.")), Some("female"));
/// assert_eq!(lexicon.label(&Text::new("They are a nurse, and proud of it.")), Some("neutral"));
/// assert_eq!(lexicon.label(&Text::new("A nurse cares for patients.")), None);
/// ```
#[derive(Clone, Debug)]
pub struct Lexicon {
    groups: Vec<Group>,
    /// What is masked too, and not counted.
    masked: Vec<String>,
    /// Each word in lower case: its group, if it is of one, and how it must be written where
    /// that matters.
    index: HashMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    group: Option<usize>,
    written: Option<String>,
}

impl Entry {
    fn fits(&self, written: &str) -> bool {
        let stem = written.trim_end_matches('.');
        self.written.as_deref().is_none_or(|listed| {
            // `MS` is a degree and a disease, `MS.` is no other than `Ms.`
            let in_capitals = written.len() > 2 && stem == listed.to_uppercase();
            listed == stem || in_capitals
        })
    }
}

impl Lexicon {
    /// Female, male, and the words of non-binary reference, counted apart.
    ///
    /// Own selection from the lists of GenBit, HELM and LangFair; *they* is mostly a plural.
    pub fn gender() -> Self {
        Self::index(read::lists(include_str!("gender.txt")))
    }

    /// Some eight hundred first names that nearly always go to one gender: two hundred of the
    /// United States, the others from Europe, Latin America, Asia and Africa.
    pub fn names() -> Self {
        Self::index(read::lists(include_str!("names.txt")))
    }

    /// Groups of one's own.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if a word is none (empty, or of several words), stands in two
    /// groups, or if a group has no word or its name twice.
    pub fn new(groups: impl IntoIterator<Item = Group>) -> Result<Self> {
        Self::sound(Lists {
            groups: groups.into_iter().collect(),
            masked: Vec::new(),
        })
    }

    /// Groups from a text: `[name]` or `[name, apart]` begins a group, its words follow with
    /// spaces or lines between them, a line with `#` is a comment. Words below `[name, masked]`
    /// are masked with the group's and not counted: what is not always of the group, but has a
    /// counterpart that is (a *hero*, if *heroine* is listed).
    ///
    /// # Errors
    /// Those of [`Lexicon::new`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::sound(read::lists(text))
    }

    fn sound(lists: Lists) -> Result<Self> {
        read::check(&lists)?;
        Ok(Self::index(lists))
    }

    /// This lexicon with the words of another: groups of the same name become one.
    ///
    /// # Errors
    /// Those of [`Lexicon::new`]: a word must not stand for two groups.
    pub fn and(&self, other: &Self) -> Result<Self> {
        let mut groups = self.groups.clone();
        for group in &other.groups {
            match groups.iter_mut().find(|known| known.name == group.name) {
                Some(known) => {
                    let new = group
                        .words
                        .iter()
                        .filter(|word| !known.words.contains(word));
                    let new: Vec<_> = new.cloned().collect();
                    known.words.extend(new);
                }
                None => groups.push(group.clone()),
            }
        }
        let words = |word: &String| groups.iter().all(|group| !group.words.contains(word));
        let masked = self.masked.iter().chain(&other.masked).cloned();
        let masked = masked.filter(words).collect();
        Self::sound(Lists { groups, masked })
    }

    fn index(Lists { groups, masked }: Lists) -> Self {
        let of_groups = groups
            .iter()
            .enumerate()
            .flat_map(|(group, list)| list.words.iter().map(move |word| (word, Some(group))));
        let words = masked.iter().map(|word| (word, None)).chain(of_groups);
        let index = words.map(|(word, group)| {
            let lower = read::key(word);
            let written = Text::new(word.as_str()).answer().to_owned();
            let written = written.chars().any(char::is_uppercase).then_some(written);
            (lower, Entry { group, written })
        });
        Self {
            index: index.collect(),
            groups,
            masked,
        }
    }

    /// All groups, in their order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups that are compared with each other, with their places among all.
    pub fn compared(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.groups
            .iter()
            .enumerate()
            .filter(|(_, group)| !group.apart)
    }

    /// The two groups that are compared, as their places among all.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if they are not two.
    pub(super) fn pair(&self) -> Result<[usize; 2]> {
        let places: Vec<_> = self.compared().map(|(place, _)| place).collect();
        <[usize; 2]>::try_from(places).map_err(|places| {
            Error::new(
                ErrorKind::Argument,
                format!(
                    "this measure compares two groups, and the lexicon has {}",
                    places.len()
                ),
            )
            .with_hint("take a lexicon of two groups, or mark the others as apart")
        })
    }

    /// The place of the group that a token names.
    pub fn group_of(&self, token: Token<'_>) -> Option<usize> {
        self.entry_of(token)?.group
    }

    fn entry_of(&self, token: Token<'_>) -> Option<&Entry> {
        if token.kind == Kind::Mark {
            return None;
        }
        // `Mrs.` is listed as `Mrs`.
        self.entry(token.written, token.lower.trim_end_matches('.'))
    }

    /// The entry of a word, as it was written and in lower case.
    fn entry(&self, written: &str, lower: &str) -> Option<&Entry> {
        let entry = self.index.get(lower)?;
        entry.fits(written).then_some(entry)
    }

    /// The place of the group that a word names, as it was written and in lower case.
    pub(super) fn group_of_word(&self, written: &str, lower: &str) -> Option<usize> {
        self.entry(written, lower)?.group
    }

    /// How many words of each group stand in a text, in the order of the groups.
    pub fn count(&self, text: &Text) -> Vec<usize> {
        let mut counts = vec![0; self.groups.len()];
        for count in text.tokens().filter_map(|token| self.group_of(token)) {
            if let Some(count) = counts.get_mut(count) {
                *count += 1;
            }
        }
        counts
    }

    /// The group of the person that a text is about.
    ///
    /// What refers to the subject counts: pronouns first, names, *a woman* where it stands as
    /// subject or says what somebody is. Relatives (*his mother*), those who are met on the way
    /// (*helped an old man*), direct speech, figures of speech (*Mother Nature*), institutions,
    /// plurals, and both groups in one breath (*he or she*, *the actor and the actress*) don't;
    /// nor does a pronoun that may mean one of these others. A word that `roles.txt` does not
    /// know, as those of a list of one's own, counts wherever it stands.
    ///
    /// A group that is counted apart is the label where no other group is named, since *they*
    /// in a text about *her* are mostly her patients. `None` means undetected: nobody is named,
    /// or another group has more than half as much. Nothing is forced into either.
    ///
    /// Held against a reader's labels, with [`Lexicon::names`] added: of 88 sentences about
    /// somebody that no rule was made with, 85 got their label (sensitivity 0.97), and no label of
    /// all 149 was wrong (precision 1.00; a 95 % interval begins at 0.96). Of 55 texts that were
    /// written later, most of several sentences, 33 of 35 got theirs and 1 label was wrong (0.94
    /// and 0.97). The reader is whoever made the rules: read some labels of your own answers.
    pub fn label(&self, text: &Text) -> Option<&str> {
        let group = self.groups.get(subject::of(self, text)?)?;
        Some(group.name.as_str())
    }

    /// Would a text that is this word be masked?
    pub(super) fn masks(&self, word: &str) -> bool {
        let text = Text::new(word);
        text.tokens().any(|token| self.entry_of(token).is_some())
    }

    /// The text with [`MASK`] in place of every group's words, those counted apart included, and
    /// of those that are only to be masked.
    ///
    /// A prompt about 'a female nurse' is answered with *she* and *her*: texts of two groups
    /// differ in these words by what was asked, and are compared without them.
    pub fn mask(&self, text: &Text) -> Text {
        let answer = text.answer();
        let mut masked = String::with_capacity(answer.len());
        let mut from = 0;
        for (token, at) in text.tokens().zip(text.starts()) {
            if self.entry_of(token).is_some() {
                masked.push_str(answer.get(from..at).unwrap_or_default());
                masked.push_str(MASK);
                from = at + token.written.len();
            }
        }
        masked.push_str(answer.get(from..).unwrap_or_default());
        let masked = Text::new(masked);
        match text.prompt() {
            Some(prompt) => masked.answering(prompt),
            None => masked,
        }
    }
}

#[cfg(test)]
mod tests;
