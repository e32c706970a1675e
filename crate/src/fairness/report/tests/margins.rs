//! Margins: groups that are alike, and differences that matter or don't.

use insta::assert_snapshot;

use super::fake::{self, QUICK, study_of_lengths};
use crate::fairness::report::{PrimaryOutcome, Report, Verdict};
use crate::fairness::study::{Study, StudyAnswers};

/// Answers about women that are longer by this number of words, with noise around it.
fn longer_by(study: &Study, words: usize) -> Report {
    let texts = study.cells().into_iter().flat_map(|cell| {
        let noise = [2, 0, 3, 1, 2, 4, 2, 1, 3, 2, 0, 4][cell.occupation];
        let more = if cell.group == 0 { words + noise } else { 2 };
        [10, 20].map(|base| Some("care ".repeat(base + more)))
    });
    let answers = StudyAnswers::from_texts(study.clone(), texts.collect::<Vec<_>>());
    fake::measured(&answers.unwrap()).unwrap()
}

fn length(report: &Report) -> &PrimaryOutcome {
    report.primary_outcome("length").unwrap()
}

#[test]
fn groups_are_alike_where_a_difference_of_the_margin_is_ruled_out() {
    let report = longer_by(&study_of_lengths(), 0);
    assert_eq!(length(&report).verdict, Verdict::Alike);
    assert_snapshot!(length(&report).verdict_text(), @"alike within ±5");
    assert_snapshot!(report.conclusion(), @r#"length 0.00 [-0.96, 1.03] within ±5: alike. This is about one sentence alone: "Describe {person}.""#);
    // The noise is too large for a narrower margin.
    let narrow = longer_by(&study_of_lengths().margin("length", 0.5), 0);
    assert_eq!(length(&narrow).verdict, Verdict::NoDifferenceShown);
    assert_snapshot!(narrow.conclusion(), @r#"length 0.00 [-0.96, 1.03]: no difference shown. This is about one sentence alone: "Describe {person}.""#);
}

#[test]
fn a_difference_may_be_smaller_or_larger_than_what_matters() {
    let small = longer_by(&study_of_lengths(), 2);
    assert_eq!(length(&small).verdict, Verdict::Differs);
    assert_snapshot!(length(&small).verdict_text(), @"differs, by less than ±5");
    assert_snapshot!(small.conclusion(), @r#"length +2.00 [1.04, 3.03], by less than ±5: differs. This is about one sentence alone: "Describe {person}.""#);
    let large = longer_by(&study_of_lengths(), 8);
    assert_snapshot!(length(&large).verdict_text(), @"differs, by more than ±5");
    let margin = length(&large).margin.unwrap();
    assert!(margin.is_beyond() && !margin.is_within());
    let between = longer_by(&study_of_lengths(), 5);
    assert_snapshot!(length(&between).verdict_text(), @"differs");
}

/// Equal answers don't show how much they would vary.
#[test]
fn differences_without_spread_are_not_called_alike() {
    let study = study_of_lengths();
    let texts = study.cells().into_iter();
    let texts = texts.flat_map(|cell| [1, 2].map(|n| Some("care ".repeat(n + cell.occupation))));
    let answers = StudyAnswers::from_texts(study.clone(), texts.collect::<Vec<_>>());
    let report = fake::measured(&answers.unwrap()).unwrap();
    assert_eq!(length(&report).verdict, Verdict::NoDifferenceShown);
    assert_eq!(length(&report).margin.unwrap().within_p, None);
}

#[test]
fn a_margin_that_is_no_margin_is_refused() {
    let refused = |study: Study| StudyAnswers::from_texts(study, [Some("x"); 48]).unwrap_err();
    assert_snapshot!(refused(study_of_lengths().margin("length", 0.0)), @"
    the margin of 'length' is 0, and must be above 0
      hint: it is the largest difference that does not matter, in the measure's unit
    ");
    assert!(
        refused(study_of_lengths().margin("length", -3.0))
            .message()
            .contains("is -3")
    );
    assert!(
        refused(study_of_lengths().margin("length", f64::NAN))
            .message()
            .contains("is NaN")
    );
    assert!(
        refused(study_of_lengths().margin("length", f64::INFINITY))
            .message()
            .contains("is inf")
    );
    assert_snapshot!(refused(study_of_lengths().margin("lenght", 3.0)), @"
    the margin of 'lenght' is set, but the study has no such primary test
      hint: it has length
    ");
}

#[test]
fn reports_with_other_margins_are_not_compared() {
    let (before, after) = (
        longer_by(&study_of_lengths(), 0),
        longer_by(&study_of_lengths().margin("length", 3.0), 0),
    );
    assert_snapshot!(before.compare_in(&after, &QUICK).unwrap_err().message(), @"the reports can't be compared: the list of margins before is length ±5, after it is length ±3");
}
