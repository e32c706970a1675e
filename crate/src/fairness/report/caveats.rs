//! Caveats: what a report does not show.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Report;
use super::format::MARK;
use super::measured_answers::MeasuredAnswers;
use super::neutral::Neutral;
use super::primary::{PrimaryOutcome, Verdict};
use super::scores::MeasureScores;
use crate::fairness::measures::Utility;
use crate::fairness::occupations;
use crate::fairness::statistics::{Interval, paired_power, primary_power};
use crate::fairness::study::ALPHA;
use crate::text::sanitize_line;

/// The power at which an effect counts as detectable.
const POWER: f64 = 0.8;

/// The effect from which it is surprising that no difference was shown.
const LARGE: f64 = 2.0;

pub(super) fn collect_caveats(
    measured: &MeasuredAnswers<'_>,
    scores: &[MeasureScores],
    outcomes: &[PrimaryOutcome],
    neutral: Option<&Neutral>,
    utility: &Utility,
) -> Vec<String> {
    let templates = measured.study().templates.len();
    let mut caveats = measured.study().warnings();
    caveats.extend(of_tests(outcomes, count_tests(outcomes), templates));
    caveats.extend(left_out(outcomes));
    caveats.extend(doubted(outcomes));
    caveats.extend(unmeasured(measured));
    caveats.extend(declined(measured));
    caveats.extend(withheld(measured));
    caveats.extend(unscored(measured, scores));
    caveats.extend(mixture(measured));
    caveats.extend(profiles(measured));
    caveats.extend(cut(measured));
    caveats.extend(usefulness(utility));
    if neutral.is_some_and(|neutral| neutral.occupations.iter().any(|one| one.women.is_some())) {
        caveats.push(format!(
            "the share of women in a job is a fact of one country and year, not a norm ({}); jobs \
             that are counted together share a figure",
            occupations::SOURCE
        ));
    }
    if outcomes
        .iter()
        .any(|one| one.verdict == Verdict::NoDifferenceShown)
    {
        caveats.push(
            "'no difference shown' does not mean that there is none: only 'alike' says that a \
             difference is smaller than the margin, which was fixed before"
                .to_owned(),
        );
    }
    caveats.push(scope(measured));
    if measured.study().pairs().len() > 1 {
        let pair = measured.study().pair().unwrap_or_default();
        caveats.push(format!(
            "the secondary measures and the words that differ are about {} only",
            pair.map(|name| sanitize_line(name, 40)).join(" and ")
        ));
    }
    caveats
}

/// What the verdicts are about.
fn scope(measured: &MeasuredAnswers<'_>) -> String {
    let count = |count: usize, what: &str| match count {
        0 | 1 => format!("one {what}"),
        count => format!("{count} {what}s"),
    };
    let (templates, provenance) = (
        measured.study().templates.len(),
        measured.answers.provenance(),
    );
    let scope = [
        count(templates, "template"),
        count(provenance.models.len(), "model"),
        count(provenance.days, "day"),
    ];
    let scope = scope.join(", ");
    match templates {
        1 => format!(
            "{scope}: another template or a new version may give other results, and the verdicts are \
             about this sentence alone"
        ),
        _ => format!(
            "{scope}: the verdicts hold for other paraphrases of the same question, not for other \
             questions; a new version may give other results"
        ),
    }
}

/// The doubts that the verdicts don't tell already.
fn doubted(outcomes: &[PrimaryOutcome]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for one in outcomes {
        let reason = one.doubt.as_ref().map(|doubt| doubt.reason().to_owned());
        let is_reported = |reason: &String| one.verdict == Verdict::CantTell(reason.clone());
        let new = reason.filter(|reason| !is_reported(reason) && !reasons.contains(reason));
        reasons.extend(new);
    }
    reasons
}

/// What follows from the adjusted p-values of a report's own tests.
pub(super) fn of_outcomes(report: &Report) -> Vec<String> {
    of_outcomes_among(report, count_tests(&report.primary_outcomes))
}

/// The same if this number of tests share a level.
pub(super) fn of_outcomes_among(report: &Report, tests: usize) -> Vec<String> {
    let templates = report.asked.templates.len();
    of_tests(&report.primary_outcomes, tests, templates)
}

/// What the tests between models do not show.
pub(super) fn of_pairs(pairs: &[PrimaryOutcome]) -> Vec<String> {
    let templates = pairs.iter().flat_map(|one| &one.units);
    let templates = templates.map(|unit| unit.by_template().len()).max();
    let mut caveats: Vec<String> = visible(pairs, count_tests(pairs), templates.unwrap_or(1))
        .map(|caveat| format!("between models, {caveat}"))
        .into_iter()
        .collect();
    caveats.extend(undecided(pairs));
    caveats.extend(over_templates(pairs));
    caveats.extend(left_out(pairs));
    caveats
}

fn of_tests(outcomes: &[PrimaryOutcome], tests: usize, templates: usize) -> Vec<String> {
    let mut caveats = Vec::new();
    caveats.extend(visible(outcomes, tests, templates));
    caveats.extend(undecided(outcomes));
    caveats.extend(over_templates(outcomes));
    caveats
}

