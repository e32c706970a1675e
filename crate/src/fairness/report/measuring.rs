//! How answers were measured: what makes the numbers of two reports comparable.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fairness::measures::Measure;
use crate::fairness::study::Study;

/// Raised whenever a measure, a mask or a label gives another value for the same answer than it
/// did before, so that a report of then is not compared with one of now.
const VERSION: u32 = 2;

/// How the answers were measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measuring {
    /// The version of evenhand's measures, masks and labels.
    pub version: u32,
    /// What each headline measure counts, in its own words.
    pub definitions: Vec<String>,
    /// The groups whose words are masked, and tell whom an answer assumes.
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
    /// Its words, in order.
    pub words: Vec<String>,
}

impl Measuring {
    pub(super) fn of(study: &Study) -> Self {
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

    /// What differs, before and after, if anything does.
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
            Some((what, [one.told(other), other.told(one)]))
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

/// What a measure counts, and in which text.
fn definition(measure: &Arc<dyn Measure>) -> String {
    let definition = measure.definition();
    match measure.reads_raw() {
        true => format!("{definition}, in answers as they came"),
        false => definition,
    }
}

impl MaskedGroup {
    /// How many words it has, and some that another lacks: `52 words (boss, chief not after)`.
    fn told(&self, other: &Self) -> String {
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
