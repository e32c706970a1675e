//! A report as text for a terminal, and the formatting that all its renderings share.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::{Asked, Comparison, Neutral, Report, VarianceShares};
use crate::fairness::statistics::Interval;
use crate::text::sanitize_line;
use crate::text::terminal::sanitize;

/// A table whose first row holds the column names.
pub(super) type Rows = Vec<Vec<String>>;

impl Asked {
    /// The size of the study: `12 occupations x 3 groups (neutral, female, male), 5 samples of each
    /// of 36 prompts`.
    pub(super) fn grid(&self) -> String {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|group| sanitize_line(group, 40))
            .collect();
        let templates = match self.templates.len() {
            0 | 1 => String::new(),
            templates => format!("{templates} templates x "),
        };
        format!(
            "{} x {templates}{} ({}), {} of each of {}",
            count(self.occupations.len(), "occupation"),
            count(groups.len(), "group"),
            groups.join(", "),
            count(self.samples as usize, "sample"),
            count(self.prompts.len(), "prompt"),
        )
    }

    /// The model, the time and the parameters.
    pub(super) fn conditions(&self) -> String {
        let models: Vec<_> = self
            .provenance
            .models
            .iter()
            .map(|model| sanitize_line(model, 60))
            .collect();
        let mut parts = vec![match models.is_empty() {
            true => "answers from elsewhere".to_owned(),
            false => format!("model {}", models.join(", ")),
        }];
        let profiles = self.provenance.profiles.iter();
        let profiles: Vec<_> = profiles
            .map(|profile| sanitize_line(profile, 100))
            .collect();
        if !profiles.is_empty() {
            parts.push(format!("sent with {}", profiles.join(" and with ")));
        }
        parts.extend(self.provenance.answered.map(|(first, last)| {
            let (first, last) = (day(first), day(last));
            if first == last {
                first
            } else {
                format!("{first} to {last}")
            }
        }));
        parts.push(format!("temperature {}", self.temperature));
        parts.push(format!("at most {} tokens", self.max_tokens));
        parts.push(format!("seed {}", self.seed));
        if self.system.is_some() {
            parts.push("a system message".to_owned());
        }
        if !self.mitigations.is_empty() {
            parts.push(format!("mitigated: {}", self.mitigations.join(", ")));
        }
        parts.join(", ")
    }
}

impl Report {
    pub(super) fn headline_rows(&self) -> Rows {
        let verdict = match self.asked.templates.len() {
            0 => "verdict".to_owned(),
            1 => "verdict on this sentence".to_owned(),
            templates => format!("verdict over {templates} templates"),
        };
        let names = [
            "measure",
            "contrast",
            "estimate",
            "95 % interval",
            "adjusted p",
            "d_z",
            "noise floor",
            "pairs",
            &verdict,
        ];
        let rows = self.primary_outcomes.iter().map(|one| {
            let (estimate, interval) = match one.estimate {
                Some(estimate) => estimated(estimate, one.interval),
                None => (none(), String::new()),
            };
            vec![
                one.name.clone(),
                one.contrast.clone(),
                estimate,
                match (interval.trim(), one.contradicts_interval()) {
                    ("", _) => none(),
                    (interval, true) => format!("{interval} {MARK}"),
                    (interval, false) => interval.to_owned(),
                },
                one.adjusted_p.map_or_else(none, p_value),
                one.d_z.map_or_else(none, |d_z| format!("{d_z:.2}")),
                one.noise_floor
                    .map_or_else(none, |noise| number(noise, noise)),
                one.units.len().to_string(),
                one.verdict_text(),
            ]
        });
        with_names(&names, rows)
    }

    pub(super) fn group_rows(&self) -> Rows {
        let names = ["measure"].into_iter();
        let names = names.chain(self.asked.groups.iter().map(String::as_str));
        let names: Vec<_> = names.chain(["difference", "ratio"]).collect();
        let rows = self.groups.iter().map(|one| {
            let scale = one.overall.unwrap_or(0.0);
            let shown = |value: Option<f64>| value.map_or_else(none, |value| number(value, scale));
            let by_group = one.by_group.iter().map(|(_, mean)| shown(*mean));
            let ratio = one.ratio.map_or_else(none, |ratio| format!("{ratio:.2}"));
            let ends = [shown(one.difference), ratio];
            [one.name.clone()]
                .into_iter()
                .chain(by_group)
                .chain(ends)
                .collect()
        });
        with_names(&names, rows)
    }

    pub(super) fn variance_rows(&self) -> Rows {
        let shares = self.variance_shares();
        let labels = self.primary_outcomes.iter().map(|one| {
            (
                (one.name.as_str(), one.contrast.as_str()),
                one.label(&self.primary_outcomes),
            )
        });
        let labels: Vec<_> = labels.collect();
        variance_rows(&shares, |one| {
            let mut labels = labels.iter();
            let own = labels.find(|(key, _)| *key == (one.name.as_str(), one.contrast.as_str()));
            own.map_or_else(none, |(_, label)| label.clone())
        })
    }