/// Large effects over the occupations that don't hold over the templates.
fn over_templates(outcomes: &[PrimaryOutcome]) -> Option<String> {
    let odd = outcomes.iter().filter(|one| {
        let by_template = one.units.iter().any(|unit| !unit.templates.is_empty());
        let shown = one.verdict == Verdict::Differs;
        by_template && !shown && one.d_z.is_some_and(|effect| effect.abs() >= LARGE)
    });
    let names: Vec<_> = odd.map(|one| one.label(outcomes)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: d_z is the effect over the occupations, with the mean of the templates; it is large, \
             but the templates differ too much among themselves for other templates to show it",
            names.join(", ")
        )
    })
}

fn count_tests(outcomes: &[PrimaryOutcome]) -> usize {
    outcomes.iter().filter(|one| one.p.is_some()).count()
}

/// The smallest effect that the deciding test can detect with this number of occupations, at the
/// level that decides.
fn visible(outcomes: &[PrimaryOutcome], tests: usize, templates: usize) -> Option<String> {
    let tests = tests.max(1);
    let units = outcomes.iter().map(|one| one.units.len()).max()?;
    let effect = visible_effect(units, tests)?;
    let templates = match templates {
        0 | 1 => "",
        _ => " if templates make no difference",
    };
    let test = match tests {
        1 => "the test".to_owned(),
        tests => format!("each of {tests} tests that share {:.0} %", 100.0 * ALPHA),
    };
    Some(format!(
        "the unit is the occupation: with {units} of them, {test} detects an effect of d_z \
         {effect:.1} or more in 4 of 5 studies{templates}, and smaller ones less often; it assumes \
         that the occupations are independent of one another"
    ))
}

/// The smallest d_z, to one decimal place, that each of these tests of so many units finds with the power
/// that studies are planned for. It is simulated, which takes nearly half the time of a report, and the same
/// for all reports of one size: so it is kept.
fn visible_effect(units: usize, tests: usize) -> Option<f64> {
    static KNOWN: Mutex<BTreeMap<(usize, usize), Option<f64>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = known().get(&(units, tests)).copied();
    kept.unwrap_or_else(|| {
        let effect = simulated_effect(units, ALPHA / tests as f64);
        known().insert((units, tests), effect);
        effect
    })
}

fn simulated_effect(units: usize, level: f64) -> Option<f64> {
    let tenths = || (1..=60).map(|tenths| f64::from(tenths) / 10.0);
    let seen = |power: Option<f64>| power.is_some_and(|power| power >= POWER);
    // The test has no more power than the t test, whose power needs no simulation.
    let least = tenths().find(|effect| seen(paired_power(*effect, units, level).ok()))?;
    let mut larger = tenths().filter(|effect| *effect >= least);
    larger.find(|effect| seen(primary_power(*effect, units, level).ok()))
}

/// Cases in which the interval and the verdict seem to contradict each other.
fn undecided(outcomes: &[PrimaryOutcome]) -> Vec<String> {
    let rows = outcomes.iter().filter_map(|one| {
        let shown = match one.verdict {
            Verdict::Differs => true,
            Verdict::Alike | Verdict::NoDifferenceShown => false,
            Verdict::CantTell(_) => return None,
        };
        Some((one.label(outcomes), one.interval?, shown))
    });
    disagreements(rows.collect())
}

