//! How long it takes to measure and to test a large study: 60 occupations, 3 groups, 25
//! samples, 10,000 bootstrap rounds.
//!
//! `cargo bench -p evenhand --no-default-features --bench study`

use std::time::Instant;

use evenhand::bias::occupations;
use evenhand::bias::study::{Study, StudyAnswers};

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

fn main() -> Result<(), evenhand::Error> {
    let study = Study::new(occupations::all()).samples(25).seed(7);
    let mut state = 1_u64;
    let mut draw = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % n
    };
    let texts: Vec<Option<String>> = (0..study.prompts().len() * 25)
        .map(|_| {
            let who = ["She", "He", "They"][draw(3)];
            let words: Vec<&str> = (0..75).map(|_| WORDS[draw(WORDS.len())]).collect();
            Some(format!("{who} {}.", words.join(" ")))
        })
        .collect();
    let answers = StudyAnswers::from_texts(study, texts)?;
    for _ in 0..3 {
        let started = Instant::now();
        let report = answers.measure()?;
        let seconds = started.elapsed().as_secs_f64();
        print(&format!(
            "{seconds:.2} s for 4,500 answers of 76 words: {}",
            report.conclusion()
        ));
    }
    Ok(())
}

/// A benchmark reports on standard output, which the lints keep for notebooks.
#[allow(clippy::print_stdout)]
fn print(line: &str) {
    println!("{line}");
}
