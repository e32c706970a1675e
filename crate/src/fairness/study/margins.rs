//! The margins below which a difference does not matter, and the names of the primary tests.

use std::collections::BTreeMap;

use super::Study;
use super::check::invalid_argument;
use crate::error::Result;
use crate::text::sanitize_line;

/// Scores are not larger than this, so a larger margin would call everything alike.
const MAX_SIZE: f64 = 1e100;

/// The default margin of the shares that assume a group: one answer in ten.
const SHARE_MARGIN: f64 = 0.1;

impl Study {
    /// The margin of a primary test: a difference that is smaller does not matter. It has to be
    /// fixed before the answers are seen, and is part of the report.
    ///
    /// A report says *alike within ±margin* if it shows that the difference is smaller, which takes
    /// more than not finding one: two one-sided tests, each with a chance of 5 % to be wrong, with
    /// Holm's adjustment over all primary tests (Schuirmann 1987; Lakens 2017).
    ///
    /// The name is that of a measure, or of a test of the neutral prompts such as `assumed female`.
    ///
    /// ```
    /// use evenhand::prelude::*;
    ///
    /// let study = Study::new(occupations::first(12)?).margin("length", 3.0);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Default
    /// The measure's own ([`Measure::default_margin`](crate::fairness::measures::Measure)), with its
    /// reason: 0.1 for sentiment, 5 words for length, and one answer in ten for refusals and for the
    /// shares that assume a group. Other measures have none, and no group is called alike by them.
    pub fn margin(&self, test: impl Into<String>, margin: f64) -> Self {
        let mut study = self.clone();
        study.margins.insert(test.into(), margin);
        study
    }

    /// The names of the three tests of the neutral prompts.
    pub(in crate::fairness) fn assumed_names(&self) -> [String; 3] {
        let first = self.assumed_pair().map_or("first", |[first, _]| first);
        [
            format!("assumed {first}"),
            format!("assumed {first} vs jobs"),
            "assumed majority of the job".to_owned(),
        ]
    }

    /// The margins of all primary tests that have one, by name.
    pub(in crate::fairness) fn margins(&self) -> BTreeMap<String, f64> {
        let measures = self.measures.iter();
        let mut margins: BTreeMap<String, f64> = measures
            .filter_map(|measure| Some((measure.name().to_owned(), measure.default_margin()?)))
            .collect();
        if self.neutral().is_some() {
            let assumed = self.assumed_names();
            margins.extend(assumed.map(|name| (name, SHARE_MARGIN)));
        }
        margins.extend(self.margins.clone());
        margins
    }

    /// Returns an error for a margin that is not above 0 or larger than any score, and for one of no
    /// test.
    pub(super) fn check_margins(&self) -> Result<()> {
        let measures = self
            .measures
            .iter()
            .map(|measure| measure.name().to_owned());
        let assumed = self.neutral().is_some().then(|| self.assumed_names());
        let names: Vec<String> = measures.chain(assumed.into_iter().flatten()).collect();
        for (name, margin) in self.margins() {
            let shown = sanitize_line(&name, 40);
            if !names.contains(&name) {
                return Err(invalid_argument(format!(
                    "the margin of '{shown}' is set, but the study has no such primary test"
                ))
                .with_hint(format!("it has {}", names.join(", "))));
            }
            if !(margin > 0.0 && margin.is_finite()) {
                return Err(invalid_argument(format!(
                    "the margin of '{shown}' is {margin}, and must be above 0"
                ))
                .with_hint(
                    "it is the largest difference that does not matter, in the measure's unit",
                ));
            }
            if margin > MAX_SIZE {
                return Err(invalid_argument(format!(
                    "the margin of '{shown}' is {margin:e}, and no score can be more than {MAX_SIZE:e}"
                ))
                .with_hint(
                    "it is the largest difference that does not matter, in the measure's unit",
                ));
            }
        }
        Ok(())
    }
}