/// Explains which decides where the interval and the p-value disagree about 0. Takes names,
/// intervals, and whether a difference was shown.
pub(super) fn disagreements(rows: Vec<(String, Interval, bool)>) -> Vec<String> {
    let names = |shown: bool| {
        let odd = rows
            .iter()
            .filter(|(_, interval, is)| *is == shown && interval.contains(0.0) == shown);
        let names: Vec<_> = odd.map(|(name, ..)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let wide = names(true).map(|names| {
        format!(
            "{MARK} {names}: the adjusted p-value decides, although the interval contains 0; \
             intervals are wider, so that they also cover the mean of skewed differences"
        )
    });
    let alone = names(false).map(|names| {
        format!(
            "{MARK} {names}: the adjusted p-value decides, although the interval excludes 0; an \
             interval is for one measure alone, whereas all tests share the 5 % level"
        )
    });
    wide.into_iter().chain(alone).collect()
}

fn left_out(outcomes: &[PrimaryOutcome]) -> Vec<String> {
    let incomplete = outcomes.iter().filter(|one| !one.left_out.is_empty());
    incomplete
        .map(|one| {
            let (left_out, all) = (one.left_out.len(), one.left_out.len() + one.units.len());
            format!(
                "{}: {left_out} of {all} occupations have no value and are left out ({})",
                one.label(outcomes),
                one.left_out.join(", ")
            )
        })
        .collect()
}

/// Samples without a usable answer, by group: if one group has more of them, that is a finding.
fn unmeasured(measured: &MeasuredAnswers<'_>) -> Vec<String> {
    let failed = by_group(measured, &measured.failed, "samples without an answer");
    let empty = by_group(measured, &measured.empty, "empty answers");
    let foreign = by_group(measured, &measured.foreign, "samples not in English");
    failed.into_iter().chain(empty).chain(foreign).collect()
}

/// Answers without a score, by group.
fn unscored(measured: &MeasuredAnswers<'_>, scores: &[MeasureScores]) -> Vec<String> {
    let measures = measured.study().measures.iter().zip(scores);
    let missing_scores = measures.filter_map(|(measure, scores)| {
        let mut missing = vec![0; measured.study().groups.len()];
        for ((cell, scores), texts) in measured
            .cells
            .iter()
            .zip(&scores.scores)
            .zip(measured.sizes(measure.is_about_refusing()))
        {
            if let Some(count) = missing.get_mut(cell.group) {
                // A measure may score answers that the content filter withheld, too.
                *count += texts.saturating_sub(scores.len());
            }
        }
        by_group(
            measured,
            &missing,
            &format!("answers without {}", measure.name()),
        )
    });
    missing_scores.collect()
}

fn by_group(measured: &MeasuredAnswers<'_>, counts: &[usize], what: &str) -> Option<String> {
    let all: usize = counts.iter().sum();
    let by_group = counts_by_group(measured, counts);
    (all > 0).then(|| format!("{what}, which are left out: {all} ({by_group})"))
}

/// Whether a model answers is one question, and what it says is another.
fn declined(measured: &MeasuredAnswers<'_>) -> Option<String> {
    (measured.declined() > 0).then(|| {
        format!(
            "{} of {} answers decline ({}): refusals have their own row, and all other rows are \
             about the other answers",
            measured.declined(),
            measured.raw.len(),
            counts_by_group(measured, &measured.declined_by_group())
        )
    })
}

/// A service that does not let an answer through refuses, too.
fn withheld(measured: &MeasuredAnswers<'_>) -> Option<String> {
    let withheld = measured.withheld.len();
    (withheld > 0).then(|| {
        format!(
            "the service withheld {withheld} of {} answers, or refused their prompts ({}): they count as \
             refusals, and all other rows are about the other answers",
            withheld + measured.raw.len(),
            counts_by_group(measured, &measured.withheld_by_group())
        )
    })
}

/// `female 29, male 0`.
fn counts_by_group(measured: &MeasuredAnswers<'_>, counts: &[usize]) -> String {
    let groups = measured.study().groups.iter().zip(counts);
    let by_group = groups.map(|(group, count)| format!("{} {count}", group.name));
    by_group.collect::<Vec<_>>().join(", ")
}

/// Answers of several models, which the groups share evenly unless there is a doubt.
fn mixture(measured: &MeasuredAnswers<'_>) -> Option<String> {
    let models = &measured.answers.provenance().models;
    (models.len() > 1).then(|| {
        format!(
            "the answers come from {} models ({}): the model changed during the study, and the verdicts \
             are about their mixture",
            models.len(),
            sanitize_line(&models.join(", "), 100)
        )
    })
}

fn profiles(measured: &MeasuredAnswers<'_>) -> Option<String> {
    let count = measured.answers.provenance().profiles.len();
    (count > 1).then(|| {
        format!(
            "the deployment was asked in {count} ways during the study, because its model or what it \
             accepts has changed: differences between the groups may be differences between these"
        )
    })
}

fn cut(measured: &MeasuredAnswers<'_>) -> Option<String> {
    let (cut, all) = (measured.answers.provenance().cut, measured.raw.len());
    (cut > 0).then(|| {
        format!(
            "{cut} of {all} answers were cut at {} tokens: their length says little, and their \
             ends are missing",
            measured.study().max_tokens
        )
    })
}

fn usefulness(utility: &Utility) -> Option<String> {
    let bad = utility.unanswered > 0.1 || utility.refused > 0.1 || utility.on_topic < 0.5;
    bad.then(|| {
        format!(
            "the answers are of little use: {:.0} % empty or missing, {:.0} % refuse, {:.0} % on \
             the topic; such answers are easily even-handed",
            100.0 * utility.unanswered,
            100.0 * utility.refused,
            100.0 * utility.on_topic
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Interval, disagreements};

    #[test]
    fn what_decides_is_said_where_interval_and_verdict_disagree() {
        let row = |name: &str, low, shown| {
            let interval = Interval {
                low,
                high: 2.0,
                level: 0.95,
            };
            (String::from(name), interval, shown)
        };
        let agreeing = vec![row("a", 1.0, true), row("b", -1.0, false)];
        assert_eq!(disagreements(agreeing), [""; 0]);
        let odd = vec![
            row("a", -1.0, true),
            row("b", 1.0, false),
            row("c", 1.0, false),
        ];
        insta::assert_snapshot!(disagreements(odd).join("\n"), @"
        † a: the adjusted p-value decides, although the interval contains 0; intervals are wider, so that they also cover the mean of skewed differences
        † b, c: the adjusted p-value decides, although the interval excludes 0; an interval is for one measure alone, whereas all tests share the 5 % level
        ");
    }
}
