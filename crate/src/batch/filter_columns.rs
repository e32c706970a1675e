//! The content filter's findings as columns of a frame.

use std::collections::BTreeMap;

use polars::prelude::{Column, IntoColumn, NamedFrom, PlSmallStr, Series};

use crate::error::{ContentFilter, FilterResult};
use crate::text::sanitize_line;

/// No name of a category is as long.
const MAX_NAME: usize = 40;

/// One column for each category that occurs, named by the prefix and the category. A category with
/// severities is text (`safe`, `low`, `medium`, `high`), one that is only detected is true or false.
/// Null where the filter said nothing about it.
pub(crate) fn filter_columns(prefix: &str, rows: &[Option<&ContentFilter>]) -> Vec<Column> {
    let filters = rows.iter().flatten();
    let results = filters.flat_map(|filter| &filter.categories);
    let mut has_severity: BTreeMap<&str, bool> = BTreeMap::new();
    for (name, result) in results.filter(|(name, _)| is_name(name)) {
        *has_severity.entry(name).or_default() |= result.severity.is_some();
    }
    let columns = has_severity.into_iter().map(|(name, has_severity)| {
        let results = rows
            .iter()
            .map(|row| row.and_then(|filter| filter.categories.get(name)));
        let title = PlSmallStr::from_string(format!("{prefix}{name}"));
        match has_severity {
            true => Series::new(title, results.map(severity).collect::<Vec<_>>()),
            false => Series::new(title, results.map(is_detected).collect::<Vec<_>>()),
        }
    });
    columns.map(IntoColumn::into_column).collect()
}

/// Whether the filter found nothing in any row, so that the column carries no information.
pub(crate) fn found_nothing(rows: &[Option<&ContentFilter>]) -> bool {
    let results = rows
        .iter()
        .flatten()
        .flat_map(|filter| filter.categories.values());
    results.into_iter().all(|result| {
        !result.filtered
            && result.detected != Some(true)
            && result
                .severity
                .as_deref()
                .is_none_or(|severity| severity == "safe")
    })
}

/// Whether the service's name of a category can be part of a column's name.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn severity(result: Option<&FilterResult>) -> Option<String> {
    Some(sanitize_line(result?.severity.as_deref()?, MAX_NAME))
}

fn is_detected(result: Option<&FilterResult>) -> Option<bool> {
    let result = result?;
    Some(result.detected.unwrap_or(result.filtered))
}
