//! A report and a comparison as text for a terminal.

use std::fmt;

use super::format::{
    MARK, Rows, aligned, day, estimated, none, number, one_line_kept, p_value, with_names,
};
use super::{Comparison, Neutral, PrimaryOutcome, Report, StudyDesign, VarianceShares};
use crate::text::terminal::sanitize;
use crate::text::{counted, sanitize_line};

impl StudyDesign {
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
            counted(self.occupations.len(), "occupation"),
            counted(groups.len(), "group"),
            groups.join(", "),
            counted(self.samples as usize, "sample"),
            counted(self.prompts.len(), "prompt"),
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
    pub(super) fn primary_rows(&self) -> Rows {
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
            let [estimate, interval] = estimate_cells(one);
            vec![
                one.name.clone(),
                one.contrast.clone(),
                estimate,
                interval,
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
                shown(one.reference),
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
            vec![one.occupation.clone(), self.counts_text(one), women]
        });
        with_names(&["occupation", "answers assume", "women in the job"], rows)
    }
}

/// An estimate and its interval, which is marked if it seems to contradict the verdict.
pub(super) fn estimate_cells(one: &PrimaryOutcome) -> [String; 2] {
    let Some(estimate) = one.estimate else {
        return [none(), none()];
    };
    let (estimate, interval) = estimated(estimate, one.interval);
    let interval = match (interval.trim(), one.contradicts_interval()) {
        ("", _) => none(),
        (interval, true) => format!("{interval} {MARK}"),
        (interval, false) => interval.to_owned(),
    };
    [estimate, interval]
}

/// The summary: what was asked, the primary tests, whom neutral prompts assume, the words
/// that differ, and the caveats.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", self.asked.grid(), self.asked.conditions())?;
        writeln!(
            f,
            "{}\n\n{}",
            self.conclusion(),
            aligned(&self.primary_rows())
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
        f.write_str("Caveats")?;
        self.caveats
            .iter()
            .try_for_each(|caveat| write!(f, "\n- {}", sanitize_line(caveat, 600)))
    }
}

/// The title of what people labeled.
pub(super) const PEOPLE: &str = "Validated against human labels";

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
pub(super) const WORDS: &str = "Words that differ most (a ranking, not a test)";

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "before: {}\nafter:  {}\n", self.before, self.after)?;
        writeln!(f, "{}\n\n{}", self.conclusion(), aligned(&self.rows()))?;
        f.write_str("Caveats")?;
        self.caveats
            .iter()
            .try_for_each(|caveat| write!(f, "\n- {}", sanitize_line(caveat, 600)))
    }
}
