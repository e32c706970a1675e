//! The lessons about bias in the real kernel, with a model whose habits are known.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::kernel::execute;
use crate::support::server::{Reply, Server};
use crate::support::{Notebook, checkout};

/// A model that tells of a woman in two of three stories about nobody in particular, and in half of
/// those about a man.
fn storyteller() -> Server {
    Server::answering(|request, _| {
        let body = request.json();
        let mut hasher = DefaultHasher::new();
        (request.prompt(), body["seed"].as_i64()).hash(&mut hasher);
        let mut chance = hasher.finish();
        let mut below = |n: u64| {
            let drawn = chance % n;
            chance /= n;
            drawn as usize
        };
        let prompt = request.prompt();
        let woman = match below(6) {
            _ if prompt.contains(" female ") => true,
            drawn if prompt.contains(" male ") => drawn < 3,
            drawn => drawn < 4,
        };
        let (name, who) = if woman {
            ("Emma", "She")
        } else {
            ("Henry", "He")
        };
        let day = ["good", "long", "sad", "busy", "happy", "dull"][below(6)];
        let deeds = "and works ".repeat(below(4));
        Reply::text(&format!(
            "{name} was at work. {who} had a {day} day {deeds}until the evening."
        ))
    })
}

fn environment(url: &str) -> [(&'static str, &str); 3] {
    of_model(url, "storyteller")
}

fn of_model<'a>(url: &'a str, model: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("AZURE_OPENAI_ENDPOINT", url),
        ("AZURE_OPENAI_API_KEY", "not-to-be-seen"),
        ("AZURE_OPENAI_DEPLOYMENT", model),
    ]
}

#[test]
fn the_fourth_lesson_finds_the_bias_that_is_there_and_the_placebo_shows_none() {
    let server = storyteller();
    let lesson = checkout().join("notebooks/04-measure-bias.ipynb");
    let lesson = execute(&lesson, &environment(&server.url()));
    let report = lesson.outputs_of("let report = answers.measure()?");
    assert!(
        report.contains("other group -") && report.contains("differs"),
        "{report}"
    );
    let placebo = lesson.outputs_of("let placebo = ");
    assert!(placebo.contains("no difference shown"), "{placebo}");
    let gate = lesson.outputs_of("report.gate(");
    assert!(
        gate.contains("gate: failed") && gate.contains("other group"),
        "{gate}"
    );
    let power = lesson.outputs_of("println!(\"occupations    d_z");
    assert!(power.contains("20") && power.contains(" %"), "{power}");
    let alone = lesson.outputs_of("fn labels(");
    assert_eq!(alone.matches(" women of ").count(), 6, "{alone}");
    let people = lesson.outputs_of("let sheets");
    assert!(people.contains("no labels yet"), "{people}");
    let sheet = checkout().join("notebooks/to-label.csv");
    assert_eq!(std::fs::read_to_string(sheet).unwrap().lines().count(), 41);
}

/// Also in a copy of the lesson in another folder. The storyteller stands in for the local model where
/// it is asked nevertheless, in the first sections.
#[test]
fn the_small_models_answers_come_with_the_lesson() {
    let server = storyteller();
    let lesson = Notebook::load(&checkout().join("notebooks/04-measure-bias.ipynb"));
    let copy = lesson.followed_by("copied", "report.asked.provenance.models.join(\", \")");
    let lesson = execute(
        copy.path(),
        &of_model(&server.url(), "SmolLM2-135M-Instruct"),
    );
    let study = lesson.outputs_of("let study = ");
    assert!(study.contains("come with the toolkit"), "{study}");
    let models = lesson.outputs_of("report.asked.provenance");
    assert!(models.contains("SmolLM2-135M-Instruct"), "{models}");
    let report = lesson.outputs_of("let report = answers.measure()?");
    assert!(report.contains("other group -0.2"), "{report}");
    let placebo = lesson.outputs_of("let placebo = ");
    assert!(placebo.contains("no difference shown"), "{placebo}");
}

#[test]
fn the_fifth_lesson_calls_steadier_answers_no_reduction_and_refuses_other_studies() {
    let server = storyteller();
    let lesson = checkout().join("notebooks/05-mitigate-and-re-evaluate.ipynb");
    let lesson = execute(&lesson, &environment(&server.url()));
    let noise = lesson.outputs_of("fn noisy(");
    assert!(
        noise.contains("beyond noise: 0.0 before, 0.0 after"),
        "{noise}"
    );
    // The model does not read the instruction.
    let comparison = lesson.outputs_of("let comparison = ");
    assert!(
        !comparison.contains("Reduced on these measures"),
        "{comparison}"
    );
    let refused = lesson.outputs_of("before.compare(&once)?");
    assert!(refused.contains("the number of samples"), "{refused}");
}
