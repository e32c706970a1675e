//! How values, tables and sentences of a report are written, in all of its renderings.

use std::time::{Duration, SystemTime};

use crate::fairness::statistics::Interval;
use crate::text::sanitize_line;
use crate::text::terminal::sanitize;

/// A table whose first row holds the column names.
pub(super) type Rows = Vec<Vec<String>>;

/// Marks an interval that seems to contradict the verdict next to it, which the caveats explain.
pub(super) const MARK: &str = "†";

/// Which of three conclusions a measure has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Shown(&'static str),
    NotShown(&'static str),
    CantTell,
}

/// `Reduced on these measures: length by 3.1 [1.0, 5.2]. No reduction shown: sentiment.`
pub(super) fn sentence<T>(
    things: &[T],
    kind: impl Fn(&T) -> Kind,
    summarize: impl Fn(&T) -> String,
) -> String {
    let mut parts: Vec<(&str, Vec<String>)> = Vec::new();
    let order = |kind: Kind| match kind {
        Kind::Shown(_) => 0,
        Kind::NotShown(_) => 1,
        Kind::CantTell => 2,
    };
    for step in 0..3 {
        for thing in things.iter().filter(|thing| order(kind(thing)) == step) {
            let title = match kind(thing) {
                Kind::Shown(title) | Kind::NotShown(title) => title,
                Kind::CantTell => "Can't tell",
            };
            match parts.last_mut().filter(|(last, _)| *last == title) {
                Some((_, list)) => list.push(summarize(thing)),
                None => parts.push((title, vec![summarize(thing)])),
            }
        }
    }
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(title, list)| format!("{title}: {}.", list.join(", ")))
        .collect();
    parts.join(" ")
}

/// An estimate and its interval, with equal decimals.
pub(super) fn estimated(estimate: f64, interval: Option<Interval>) -> (String, String) {
    let ends = interval.map_or([estimate; 2], |interval| [interval.low, interval.high]);
    let scale = ends
        .iter()
        .fold(estimate.abs(), |scale, end| scale.max(end.abs()));
    let decimals = decimals(scale);
    let interval = interval.map(|interval| format!(" {interval:.decimals$}"));
    (signed(estimate, decimals), interval.unwrap_or_default())
}

fn signed(value: f64, decimals: usize) -> String {
    let shown = format!("{value:+.decimals$}");
    // Zero is written without a sign.
    if shown.trim_start_matches(['+', '-', '0', '.']).is_empty() {
        return format!("{:.decimals$}", 0.0);
    }
    shown
}

pub(super) fn number(value: f64, scale: f64) -> String {
    format!("{value:.*}", decimals(scale.abs()))
}

fn decimals(scale: f64) -> usize {
    match scale {
        scale if scale >= 100.0 => 0,
        scale if scale >= 10.0 => 1,
        scale if scale >= 1.0 => 2,
        _ => 3,
    }
}

/// `0.034`, `< 0.001`.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        return "< 0.001".to_owned();
    }
    format!("{p:.3}")
}

pub(super) fn none() -> String {
    "–".to_owned()
}

pub(super) fn with_names(names: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Rows {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    [names].into_iter().chain(rows).collect()
}

/// The rows as text with aligned columns.
pub(super) fn aligned(rows: &Rows) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str("  ");
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    sanitize(&text).into_owned()
}

/// A part of an answer on one line, with a space at each end that had whitespace.
pub(super) fn one_line_kept(part: &str) -> String {
    let line = sanitize_line(part, 120);
    let (before, after) = (
        part.starts_with(char::is_whitespace),
        part.ends_with(char::is_whitespace),
    );
    format!(
        "{}{line}{}",
        if before { " " } else { "" },
        if after { " " } else { "" }
    )
}

/// `24 Nov 2026`, in universal time.
pub(super) fn day(seconds: u64) -> String {
    let end_of_9999 = 253_402_300_799;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(end_of_9999));
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or_default().to_owned()
}
