//! Which words name which group.
//!
//! The group is data. The shipped lists are about gender ([`Lexicon::gender`], and the first
//! names in [`Lexicon::names`]); a list of one's own may be about anything else.

mod read;

use std::collections::HashMap;

use crate::bias::text::{Kind, Text, Token};
use crate::error::{Error, ErrorKind, Result};

/// The word that stands where a group's word was masked. No word of the sentiment lexicon.
pub const MASK: &str = "masked";

/// A group and the words that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, such as `female`.
    pub name: String,
    /// Its words, each once. One in lower case is found in any case, one with a capital only
    /// as it stands.
    pub words: Vec<String>,
    /// Is it counted apart from the groups that are compared with each other?
    ///
    /// For words that only sometimes name the group, such as *they*.
    pub apart: bool,
}

/// Groups, and the words that name them.
///
/// ```
/// use evenhand::bias::{lexicon::Lexicon, text::Text};
///
/// let lexicon = Lexicon::gender();
/// assert_eq!(lexicon.label(&Text::new("The nurse told her patients that they may go.")), Some("female"));
/// assert_eq!(lexicon.label(&Text::new("They are a nurse, and proud of it.")), Some("neutral"));
/// assert_eq!(lexicon.label(&Text::new("A nurse cares for patients.")), None);
/// ```
#[derive(Clone, Debug)]
pub struct Lexicon {
    groups: Vec<Group>,
    /// The group of each word in lower case, and how it must be written where that matters.
    index: HashMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    group: usize,
    written: Option<String>,
}

impl Lexicon {
    /// Female, male, and the words of non-binary reference, counted apart.
    ///
    /// Own selection from the lists of GenBit, HELM and LangFair; *they* is mostly a plural.
    pub fn gender() -> Self {
        Self::index(read::groups(include_str!("gender.txt")))
    }

    /// Two hundred first names of the United States that nearly always go to one gender.
    pub fn names() -> Self {
        Self::index(read::groups(include_str!("names.txt")))
    }

    /// Groups of one's own.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if a word is none (empty, or of several words), stands in two
    /// groups, or if a group has no word or its name twice.
    pub fn new(groups: impl IntoIterator<Item = Group>) -> Result<Self> {
        let groups: Vec<_> = groups.into_iter().collect();
        read::check(&groups)?;
        Ok(Self::index(groups))
    }

    /// Groups from a text: `[name]` or `[name, apart]` begins a group, its words follow with
    /// spaces or lines between them, a line with `#` is a comment.
    ///
    /// # Errors
    /// Those of [`Lexicon::new`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::new(read::groups(text))
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
        Self::new(groups)
    }

    fn index(groups: Vec<Group>) -> Self {
        let words = groups
            .iter()
            .enumerate()
            .flat_map(|(group, list)| list.words.iter().map(move |word| (word, group)));
        let index = words.map(|(word, group)| {
            let lower = word.to_lowercase();
            let written = (lower != *word).then(|| word.clone());
            (lower, Entry { group, written })
        });
        Self {
            index: index.collect(),
            groups,
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
        if token.kind == Kind::Mark {
            return None;
        }
        // `Mrs.` is listed as `Mrs`.
        self.group_of_word(
            token.written.trim_end_matches('.'),
            token.lower.trim_end_matches('.'),
        )
    }

    /// The place of the group that a word names, as it was written and in lower case.
    pub(super) fn group_of_word(&self, written: &str, lower: &str) -> Option<usize> {
        let entry = self.index.get(lower)?;
        let fits = entry
            .written
            .as_deref()
            .is_none_or(|listed| listed == written);
        fits.then_some(entry.group)
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

    /// The group that a text is about: the one with most words in it.
    ///
    /// A group that is counted apart is the label where no other has a word, since *they* in
    /// a text about *her* are mostly her patients. `None` means undetected: no word, or as
    /// many of one group as of another. Nothing is forced into either.
    pub fn label(&self, text: &Text) -> Option<&str> {
        self.majority(&self.count(text))
            .map(|group| group.name.as_str())
    }

    /// The group with most words, given how many each has; see [`Lexicon::label`].
    pub fn majority(&self, counts: &[usize]) -> Option<&Group> {
        let most = |apart: bool| {
            let groups = self
                .groups
                .iter()
                .zip(counts)
                .filter(move |(group, _)| group.apart == apart);
            let most = groups.clone().map(|(_, &count)| count).max()?;
            Some((most, groups.filter(move |(_, count)| **count == most)))
        };
        let (_, mut first) = [most(false), most(true)]
            .into_iter()
            .flatten()
            .find(|(n, _)| *n > 0)?;
        let (group, _) = first.next()?;
        first.next().is_none().then_some(group)
    }

    /// The text with [`MASK`] in place of every group's words, those counted apart included.
    ///
    /// A prompt about 'a female nurse' is answered with *she* and *her*: texts of two groups
    /// differ in these words by what was asked, and are compared without them.
    pub fn mask(&self, text: &Text) -> Text {
        let answer = text.answer();
        let mut masked = String::with_capacity(answer.len());
        let mut from = 0;
        for (token, at) in text.tokens().zip(text.starts()) {
            if self.group_of(token).is_some() {
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
