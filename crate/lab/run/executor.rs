//! Runs the cells of one notebook in one kernel, and judges each.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::client::Client;
use super::kernel::{Kernel, KernelCommand};
use super::notebook::Cell;
use super::outputs::Outputs;
use super::report::Report;
use super::tap::{Tap, Verdict};
use crate::failure::{Failure, Result};

/// How long a kernel may take to answer for the first time.
const START: Duration = Duration::from_secs(120);

/// How often the reader hears that the kernel is still starting.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a kernel is started again after another program took its port.
const ATTEMPTS: u32 = 3;

/// How long the filter may take to notice that the process before it ended,
/// or to start: it is another process, that has to be given a turn.
const TURN: Duration = Duration::from_millis(50);

/// The kernel whose answers hide failures.
const EVCXR: &str = "evcxr_jupyter";

/// A kernel with a client that is ready for cells.
pub struct Executor {
    kernel: Kernel,
    client: Client,
    tap: Option<Tap>,
    /// Whether the last cell may have replaced the process that runs cells.
    unsettled: bool,
    /// How many cells were run that the reader did not write.
    hidden: u64,
}

/// A cell that has been run.
#[derive(Debug)]
pub struct Done {
    /// Its number, as a reader counts.
    pub count: Option<u64>,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Executor {
    /// Starts a kernel in this folder and waits until it can run cells.
    pub async fn start(command: &KernelCommand, folder: &Path, report: &Report) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let mut kernel = Kernel::start(command, folder)?;
            match Self::greet(&mut kernel, report).await {
                Err(_) if kernel.lost_a_port() && attempt < ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure),
                Ok((client, info)) => {
                    let tap = (info["implementation"] == EVCXR)
                        .then(|| Tap::new(kernel.folder()))
                        .transpose()?;
                    return Ok(Self {
                        kernel,
                        client,
                        tap,
                        unsettled: false,
                        hidden: 0,
                    });
                }
            }
        }
    }

    async fn greet(kernel: &mut Kernel, report: &Report) -> Result<(Client, Value)> {
        let (ports, key) = (kernel.ports, kernel.key.clone());
        let ready = async {
            let mut client = Client::connect(ports, &key).await?;
            let info = client.ready().await?;
            Ok((client, info))
        };
        let start = Instant::now();
        let mut ticks = interval_at(tokio::time::Instant::now() + PATIENCE, PATIENCE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let waiting = async {
            loop {
                ticks.tick().await;
                report.waiting(start.elapsed());
            }
        };
        let greeted = tokio::select! {
            greeted = timeout(START, kernel.alive(ready)) => greeted,
            never = waiting => never,
        };
        greeted.unwrap_or_else(|_| {
            Err(kernel.failure(format_args!(
                "the kernel did not answer within {} seconds",
                START.as_secs()
            )))
        })
    }

    /// Runs a cell, and adds what it shows to the outputs of the cells before
    /// it, whose displays it may update.
    pub async fn run(&mut self, cell: &Cell, outputs: &mut Vec<Outputs>) -> Result<Done> {
        self.settle().await?;
        outputs.push(Outputs::after(self.hidden));
        let answer = self.client.execute(&cell.source, |message| {
            if message.kind() == "update_display_data" {
                outputs
                    .iter_mut()
                    .for_each(|outputs| outputs.update(&message));
            } else if let Some(current) = outputs.last_mut() {
                current.take(&message);
            }
        });
        let reply = self.kernel.alive(answer).await;
        let mut nothing = Outputs::default();
        let current = outputs.last_mut().unwrap_or(&mut nothing);
        let reply = reply.inspect_err(|failure| {
            let value = failure.message();
            current.error("DeadKernel", value, json!([value]));
        })?;
        let verdict = match &mut self.tap {
            Some(tap) => tap.verdict()?,
            None => Verdict::Fine,
        };
        let error = judge(reply.failed, verdict, current);
        // A command (`:restart`, `:clear`) can replace evcxr's child, and so
        // can a cell that ends it.
        self.unsettled = error.is_some()
            || cell
                .source
                .lines()
                .any(|line| line.trim_start().starts_with(':'));
        let count = current.number(&json!(reply.count));
        if let (Some(counted), Some(count)) = (reply.count, count) {
            // evcxr names a cell by its number, and its number is not the reader's.
            current.requote(&format!("command_{counted}:"), &format!("command_{count}:"));
        }
        Ok(Done {
            count,
            took: reply.took,
            error,
        })
    }

    /// Runs code that stands in no notebook, and tells how long it took.
    pub async fn time(&mut self, code: &str) -> Result<Duration> {
        let done = self.run(&Cell::of(code), &mut Vec::new()).await?;
        match done.error {
            None => Ok(done.took),
            Some(error) => Err(Failure::new(format!("`{code}` failed: {error}"))),
        }
    }

    /// Sees to it that the process that runs the next cell has its tap.
    async fn settle(&mut self) -> Result<()> {
        let Some(tap) = &mut self.tap else {
            return Ok(());
        };
        if std::mem::take(&mut self.unsettled) {
            tokio::time::sleep(TURN).await;
        }
        if tap.is_open()? {
            return Ok(());
        }
        let mut outputs = Outputs::default();
        let cell = tap.cell()?;
        let answer = self.client.execute(&cell, |message| outputs.take(&message));
        self.kernel.alive(answer).await?;
        self.hidden += 1;
        let deadline = Instant::now() + START;
        while !tap.is_open()? {
            if outputs.errors().next().is_some() || Instant::now() > deadline {
                let why = outputs.errors().map(message).collect::<Vec<_>>().join("\n");
                return Err(Failure::new(format!(
                    "evcxr cannot run cells: {why}{}",
                    outputs.stderr()
                ))
                .hint(
                    "does `cargo --version` work here, and is the component rust-src installed?",
                ));
            }
            tokio::time::sleep(TURN).await;
        }
        Ok(())
    }

    /// Ends the kernel as it wants to be ended.
    pub async fn stop(mut self) {
        // A kernel that does not answer is ended all the same.
        let _ = self.client.shut_down().await;
        self.kernel.finish().await;
    }
}

