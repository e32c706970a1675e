//! Comparisons of two reports.

use insta::assert_snapshot;

use super::fake::{Habit, QUICK, answers, jobs, measured};
use crate::fairness::lexicon::Lexicon;
use crate::fairness::mitigation::MitigationPrompt;
use crate::fairness::report::{Change, Comparison, Report};
use crate::fairness::study::{Study, StudyAnswers};

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
    let after = report(study().mitigate(MitigationPrompt::Neutral), Habit::Even);
    let comparison = compared(&before, &after);
    assert_snapshot!(comparison, @"
    before: answers from elsewhere, temperature 1, at most 100 tokens, seed 3
    after:  answers from elsewhere, temperature 1, at most 100 tokens, seed 3, mitigated: neutral

    Reduced on these measures: length by 6.5 [3.6, 10.3], assumed female by 0.460 [0.409, 0.504], assumed majority of the job by 0.460 [0.409, 0.504]. No reduction shown: sentiment, refusals, assumed female vs jobs (it grew: -0.346 [-0.438, -0.238]).

      measure                      size before  size after  reduction  95 % interval     adjusted p  noise before, after  pairs  conclusion
      sentiment                    0.000        0.228       -0.228     [-0.423, 0.000]   0.248       0.350, 0.345         12     no reduction shown
      length                       7.64         1.14        +6.5       [3.6, 10.3]       0.024       2.58, 2.64           12     reduced
      refusals                     0.000        0.000       0.000      –                 1.000       0.000, 0.000         12     no reduction shown
      assumed female               0.460        0.000       +0.460     [0.409, 0.504]    0.032       0.070, 0.181         12     reduced
      assumed female vs jobs       0.068        0.414       -0.346     [-0.438, -0.238]  0.024       0.070, 0.181         12     no reduction shown: it grew
      assumed majority of the job  0.460        0.000       +0.460     [0.409, 0.504]    0.032       0.070, 0.181         12     reduced

    Caveats
    - this holds only for these measures, prompts and occupations; it does not say that bias was removed
    - a size is the root of the mean squared difference, less what chance adds to it: 0 is no more than chance, and answers that only became steadier are not a reduction
    ");
    let back = compared(&after, &before);
    let length = back
        .changes
        .iter()
        .find(|one| one.name == "length")
        .unwrap();
    assert_eq!(length.change, Change::Grew);
    assert_snapshot!(back.conclusion(), @"Reduced on these measures: assumed female vs jobs by 0.346 [0.238, 0.438]. No reduction shown: sentiment, length (it grew: -6.5 [-10.3, -3.6]), refusals, assumed female (it grew: -0.460 [-0.504, -0.409]), assumed majority of the job (it grew: -0.460 [-0.504, -0.409]).");
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
fn one_sample_does_not_tell_bias_from_noise() {
    let once = || Study::new(jobs(12)).samples(1);
    let comparison = compared(&report(once(), Habit::Biased), &report(once(), Habit::Even));
    let length = &comparison.changes[1];
    assert_snapshot!(length.change, @"can't tell: nurse: no prompt has two answers to measure, so a change of the difference can't be told from a change of its noise; ask each prompt at least twice");
    assert_eq!((length.reduction, length.adjusted_p), (None, None));
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
    assert!(conclusion.contains("Side effects: "), "{conclusion}");
}

/// The first samples of each prompt, and no answer in place of the others.
fn only(samples: impl Fn(usize) -> usize) -> Report {
    let whole = answers(&study(), Habit::Biased, 11);
    let replies = whole.replies().iter().enumerate();
    let kept = replies.map(|(place, reply)| {
        let (cell, sample) = (place / 8, place % 8);
        reply.clone().ok().filter(|_| sample < samples(cell))
    });
    let kept = StudyAnswers::from_texts(study(), kept.collect::<Vec<_>>());
    measured(&kept.unwrap()).unwrap()
}

#[test]
fn other_numbers_of_answers_are_not_compared() {
    let whole = only(|_| 8);
    for few in [1, 3, 7] {
        let comparison = compared(&only(|_| few), &whole);
        for one in &comparison.changes {
            assert!(
                matches!(one.change, Change::CantTell(_)),
                "{few}: {comparison}"
            );
            assert_eq!((one.occupations, one.left_out.len()), (0, 12));
        }
    }
    let comparison = compared(&only(|_| 3), &whole);
    assert_snapshot!(comparison.changes[1].change, @"can't tell: nurse: 3 and 3 answers could be used before, 8 and 8 after");
    assert_snapshot!(comparison.changes[3].change, @"can't tell: nurse: 3 answers could be used before, 8 after");
}

/// One failed answer excludes its occupation, not the whole comparison.
#[test]
fn an_occupation_with_another_number_of_answers_is_left_out() {
    let comparison = compared(&only(|cell| if cell == 4 { 7 } else { 8 }), &only(|_| 8));
    let length = &comparison.changes[1];
    assert_eq!(
        (length.occupations, &length.change),
        (11, &Change::NoReductionShown)
    );
    let caveats = comparison.caveats.join("\n");
    assert!(
        caveats.contains("length: 1 of 12 occupations are not compared (engineer: 7 and 8 answers could be used before, 8 and 8 after)"),
        "{caveats}"
    );
}

#[test]
fn what_was_measured_otherwise_is_refused() {
    let before = report(study(), Habit::Even);
    let refused = |after: &Report| before.compare(after).unwrap_err();
    let lexicon =
        Lexicon::parse("[female]\nshe her\n[male]\nhe his\n[neutral, apart]\nthey").unwrap();
    let other = refused(&report(study().lexicon(lexicon), Habit::Even)).to_string();
    assert!(
        other.contains("the lexicon's group 'female' before is ")
            && other
                .contains("after it is 2 words, so the same answers would get different numbers"),
        "{other}"
    );
    let names = Lexicon::gender().and(&Lexicon::names()).unwrap();
    assert!(
        before
            .compare(&report(study().lexicon(names), Habit::Even))
            .is_err()
    );
    let mut version = before.clone();
    version.asked.measuring.as_mut().unwrap().version += 1;
    assert!(
        refused(&version)
            .message()
            .contains("the version of the measures before is ")
    );
    let mut definition = before.clone();
    definition.asked.measuring.as_mut().unwrap().definitions[0] = "another".to_owned();
    assert!(
        refused(&definition)
            .message()
            .contains("what is measured before is sentiment")
    );
}

/// The format of `to_json` before it recorded how answers were measured.
#[test]
fn a_report_of_an_earlier_version_can_be_read_and_is_refused_in_words() {
    let report = report(study(), Habit::Biased);
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    let asked = json["asked"].as_object_mut().unwrap();
    asked.remove("measuring");
    asked.remove("margins");
    let fields = json.as_object_mut().unwrap();
    assert_eq!(fields.remove("version"), Some(3.into()));
    for (old, new) in [("headlines", "primary_outcomes"), ("limits", "caveats")] {
        let value = fields.remove(new).unwrap();
        fields.insert(old.to_owned(), value);
    }
    for outcome in json["headlines"].as_array_mut().unwrap() {
        let fields = outcome.as_object_mut().unwrap();
        fields.retain(|name, _| !["margin", "sign_flip_p", "skewness"].contains(&name.as_str()));
        for unit in outcome["units"].as_array_mut().unwrap() {
            unit.as_object_mut()
                .unwrap()
                .retain(|name, _| name != "variance" && name != "answers");
        }
    }
    let old = Report::from_json(&json.to_string()).unwrap();
    assert_eq!(
        old.primary_outcomes[1].estimate,
        report.primary_outcomes[1].estimate
    );
    assert_snapshot!(old.compare(&report).unwrap_err(), @"
    the reports can't be compared: the one before was made by an earlier version, which did not record everything that it had fixed in advance
      hint: measure its answers again: `study.run(&client)?.measure()?` takes them from the journal
    ");
}

#[test]
fn a_saved_comparison_is_read_as_it_was() {
    let before = report(study(), Habit::Biased);
    let comparison = compared(&before, &before);
    let saved = comparison.to_json().unwrap();
    assert!(
        saved.contains("\"format\": \"evenhand comparison\""),
        "{saved}"
    );
    assert_eq!(Comparison::from_json(&saved).unwrap(), comparison);
    let error = Comparison::from_json(&before.to_json().unwrap()).unwrap_err();
    assert_eq!(error.message(), "this is not a saved comparison");
}

#[test]
fn a_report_of_a_later_version_is_refused_in_words() {
    assert_snapshot!(Report::from_json(r#"{"format": "evenhand report", "version": 4}"#).unwrap_err(), @"
    this report has version 4 of its format, but this version of evenhand reads up to 3
      hint: read it with the version of evenhand that wrote it, or a later one
    ");
}
