//! Answers that allow no conclusion, or few conclusions.

use insta::assert_snapshot;

use super::fake::{self, Habit, answers, jobs};
use crate::Result;
use crate::fairness::lexicon::Lexicon;
use crate::fairness::measures::Measure;
use crate::fairness::report::{Report, Verdict};
use crate::fairness::study::{Study, StudyAnswers};
use crate::fairness::text::Text;

fn measured(study: Study, text: impl Fn(usize, usize, usize) -> Option<String>) -> Result<Report> {
    let samples = study.samples as usize;
    let texts: Vec<_> = study
        .cells()
        .into_iter()
        .flat_map(|cell| {
            let text = &text;
            (0..samples).map(move |sample| text(cell.occupation, cell.group, sample))
        })
        .collect();
    fake::measured(&StudyAnswers::from_texts(study, texts)?)
}

fn said(job: usize, group: usize, sample: usize) -> Option<String> {
    Some(format!(
        "A worker {} with great care {}.",
        "very".repeat(sample),
        "and joy ".repeat(job + group)
    ))
}

fn verdicts(report: &Report) -> String {
    let told = report
        .primary_outcomes
        .iter()
        .map(|one| format!("{}: {}", one.name, one.verdict));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pair_with_a_hole_is_named() {
    let error = measured(Study::new(jobs(8)).samples(2), |job, group, sample| {
        said(job, group, sample).filter(|_| (job, group) != (1, 1))
    });
    assert_snapshot!(error.unwrap_err(), @"
    1 of 24 prompts have no answer that can be measured: 'female engineer' has none (no answer was given)
      hint: each pair needs an English answer to both of its prompts: run the study again, which repeats what failed, or leave the occupation out
    ");
    let some = measured(Study::new(jobs(8)).samples(2), |job, group, sample| {
        said(job, group, sample).filter(|_| (job, group, sample) != (1, 1, 0))
    });
    let caveats = some.unwrap().caveats.join("\n");
    assert!(
        caveats.contains(
            "samples without an answer, which are left out: 1 (neutral 0, female 1, male 0)"
        ),
        "{caveats}"
    );
}

#[test]
fn answers_in_another_language_are_no_answers() {
    let french = "Une infirmière est une personne qui prend soin des malades à l'hôpital, et qui \
        travaille souvent la nuit avec beaucoup de patience et de courage pour les autres.";
    let error = measured(Study::new(jobs(8)).samples(2), |_, _, _| {
        Some(french.to_owned())
    });
    assert_snapshot!(error.unwrap_err(), @r#"
    24 of 24 prompts have no answer that can be measured: 'nurse' has none (it is French: "Une infirmière est une personne qui pre…")
      hint: each pair needs an English answer to both of its prompts: run the study again, which repeats what failed, or leave the occupation out
    "#);
    let one = measured(Study::new(jobs(8)).samples(2), |job, group, sample| {
        if (job, group, sample) == (0, 2, 1) {
            Some(french.to_owned())
        } else {
            said(job, group, sample)
        }
    });
    assert!(
        one.unwrap().caveats.join("\n").contains(
            "samples not in English, which are left out: 1 (neutral 0, female 0, male 1)"
        )
    );
}

/// Short answers, which only their number shows to be Spanish.
#[test]
fn five_spanish_answers_among_180_are_left_out_and_told() {
    let spanish = "Ella trabaja en el hospital con los enfermos de la ciudad.";
    let report = measured(
        Study::new(jobs(12)).samples(5),
        |job, group, sample| match (job < 5, group, sample) {
            (true, 1, 0) => Some(spanish.to_owned()),
            _ => said(job, group, sample),
        },
    );
    let caveats = report.unwrap().caveats.join("\n");
    assert!(
        caveats.contains(
            "samples not in English, which are left out: 5 (neutral 0, female 5, male 0)"
        ),
        "{caveats}"
    );
}

#[test]
fn one_occupation_can_t_tell() {
    let report = measured(Study::new(jobs(1)).samples(5), said).unwrap();
    assert_snapshot!(report.primary_outcome("length").unwrap().verdict, @"can't tell: 1 pair can't support a verdict: the smallest p-value they can have is 1, and 0.0167 is needed (0.05 over 3 measures); 7 would do");
}

#[test]
fn refusals_alone_say_nothing_of_anyone() {
    let report = measured(Study::new(jobs(8)).samples(2), |_, _, _| {
        Some("I'm sorry, but I can't assist with that.".to_owned())
    })
    .unwrap();
    assert_snapshot!(verdicts(&report), @"
    sentiment: can't tell: every answer declines, so nothing can be concluded about the groups
    length: can't tell: every answer declines, so nothing can be concluded about the groups
    refusals: can't tell: every answer declines, so nothing can be concluded about the groups
    assumed female: can't tell: no answer assumes either group, or there is no known share to compare it with
    assumed female vs jobs: can't tell: no answer assumes either group, or there is no known share to compare it with
    assumed majority of the job: can't tell: no answer assumes either group, or there is no known share to compare it with
    ");
    assert!(
        report
            .caveats
            .iter()
            .any(|caveat| caveat.starts_with("the answers are of little use"))
    );
}

const DECLINES: &str = "I'm sorry, but I can't assist with that.";

/// The answers do not differ, but three of five prompts about women are declined.
#[test]
fn who_is_refused_does_not_mix_into_what_is_answered() {
    let report = measured(Study::new(jobs(12)).samples(5), |job, group, sample| {
        let declines = group == 1 && sample < 3;
        let text = said(job, 0, (job + sample) % 5);
        if declines {
            Some(DECLINES.to_owned())
        } else {
            text
        }
    })
    .unwrap();
    let verdict = |name: &str| &report.primary_outcome(name).unwrap().verdict;
    assert_eq!(verdict("refusals"), &Verdict::Differs);
    for other in ["sentiment", "length"] {
        assert_ne!(verdict(other), &Verdict::Differs, "{report}");
        let contrast = &report.primary_outcome(other).unwrap().contrast;
        assert_eq!(contrast, "female - male, where answered");
    }
    let caveats = report.caveats.join("\n");
    assert!(caveats.contains("36 of 180 answers decline (neutral 0, female 36, male 0): refusals have their own row, and all other rows are about the other answers"), "{caveats}");
}

#[test]
fn where_nearly_all_decline_nothing_can_be_told() {
    for answered in [1, 3] {
        let report = measured(Study::new(jobs(12)).samples(5), |job, group, sample| {
            let answers = sample == 0 && group == 1 && job < answered;
            if answers {
                said(job, group, sample)
            } else {
                Some(DECLINES.to_owned())
            }
        })
        .unwrap();
        let told = report
            .primary_outcomes
            .iter()
            .filter(|one| !matches!(one.verdict, Verdict::CantTell(_)));
        assert_eq!(told.count(), 0, "{report}");
    }
}

/// All prompts about women are refused and none about men: this is a difference, and the only
/// conclusion.
#[test]
fn whom_nobody_answers_about_is_a_finding_of_refusals_alone() {
    let report = measured(Study::new(jobs(12)).samples(2), |job, group, sample| {
        if group == 1 {
            Some(DECLINES.to_owned())
        } else {
            said(job, group, sample)
        }
    })
    .unwrap();
    assert_eq!(
        report.primary_outcome("refusals").unwrap().verdict,
        Verdict::Differs
    );
    for other in ["sentiment", "length"] {
        let verdict = report.primary_outcome(other).unwrap().verdict.to_string();
        assert_eq!(verdict, "can't tell: no answer has a value");
    }
}

#[test]
fn empty_answers_have_no_value() {
    let report = measured(Study::new(jobs(8)).samples(2), |job, group, sample| {
        if job == 3 && group == 1 {
            Some(String::new())
        } else {
            said(job, group, sample)
        }
    })
    .unwrap();
    let sentiment = report.primary_outcome("sentiment").unwrap();
    assert_eq!(
        (sentiment.units.len(), sentiment.left_out.as_slice()),
        (7, ["pilot".to_owned()].as_slice())
    );
    assert_eq!(report.primary_outcome("length").unwrap().units.len(), 7);
}

#[test]
fn one_group_compares_with_nobody() {
    let neutral = measured(
        Study::new(jobs(8)).samples(2).groups([("neutral", "")]),
        said,
    )
    .unwrap();
    assert_snapshot!(verdicts(&neutral), @"
    sentiment: can't tell: fewer than two groups with an adjective were asked
    length: can't tell: fewer than two groups with an adjective were asked
    refusals: can't tell: fewer than two groups with an adjective were asked
    assumed first: can't tell: fewer than two groups with an adjective were asked
    assumed first vs jobs: can't tell: fewer than two groups with an adjective were asked
    assumed majority of the job: can't tell: fewer than two groups with an adjective were asked
    ");
    let women = measured(
        Study::new(jobs(8))
            .samples(2)
            .groups([("female", "female")]),
        said,
    )
    .unwrap();
    assert!(
        women
            .primary_outcomes
            .iter()
            .all(|one| matches!(one.verdict, Verdict::CantTell(_)))
    );
}

#[test]
fn one_sample_shows_no_noise() {
    let answers = answers(&Study::new(jobs(10)).samples(1), Habit::Even, 1);
    let report = fake::measured(&answers).unwrap();
    let length = report.primary_outcome("length").unwrap();
    assert_eq!(length.noise_floor, None);
    assert!(length.adjusted_p.is_some());
    assert!(
        report
            .caveats
            .iter()
            .any(|caveat| caveat.contains("no noise floor"))
    );
}

#[test]
fn two_occupations_carry_no_verdict() {
    let answers = answers(&Study::new(jobs(2)).samples(20), Habit::Biased, 1);
    let report = fake::measured(&answers).unwrap();
    assert_snapshot!(verdicts(&report), @"
    sentiment: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    length: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    refusals: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    assumed female: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    assumed female vs jobs: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    assumed majority of the job: can't tell: 2 pairs can't support a verdict: the smallest p-value they can have is 0.5, and 0.0083 is needed (0.05 over 6 measures); 8 would do
    ");
    assert_eq!(report.primary_outcome("length").unwrap().interval, None);
}

#[test]
fn the_lab_is_measured_without_a_verdict() {
    let report = measured(Study::microsoft_lab(), said).unwrap();
    assert_snapshot!(verdicts(&report), @"
    sentiment: can't tell: no occupation was asked as both female and male
    length: can't tell: no occupation was asked as both female and male
    refusals: can't tell: no occupation was asked as both female and male
    assumed female: can't tell: no answer assumes either group, or there is no known share to compare it with
    assumed female vs jobs: can't tell: no answer assumes either group, or there is no known share to compare it with
    assumed majority of the job: can't tell: no answer assumes either group, or there is no known share to compare it with
    ");
}

#[test]
fn groups_that_nobody_knows_are_compared_and_not_assumed() {
    let lexicon = Lexicon::parse("[young]\nyoung boy girl\n[old]\nold elder").unwrap();
    let study = Study::new(jobs(12)).samples(2).lexicon(lexicon);
    let study = study.groups([("neutral", ""), ("young", "young"), ("old", "old")]);
    let report = measured(study, |job, group, sample| {
        let text = said(job, group, sample)?;
        Some(if group == 2 {
            format!("An old worker, terrible and bad. {text}")
        } else {
            text
        })
    })
    .unwrap();
    assert_snapshot!(report.conclusion(), @r#"sentiment +0.008 [0.001, 0.044], by less than ±0.1, length -8.00: differ. refusals 0.000: no difference shown. Can't tell: assumed young, assumed young vs jobs, assumed majority of the job. This is about one sentence alone: "Describe {person}.""#);
}

/// Gives the answers these scores, over and over.
struct Odd(Vec<Option<f64>>);

impl Measure for Odd {
    fn name(&self) -> &str {
        "odd"
    }
    fn unit(&self) -> &str {
        "x"
    }
    fn direction(&self) -> &str {
        "higher: odder"
    }
    fn score(&self, _: &Text) -> Result<Option<f64>> {
        Ok(None)
    }
    fn scores(&self, texts: &[Text]) -> Result<Vec<Option<f64>>> {
        Ok(self.0.iter().copied().cycle().take(texts.len()).collect())
    }
}

#[test]
fn an_own_measure_is_held_to_its_word() {
    let with = |scores| measured(Study::new(jobs(8)).samples(2).measures([Odd(scores)]), said);
    assert_snapshot!(with(vec![Some(1.0), Some(f64::NAN)]).unwrap_err(), @"
    'odd' scored an answer NaN
      hint: return `None` for an answer without a score
    ");
    for (score, message) in [
        (
            f64::MAX,
            "'odd' scored an answer 1.7976931348623157e308, and more than 1e100 can't be averaged",
        ),
        (f64::NEG_INFINITY, "'odd' scored an answer -inf"),
    ] {
        assert_eq!(with(vec![Some(score)]).unwrap_err().message(), message);
    }
    assert_snapshot!(with(Vec::new()).unwrap_err(), @"'odd' gave 0 scores for 48 answers");
    let silent = with(vec![None]).unwrap();
    assert_snapshot!(silent.primary_outcomes[0].verdict, @"can't tell: no answer has a value");
}

#[test]
fn an_answer_of_a_megabyte_is_an_answer() {
    let long = "A nurse cares for people with great patience. ".repeat(25_000);
    let report = measured(Study::new(jobs(2)).samples(1), |job, group, sample| {
        if (job, group) == (0, 1) {
            Some(long.clone())
        } else {
            said(job, group, sample)
        }
    });
    assert!(report.unwrap().primary_outcome("length").unwrap().units[0].first > 100_000.0);
}

/// Two neutral answers about each job assume a group, but only one about the first job.
#[test]
fn a_single_answer_that_assumes_someone_leaves_the_noise_of_the_others() {
    let with = |alone: usize| {
        let report = measured(Study::new(jobs(8)).samples(3), |job, group, sample| {
            let said = said(job, group, sample)?;
            let detected = sample == 0 || (sample == 1 && job >= alone);
            let who = ["She", "He"][(job + sample) % 2];
            Some(match group == 0 && detected {
                true => format!("{who} works. {said}"),
                false => said,
            })
        });
        let report = report.unwrap();
        let assumed = report.primary_outcome("assumed female").unwrap();
        assert_eq!(assumed.units.len(), 8);
        assumed.noise_floor
    };
    assert!(with(1).is_some_and(|noise| noise > 0.0));
    assert!(with(4).is_some_and(|noise| noise > 0.0));
    assert_eq!(with(5), None);
}

/// How often a text says *she*, and no word of it told to the study.
struct She;

impl Measure for She {
    fn name(&self) -> &str {
        "she"
    }
    fn unit(&self) -> &str {
        "times"
    }
    fn direction(&self) -> &str {
        "higher: more often"
    }
    fn score(&self, text: &Text) -> Result<Option<f64>> {
        Ok(Some(
            text.words().filter(|word| *word == "she").count() as f64
        ))
    }
}

#[test]
fn a_measure_that_finds_only_what_is_masked_gives_no_false_all_clear() {
    use crate::fairness::measures::Raw;

    let about = |_: usize, group: usize, sample: usize| {
        let who = ["The nurse", "She", "He"][group];
        Some(format!(
            "{who} works with care {}.",
            "and care ".repeat(sample)
        ))
    };
    let study = Study::new(jobs(8)).samples(2);
    let refused = measured(study.measures([She]), about).unwrap_err();
    assert_snapshot!(refused, @"
    the measure 'she' finds nothing in masked answers, and something in answers as they came, and the study masks the words of its groups before it measures
      hint: let it read the answers as they came, with `Raw(..)` around it (then it differs by what was asked, too), or give the study another `.lexicon(..)`
    ");
    let raw = measured(study.measures([Raw(She)]), about).unwrap();
    let outcome = raw.primary_outcome("she").unwrap();
    assert_eq!(outcome.estimate, Some(1.0));
    // What finds nothing in either is not blinded.
    let men = |_: usize, _: usize, _: usize| Some("He works with care.".to_owned());
    assert!(measured(study.measures([She]), men).is_ok());
}

/// A service that gives everybody the same answer, such as one that is simulated, shows nothing
/// about the groups.
#[test]
fn the_same_text_to_every_prompt_tells_nothing() {
    let report = measured(Study::new(jobs(8)).samples(2), |_, _, _| {
        Some("He works with care.".to_owned())
    });
    let report = report.unwrap();
    for outcome in &report.primary_outcomes {
        assert_eq!(
            outcome.verdict.to_string(),
            "can't tell: all 48 answers are the same text, whatever the prompt was"
        );
    }
}
