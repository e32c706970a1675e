//! `evenhand doctor --kernel`: measures how fast the kernel starts, answers and prints on this
//! machine, compared with evcxr without the wrapper in an equally warm build directory.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::Result;
use crate::jupyter::Executor;
use crate::jupyter::KernelCommand;
use crate::jupyter::Report;
use crate::kernel;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::supervise::block_on;
use crate::terminal::out;

/// The cells from the start of the kernel to the first data frame on screen.
const FIRST: [&str; 2] = [
    ":dep evenhand = { path = \"../crate/notebook\" }\nuse evenhand::prelude::*;",
    "let df = df![\"answer\" => [\"A nurse cares for people.\"]]?;\ndisplay(&df);",
];

/// Cells that need no new dependency.
const LATER: [&str; 6] = [
    "let a = 20 + 1;",
    "println!(\"{}\", a + 1);",
    "let words = vec![\"he\", \"she\", \"they\"];",
    "words.len()",
    "fn double(x: i32) -> i32 { 2 * x }\ndouble(a)",
    "words.iter().map(|word| word.len()).sum::<usize>()",
];

/// How often the later cells are run. The first round is not counted: it includes one-time costs.
const ROUNDS: usize = 4;

/// A cell that prints, and one that does the same without printing.
const PRINTS: [&str; 2] = [
    "for n in 0..10_000 { println!(\"line {n}\"); }",
    "for n in 0..10_000 { std::hint::black_box(n); }",
];

/// How often each of the two is run.
const PRINTED: usize = 5;

/// How long a user is assumed to read before the first cell.
const READING: Duration = Duration::from_secs(15);

/// Measures, and prints a table.
pub fn run(project: &Checkout, home: &Home) -> Result<()> {
    setup::kernel(home)?;
    setup::library(project, home)?;
    out!("Measuring. Other work on this machine makes all numbers larger.");
    let own = own(project)?;
    let read = measure(&own, project, READING)?;
    let at_once = measure(&own, project, Duration::ZERO)?;
    let plain = kernel::without_wrapper(home, |command| measure(command, project, Duration::ZERO))?;

    out!(
        "\n{:<46}{:>10}{:>10}{:>8}",
        "",
        "unwrapped",
        "evenhand",
        "ratio"
    );
    row(
        "kernel started -> first data frame, at once",
        plain.first,
        at_once.first,
    );
    alone("the same after 15 s of reading first", read.first);
    row("later cell, median", plain.later, at_once.later);
    row("10,000 lines printed", plain.lines, at_once.lines);
    if let Some(memory) = at_once.memory {
        out!(
            "{:<46}{:>20.1} MB",
            "memory of the wrapper",
            memory as f64 / 1024.0
        );
    }
    Ok(())
}

/// The kernel as JupyterLab starts it for the first lesson.
fn own(project: &Checkout) -> Result<KernelCommand> {
    let mut own = KernelCommand::own()?;
    let lesson = project.notebooks().join("01-responsible-ai.ipynb");
    own.env.push((kernel::NOTEBOOK.into(), lesson.into()));
    Ok(own)
}

struct Measured {
    /// The wait for the first data frame, without the reading time.
    first: Duration,
    later: Duration,
    lines: Duration,
    /// In kB.
    memory: Option<u64>,
}

fn measure(command: &KernelCommand, project: &Checkout, reading: Duration) -> Result<Measured> {
    block_on(async {
        let start = Instant::now();
        let mut executor = Executor::start(command, &project.notebooks(), &Report::new()).await?;
        // The reading time begins when the notebook opens.
        sleep(reading.saturating_sub(start.elapsed())).await;
        for cell in FIRST {
            executor.time(cell).await?;
        }
        let first = start.elapsed().saturating_sub(reading);
        let mut later = Vec::new();
        for round in 0..ROUNDS {
            for cell in LATER {
                let took = executor.time(cell).await?;
                if round > 0 {
                    later.push(took);
                }
            }
        }
        let [mut printed, mut silent] = [Vec::new(), Vec::new()];
        for _ in 0..PRINTED {
            printed.push(executor.time(PRINTS[0]).await?);
            silent.push(executor.time(PRINTS[1]).await?);
        }
        let memory = executor.memory();
        executor.stop().await;
        Ok(Measured {
            first,
            later: median(later),
            lines: median(printed).saturating_sub(median(silent)),
            memory,
        })
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn row(what: &str, plain: Duration, own: Duration) {
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let ratio = own.as_secs_f64() / plain.as_secs_f64().max(f64::EPSILON);
    out!(
        "{what:<46}{:>10}{:>10}{ratio:>8.2}",
        seconds(plain),
        seconds(own)
    );
}

fn alone(what: &str, own: Duration) {
    out!("{what:<46}{:>10}{:>8.2} s", "", own.as_secs_f64());
}
