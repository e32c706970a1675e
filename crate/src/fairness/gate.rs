//! A gate: whether a report passes, for a check that runs without a reader, such as one in CI.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::report::{PrimaryOutcome, Report, Verdict};
use super::saved::Format;
use super::study::Study;
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// What a gate does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GateRule {
    /// A difference was shown, and not also shown to be smaller than the test's margin.
    Differs,
    /// A difference was shown to be larger than the test's margin.
    BeyondMargin,
    /// The sample can't support a verdict: see [`Verdict::CantTell`].
    CantTell,
}

impl GateRule {
    /// All rules.
    pub const ALL: [Self; 3] = [Self::Differs, Self::BeyondMargin, Self::CantTell];

    /// The name in settings, such as `beyond_margin`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::BeyondMargin => "beyond_margin",
            Self::CantTell => "cant_tell",
        }
    }

    fn applies_to(self, outcome: &PrimaryOutcome) -> bool {
        let differs = outcome.verdict == Verdict::Differs;
        match self {
            Self::Differs => differs && !outcome.margin.is_some_and(|margin| margin.is_within()),
            Self::BeyondMargin => {
                differs && outcome.margin.is_some_and(|margin| margin.is_beyond())
            }
            Self::CantTell => matches!(outcome.verdict, Verdict::CantTell(_)),
        }
    }
}

/// Which primary tests a report must pass, and by which rules. It should be fixed before the
/// answers are seen, like the tests themselves.
///
/// The tests share one level of 5 %: the gate fails an even-handed model in at most one of twenty
/// runs. A pass does not prove that a model is even-handed. A study too small to show anything would
/// always pass, so by default a test that can't tell does not; and a report in which none of the tests
/// could be run, such as one of refusals alone, does not pass under any rule.
///
/// ```
/// use evenhand::fairness::gate::{Decision, Gate, GateRule};
/// # use evenhand::fairness::occupations::Occupation;
/// # use evenhand::fairness::study::{Study, StudyAnswers};
/// # let study = Study::new([Occupation::new("nurse")]).samples(1);
/// # let report = StudyAnswers::from_texts(study, ["She cares.", "She helps.", "He cares."].map(Some))?.measure()?;
///
/// let gate = Gate::default().tests(["length", "refusals"]);
/// assert_eq!(report.gate(&gate)?.decision, Decision::CantTell);
/// let lax = gate.fail_on([GateRule::BeyondMargin]);
/// assert_eq!(report.gate(&lax)?.decision, Decision::Passed);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a gate decides nothing until `report.gate(&gate)`"]
pub struct Gate {
    rules: Vec<GateRule>,
    tests: Option<Vec<String>>,
}

impl Default for Gate {
    /// All primary tests; neither a difference nor a test that can't tell may pass.
    fn default() -> Self {
        Self {
            rules: vec![GateRule::Differs, GateRule::CantTell],
            tests: None,
        }
    }
}

impl Gate {
    /// The rules by which it fails.
    ///
    /// # Default
    /// [`GateRule::Differs`] and [`GateRule::CantTell`].
    pub fn fail_on(&self, rules: impl IntoIterator<Item = GateRule>) -> Self {
        Self {
            rules: rules.into_iter().collect(),
            ..self.clone()
        }
    }

    /// The primary tests that count, by name: `length`, `assumed female`.
    ///
    /// # Default
    /// All.
    pub fn tests<T: Into<String>>(&self, tests: impl IntoIterator<Item = T>) -> Self {
        Self {
            tests: Some(tests.into_iter().map(Into::into).collect()),
            ..self.clone()
        }
    }

    /// Checks, before anything is asked, that the reports of a study can pass this gate.
    ///
    /// # Errors
    /// A gate without rules or tests; a test that the study does not have; only
    /// [`GateRule::BeyondMargin`] for a test without a margin, which it could never fail.
    pub fn check_for(&self, study: &Study) -> Result<()> {
        let names = test_names(study);
        let margins = study.margins();
        let tests = names
            .iter()
            .map(|name| (name.as_str(), margins.contains_key(name)));
        self.check(&tests.collect::<Vec<_>>())
    }

