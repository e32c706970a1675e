//! More than two groups.

use insta::assert_snapshot;

use super::fake::{self, jobs};
use crate::fairness::measures::Length;
use crate::fairness::report::{Report, Verdict};
use crate::fairness::study::{Study, StudyAnswers, StudyGroup};

/// Answers whose length depends on the group, with noise.
fn measured(study: &Study, words: &[usize]) -> Report {
    let mut chance = fake::Chance::new(9);
    let texts: Vec<_> = study
        .cells()
        .into_iter()
        .flat_map(|cell| {
            let more = words[cell.group];
            [0, 1].map(|_| Some("care ".repeat(20 + more + chance.below(7))))
        })
        .collect();
    fake::measured(&StudyAnswers::from_texts(study.clone(), texts).unwrap()).unwrap()
}

fn study() -> Study {
    Study::new(jobs(12)).samples(2).measures([Length])
}

#[test]
fn all_pairs_of_groups_are_tested_under_holm() {
    let groups = ["female", "male", "non-binary"];
    let report = measured(&study().groups(groups), &[0, 0, 15]);
    let told: Vec<_> = report
        .primary_outcomes
        .iter()
        .map(|one| format!("{}: {}", one.contrast, one.verdict_text()))
        .collect();
    assert_snapshot!(told.join("\n"), @"
    female - male: no difference shown
    female - non-binary: differs, by more than ±5
    male - non-binary: differs, by more than ±5
    ");
    assert_snapshot!(report.conclusion(), @r#"length (female - non-binary) -15.0 [-16.6, -12.8], length (male - non-binary) -14.7 [-16.2, -12.3]: differ. length (female - male) -0.33 [-2.09, 1.10]: no difference shown. This is about one sentence alone: "Describe {person}.""#);
    let holm = report
        .primary_outcomes
        .iter()
        .all(|one| one.adjusted_p >= one.p);
    assert!(holm);
    assert_eq!(report.asked.pairs.len(), 3);
    let caveats = report.caveats.join("\n");
    assert!(
        caveats.contains("are about female and male only"),
        "{caveats}"
    );
    let one = measured(
        &study().groups(groups).compared("non-binary", "male"),
        &[0, 0, 15],
    );
    assert_eq!(one.primary_outcomes.len(), 1);
    assert_eq!(
        one.primary_outcomes[0].label(&one.primary_outcomes),
        "length"
    );
    assert!(
        report
            .compare(&one)
            .unwrap_err()
            .message()
            .contains("the list of comparisons before is")
    );
}

/// Neutral prompts are searched for the groups that the lexicon knows.
#[test]
fn whom_neutral_prompts_assume_is_tested_for_known_groups() {
    let groups = [
        ("neutral", ""),
        ("nb", "non-binary"),
        ("female", "female"),
        ("male", "male"),
    ];
    let report = measured(&study().groups(groups), &[0; 4]);
    let names: Vec<_> = report
        .primary_outcomes
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names[3], "assumed female");
    assert_snapshot!(report.primary_outcomes[3].verdict, @"can't tell: no answer assumes either group, or there is no known share to compare it with");
}

/// The outcomes that differ, by contrast.
fn differing(report: &Report) -> Vec<&str> {
    let outcomes = report.primary_outcomes.iter();
    outcomes
        .filter(|one| one.verdict == Verdict::Differs)
        .map(|one| one.contrast.as_str())
        .collect()
}

#[test]
fn crossed_groups_are_compared_in_all_pairs_and_by_characteristic() {
    let groups = StudyGroup::crossed(["old", "young"], ["female", "male"]);
    let study = study().groups(groups);
    let report = measured(&study, &[20, 0, 0, 0]);
    assert_eq!(
        differing(&report),
        [
            "old female - old male",
            "old female - young female",
            "old female - young male",
            "old - young, mean of 2 pairs",
            "female - male, mean of 2 pairs"
        ]
    );
    assert_eq!(report.primary_outcomes.len(), 8);
    assert_eq!(report.asked.pairs.len(), 8);
    // Ages differ and genders don't.
    let report = measured(&study, &[20, 20, 0, 0]);
    let age = &report.primary_outcomes[6];
    assert_eq!(age.contrast, "old - young, mean of 2 pairs");
    assert!((age.estimate.unwrap() - 20.0).abs() < 2.0);
    assert!(!differing(&report).contains(&"female - male, mean of 2 pairs"));
    // Opposite effects of age for women and men cancel out.
    let report = measured(&study, &[20, 0, 0, 20]);
    assert!(
        differing(&report)
            .iter()
            .all(|one| !one.contains("mean of"))
    );
    assert!(differing(&report).len() >= 4);
}

/// The mean over pairs has the mean of their differences and the noise of all their answers, however
/// the pairs themselves differ.
#[test]
fn a_main_effect_has_the_mean_and_the_noise_of_its_pairs() {
    let groups = StudyGroup::crossed(["old", "young"], ["female", "male"]);
    let report = measured(&study().samples(2).groups(groups), &[90, 0, 50, 0]);
    let outcome = |contrast: &str| {
        let mut outcomes = report.primary_outcomes.iter();
        let found = outcomes.find(|one| one.contrast == contrast).unwrap();
        found.units[0].clone()
    };
    let age = outcome("old - young, mean of 2 pairs");
    let women = outcome("old female - young female");
    let men = outcome("old male - young male");
    let mean = (women.difference() + men.difference()) / 2.0;
    assert!((age.difference() - mean).abs() < 1e-9);
    let variance = (women.variance.unwrap() + men.variance.unwrap()) / 4.0;
    assert!((age.variance.unwrap() - variance).abs() < 1e-9, "{age:?}");
    // A third characteristic has a main effect, too; one pair alone has none.
    let three = StudyGroup::crossed(
        StudyGroup::crossed(["old", "young"], ["female", "male"]),
        ["rich", "poor"],
    );
    assert_eq!(study().groups(three).contrasts().len(), 28 + 3);
    let one = StudyGroup::crossed(["old"], ["female", "male"]);
    assert_eq!(study().groups(one).contrasts().len(), 1);
}