    pub(super) fn secondary_rows(&self) -> Rows {
        let rows = self.secondary.iter().map(|one| {
            let shown = |value: Option<f64>| value.map_or_else(none, |value| format!("{value:.3}"));
            vec![
                one.name.clone(),
                shown(one.value),
                shown(one.beside),
                one.meaning.clone(),
            ]
        });
        with_names(&["measure", "value", "reference", "meaning"], rows)
    }

    pub(super) fn validation_rows(&self) -> Rows {
        let names = ["measure", "class", "sensitivity", "precision"];
        with_names(&names, self.validations.iter().flat_map(|one| one.rows()))
    }

    pub(super) fn word_rows(&self) -> Rows {
        let rows = self.words.iter().map(|one| {
            let context = format!(
                "…{}[{}]{}…",
                one_line_kept(&one.before),
                sanitize_line(&one.written, 60),
                one_line_kept(&one.after)
            );
            vec![
                one.group.clone(),
                sanitize_line(&one.word, 60),
                format!("{} : {}", one.first, one.second),
                p_value(one.adjusted_p),
                context,
            ]
        });
        let pair = self.asked.compared.clone().unwrap_or_default();
        with_names(
            &["more in", "word", &pair.join(" : "), "adjusted p", "where"],
            rows,
        )
    }
}

impl Neutral {
    pub(super) fn rows(&self) -> Rows {
        let rows = self.occupations.iter().map(|one| {
            let women = one
                .women
                .map_or_else(none, |share| format!("{:.0} %", 100.0 * share));
            vec![one.occupation.clone(), self.told(one), women]
        });
        with_names(&["occupation", "answers assume", "women in the job"], rows)
    }
}

/// The summary: what was asked, the headline tests, whom neutral prompts assume, the words
/// that differ, and the limits.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", self.asked.grid(), self.asked.conditions())?;
        writeln!(
            f,
            "{}\n\n{}",
            self.conclusion(),
            aligned(&self.headline_rows())
        )?;
        if let Some(neutral) = &self.neutral {
            let title = "Whom the answers assume when the prompt names no group";
            writeln!(f, "{title}\n{}", aligned(&neutral.rows()))?;
        }
        let variance = self.variance_rows();
        if variance.len() > 1 {
            writeln!(f, "{VARIANCE}\n{}", aligned(&variance))?;
        }
        writeln!(f, "By group\n{}", aligned(&self.group_rows()))?;
        writeln!(
            f,
            "Secondary measures, without a verdict\n{}",
            aligned(&self.secondary_rows())
        )?;
        if !self.words.is_empty() {
            writeln!(f, "{WORDS}\n{}", aligned(&self.word_rows()))?;
        }
        if !self.validations.is_empty() {
            let accuracy = aligned(&self.validation_rows());
            writeln!(f, "{PEOPLE}\n{}", accuracy.trim_end())?;
            for validation in &self.validations {
                writeln!(f, "  {}", sanitize(&validation.sentence()))?;
            }
            writeln!(f)?;
        }
        f.write_str("Limits")?;
        self.caveats
            .iter()
            .try_for_each(|limit| write!(f, "\n- {}", sanitize_line(limit, 600)))
    }
}

/// The title of what people labeled.
pub(super) const PEOPLE: &str = "Held against people";

/// Marks an interval that seems to contradict the verdict beside it, which the limits explain.
pub(super) const MARK: &str = "†";

/// The title of the shares of variance.
pub(super) const VARIANCE: &str = "What the differences vary with, in % of their variance";

/// A row for each test, with the name that `label` gives it; only columns that have a value.
pub(super) fn variance_rows(
    shares: &[VarianceShares],
    label: impl Fn(&VarianceShares) -> String,
) -> Rows {
    let values = |one: &VarianceShares| {
        [
            Some(one.occupation),
            one.template,
            one.model,
            one.sample,
            one.rest,
        ]
    };
    let names = ["occupation", "template", "model", "sample", "rest"];
    let columns: Vec<usize> = (0..names.len())
        .filter(|column| {
            shares
                .iter()
                .any(|one| values(one).get(*column).copied().flatten().is_some())
        })
        .collect();
    let head = columns
        .iter()
        .filter_map(|column| names.get(*column).copied());
    let head: Vec<&str> = ["measure"].into_iter().chain(head).collect();
    let rows = shares.iter().map(|one| {
        let percent = |column: &usize| {
            let share = values(one).get(*column).copied().flatten();
            share.map_or_else(none, |share| format!("{:.0}", 100.0 * share))
        };
        [label(one)]
            .into_iter()
            .chain(columns.iter().map(percent))
            .collect()
    });
    with_names(&head, rows)
}

/// The title of the words that differ.
pub(super) const WORDS: &str = "Words that differ most (a ranking, no verdict)";

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
fn one_line_kept(part: &str) -> String {
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

fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// `24 Nov 2026`, in universal time.
pub(super) fn day(seconds: u64) -> String {
    let end_of_9999 = 253_402_300_799;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(end_of_9999));
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or_default().to_owned()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "before: {}\nafter:  {}\n", self.before, self.after)?;
        writeln!(f, "{}\n\n{}", self.conclusion(), aligned(&self.rows()))?;
        f.write_str("Limits")?;
        self.limits
            .iter()
            .try_for_each(|limit| write!(f, "\n- {}", sanitize_line(limit, 600)))
    }
}
