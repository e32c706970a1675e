//! The study of the lessons about bias, with the local model's answers that come with them.

use std::fs;

use evenhand::Client;
use evenhand::fairness::lexicon::Lexicon;
use evenhand::fairness::measures::{Measure, OtherGroup, Sentiment};
use evenhand::fairness::mitigation::MitigationPrompt;
use evenhand::fairness::occupations;
use evenhand::fairness::report::{PrimaryOutcome, Report, Verdict};
use evenhand::fairness::study::Study;
use evenhand::fairness::text::Text;
use serde_json::Value;

use crate::support::checkout;

const MODEL: &str = "SmolLM2-135M-Instruct";

/// The source of the only cell of a lesson that contains this.
fn cell(lesson: &str, part: &str) -> String {
    let text = fs::read_to_string(checkout().join("notebooks").join(lesson)).unwrap();
    let notebook: Value = serde_json::from_str(&text).unwrap();
    let cells = notebook["cells"].as_array().unwrap().iter();
    let sources = cells.map(|cell| {
        let lines = cell["source"].as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap()).collect::<String>()
    });
    let mut found = sources.filter(|source| source.contains(part));
    let source = found.next().unwrap();
    assert!(found.next().is_none(), "{lesson}: {part}");
    source
}

/// The lessons' study, with the templates of lesson 04.
fn study() -> Study {
    let lexicon = Lexicon::gender().and(&Lexicon::names()).unwrap();
    let stories = cell("04-measure-bias.ipynb", "let stories = [");
    let stories = stories.split('"').skip(1).step_by(2);
    Study::new(occupations::first(20).unwrap())
        .templates(stories.map(str::to_owned).collect::<Vec<_>>())
        .lexicon(lexicon.clone())
        .measures([Sentiment::Compound])
        .measure(OtherGroup::new(&lexicon))
        .samples(2)
        .max_tokens(28)
        .seed(7)
}

/// The report on answers of which each comes with the lessons: no model can be reached.
fn report(study: &Study) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let shipped = fs::read_dir(checkout().join("notebooks/answers")).unwrap();
    let shipped: Vec<_> = shipped.map(|file| file.unwrap().path()).collect();
    assert_eq!(shipped.len(), 1);
    assert!(fs::metadata(&shipped[0]).unwrap().len() < 600_000);
    let journal = folder.path().join("copy.jsonl");
    fs::copy(&shipped[0], &journal).unwrap();
    let client = Client::builder()
        .endpoint("http://127.0.0.1:9")
        .api_key("not-to-be-seen")
        .deployment(MODEL)
        .max_retries(0)
        .build()
        .unwrap();
    let answers = study
        .run_with(&client, |batch| batch.journal(&journal))
        .unwrap();
    assert!(answers.replies().iter().all(|one| one.is_ok()));
    answers.measure().unwrap()
}

fn outcome<'r>(report: &'r Report, name: &str) -> &'r PrimaryOutcome {
    let mut outcomes = report.primary_outcomes.iter();
    outcomes.find(|one| one.name == name).unwrap()
}

/// Whether the number of letters is even, which depends on nobody's gender.
struct Placebo;

impl Measure for Placebo {
    fn name(&self) -> &'static str {
        "odd letters"
    }

    fn unit(&self) -> &'static str {
        "1 or 2"
    }

    fn direction(&self) -> &'static str {
        "higher: more often odd"
    }

    fn score(&self, text: &Text) -> evenhand::Result<Option<f64>> {
        Ok(Some(if text.answer().len().is_multiple_of(2) {
            1.0
        } else {
            2.0
        }))
    }
}

#[test]
fn the_lessons_study_finds_that_men_become_women_and_a_placebo_shows_nothing() {
    for lesson in ["04-measure-bias.ipynb", "05-mitigate-and-re-evaluate.ipynb"] {
        let asked = cell(lesson, "let study = Study::new(");
        for part in [
            "occupations::first(20)?",
            ".samples(2).max_tokens(28).seed(7)",
        ] {
            assert!(asked.contains(part), "{lesson}: {part}");
        }
    }
    let report = report(&study());
    assert_eq!(report.asked.occupations.len(), 20);
    let other = outcome(&report, "other group");
    assert_eq!(other.verdict, Verdict::Differs);
    assert!(other.estimate.unwrap() < -0.15, "{other:?}");
    assert_ne!(outcome(&report, "sentiment").verdict, Verdict::Differs);
    assert_eq!(report.asked.provenance.models, [MODEL]);

    let placebo = self::report(&study().measures([Placebo]));
    let verdict = &placebo.primary_outcomes[0].verdict;
    assert_eq!(*verdict, Verdict::NoDifferenceShown);
}

#[test]
fn the_answers_for_the_second_lesson_come_with_it_too() {
    let before = report(&study());
    let after = report(&study().mitigate(MitigationPrompt::Neutral));
    let comparison = before.compare(&after).unwrap();
    assert!(!comparison.conclusion().contains("grew"), "{comparison}");
    let stories = cell("05-mitigate-and-re-evaluate.ipynb", "let stories = [");
    assert_eq!(stories, cell("04-measure-bias.ipynb", "let stories = ["));
    let template = stories.split('"').nth(3).unwrap().to_owned();
    let one = study().template(template).samples(1);
    assert_eq!(report(&one.clone().seed(99)).asked.samples, 1);
    assert_eq!(report(&one).asked.samples, 1);
}
