//! What speaks against a conclusion, whatever the p-values are.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::fake::{Chance, QUICK, jobs, measured};
use crate::Result;
use crate::fairness::gate::{Decision, Gate, GateRule};
use crate::fairness::measures::{Length, Measure, Raw, Refusal};
use crate::fairness::report::{Change, Doubt, Report, Verdict};
use crate::fairness::study::{Cell, Study, StudyAnswers};
use crate::fairness::templates;
use crate::fairness::test_service::client_of;
use crate::fairness::text::Text;
use crate::loopback::{Reply, Server, last_message};

const DECLINES: &str = "I'm sorry, but I can't help with that.";

fn study() -> Study {
    Study::new(jobs(12)).groups([("female", "female"), ("male", "male")])
}

fn report(study: &Study, mut text: impl FnMut(&Cell, usize) -> Option<String>) -> Report {
    let samples = study.samples as usize;
    let cells = study.cells();
    let cells = cells
        .iter()
        .flat_map(|cell| (0..samples).map(move |sample| (cell, sample)));
    let texts: Vec<_> = cells.map(|(cell, sample)| text(cell, sample)).collect();
    measured(&StudyAnswers::from_texts(study.clone(), texts).unwrap()).unwrap()
}

/// A study whose prompts are answered by this function of the prompt and the seed.
fn asked(
    study: &Study,
    answer: impl Fn(&str, i64) -> Reply + Send + Sync + 'static,
) -> StudyAnswers {
    let server = Server::answering(move |request, _| {
        let body = request.json();
        answer(&last_message(&body), body["seed"].as_i64().unwrap_or(0))
    });
    let client = client_of(&server);
    let run = |batch: crate::Batch| batch.without_journal();
    study.run_with(&client, run).unwrap()
}

fn said(model: &str, choice: Value) -> Reply {
    Reply::json(
        200,
        json!({"id": "a", "model": model, "created": 1_763_985_600, "object": "chat.completion",
            "choices": [choice]}),
    )
}

/// An answer whose length depends on the prompt and the seed alone.
fn long(prompt: &str, seed: i64, more: usize) -> Value {
    let words = 20 + more + (prompt.len() * 7 + seed as usize * 3) % 5;
    let text = format!("They {}.", "work ".repeat(words));
    json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}})
}

fn reason(report: &Report, name: &str) -> String {
    report.primary_outcome(name).unwrap().verdict.to_string()
}

/// The same biases before and after; the template that women's answers decline is another one.
#[test]
fn refusals_that_move_to_another_template_are_no_change() {
    let study = study()
        .templates(templates::descriptions())
        .measures([Length])
        .measure(Refusal)
        .samples(4);
    let gaps = [20, 0, 2, 2, 2, 2];
    let mut chance = Chance::new(3);
    let mut declining = |declined: usize| {
        report(&study, |cell, _| {
            if cell.group == 0 && cell.template == declined {
                return Some(DECLINES.to_owned());
            }
            let more = if cell.group == 0 {
                gaps[cell.template]
            } else {
                0
            };
            Some("care ".repeat(20 + more + chance.below(5)))
        })
    };
    let (second, first) = (declining(1), declining(0));
    for (before, after) in [(&second, &first), (&first, &second)] {
        let comparison = before.compare_in(after, &QUICK).unwrap();
        let length = &comparison.changes[0];
        assert_eq!(length.change, Change::NoReductionShown, "{comparison}");
        assert_eq!((length.occupations, length.cells_left_out.len()), (12, 24));
        // Bias and its noise alone: four templates of 2 words.
        assert!((length.before.unwrap() - 2.0).abs() < 1.0, "{comparison}");
    }
    let comparison = second.compare_in(&first, &QUICK).unwrap();
    let caveats = comparison.caveats.join("\n");
    assert!(
        caveats.contains("length, where answered: 24 of 72 prompts")
            || caveats.contains("length: 24 of 72 prompts"),
        "{caveats}"
    );
    assert!(
        caveats.contains(
            "(nurse with template 1: 4 and 4 answers could be used before, 0 and 4 after)"
        ),
        "{caveats}"
    );
}

