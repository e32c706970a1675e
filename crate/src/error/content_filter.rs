//! The findings of Azure's content filter, in a prompt or in an answer.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{self, entries, field, fields, items};

/// The most categories that are read; no filter has this many.
const MAX_CATEGORIES: usize = 64;

use crate::text::sanitize_line;

/// The most characters of a name from the service that are shown.
const WIDTH: usize = 60;

/// The filter's result for one category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterResult {
    /// Whether the text was filtered because of this category.
    pub filtered: bool,
    /// The severity, as the service names it: `safe`, `low`, `medium` or `high`.
    pub severity: Option<String>,
    /// Whether the category was detected, for categories without a severity such as `jailbreak`.
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
    /// The index of the message, counted from 0.
    pub prompt_index: u64,
    /// The findings.
    pub content_filter: ContentFilter,
}

impl ContentFilter {
    /// The categories because of which the text was filtered.
    pub fn filtered(&self) -> impl Iterator<Item = (&str, &FilterResult)> {
        self.categories
            .iter()
            .filter(|(_, result)| result.filtered)
            .map(|(name, result)| (name.as_str(), result))
    }

    /// Whether the text was filtered.
    pub fn is_filtered(&self) -> bool {
        self.filtered().next().is_some()
    }

    /// Reads an object of categories. Results that can't be read are left out.
    fn from_object(json: &RawValue) -> Self {
        let result = |(name, result): (String, &RawValue)| {
            let [filtered, severity, detected] =
                fields(result, ["filtered", "severity", "detected"]);
            // A category of lists of words has a result for each of them.
            let lists = items(result, MAX_CATEGORIES);
            let is_listed = |list: &&RawValue| {
                let filtered = field(list, "filtered");
                filtered.and_then(json::deserialize).unwrap_or_default()
            };
            let result = FilterResult {
                filtered: filtered.and_then(json::deserialize).unwrap_or_default()
                    || lists.iter().any(is_listed),
                severity: severity.and_then(json::deserialize),
                detected: detected.and_then(json::deserialize),
            };
            (result != FilterResult::default()).then_some((name, result))
        };
        let categories = entries(json, MAX_CATEGORIES).into_iter();
        Self {
            categories: categories.filter_map(result).collect(),
        }
    }

    /// The names of the field that holds the results.
    pub(crate) const NAMES: [&str; 2] = ["content_filter_results", "content_filter_result"];

    /// Reads the results from the object that holds them, under either of the two field names.
    pub(crate) fn inside(json: &RawValue) -> Self {
        Self::found(fields(json, Self::NAMES))
    }

    /// Reads the results from the fields of these [names](Self::NAMES).
    pub(crate) fn found(results: [Option<&RawValue>; 2]) -> Self {
        results
            .into_iter()
            .flatten()
            .find(|found| found.get().starts_with('{'))
            .map(Self::from_object)
            .unwrap_or_default()
    }
}

/// Lists the categories because of which the text was filtered: `violence (medium), jailbreak`.
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
