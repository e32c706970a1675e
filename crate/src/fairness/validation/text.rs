//! A validation as text.

use std::fmt;

use super::{Agreement, ClassAccuracy, Rate, Validation};
use crate::text::sanitize_line;

impl Validation {
    /// A row for each class: the measure, the class, its sensitivity and its precision.
    pub(in crate::fairness) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.accuracy.iter().map(|one| {
            let ClassAccuracy {
                class,
                sensitivity,
                precision,
            } = one;
            let shown = |rate: &Option<Rate>| rate.as_ref().map_or("–".to_owned(), rate_text);
            vec![
                sanitize_line(&self.about, 40),
                sanitize_line(class, 40),
                shown(sensitivity),
                shown(precision),
            ]
        })
    }

    /// Who labeled what, and how well they agree.
    pub(in crate::fairness) fn sentence(&self) -> String {
        let people: Vec<_> = self
            .people
            .iter()
            .map(|(person, labels)| format!("{} ({labels})", sanitize_line(person, 60)))
            .collect();
        let mut text = format!(
            "{}: {} answers drawn, labeled by {}",
            sanitize_line(&self.about, 40),
            self.drawn,
            people.join(" and ")
        );
        if let Some(agreement) = &self.agreement {
            text.push_str(&format!("; they agree on {}", agreed(agreement)));
            let left_out = agreement.same.trials - agreement.same.successes;
            if left_out > 0 {
                text.push_str(&format!("; {left_out} on which they differ are left out"));
            }
        }
        if self.unscored > 0 {
            text.push_str(&format!("; {} have no score", self.unscored));
        }
        text
    }
}

/// `44 of 48: 0.92 [0.80, 0.97], kappa 0.84 [0.70, 0.98]`.
fn agreed(agreement: &Agreement) -> String {
    let kappa = match (agreement.kappa, agreement.kappa_interval) {
        (Some(kappa), Some(interval)) => format!("kappa {kappa:.2} {interval:.2}"),
        (Some(kappa), None) => format!("kappa {kappa:.2}"),
        (None, _) => "no kappa, since both always gave the same label".to_owned(),
    };
    format!("{}, {kappa}", rate_text(&agreement.same))
}

/// `44 of 48: 0.92 [0.80, 0.97]`.
fn rate_text(rate: &Rate) -> String {
    format!(
        "{} of {}: {:.2} {:.2}",
        rate.successes,
        rate.trials,
        rate.rate(),
        rate.interval
    )
}

/// The people and their agreement, and a line for each class.
impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        self.rows().try_for_each(|row| match row.as_slice() {
            [_, class, sensitivity, precision] => {
                write!(
                    f,
                    "\n- {class}: sensitivity {sensitivity}; precision {precision}"
                )
            }
            _ => Ok(()),
        })
    }
}