/// A real reduction is still found among the prompts that were answered equally often.
#[test]
fn a_reduction_is_found_where_both_were_answered() {
    let study = study()
        .templates(templates::descriptions())
        .measures([Length])
        .samples(4);
    let mut chance = Chance::new(5);
    let mut with = |bias: usize, declined: usize| {
        report(&study, |cell, _| {
            if cell.group == 0 && cell.template == declined && cell.occupation % 3 == 0 {
                return Some(DECLINES.to_owned());
            }
            let more = if cell.group == 0 { bias } else { 0 };
            Some("care ".repeat(20 + more + chance.below(5)))
        })
    };
    let comparison = with(9, 1).compare_in(&with(0, 2), &QUICK).unwrap();
    assert_eq!(
        comparison.changes[0].change,
        Change::Reduced,
        "{comparison}"
    );
    assert_eq!(comparison.changes[0].cells_left_out.len(), 8);
}

/// Women's answers were kept from another model than the men's.
#[test]
fn groups_answered_by_different_models_are_not_compared() {
    let study = study().measures([Length]).samples(3);
    let answers = asked(&study, |prompt, seed| {
        let (model, more) = match prompt.contains("female") {
            true => ("fake", 0),
            false => ("fake-2", 16),
        };
        said(model, long(prompt, seed, more))
    });
    let report = measured(&answers).unwrap();
    assert_snapshot!(reason(&report, "length"), @"can't tell: the answers about the groups come from different models or ways of asking (fake gave female 36 of 36, male 0 of 36), so a difference may be one of these; ask all again without the journal (`--fresh`)");
    let gate = report.gate(&Gate::default()).unwrap();
    assert_eq!(gate.decision, Decision::CantTell);
    let caveats = report.caveats.join("\n");
    assert!(
        caveats.contains("one template, 2 models, one day: "),
        "{caveats}"
    );
    let change = report.compare_in(&report, &QUICK).unwrap();
    assert!(matches!(change.changes[0].change, Change::CantTell(_)));
    // The reason stays with a saved report.
    let saved = Report::from_json(&report.to_json().unwrap()).unwrap();
    assert_eq!(saved, report);
}

/// A model that changes between two occupations answers about both groups alike.
#[test]
fn a_model_that_changes_for_both_groups_is_told_and_no_obstacle() {
    let study = study().measures([Length]).samples(3);
    let answers = asked(&study, |prompt, seed| {
        let model = ["fake", "fake-2"][usize::from(prompt.contains("nurse"))];
        let more = if prompt.contains("female") { 0 } else { 16 };
        said(model, long(prompt, seed, more))
    });
    let report = measured(&answers).unwrap();
    assert_eq!(reason(&report, "length"), "differs");
    let caveats = report.caveats.join("\n");
    assert!(
        caveats.contains("the answers come from 2 models ("),
        "{caveats}"
    );
}

#[test]
fn a_scope_names_the_days() {
    let study = study().measures([Length]).samples(2);
    let answers = asked(&study, |prompt, seed| {
        let created = 1_763_985_600 + 86_400 * (prompt.len() as u64 % 3);
        let body = json!({"id": "a", "model": "fake", "created": created,
            "object": "chat.completion", "choices": [long(prompt, seed, 0)]});
        Reply::json(200, body)
    });
    assert_eq!(answers.provenance().days, 3);
    let caveats = measured(&answers).unwrap().caveats.join("\n");
    assert!(
        caveats.contains("one template, one model, 3 days: "),
        "{caveats}"
    );
}

fn is_filtered(prompt: &str, seed: i64, of_ten: i64) -> bool {
    prompt.contains("female") && (prompt.len() as i64 + 3 * seed) % 10 < of_ten
}

/// What a service sends whose filter withholds all of an answer but this content, or refuses the prompt.
fn filtered(content: Option<&Value>) -> Reply {
    match content {
        None => Reply::json(
            400,
            json!({"error": {"message": "The response was filtered", "code": "content_filter",
                "param": "prompt", "status": 400}}),
        ),
        Some(content) => said(
            "fake",
            json!({"index": 0, "finish_reason": "content_filter",
                "message": {"role": "assistant", "content": content},
                "content_filter_results": {"hate": {"filtered": true, "severity": "high"}}}),
        ),
    }
}

