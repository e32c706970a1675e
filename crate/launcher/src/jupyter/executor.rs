//! Runs the cells of one notebook in one kernel, and determines whether each succeeded.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval_at};

use super::client::Client;
use super::notebook::Cell;
use super::outputs::Outputs;
use super::report::Report;
use crate::error::{Failure, Result};
use crate::jupyter::{self, Kernel, KernelCommand};

/// How often the user is told that the kernel is still starting.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A kernel that is ready for cells, and its client.
pub struct Executor {
    kernel: Kernel,
    client: Client,
}

/// A cell that has been run.
#[derive(Debug)]
pub struct Done {
    /// Its number, as the user sees it.
    pub count: Option<u64>,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Executor {
    /// Starts a kernel in this folder and waits until it can run cells.
    pub async fn start(command: &KernelCommand, folder: &Path, report: &Report) -> Result<Self> {
        let start = Instant::now();
        let mut ticks = interval_at(tokio::time::Instant::now() + TIMEOUT, TIMEOUT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let waiting = async {
            loop {
                ticks.tick().await;
                report.waiting(start.elapsed());
            }
        };
        let (kernel, sockets) = tokio::select! {
            started = jupyter::start(command, folder) => started?,
            never = waiting => never,
        };
        let client = Client(sockets);
        Ok(Self { kernel, client })
    }

    /// Runs a cell, and appends its outputs to those of the cells before it, whose displays it may
    /// update.
    pub async fn run(&mut self, cell: &Cell, outputs: &mut Vec<Outputs>) -> Result<Done> {
        outputs.push(Outputs::default());
        let answer = self.client.execute(&cell.source, |message| {
            if message.kind() == "update_display_data" {
                outputs
                    .iter_mut()
                    .for_each(|outputs| outputs.update(&message));
            } else if let Some(current) = outputs.last_mut() {
                current.apply_message(&message);
            }
        });
        let reply = self.kernel.alive(answer).await;
        let mut nothing = Outputs::default();
        let current = outputs.last_mut().unwrap_or(&mut nothing);
        let reply = reply.inspect_err(|failure| {
            let value = failure.message();
            current.error("DeadKernel", value, json!([value]));
        })?;
        Ok(Done {
            count: reply.count,
            took: reply.took,
            error: judge(reply.failed, current),
        })
    }

    /// Runs code that is not in a notebook, and returns how long it took.
    pub async fn time(&mut self, code: &str) -> Result<Duration> {
        let done = self.run(&Cell::from_code(code), &mut Vec::new()).await?;
        match done.error {
            None => Ok(done.took),
            Some(error) => Err(Failure::new(format!("`{code}` failed: {error}"))),
        }
    }

    /// The resident memory of the kernel's own process, in kB, if the system reports it.
    pub fn memory(&self) -> Option<u64> {
        let process = self.kernel.process()?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Ends the kernel with a shutdown request.
    pub async fn stop(mut self) {
        // A kernel that does not answer is ended as well.
        let _ = self.client.shut_down().await;
        self.kernel.finish().await;
    }
}

/// Whether a cell failed, and why.
fn judge(failed: bool, outputs: &mut Outputs) -> Option<String> {
    let reported: Vec<String> = outputs.errors().map(message).collect();
    match (reported.is_empty(), failed) {
        (false, _) => Some(reported.join("\n")),
        (true, false) => None,
        (true, true) => {
            let error = "the kernel reported that the cell failed, but not why".to_owned();
            outputs.error("error", &error, json!([error]));
            Some(error)
        }
    }
}

fn message(error: &Value) -> String {
    let text = |field: &str| error[field].as_str().unwrap_or_default();
    match text("ename") {
        // The compiler's messages include their own name.
        "" | "Error" => text("evalue").to_owned(),
        name => format!("{name}: {}", text("evalue")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_kernels_words() {
        let mut outputs = Outputs::default();
        assert_eq!(judge(false, &mut outputs), None);
        outputs.error("panic", "boom", json!([]));
        outputs.error("Error", "expected u8", json!([]));
        let error = judge(true, &mut outputs).unwrap();
        assert_eq!(error, "panic: boom\nexpected u8");
    }

    #[test]
    fn a_failure_that_shows_nothing_is_an_output() {
        let mut outputs = Outputs::default();
        assert!(judge(true, &mut outputs).unwrap().contains("but not why"));
        assert_eq!(outputs.errors().count(), 1);
    }
}