/// Whether a cell failed, and why. A failure that evcxr does not report as one
/// becomes an error among the outputs, as it is in a notebook of other kernels.
fn judge(failed: bool, verdict: Verdict, outputs: &mut Outputs) -> Option<String> {
    let reported: Vec<String> = outputs.errors().map(message).collect();
    if !reported.is_empty() {
        return Some(reported.join("\n"));
    }
    let stderr = outputs.stderr();
    let (name, value) = match verdict {
        Verdict::Panicked => ("panic", panic_message(&stderr)),
        Verdict::Returned => ("error", last_words(&stderr)),
        Verdict::Fine if failed => ("error", "the kernel says that the cell failed".to_owned()),
        Verdict::Fine => return None,
    };
    let error = format!("{name}: {value}");
    outputs.error(name, &value, json!([error]));
    Some(error)
}

fn message(error: &Value) -> String {
    error["evalue"]
        .as_str()
        .unwrap_or("the kernel reports an error")
        .to_owned()
}

/// The message of the last panic, from what the standard hook prints.
fn panic_message(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().collect();
    let head = |line: &&str| line.starts_with("thread '") && line.contains(" panicked at ");
    let Some(start) = lines.iter().rposition(head) else {
        // A hook of the notebook's own printed it, or nothing did.
        return "the cell panicked".to_owned();
    };
    let message = lines[start + 1..]
        .iter()
        .take_while(|line| !line.starts_with("stack backtrace:") && !line.starts_with("note: "));
    message.copied().collect::<Vec<_>>().join("\n")
}

/// What evcxr printed for an error. It does not say where the error's text begins after
/// what the cell itself printed, but an error is a line as a rule, and then lines that are
/// indented below it.
fn last_words(stderr: &str) -> String {
    let lines: Vec<_> = stderr.trim_end().lines().collect();
    let first = lines.iter().rposition(|line| !line.starts_with(' '));
    match &lines[first.unwrap_or(0)..] {
        [] => "the cell returned an error that says nothing".to_owned(),
        words => words.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_panic_is_found() {
        let stderr = "before\n\nthread '<unnamed>' (1) panicked at src/lib.rs:22:1:\nfirst\nsecond\nstack backtrace:\n   0: x\nnote: Some details\n";
        assert_eq!(panic_message(stderr), "first\nsecond");
        assert_eq!(panic_message("a hook of my own"), "the cell panicked");
    }

    #[test]
    fn an_error_keeps_the_lines_below_it() {
        assert_eq!(
            last_words("mine\nno key\n  hint: set it\n"),
            "no key\n  hint: set it"
        );
        assert_eq!(last_words("no key\n"), "no key");
        assert!(last_words("").contains("says nothing"));
    }

    #[test]
    fn a_failure_becomes_an_error_output() {
        let mut outputs = Outputs::default();
        assert_eq!(judge(false, Verdict::Fine, &mut outputs), None);
        let error = judge(false, Verdict::Returned, &mut outputs).unwrap();
        assert_eq!(error, "error: the cell returned an error that says nothing");
        assert_eq!(outputs.errors().count(), 1);
        judge(true, Verdict::Panicked, &mut outputs).unwrap();
        assert_eq!(outputs.errors().count(), 1, "one failure is reported once");
    }
}
