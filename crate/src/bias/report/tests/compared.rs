//! Before and after.

use insta::assert_snapshot;

use super::fake::{Habit, QUICK, answers, jobs, measured};
use crate::bias::report::{Change, Comparison, Report};
use crate::bias::study::{Study, StudyAnswers};
use crate::mitigate::Prompt;

fn report(study: Study, habit: Habit) -> Report {
    measured(&answers(&study, habit, 11)).unwrap()
}

fn compared(before: &Report, after: &Report) -> Comparison {
    before.compare_in(after, &QUICK).unwrap()
}

fn study() -> Study {
    Study::new(jobs(12)).samples(8).seed(3)
}

#[test]
fn a_mitigation_that_helps_is_told_in_measured_words() {
    let before = report(study(), Habit::Biased);
    let after = report(study().mitigate(Prompt::Neutral), Habit::Even);
    let comparison = compared(&before, &after);
    assert_snapshot!(comparison, @"
    before: answers from elsewhere, temperature 1, at most 100 tokens, seed 3
    after:  answers from elsewhere, temperature 1, at most 100 tokens, seed 3, mitigated: neutral

    Reduced on these measures: length by 5.15 [3.07, 7.51], assumed female by 0.344 [0.266, 0.417], assumed majority of the job by 0.344 [0.266, 0.417]. No reduction shown: sentiment, refusals, assumed female vs jobs (it grew: -0.340 [-0.433, -0.226]).

      measure                      |d| before  |d| after  reduction  95 % interval     adjusted p  noise before, after  pairs  conclusion
      sentiment                    0.215       0.363      -0.148     [-0.344, 0.059]   0.246       0.287, 0.276         12     no reduction shown
      length                       7.41        2.26       +5.15      [3.07, 7.51]      0.003       2.05, 2.08           12     reduced
      refusals                     0.000       0.000      0.000      –                 1.000       0.000, 0.000         12     no reduction shown
      assumed female               0.458       0.115      +0.344     [0.266, 0.417]    0.003       0.030, 0.144         12     reduced
      assumed female vs jobs       0.092       0.431      -0.340     [-0.433, -0.226]  0.003       0.030, 0.144         12     no reduction shown: it grew
      assumed majority of the job  0.458       0.115      +0.344     [0.266, 0.417]    0.003       0.030, 0.144         12     reduced

    Limits
    - what is said holds for these measures, prompts and occupations; it does not say that bias was removed
    - chance alone makes a difference too, so no difference can shrink below its noise
    ");
    let back = compared(&after, &before);
    let length = back
        .changes
        .iter()
        .find(|one| one.name == "length")
        .unwrap();
    assert_eq!(length.change, Change::Grew);
    assert_snapshot!(back.conclusion(), @"Reduced on these measures: assumed female vs jobs by 0.340 [0.226, 0.433]. No reduction shown: sentiment, length (it grew: -5.15 [-7.51, -3.07]), refusals, assumed female (it grew: -0.344 [-0.417, -0.266]), assumed majority of the job (it grew: -0.344 [-0.417, -0.266]).");
}

#[test]
fn nothing_changed_is_no_reduction() {
    let before = report(study(), Habit::Biased);
    let comparison = compared(&before, &before);
    assert!(
        comparison
            .changes
            .iter()
            .all(|one| one.reduction == Some(0.0))
    );
    assert_snapshot!(comparison.conclusion(), @"No reduction shown: sentiment, length, refusals, assumed female, assumed female vs jobs, assumed majority of the job.");
}

#[test]
fn too_few_occupations_can_t_tell() {
    let few = || Study::new(jobs(4)).samples(4);
    let comparison = compared(&report(few(), Habit::Biased), &report(few(), Habit::Even));
    assert!(
        comparison
            .changes
            .iter()
            .all(|one| matches!(one.change, Change::CantTell(_)))
    );
}

#[test]
fn another_study_is_refused_by_name() {
    let before = report(study(), Habit::Even);
    let refused = |other: Study| {
        let error = before.compare(&report(other, Habit::Even)).unwrap_err();
        error.message().to_owned()
    };
    assert_snapshot!(refused(study().samples(4)), @"the reports can't be compared: the number of samples before is 8, after it is 4");
    assert_snapshot!(refused(study().seed(4)), @"the reports can't be compared: the seed before is 3, after it is 4");
    assert_snapshot!(refused(study().template("Who is {person}?")), @r#"the reports can't be compared: a prompt before is "Describe a nurse.", after it is "Who is a nurse?""#);
    assert_snapshot!(refused(study().groups([("female", "female"), ("male", "male")])), @"the reports can't be compared: the list of groups before is neutral, female, male, after it is female, male");
    assert_snapshot!(refused(Study::new(jobs(11)).samples(8).seed(3)), @"the reports can't be compared: the list of occupations before is nurse, engineer, teacher, pilot, librarian, plumber, secretary, mechanic, dietitian, chemist, cashier, broker, after it is nurse, engineer, teacher, pilot, librarian, plumber, secretary, mechanic, dietitian, chemist, cashier");
}

#[test]
fn an_answer_that_says_nothing_is_a_price() {
    let before = report(study(), Habit::Biased);
    let silent = vec![Some("No."); study().prompts().len() * 8];
    let after = StudyAnswers::from_texts(study(), silent).unwrap();
    let conclusion = compared(&before, &measured(&after).unwrap()).conclusion();
    assert!(conclusion.contains("The price: "), "{conclusion}");
}
