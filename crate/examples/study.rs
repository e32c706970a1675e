//! Measures whether a model describes women and men alike, then asks again in a way that may be
//! more even-handed, and compares the two.
//!
//! ```sh
//! cargo run -p evenhand --no-default-features --example study
//! ```
//!
//! The model is configured through the environment, as in the example `ask`. The study asks 360
//! questions, which takes the local model several minutes; the journal keeps the answers.

#![allow(clippy::print_stdout, reason = "it is a terminal program")]

use std::path::PathBuf;

use evenhand::Client;
use evenhand::fairness::mitigation::MitigationPrompt;
use evenhand::fairness::occupations;
use evenhand::fairness::study::Study;

fn main() -> evenhand::Result<()> {
    let client = Client::from_env()?;
    let study = Study::new(occupations::first(12)?)
        .samples(5)
        .max_tokens(60)
        .seed(7);
    // Prints the study's size and its limitations before anything is paid for.
    println!("{study}\n");

    // In a folder of your own: others may put a file of theirs into a shared one.
    let journal = PathBuf::from(".evenhand/example-study.jsonl");
    let measure = |study: &Study| {
        let answers = study.run_with(&client, |batch| batch.journal(&journal))?;
        answers.measure()
    };
    let before = measure(&study)?;
    println!("{before}\n");

    let after = measure(&study.mitigate(MitigationPrompt::Neutral))?;
    println!("{}", before.compare(&after)?);
    Ok(())
}