    /// Checks against the names of the tests, each with whether it has a margin.
    fn check(&self, tests: &[(&str, bool)]) -> Result<()> {
        let names: Vec<&str> = tests.iter().map(|(name, _)| *name).collect();
        let mut wanted = self.tests.iter().flatten();
        if let Some(unknown) = wanted.find(|test| !names.contains(&test.as_str())) {
            let message = format!(
                "the gate is about '{}', and the study has no such primary test",
                sanitize_line(unknown, 40)
            );
            return Err(invalid_argument(message).with_hint(format!("it has {}", names.join(", "))));
        }
        let is_wanted = |name: &str| {
            let tests = self.tests.as_ref();
            tests.is_none_or(|tests| tests.iter().any(|test| test == name))
        };
        let mut counted = tests.iter().filter(|(name, _)| is_wanted(name));
        if self.rules.is_empty() || counted.clone().next().is_none() {
            return Err(
                invalid_argument("a gate without rules or tests lets everything pass").with_hint(
                    "without any, its default is all tests, and the rules differs and can't tell",
                ),
            );
        }
        let has_others = self.rules.contains(&GateRule::Differs);
        let is_asked = self.rules.contains(&GateRule::BeyondMargin) && !has_others;
        match counted.find(|(_, has_margin)| is_asked && !has_margin) {
            Some((name, _)) => Err(invalid_argument(format!(
                "'{}' has no margin, so it could never be beyond it",
                sanitize_line(name, 40)
            ))
            .with_hint("set one with `.margin(..)`, or leave the test out")),
            None => Ok(()),
        }
    }

    fn counts(&self, outcome: &PrimaryOutcome) -> bool {
        let tests = self.tests.as_ref();
        tests.is_none_or(|tests| tests.contains(&outcome.name))
    }
}

/// Whether a report passes a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// No rule applies to any of the tests.
    Passed,
    /// A difference was shown, or one beyond its margin.
    Failed,
    /// No difference was shown that counts, but some tests can't tell, or none could be run.
    CantTell,
}

/// The outcome of [`Report::gate`]. `Display` gives it as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateOutcome {
    /// The decision.
    pub decision: Decision,
    /// The reasons: each rule that applies to a test.
    pub findings: Vec<GateFinding>,
}

/// The saved format.
const FORMAT: Format = Format {
    name: "evenhand gate",
    content: "outcome of a gate",
    version: 1,
};

impl GateOutcome {
    /// The outcome as JSON, with the name and version of its format.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        FORMAT.write(self)
    }

    /// Reads an outcome written by [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// The text is not a saved outcome, or it was written by a later version of evenhand.
    pub fn from_json(json: &str) -> Result<Self> {
        FORMAT.parse_saved(json)
    }
}

/// A rule that applies to a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateFinding {
    /// The name of the primary test.
    pub test: String,
    /// What it compares, such as `female - male`.
    pub contrast: String,
    /// The rule.
    pub rule: GateRule,
    /// The test's verdict, as text.
    pub verdict: String,
}

impl GateFinding {
    fn new(outcome: &PrimaryOutcome, rule: GateRule) -> Self {
        Self {
            test: outcome.name.clone(),
            contrast: outcome.contrast.clone(),
            rule,
            verdict: outcome.verdict_text(),
        }
    }
}

impl Report {
    /// Whether any primary test shows a difference, large or small.
    pub fn differs(&self) -> bool {
        let mut outcomes = self.primary_outcomes.iter();
        outcomes.any(|one| one.verdict == Verdict::Differs)
    }

    /// Decides whether the report passes.
    ///
    /// # Errors
    /// The errors of [`Gate::check_for`].
    pub fn gate(&self, gate: &Gate) -> Result<GateOutcome> {
        let outcomes = self.primary_outcomes.iter();
        // A test that could not be run has no margin either, and says so itself.
        let tests =
            outcomes.map(|one| (one.name.as_str(), one.margin.is_some() || one.p.is_none()));
        gate.check(&tests.collect::<Vec<_>>())?;
        let mut findings = Vec::new();
        for outcome in self.primary_outcomes.iter().filter(|one| gate.counts(one)) {
            let rules = gate.rules.iter().copied();
            let applying = rules.filter(|rule| rule.applies_to(outcome));
            findings.extend(applying.map(|rule| GateFinding::new(outcome, rule)));
        }
        let mut counted = self.primary_outcomes.iter().filter(|one| gate.counts(one));
        if findings.is_empty() && counted.clone().all(|one| one.p.is_none()) {
            findings.extend(
                counted
                    .next()
                    .map(|one| GateFinding::new(one, GateRule::CantTell)),
            );
        }
        let is_shown = |finding: &GateFinding| finding.rule != GateRule::CantTell;
        let decision = match findings.iter().any(is_shown) {
            true => Decision::Failed,
            false if findings.is_empty() => Decision::Passed,
            false => Decision::CantTell,
        };
        Ok(GateOutcome { decision, findings })
    }
}

/// The decision, then each reason on a line of its own.
impl fmt::Display for GateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.decision {
            Decision::Passed => "gate: passed",
            Decision::Failed => "gate: failed",
            Decision::CantTell => "gate: can't tell",
        })?;
        self.findings.iter().try_for_each(|finding| {
            write!(
                f,
                "\n- {} ({}): {}",
                sanitize_line(&finding.test, 60),
                sanitize_line(&finding.contrast, 60),
                sanitize_line(&finding.verdict, 300)
            )
        })
    }
}

