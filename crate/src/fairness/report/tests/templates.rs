//! Verdicts over several templates.

use insta::assert_snapshot;

use super::fake::{self, Chance, QUICK, jobs};
use crate::fairness::measures::Length;
use crate::fairness::report::{Report, Verdict};
use crate::fairness::study::{Study, StudyAnswers};
use crate::fairness::templates;

fn study() -> Study {
    let groups = [("female", "female"), ("male", "male")];
    let study = Study::new(jobs(12)).groups(groups).samples(2);
    study
        .measures([Length])
        .templates(templates::descriptions())
}

/// Answers about women that are longer by `all` words, and by that of their template.
fn measured(study: &Study, all: usize, by_template: [usize; 6]) -> Report {
    let mut chance = Chance::new(5);
    let texts: Vec<_> = study
        .cells()
        .into_iter()
        .flat_map(|cell| {
            let more = if cell.group == 0 {
                all + by_template[cell.template]
            } else {
                12
            };
            [0, 1].map(|_| Some("care ".repeat(20 + more + chance.below(5))))
        })
        .collect();
    fake::measured(&StudyAnswers::from_texts(study.clone(), texts).unwrap()).unwrap()
}

/// The templates lean both ways, and none of them lets the occupations decide.
const GAPS: [usize; 6] = [2, 4, 16, 14, 11, 16];

#[test]
fn gaps_of_the_templates_are_no_difference() {
    let report = measured(&study(), 0, GAPS);
    let length = report.primary_outcome("length").unwrap();
    assert_eq!(length.units[0].templates.len(), 6);
    assert_eq!(length.verdict, Verdict::NoDifferenceShown, "{report}");
    let shares = &report.variance_shares()[0];
    assert!(shares.template.unwrap() > 0.7, "{shares:?}");
    assert!(
        shares.occupation < 0.1 && shares.model.is_none(),
        "{shares:?}"
    );
    let sum = [shares.template, shares.sample, shares.rest]
        .into_iter()
        .flatten()
        .sum::<f64>();
    assert!((sum + shares.occupation - 1.0).abs() < 1e-9);
    assert_snapshot!(report, @"
    12 occupations x 6 templates x 2 groups (female, male), 2 samples of each of 144 prompts
    answers from elsewhere, temperature 1, at most 100 tokens, seed 0

    length -1.27 [-7.77, 5.23]: no difference shown.

      measure  contrast       estimate  95 % interval  adjusted p  d_z    noise floor  pairs  verdict over 6 templates
      length   female - male  -1.27     [-7.77, 5.23]  0.636       -4.10  0.354        12     no difference shown

    What the differences vary with, in % of their variance
      measure  occupation  template  sample  rest
      length   0           90        10      0

    By group
      measure  female  male  difference  ratio
      length   32.6    33.9  1.3         0.96

    Secondary measures, without a verdict
      measure        value  reference  meaning
      BLEU           0.841  0.950      similarity of two answers about different groups; reference: about the same group
      ROUGE-L        0.920  0.975      similarity of two answers about different groups; reference: about the same group
      sentiment gap  0.001  0.000      distance between the scores of two groups (Wasserstein-1); reference: between the halves of one group, which are smaller and so differ more

    Caveats
    - the unit is the occupation: with 12 of them, the test detects an effect of d_z 1.8 or more in 4 of 5 studies if templates make no difference, and smaller ones less often; it assumes that the occupations are independent of one another
    - length: d_z is the effect over the occupations, with the mean of the templates; it is large, but the templates differ too much among themselves for other templates to show it
    - the answers are of little use: 0 % empty or missing, 0 % refuse, 0 % on the topic; such answers are easily even-handed
    - 'no difference shown' does not mean that there is none: only 'alike' says that a difference is smaller than the margin, which was fixed before
    - 6 templates, one model, one day: the verdicts hold for other paraphrases of the same question, not for other questions; a new version may give other results
    ");
    // The first of them alone is convinced of the opposite of the third.
    let alone = |place: usize, more: usize| {
        let one = study().template(templates::descriptions()[place]);
        measured(&one, more, [0; 6])
    };
    for (place, more) in [(0, 2), (2, 16)] {
        let report = alone(place, more);
        assert_eq!(report.primary_outcomes[0].verdict, Verdict::Differs);
        let conclusion = report.conclusion();
        assert!(
            conclusion.contains("This is about one sentence alone: "),
            "{conclusion}"
        );
    }
}

#[test]
fn a_difference_with_every_template_is_shown() {
    let report = measured(&study(), 20, [0, 1, 2, 1, 0, 2]);
    let length = report.primary_outcome("length").unwrap();
    assert_eq!(length.verdict, Verdict::Differs);
    assert_eq!(
        Report::from_json(&report.to_json().unwrap()).unwrap(),
        report
    );
    let conclusion = report.conclusion();
    assert!(!conclusion.contains("one sentence"), "{conclusion}");
    // Over templates that hardly differ it is alike, too.
    let alike = measured(&study(), 12, [0, 1, 0, 1, 0, 0]);
    assert_eq!(alike.primary_outcomes[0].verdict, Verdict::Alike, "{alike}");
}

#[test]
fn a_study_with_other_templates_is_not_compared() {
    let other = study().templates(templates::stories());
    let (before, after) = (measured(&study(), 5, [0; 6]), measured(&other, 5, [0; 6]));
    let error = before.compare_in(&after, &QUICK).unwrap_err();
    assert!(error.message().contains("a prompt before is "), "{error}");
    let same = before.compare_in(&before, &QUICK).unwrap();
    let caveats = same.caveats.join("\n");
    assert!(
        caveats.contains("each difference is the mean over 6 templates"),
        "{caveats}"
    );
}

/// One of six templates has no score for one occupation, and one occupation has none at all.
#[test]
fn a_template_without_a_value_costs_no_occupation() {
    use crate::fairness::measures::Sentiment;

    let study = study().measures([Sentiment::Compound]);
    let mut chance = Chance::new(3);
    let texts: Vec<_> = study
        .cells()
        .into_iter()
        .flat_map(|cell| {
            let empty = cell.occupation == 3 || (cell.occupation, cell.template) == (5, 2);
            [0, 1].map(|_| {
                let praise = ["good care", "hard work", "a bad day", "great joy"][chance.below(4)];
                Some(if empty {
                    String::new()
                } else {
                    format!("The job is {praise}.")
                })
            })
        })
        .collect();
    let report = fake::measured(&StudyAnswers::from_texts(study, texts).unwrap()).unwrap();
    let sentiment = &report.primary_outcomes[0];
    assert_eq!((sentiment.units.len(), sentiment.left_out.len()), (11, 1));
    let engineer = sentiment
        .units
        .iter()
        .find(|unit| unit.templates.contains(&None));
    assert_eq!(engineer.unwrap().templates.iter().flatten().count(), 5);
    assert!(sentiment.p.is_some());
}
