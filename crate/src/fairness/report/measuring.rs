//! How answers were measured, which must be the same for two reports to be comparable.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fairness::measures::Measure;
use crate::fairness::study::Study;

/// Increased whenever a measure, a mask or a label gives a different value for the same answer, so
/// that reports from before and after are not compared.
const VERSION: u32 = 3;

/// How the answers were measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measuring {
    /// The version of evenhand's measures, masks and labels.
    pub version: u32,
    /// The definition of each primary measure.
    pub definitions: Vec<String>,
    /// The groups of the lexicon, whose words are masked and determine whom an answer assumes.
    pub lexicon: Vec<MaskedGroup>,
}

/// A group of the lexicon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MaskedGroup {
    /// Its name.
    pub name: String,
    /// Whether it is counted apart.
    pub apart: bool,
    /// Its words, sorted.
    pub words: Vec<String>,
}

impl Measuring {
    pub(super) fn from_study(study: &Study) -> Self {
        let groups = study.lexicon.groups().iter();
        let masked = groups.map(|group| {
            let mut words = group.words.clone();
            words.sort_unstable();
            MaskedGroup {
                name: group.name.clone(),
                apart: group.apart,
                words,
            }
        });
        let measures = study.measures.iter();
        Self {
            version: VERSION,
            definitions: measures.map(definition).collect(),
            lexicon: masked.collect(),
        }
    }

    /// The first difference, if any: what differs, with its values before and after.
    pub(super) fn difference(&self, after: &Self) -> Option<(String, [String; 2])> {
        let both = |of: fn(&Self) -> String| [of(self), of(after)];
        let differing = |what: &str, [one, other]: [String; 2]| {
            (one != other).then(|| (what.to_owned(), [one, other]))
        };
        differing(
            "the version of the measures",
            both(|one| one.version.to_string()),
        )
        .or_else(|| {
            let definitions = self.definitions.iter().zip(&after.definitions);
            let mut odd = definitions.filter(|(one, other)| one != other);
            let (one, other) = odd.next()?;
            differing("what is measured", [one.clone(), other.clone()])
        })
        .or_else(|| differing("the lexicon's groups", both(|one| one.groups())))
        .or_else(|| {
            let groups = self.lexicon.iter().zip(&after.lexicon);
            let mut odd = groups.filter(|(one, other)| one.words != other.words);
            let (one, other) = odd.next()?;
            let what = format!("the lexicon's group '{}'", one.name);
            Some((what, [one.summary(other), other.summary(one)]))
        })
    }

    fn groups(&self) -> String {
        let groups = self.lexicon.iter().map(|group| match group.apart {
            true => format!("{} (apart)", group.name),
            false => group.name.clone(),
        });
        groups.collect::<Vec<_>>().join(", ")
    }
}

/// The definition of a measure, with the text that it reads.
fn definition(measure: &Arc<dyn Measure>) -> String {
    let definition = measure.definition();
    match measure.reads_raw() {
        true => format!("{definition}, in answers as they came"),
        false => definition,
    }
}

impl MaskedGroup {
    /// The number of its words, and some that the other group lacks: `52 words, with boss, chief`.
    fn summary(&self, other: &Self) -> String {
        let mut own = self.words.iter().filter(|word| !other.words.contains(word));
        let some: Vec<&str> = own.by_ref().take(5).map(String::as_str).collect();
        let count = match self.words.len() {
            1 => "1 word".to_owned(),
            words => format!("{words} words"),
        };
        match (some.is_empty(), own.next()) {
            (true, _) => count,
            (false, None) => format!("{count}, with {}", some.join(", ")),
            (false, Some(_)) => format!("{count}, with {} and others", some.join(", ")),
        }
    }
}