/// The service's own filter refuses prompts about women, or withholds or cuts their answers.
#[test]
fn what_the_service_withholds_is_refused() {
    // The prompt is refused, the answer withheld in two ways, or cut off.
    let ways = [
        None,
        Some(Value::Null),
        Some(json!("")),
        Some(json!("They work wo")),
    ];
    for (place, way) in ways.into_iter().enumerate() {
        let shares: &[i64] = match place {
            0 => &[4, 6, 10],
            _ => &[6],
        };
        for &of_ten in shares {
            let (study, way) = (study().samples(4), way.clone());
            let answers = asked(&study, move |prompt, seed| {
                match is_filtered(prompt, seed, of_ten) {
                    true => filtered(way.as_ref()),
                    false => said("fake", long(prompt, seed, 0)),
                }
            });
            let report = measured(&answers).unwrap();
            let refusals = report.primary_outcome("refusals").unwrap();
            assert_eq!(
                refusals.verdict,
                Verdict::Differs,
                "{place} {of_ten}: {report}"
            );
            let gate = report.gate(&Gate::default()).unwrap();
            assert_eq!(gate.decision, Decision::Failed);
            let caveats = report.caveats.join("\n");
            assert!(caveats.contains("the service withheld "), "{caveats}");
            assert!(!caveats.contains("samples without an answer"), "{caveats}");
            let length = report.primary_outcome("length").unwrap();
            assert_eq!(length.contrast, "female - male, where answered");
        }
    }
}

/// Requests about women fail for another reason.
#[test]
fn uneven_failures_pass_no_gate() {
    let study = study().samples(6);
    let answers = asked(&study, |prompt, seed| match is_filtered(prompt, seed, 3) {
        true => Reply::json(400, json!({"error": {"message": "boom"}})),
        false => said("fake", long(prompt, seed, 0)),
    });
    let report = measured(&answers).unwrap();
    let gate = report.gate(&Gate::default()).unwrap();
    assert_eq!(gate.decision, Decision::CantTell, "{report}");
    let told = reason(&report, "length");
    assert!(
        told.contains("failed, empty and foreign answers are left out unevenly (female "),
        "{told}"
    );
    // The same number of failures in both groups is none of the groups' business.
    let even = self::report(&study, |cell, sample| {
        let words = 20 + (cell.occupation + 2 * cell.group + sample) % 3;
        (sample > 1).then(|| format!("They {}.", "work ".repeat(words)))
    });
    assert_eq!(even.primary_outcome("length").unwrap().doubt, None);
    let gate = even.gate(&Gate::default().tests(["length"])).unwrap();
    assert_eq!(gate.decision, Decision::Passed, "{even}");
}

/// A service or a model that gives nobody an answer tells nothing about the groups.
#[test]
fn nothing_at_all_passes_no_gate() {
    let study = study().samples(2);
    let all = measured(&asked(&study, |_, _| filtered(None))).unwrap();
    let empty = report(&study, |_, _| Some(String::new()));
    for report in [all, empty] {
        for one in &report.primary_outcomes {
            assert!(matches!(one.verdict, Verdict::CantTell(_)), "{report}");
        }
        let gate = Gate::default().fail_on([GateRule::BeyondMargin]);
        let decision = report.gate(&gate).unwrap().decision;
        assert_eq!(decision, Decision::CantTell, "{report}");
    }
}

/// Answers of nothing have no length.
#[test]
fn empty_answers_are_not_short_answers() {
    let study = study().samples(3);
    for empty in ["", " \n"] {
        let report = report(&study, |cell, sample| {
            let words = 20 + (cell.occupation + 2 * cell.group + sample) % 3;
            Some(match (cell.group, cell.occupation) {
                (0, 0..6) => empty.to_owned(),
                _ => format!("They {}.", "work ".repeat(words)),
            })
        });
        let length = report.primary_outcome("length").unwrap();
        assert_eq!((length.units.len(), length.left_out.len()), (6, 6));
        assert!(matches!(length.verdict, Verdict::CantTell(_)), "{report}");
        assert!(matches!(length.doubt, Some(Doubt::Absence(_))));
        let caveats = report.caveats.join("\n");
        assert!(
            caveats.contains("empty answers, which are left out: 18 (female 18, male 0)"),
            "{caveats}"
        );
    }
}

/// A measure of one's own.
struct Own(fn(&Text) -> f64);

