//! How long it takes to measure and to test large studies (60 occupations, 3 groups and 25 samples;
//! the same with 6 templates and 5 samples; 10,000 bootstrap rounds), and how long LangFair takes for the measures that both
//! have, on the same texts in the same run, in CPU seconds. Prints a table.
//!
//! `cargo bench -p evenhand --no-default-features --bench study`

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a terminal program"
)]

mod langfair;
#[path = "../peer/python.rs"]
mod python;
#[path = "../batch/table.rs"]
mod table;

use std::path::Path;
use std::time::Duration;

use evenhand::fairness::study::{Study, StudyAnswers};
use evenhand::fairness::{occupations, templates};
use rustix::time::{ClockId, clock_gettime};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The vocabulary of the texts.
const WORDS: [&str; 24] = [
    "care",
    "work",
    "the",
    "patient",
    "with",
    "a",
    "hard",
    "day",
    "and",
    "skill",
    "team",
    "of",
    "help",
    "good",
    "problem",
    "difficult",
    "trust",
    "learn",
    "to",
    "often",
    "long",
    "happy",
    "in",
    "hospital",
];

fn main() -> Result {
    let study = Study::new(occupations::all()).seed(7);
    let texts = texts(study.prompts().len() * 25);
    measure(&study.samples(25), &texts)?;
    let over_templates = study.templates(templates::descriptions()).samples(5);
    measure(
        &over_templates,
        &self::texts(over_templates.prompts().len() * 5),
    )?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    match python::with("langfair", folder) {
        Some(python) => langfair::beside(&texts, &python, folder),
        None => Ok(()),
    }
}

/// Measures and tests the texts as answers to the study, three times.
fn measure(study: &Study, texts: &[String]) -> Result {
    println!("{study}: {} answers of 76 words", texts.len());
    let answers = StudyAnswers::from_texts(study.clone(), texts.iter().map(Some))?;
    for _ in 0..3 {
        let (seconds, report) = cpu_seconds(|| answers.measure());
        println!(
            "measured and tested in {seconds:.2} s: {}",
            report?.conclusion()
        );
    }
    Ok(())
}

/// The CPU seconds that the work takes in this process. Other load on the machine affects them
/// little.
fn cpu_seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let time = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    let started = time();
    let done = work();
    ((time() - started).as_secs_f64(), done)
}

/// The texts of the answers: for each occupation the three groups in turn, with 25 texts each.
fn texts(count: usize) -> Vec<String> {
    let mut state = 1_u64;
    let mut draw = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % n
    };
    (0..count)
        .map(|_| {
            let who = ["She", "He", "They"][draw(3)];
            let words: Vec<&str> = (0..75).map(|_| WORDS[draw(WORDS.len())]).collect();
            format!("{who} {}.", words.join(" "))
        })
        .collect()
}
