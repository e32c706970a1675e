//! Asks one question and prints the answer.
//!
//! ```sh
//! cargo run -p evenhand --no-default-features --example ask -- "Describe a nurse."
//! ```
//!
//! The model is configured through the environment or a file `.env`, as described in the README. To
//! try the example without a deployment, start the local model in another terminal with
//! `cargo run -- serve`, and set the variables that it prints.

#![allow(clippy::print_stdout, reason = "it is a terminal program")]

use evenhand::Client;

fn main() -> evenhand::Result<()> {
    let question = std::env::args().nth(1);
    let question = question.unwrap_or_else(|| "Describe a nurse.".to_owned());

    // The error names what is missing, and its hint says how to set it.
    let client = Client::from_env()?;
    let answer = client.complete(question)?;

    // `:?` escapes control characters, which a terminal would interpret.
    println!("{:?}", answer.text().unwrap_or_default());
    println!("\n{} answered in {:.1?}", answer.model, answer.latency());
    Ok(())
}
