//! Lexicons: which words name which group.
//!
//! Groups are data. The built-in lists are about gender ([`Lexicon::gender`], and first names in
//! [`Lexicon::names`]); a custom list can be about anything else.
//!
//! - `read` parses and validates the lists.
//! - `roles` holds the role of a word in a sentence (pronoun, relative, name), and the expressions
//!   that refer to nobody; `subject` uses these to determine whom a text is about.

mod read;
mod roles;
mod sentence;
mod subject;

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::fairness::text::{Text, Token, TokenKind};
use read::Lists;

/// The word that replaces a masked word of a group. It is not in the sentiment lexicon.
pub const MASK: &str = "masked";

/// A group and the words that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its name, such as `female`.
    pub name: String,
    /// Its words, each listed once. A word in lower case matches in any case; a word with a capital
    /// matches only as written, or entirely in capitals (a word of two letters then needs a period:
    /// `MS.`).
    pub words: Vec<String>,
    /// Whether the group is counted apart from the groups that are compared with each other.
    ///
    /// For words that only sometimes name the group, such as *they*.
    pub apart: bool,
}

impl Group {
    /// A group that is compared with the others.
    pub fn new<W: Into<String>>(
        name: impl Into<String>,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        Self {
            name: name.into(),
            words: words.into_iter().map(Into::into).collect(),
            apart: false,
        }
    }
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
    /// Words that are masked but not counted.
    masked: Vec<String>,
    /// Each word in lower case, with its group, if it belongs to one, and its required spelling, if
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
            // `MS` can be a degree or a disease, but `MS.` is always `Ms.`
            let in_capitals = written.len() > 2 && stem == listed.to_uppercase();
            listed == stem || in_capitals
        })
    }
}

impl Lexicon {
    /// Female and male words, and words of non-binary reference, which are counted apart.
    ///
    /// Selected from the lists of GenBit, HELM and LangFair. The last group is counted apart
    /// because *they* is mostly a plural.
    pub fn gender() -> Self {
        Self::index(read::lists(include_str!("gender.txt")))
    }

    /// About eight hundred first names that are nearly always given to one gender: two hundred from
    /// the United States, the others from Europe, Latin America, Asia and Africa.
    pub fn names() -> Self {
        Self::index(read::lists(include_str!("names.txt")))
    }

    /// Creates a lexicon of custom groups.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if an entry is not a single word, a word is in two groups, a group has
    /// no words, or two groups have the same name.
    pub fn new(groups: impl IntoIterator<Item = Group>) -> Result<Self> {
        Self::sound(Lists {
            groups: groups.into_iter().collect(),
            masked: Vec::new(),
        })
    }