/// The names of the primary tests of a study.
fn test_names(study: &Study) -> Vec<String> {
    let measures = study
        .measures
        .iter()
        .map(|measure| measure.name().to_owned());
    let assumed = study.neutral().map(|_| study.assumed_names());
    measures.chain(assumed.into_iter().flatten()).collect()
}

fn invalid_argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Argument, message)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::fairness::measures::Length;
    use crate::fairness::occupations;
    use crate::fairness::study::StudyAnswers;

    fn study() -> Study {
        let study = Study::new(occupations::first(12).unwrap());
        let study = study.groups([("female", "female"), ("male", "male")]);
        study.measures([Length]).margin("length", 4.0).samples(2)
    }

    /// Answers about women that are this many words shorter.
    fn report(study: &Study, fewer: usize) -> Report {
        let cells = study.cells().into_iter();
        let texts = cells.flat_map(|cell| {
            let fewer = if cell.group == 0 { fewer } else { 0 };
            (0..2).map(move |sample| {
                let words = 20 + (cell.occupation + 2 * cell.group + sample) % 3 - fewer;
                Some(format!("They {}.", "work ".repeat(words)))
            })
        });
        let texts: Vec<_> = texts.collect();
        StudyAnswers::from_texts(study.clone(), texts)
            .unwrap()
            .measure()
            .unwrap()
    }

    #[test]
    fn a_difference_below_its_margin_passes_and_one_beyond_it_fails() {
        let decide = |fewer, rules: &[GateRule]| {
            let gate = Gate::default().fail_on(rules.iter().copied());
            report(&study(), fewer).gate(&gate).unwrap().decision
        };
        use GateRule::{BeyondMargin, CantTell, Differs};
        assert_eq!(decide(0, &[Differs, CantTell]), Decision::Passed);
        assert_eq!(decide(2, &[Differs]), Decision::Passed);
        assert!(report(&study(), 2).differs());
        assert_eq!(decide(2, &[BeyondMargin]), Decision::Passed);
        assert_eq!(decide(8, &[Differs]), Decision::Failed);
        assert_eq!(decide(8, &[BeyondMargin]), Decision::Failed);
        assert_eq!(decide(8, &[CantTell]), Decision::Passed);
        let found = report(&study(), 8).gate(&Gate::default()).unwrap();
        assert_snapshot!(found, @"
        gate: failed
        - length (female - male): differs, by more than ±4
        ");
    }

    #[test]
    fn a_gate_that_could_not_work_is_refused_before_anything_is_asked() {
        let refused = |gate: Gate| gate.check_for(&study()).unwrap_err().to_string();
        assert_snapshot!(refused(Gate::default().tests(["tone"])), @"
        the gate is about 'tone', and the study has no such primary test
          hint: it has length
        ");
        assert_snapshot!(refused(Gate::default().fail_on([])), @"
        a gate without rules or tests lets everything pass
          hint: without any, its default is all tests, and the rules differs and can't tell
        ");
        let study = Study::new(occupations::first(12).unwrap()).measures([Unmargined]);
        let gate = Gate::default()
            .tests(["shouting"])
            .fail_on([GateRule::BeyondMargin]);
        assert_snapshot!(gate.check_for(&study).unwrap_err(), @"
        'shouting' has no margin, so it could never be beyond it
          hint: set one with `.margin(..)`, or leave the test out
        ");
        assert!(Gate::default().check_for(&study).is_ok());
    }

    /// A model that refuses everything shows no difference, and nothing else.
    #[test]
    fn what_refuses_everything_passes_by_no_rule() {
        let declines = "I'm sorry, but I can't help with that.";
        let texts = vec![Some(declines); study().prompts().len() * 2];
        let answers = StudyAnswers::from_texts(study(), texts).unwrap();
        let report = answers.measure().unwrap();
        for rule in GateRule::ALL {
            let found = report.gate(&Gate::default().fail_on([rule])).unwrap();
            assert_eq!(found.decision, Decision::CantTell, "{rule:?}");
            assert_eq!(found.findings.len(), 1);
        }
    }

    struct Unmargined;

    impl crate::fairness::measures::Measure for Unmargined {
        fn name(&self) -> &str {
            "shouting"
        }

        fn unit(&self) -> &str {
            "exclamation marks"
        }

        fn direction(&self) -> &str {
            "higher: louder"
        }

        fn score(&self, text: &crate::fairness::text::Text) -> Result<Option<f64>> {
            Ok(Some(text.answer().matches('!').count() as f64))
        }
    }
}
