//! Asks one question and prints the answer.
//!
//! ```sh
//! cargo run -p evenhand --no-default-features --example ask -- "Describe a nurse."
//! ```
//!
//! Who answers is read from the environment or a file `.env`, as the README says. To try it
//! without a deployment, start the small model in another terminal with `cargo run -- serve` and
//! set the variables that it prints, and `AZURE_OPENAI_DEPLOYMENT=any`.

#![allow(clippy::print_stdout, reason = "it is a terminal program")]

use evenhand::Client;

fn main() -> evenhand::Result<()> {
    let question = std::env::args().nth(1);
    let question = question.unwrap_or_else(|| "Describe a nurse.".to_owned());

    // An error says what is missing, and its hint how to set it.
    let client = Client::from_env()?;
    let answer = client.complete(question)?;

    // `:?` shows control characters, which a terminal would obey.
    println!("{:?}", answer.text().unwrap_or_default());
    println!("\n{} answered in {:.1?}", answer.model, answer.latency());
    Ok(())
}
