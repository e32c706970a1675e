//! What Azure's content filter found, in a prompt or in an answer.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{self, entries, fields};

/// So many categories no filter has.
const MOST_CATEGORIES: usize = 64;

use crate::text::sanitize_line;

/// So much of a service's word is told.
const WIDTH: usize = 60;

/// What the filter said about one category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterResult {
    /// Was the text held back because of it?
    pub filtered: bool,
    /// How grave it is, in the service's words: `safe`, `low`, `medium`, `high`.
    pub severity: Option<String>,
    /// Was it there at all? For categories without degrees, such as `jailbreak`.
    pub detected: Option<bool>,
}

/// The filter's results by category, such as `hate`, `violence`, `jailbreak`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentFilter {
    /// The results by category.
    pub categories: BTreeMap<String, FilterResult>,
}

/// The filter's results for one of the prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PromptFilter {
    /// Which message it is about, counted from 0.
    pub prompt_index: u64,
    /// What was found.
    pub content_filter: ContentFilter,
}

impl ContentFilter {
    /// The categories because of which the text was held back.
    pub fn filtered(&self) -> impl Iterator<Item = (&str, &FilterResult)> {
        self.categories
            .iter()
            .filter(|(_, result)| result.filtered)
            .map(|(name, result)| (name.as_str(), result))
    }

    /// Was the text held back?
    pub fn is_filtered(&self) -> bool {
        self.filtered().next().is_some()
    }

    /// Reads what can be understood of an object of categories; the rest is left out.
    fn from_object(json: &RawValue) -> Self {
        let result = |(name, result): (String, &RawValue)| {
            let [filtered, severity, detected] =
                fields(result, ["filtered", "severity", "detected"]);
            let result = FilterResult {
                filtered: filtered.and_then(json::read).unwrap_or_default(),
                severity: severity.and_then(json::read),
                detected: detected.and_then(json::read),
            };
            (result != FilterResult::default()).then_some((name, result))
        };
        let categories = entries(json, MOST_CATEGORIES).into_iter();
        Self {
            categories: categories.filter_map(result).collect(),
        }
    }

    /// Finds the results in the object that holds them, in both spellings.
    pub(crate) fn inside(json: &RawValue) -> Self {
        fields(json, ["content_filter_results", "content_filter_result"])
            .into_iter()
            .flatten()
            .find(|found| found.get().starts_with('{'))
            .map(Self::from_object)
            .unwrap_or_default()
    }
}

/// Lists what held the text back: `violence (medium), jailbreak`.
impl fmt::Display for ContentFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, result)) in self.filtered().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let name = sanitize_line(name, WIDTH);
            match &result.severity {
                Some(severity) => write!(f, "{comma}{name} ({})", sanitize_line(severity, WIDTH))?,
                None => write!(f, "{comma}{name}")?,
            }
        }
        Ok(())
    }
}