impl Measure for Own {
    fn name(&self) -> &str {
        "own"
    }
    fn unit(&self) -> &str {
        "x"
    }
    fn direction(&self) -> &str {
        "higher: more"
    }
    fn default_margin(&self) -> Option<f64> {
        Some(5.0)
    }
    fn score(&self, text: &Text) -> Result<Option<f64>> {
        Ok(Some((self.0)(text)))
    }
}

fn count(text: &Text, words: &[&str]) -> f64 {
    text.words().filter(|word| words.contains(word)).count() as f64
}

#[test]
fn a_measure_that_reads_masked_words_can_t_tell_that_there_is_no_difference() {
    let study = study().samples(4);
    let mut chance = Chance::new(7);
    let mut text = |cell: &Cell, _: usize| {
        let (who, whose) = [("She", "her"), ("He", "his")][cell.group];
        let more = "and likes it ".repeat(chance.below(3));
        let day = "day after day ".repeat(chance.below(4));
        Some(format!(
            "{who} is a worker. {who} likes {whose} work {more}{day}in the town."
        ))
    };
    let mut with = |measure: Own| report(&study.measures([measure]), &mut text);
    let blinded: [fn(&Text) -> f64; 4] = [
        |text| 1.0 + count(text, &["she"]),
        |text| 1.0 - count(text, &["she"]) / text.word_count() as f64,
        |text| count(text, &["she", "likes"]),
        |text| 3.0 - count(text, &["his", "he"]),
    ];
    for (place, measure) in blinded.into_iter().enumerate() {
        let report = with(Own(measure));
        let told = reason(&report, "own");
        assert!(
            told.starts_with("can't tell: 'own' reads words that are masked: "),
            "{place}: {report}"
        );
        let gate = report.gate(&Gate::default()).unwrap();
        assert_eq!(gate.decision, Decision::CantTell);
    }
    // What does not read them, or hardly, or the words of both groups alike, is right.
    let sound: [fn(&Text) -> f64; 3] = [
        |text| count(text, &["likes"]),
        |text| text.answer().chars().count() as f64,
        |text| 1.0 + count(text, &["she", "he"]),
    ];
    for (place, measure) in sound.into_iter().enumerate() {
        let own = with(Own(measure)).primary_outcomes.remove(0);
        assert_eq!(own.doubt, None, "{place}");
        assert!(!matches!(own.verdict, Verdict::CantTell(_)), "{place}");
    }
    let raw = report(&study.measures([Raw(Own(blinded[0]))]), &mut text);
    assert_eq!(reason(&raw, "own"), "differs");
}

/// A service that gives each prompt the same answer again and again.
#[test]
fn copies_of_one_answer_do_not_show_their_noise() {
    let study = study().measures([Length]).samples(4);
    let mut chance = Chance::new(2);
    let mut spread = |spread: usize| {
        let mut words = 0;
        report(&study, |_, sample| {
            if sample == 0 {
                words = 40 - spread / 2 + chance.below(spread + 1);
            }
            Some(format!("They {}.", "work ".repeat(words)))
        })
    };
    let (before, after) = (spread(40), spread(10));
    let comparison = before.compare_in(&after, &QUICK).unwrap();
    assert!(
        matches!(comparison.changes[0].change, Change::CantTell(_)),
        "{comparison}"
    );
    let caveats = before.caveats.join("\n");
    assert!(caveats.contains("got copies of one answer"), "{caveats}");
    let length = before.primary_outcome("length").unwrap();
    assert_eq!(length.noise_floor, None);
    assert!(!matches!(length.verdict, Verdict::CantTell(_)));
}

#[test]
fn scores_that_can_t_be_squared_are_refused() {
    let study = study().measures([Own(|text| 1e-160 * text.word_count() as f64)]);
    let texts = study.cells().into_iter().flat_map(|cell| {
        (0..10).map(move |sample| {
            let words = 20 + (cell.occupation + 2 * cell.group + sample) % 7;
            Some("work ".repeat(words))
        })
    });
    let answers = StudyAnswers::from_texts(study.clone(), texts.collect::<Vec<_>>());
    assert_snapshot!(measured(&answers.unwrap()).unwrap_err(), @"
    no score of 'own' is above 2.6e-159, and less than 1e-100 can't be squared
      hint: scale it up, or take its logarithm
    ");
}
