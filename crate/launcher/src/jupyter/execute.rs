//! Runs code that is not in a notebook.

use std::path::Path;
use std::time::Duration;

use super::executor::Executor;
use super::notebook::Cell;
use super::outputs::Outputs;
use super::process::KernelCommand;
use super::report::Report;
use crate::error::{Failure, Result};
use crate::supervise::block_on;

/// How often `tick` is called while the code runs.
const TICK: Duration = Duration::from_millis(200);

/// Runs one piece of code in a kernel, without a notebook, and calls `tick` at intervals.
pub fn execute(
    command: &KernelCommand,
    folder: &Path,
    code: &str,
    mut tick: impl FnMut(),
) -> Result<()> {
    block_on(async {
        let report = Report::new();
        let mut executor = Executor::start(command, folder, &report).await?;
        let mut shown = Vec::new();
        let cell = Cell::from_code(code);
        let mut ticks = tokio::time::interval(TICK);
        let done = {
            let mut running = std::pin::pin!(executor.run(&cell, &mut shown));
            loop {
                tokio::select! {
                    done = &mut running => break done,
                    _ = ticks.tick() => tick(),
                }
            }
        };
        if let Some(error) = done?.error {
            report.failed(
                &cell,
                &shown.iter().flat_map(Outputs::to_json).collect::<Vec<_>>(),
            );
            return Err(Failure::new(error));
        }
        executor.stop().await;
        Ok(())
    })
}
