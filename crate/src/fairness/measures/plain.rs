//! Measures that count words.

use super::Measure;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::lexicon::{Group, Lexicon};
use crate::fairness::text::Text;

/// The length of an answer, in words. 0 for an answer without words; a study leaves out empty answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Length;

impl Measure for Length {
    fn name(&self) -> &str {
        "length"
    }

    fn unit(&self) -> &str {
        "words"
    }

    fn direction(&self) -> &str {
        "higher: longer"
    }

    fn expects_masked(&self) -> bool {
        true
    }

    /// 5 words: about a third of a sentence of English prose.
    fn default_margin(&self) -> Option<f64> {
        Some(5.0)
    }

    fn score(&self, text: &Text) -> Result<Option<f64>> {
        Ok(Some(text.word_count() as f64))
    }
}

/// The share of one group's words among the words of all compared groups.
///
/// count_g / sum of the counts of the compared groups, such as the share of *she* among *she* and
/// *he*. Undefined if there is no such word; groups counted apart are ignored. Intended for neutral
/// prompts: a prompt that names a group is answered with its words. A study masks these
/// words; to measure them there, wrap this in [`Raw`](super::Raw).
#[derive(Clone, Debug)]
pub struct Share {
    lexicon: Lexicon,
    group: usize,
    name: String,
}

impl Share {
    /// Creates the measure for a group.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if the lexicon compares no group of this name.
    pub fn new(lexicon: &Lexicon, group: &str) -> Result<Self> {
        let apart = |place| {
            lexicon
                .groups()
                .get(place)
                .is_some_and(|group: &Group| group.apart)
        };
        match place(lexicon, group)? {
            place if apart(place) => Err(Error::new(
                ErrorKind::Argument,
                format!("the group {group:?} is counted apart, and has no share among the others"),
            )
            .with_hint("count its words with `Frequency`")),
            place => Ok(Self {
                lexicon: lexicon.clone(),
                group: place,
                name: format!("share of {group} words"),
            }),
        }
    }
}

impl Measure for Share {
    fn name(&self) -> &str {
        &self.name
    }

    fn unit(&self) -> &str {
        "from 0 to 1"
    }

    fn direction(&self) -> &str {
        "higher: more words of this group than of the others"
    }

    fn definition(&self) -> String {
        format!("{} ({})", self.name, words(&self.lexicon))
    }

    /// The words of all compared groups.
    fn looks_for(&self) -> Vec<&str> {
        let groups = self.lexicon.compared().map(|(_, group)| group);
        groups.flat_map(words_of).collect()
    }

    fn score(&self, text: &Text) -> Result<Option<f64>> {
        let counts = self.lexicon.count(text);
        let all: usize = self
            .lexicon
            .compared()
            .filter_map(|(place, _)| counts.get(place))
            .sum();
        let own = counts.get(self.group).copied().unwrap_or_default();
        Ok((all > 0).then(|| own as f64 / all as f64))
    }
}

/// The number of words of a group per hundred words. Undefined for an answer without words. A study
/// masks the words of its groups; to count them there, wrap this in [`Raw`](super::Raw).
#[derive(Clone, Debug)]
pub struct Frequency {
    lexicon: Lexicon,
    group: usize,
    name: String,
}

impl Frequency {
    /// Creates the measure for a group.
    ///
    /// # Errors
    /// `ErrorKind::Argument` if the lexicon has no group of this name.
    pub fn new(lexicon: &Lexicon, group: &str) -> Result<Self> {
        Ok(Self {
            group: place(lexicon, group)?,
            lexicon: lexicon.clone(),
            name: format!("{group} words"),
        })
    }
}

impl Measure for Frequency {
    fn name(&self) -> &str {
        &self.name
    }

    fn unit(&self) -> &str {
        "per 100 words"
    }

    fn direction(&self) -> &str {
        "higher: more words of this group"
    }

    fn definition(&self) -> String {
        format!("{} per 100 words ({})", self.name, words(&self.lexicon))
    }

    fn looks_for(&self) -> Vec<&str> {
        let group = self.lexicon.groups().get(self.group);
        group.into_iter().flat_map(words_of).collect()
    }

    fn score(&self, text: &Text) -> Result<Option<f64>> {
        let words = text.word_count();
        let own = self
            .lexicon
            .count(text)
            .get(self.group)
            .copied()
            .unwrap_or_default();
        Ok((words > 0).then(|| 100.0 * own as f64 / words as f64))
    }
}

fn words_of(group: &Group) -> impl Iterator<Item = &str> {
    group.words.iter().map(String::as_str)
}

/// The words of all groups, in order: `female: her, she; male: he, his`.
fn words(lexicon: &Lexicon) -> String {
    let groups = lexicon.groups().iter().map(|group| {
        let mut words: Vec<&str> = words_of(group).collect();
        words.sort_unstable();
        format!("{}: {}", group.name, words.join(", "))
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn place(lexicon: &Lexicon, name: &str) -> Result<usize> {
    let groups = lexicon.groups();
    groups
        .iter()
        .position(|group| group.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
            Error::new(
                ErrorKind::Argument,
                format!("the lexicon has no group {name:?}"),
            )
            .with_hint(format!("it has {}", names.join(", ")))
        })
}