    /// Parses groups from a text: `[name]` or `[name, apart]` begins a group, followed by its
    /// words, separated by whitespace; lines that start with `#` are comments. Words below `[name,
    /// masked]` are masked but not counted: words that do not always name the group, but have a
    /// counterpart that does (*hero*, if *heroine* is listed).
    ///
    /// # Errors
    /// The errors of [`Lexicon::new`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::sound(read::lists(text))
    }

    fn sound(lists: Lists) -> Result<Self> {
        read::check(&lists)?;
        Ok(Self::index(lists))
    }

    /// Combines two lexicons: groups of the same name are merged.
    ///
    /// # Errors
    /// The errors of [`Lexicon::new`], for example if a word is in two groups.
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

    /// The groups that are compared with each other, with their indices in
    /// [`groups`](Self::groups).
    pub fn compared(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.groups
            .iter()
            .enumerate()
            .filter(|(_, group)| !group.apart)
    }

    /// The indices of the two groups that are compared.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if the lexicon does not compare exactly two groups.
    pub(super) fn pair(&self) -> Result<[usize; 2]> {
        let places: Vec<_> = self.compared().map(|(place, _)| place).collect();
        <[usize; 2]>::try_from(places).map_err(|places| {
            Error::new(
                ErrorKind::Argument,
                format!(
                    "this measure compares two groups, but the lexicon has {}",
                    places.len()
                ),
            )
            .with_hint("use a lexicon of two groups, or mark the others as apart")
        })
    }

    /// The index of the group that a token names.
    pub fn group_of(&self, token: Token<'_>) -> Option<usize> {
        self.entry_of(token)?.group
    }

    fn entry_of(&self, token: Token<'_>) -> Option<&Entry> {
        if token.kind == TokenKind::Mark {
            return None;
        }
        // `Mrs.` is listed as `Mrs`.
        self.entry(token.written, token.lower.trim_end_matches('.'))
    }

    /// The entry of a word, given as written and in lower case.
    fn entry(&self, written: &str, lower: &str) -> Option<&Entry> {
        let entry = self.index.get(lower)?;
        entry.fits(written).then_some(entry)
    }

    /// The index of the group that a word names, given as written and in lower case.
    pub(super) fn group_of_word(&self, written: &str, lower: &str) -> Option<usize> {
        self.entry(written, lower)?.group
    }

    /// The number of words of each group in a text, in the order of the groups.
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
    /// Only references to the subject of the text count: pronouns, names, and nouns such as *a
    /// woman* in subject or predicate position. The following do not count: relatives (*his
    /// mother*), other people (*helped an old man*), direct speech, figures of speech (*Mother
    /// Nature*), institutions, plurals, coordinated groups (*he or she*, *the actor and the
    /// actress*), and pronouns that may refer to any of these. A word that is not in `roles.txt`,
    /// such as one of a custom list, counts everywhere.
    ///
    /// A group that is counted apart is the label only if no other group is named, since *they* in
    /// a text about *her* are mostly her patients. `None` means undetected: no group is named, or a
    /// second group has more than half as much evidence. No text is forced into a group.
    ///
    /// Compared with labels assigned by a reader, with [`Lexicon::names`] added: of 88 sentences
    /// about a person that were not used to write the rules, 85 got their label (sensitivity 0.97),
    /// and no label among all 149 sentences was wrong (precision 1.00, 95 % interval from 0.96). Of
    /// 55 texts that were written later, most of several sentences, 33 of 35 got their label and 1
    /// label was wrong (0.94 and 0.97). **It is lower where a text is also about other people**: of
    /// 81 people in 100 later texts, nearly all of which mention somebody else, 66 got their label
    /// and 5 labels were wrong (0.81 and 0.93); of 91 people in 129 such sentences, 78 and 12 (0.86
    /// and 0.87). After each, the rules were extended. When the next 107 sentences were first
    /// measured, with no rule written for them, 73 of 82 people got their label and 4 labels were
    /// wrong (sensitivity 0.89, 95 % interval from 0.80; precision 0.95, from 0.87; now 75 and 2).
    /// Of 70 beginnings of stories by a small model, for which no rule was ever written, 41 of 47
    /// and 2 (0.87, from 0.75; 0.95, from 0.85). The reader also wrote the rules: check some labels
    /// of your own answers.
    pub fn label(&self, text: &Text) -> Option<&str> {
        let group = self.groups.get(subject::subject_group(self, text)?)?;
        Some(group.name.as_str())
    }

    /// Whether a text that consists of this word is masked.
    pub(super) fn masks(&self, word: &str) -> bool {
        let text = Text::new(word);
        text.tokens().any(|token| self.entry_of(token).is_some())
    }

    /// The text with [`MASK`] in place of the words of all groups, including those counted apart,
    /// and of the words that are only masked.
    ///
    /// A prompt about 'a female nurse' is answered with *she* and *her*: texts about two groups
    /// differ in these words because of the prompt, so they are compared without them.
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
        let masked = Text::new(masked).filtered_as(text.shared_filter());
        match text.prompt() {
            Some(prompt) => masked.answering(prompt),
            None => masked,
        }
    }
}

#[cfg(test)]
mod tests;
