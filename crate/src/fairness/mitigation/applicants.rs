//! Fictional applicants with unfair past decisions, as training data for debiasing.

use super::labels::Labels;
use super::tsv;
use crate::error::Result;

/// A fictional job applicant, generated from a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applicant {
    /// The text of the application file.
    pub text: &'static str,
    /// `f` or `m`.
    pub group: &'static str,
    /// The past decision: `invited` or `refused`.
    pub outcome: &'static str,
    /// The fair decision: `invited` for the skilled, `refused` for the others.
    pub deserved: &'static str,
}

/// 400 applicants from `applicants.tsv`.
///
/// They are women and men, skilled and unskilled, in turn, 100 of each. Each text names a trade,
/// two pieces of evidence of skill (one in six of which is misleading) and a hobby, and refers to
/// the applicant as *she* or *he*. The past decisions invited a share of 0.90 of the skilled men
/// and 0.50 of the skilled women, and 0.40 and 0.05 of the unskilled. So both groups have the same
/// skill, but different outcomes. The program that generated them is in this module's tests, with
/// its seed.
///
/// ```
/// use evenhand::fairness::mitigation::{Applicant, applicants};
///
/// let past = Applicant::outcomes(&applicants())?;
/// let impact = past.parity("f", "m", "invited")?.disparate_impact();
/// assert!(impact.is_some_and(|impact| impact < 0.5));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn applicants() -> Vec<Applicant> {
    tsv::lines(include_str!("applicants.tsv"))
        .map(|[group, outcome, deserved, text]| Applicant {
            text,
            group,
            outcome,
            deserved,
        })
        .collect()
}

impl Applicant {
    /// The group and outcome of each applicant.
    ///
    /// # Errors
    /// None.
    pub fn outcomes(applicants: &[Self]) -> Result<Labels> {
        Labels::new(applicants.iter().map(|one| (one.group, one.outcome)))
    }

    /// The group and deserved outcome of each applicant.
    ///
    /// # Errors
    /// None.
    pub fn deserved(applicants: &[Self]) -> Result<Labels> {
        Labels::new(applicants.iter().map(|one| (one.group, one.deserved)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::mitigation::{NaiveBayes, Reweighing, Sampling};
    use crate::random::Random;

    const SEED: u64 = 2012;

    const TRADES: [&str; 8] = [
        "plumbing",
        "accounts",
        "logistics",
        "carpentry",
        "nursing",
        "software",
        "welding",
        "catering",
    ];
    const SKILLED: [&str; 6] = [
        "passed the practical test",
        "holds the certificate",
        "finished the course with honours",
        "solved all the sample tasks",
        "was recommended by two customers",
        "trained three apprentices",
    ];
    const UNSKILLED: [&str; 6] = [
        "failed the practical test",
        "has no certificate yet",
        "left the course early",
        "solved none of the sample tasks",
        "was warned for careless work",
        "needs help with simple jobs",
    ];
    const HOBBIES: [&str; 6] = ["chess", "football", "choir", "cooking", "hiking", "dancing"];

    fn made() -> String {
        let mut random = Random::new(SEED);
        let mut file = String::from(
            "# Made-up applicants: group, outcome, deserved outcome, text. Nobody real.\n\
             # Made by the program in the tests of applicants.rs, which tells how.\n",
        );
        for row in 0..400 {
            let (woman, skilled) = (row % 2 == 0, row / 2 % 2 == 0);
            let (group, who) = if woman { ("f", "She") } else { ("m", "He") };
            let mut evidence = || {
                let true_to_skill = random.below(6) > 0;
                let list = if skilled == true_to_skill {
                    SKILLED
                } else {
                    UNSKILLED
                };
                list[random.below(list.len())]
            };
            let (first, second) = (evidence(), evidence());
            let share = match (skilled, woman) {
                (true, false) => 0.90,
                (true, true) => 0.50,
                (false, false) => 0.40,
                (false, true) => 0.05,
            };
            let word = |invited| if invited { "invited" } else { "refused" };
            let trade = TRADES[random.below(TRADES.len())];
            let hobby = HOBBIES[random.below(HOBBIES.len())];
            let (outcome, deserved) = (word(random.unit() < share), word(skilled));
            file.push_str(&format!(
                "{group}\t{outcome}\t{deserved}\t{who} applies for work in {trade}. \
                 {who} {first} and {second}. {who} likes {hobby}.\n"
            ));
        }
        file
    }

    #[test]
    fn the_file_is_what_its_program_makes() {
        if let Some(path) = std::env::var_os("EVENHAND_WRITE_APPLICANTS") {
            std::fs::write(path, made()).unwrap();
        }
        assert_eq!(include_str!("applicants.tsv"), made());
    }

    /// The result of a model that was trained on half of the rows and evaluated on the rest.
    struct Examined {
        impact: f64,
        deserved: f64,
        past: f64,
    }

    fn half(which: usize) -> Vec<Applicant> {
        let all = applicants().into_iter().enumerate();
        all.filter(|(row, _)| row / 4 % 2 == which)
            .map(|(_, one)| one)
            .collect()
    }

    fn texts(applicants: &[Applicant]) -> Vec<&'static str> {
        applicants.iter().map(|one| one.text).collect()
    }

    fn examine(model: &NaiveBayes) -> Examined {
        let unseen = half(1);
        let (past, deserved) = (
            Applicant::outcomes(&unseen).unwrap(),
            Applicant::deserved(&unseen).unwrap(),
        );
        let predicted = model.label(&texts(&unseen), &past).unwrap();
        let parity = predicted.parity("f", "m", "invited").unwrap();
        Examined {
            impact: parity.disparate_impact().unwrap(),
            deserved: model.accuracy(&texts(&unseen), &deserved).unwrap(),
            past: model.accuracy(&texts(&unseen), &past).unwrap(),
        }
    }

    #[test]
    fn reweighing_and_resampling_make_what_is_learned_fairer() {
        let known = half(0);
        let past = Applicant::outcomes(&known).unwrap();
        let texts = texts(&known);
        let unfair = NaiveBayes::train(&texts, &past).unwrap();
        let before = examine(&unfair);

        let weighted = Reweighing::fit(&past)
            .unwrap()
            .transform(past.clone())
            .unwrap();
        let scores: Vec<f64> = texts
            .iter()
            .map(|text| unfair.score(text, "invited"))
            .collect();
        let drawn = |sampling| {
            let rows = past.resample(&sampling).unwrap();
            let texts: Vec<_> = rows.iter().map(|&row| texts[row]).collect();
            NaiveBayes::train(&texts, &past.select(&rows).unwrap()).unwrap()
        };
        let after = [
            NaiveBayes::train(&texts, &weighted).unwrap(),
            drawn(Sampling::Uniform { seed: 1 }),
            drawn(Sampling::Preferential {
                favorable: "invited",
                scores: &scores,
            }),
        ]
        .map(|model| examine(&model));
        let line = |one: &Examined| {
            format!(
                "impact {:.2}, right {:.2}, as in the past {:.2}",
                one.impact, one.deserved, one.past
            )
        };
        let lines: Vec<String> = [&before].into_iter().chain(&after).map(line).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        impact 0.65, right 0.78, as in the past 0.68
        impact 0.98, right 0.81, as in the past 0.63
        impact 1.04, right 0.84, as in the past 0.67
        impact 0.98, right 0.82, as in the past 0.65
        ");
        for after in after {
            assert!((1.0 - after.impact).abs() < (1.0 - before.impact).abs() / 2.0);
            assert!(after.deserved > before.deserved);
        }
    }
}
