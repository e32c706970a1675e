//! Asks several questions concurrently and keeps the answers in a journal, so that a second run
//! asks nothing again.
//!
//! ```sh
//! cargo run -p evenhand --no-default-features --example batch
//! ```
//!
//! The model is configured through the environment, as in the example `ask`.

#![allow(clippy::print_stdout, reason = "it is a terminal program")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenhand::{Client, Price};

fn main() -> evenhand::Result<()> {
    // In a folder of your own: others may put a file of theirs into a shared one.
    let journal = PathBuf::from(".evenhand/example-batch.jsonl");
    let printed = AtomicUsize::new(0);
    let answers = Client::from_env()?
        .batch(["Describe a nurse.", "Describe an engineer."])
        .system("Answer in one sentence.")
        .samples(3)
        .seed(7)
        .max_tokens(60)
        .journal(&journal)
        // Called about ten times a second: only new answers are worth a line.
        .on_progress(move |progress| {
            if printed.swap(progress.done, Ordering::Relaxed) != progress.done {
                println!("{progress}");
            }
        })
        .run()?;

    // A failed prompt keeps its place as a row with its error.
    for row in &answers {
        match &row.outcome {
            Ok(answer) => println!("{} {:?}", row.prompt, answer.text().unwrap_or_default()),
            Err(error) => println!("{} failed: {error}", row.prompt),
        }
    }

    let totals = answers.totals();
    let price = Price::per_million().input(0.15).output(0.60);
    println!("{totals}; at that price it cost {:.6}", totals.cost(price)?);
    println!("the answers are in {}", journal.display());
    Ok(())
}
