//! `evenhand doctor --kernel`: how fast the kernel starts and answers on this machine, beside
//! an evcxr without dependencies, in one run.

use std::time::{Duration, Instant};

use crate::child::block_on;
use crate::failure::{Failure, Result};
use crate::home::Home;
use crate::project::Project;
use crate::run::{Executor, KernelCommand, Report};
use crate::setup;

/// From the start of the kernel to the first data frame on screen.
const FIRST: [&str; 2] = [
    ":dep evenhand = { path = \"../crate\" }\nuse evenhand::prelude::*;",
    "let df = df![\"answer\" => [\"A nurse cares for people.\"]]?;\ndisplay(&df);",
];

/// Cells that any kernel can run and that make nothing new.
const LATER: [&str; 6] = [
    "let a = 20 + 1;",
    "println!(\"{}\", a + 1);",
    "let words = vec![\"he\", \"she\", \"they\"];",
    "words.len()",
    "fn double(x: i32) -> i32 { 2 * x }\ndouble(a)",
    "words.iter().map(|word| word.len()).sum::<usize>()",
];

/// How often the later cells are run; the first round also pays for what comes once.
const ROUNDS: usize = 4;

/// Measures, and prints a table.
pub fn run(project: &Project, home: &Home) -> Result<()> {
    setup::kernel(home)?;
    setup::library(project, home)?;
    let program = setup::kernel_program(home).ok_or_else(|| {
        Failure::new("the Rust kernel is gone").hint("start again: it is installed anew")
    })?;
    let bare = KernelCommand {
        argv: vec![
            program.into(),
            "--control_file".into(),
            "{connection_file}".into(),
        ],
        env: Vec::new(),
    };
    println!("Measuring; other work on this machine makes all numbers larger.");
    let warm = measure(&KernelCommand::own()?, project, &FIRST)?;
    let bare = measure(&bare, project, &[])?;

    println!(
        "\nkernel started -> ready              {}",
        seconds(warm.ready)
    );
    for (cell, name) in warm
        .first
        .iter()
        .zip(["first cell, `:dep evenhand`", "first data frame"])
    {
        println!("{name:<36} {}", seconds(*cell));
    }
    println!(
        "kernel started -> first data frame   {}",
        seconds(warm.until_first)
    );
    println!(
        "later cell, median                   {}",
        seconds(warm.later)
    );
    println!(
        "the same without dependencies        {}",
        seconds(bare.later)
    );
    println!(
        "ratio                                {:.2}",
        warm.later.as_secs_f64() / bare.later.as_secs_f64()
    );
    Ok(())
}

struct Measured {
    ready: Duration,
    first: Vec<Duration>,
    until_first: Duration,
    later: Duration,
}

fn measure(command: &KernelCommand, project: &Project, first: &[&str]) -> Result<Measured> {
    block_on(async {
        let start = Instant::now();
        let mut executor = Executor::start(command, &project.notebooks(), &Report::new()).await?;
        let ready = start.elapsed();
        let mut times = Vec::new();
        for cell in first {
            times.push(executor.time(cell).await?);
        }
        let until_first = start.elapsed();
        let mut later = Vec::new();
        for round in 0..ROUNDS {
            for cell in LATER {
                let took = executor.time(cell).await?;
                if round > 0 {
                    later.push(took);
                }
            }
        }
        executor.stop().await;
        later.sort();
        Ok(Measured {
            ready,
            first: times,
            until_first,
            later: later[later.len() / 2],
        })
    })
}

fn seconds(time: Duration) -> String {
    format!("{:6.2} s", time.as_secs_f64())
}
