//! The reader stops a cell: first it is asked to, with what it waits for, and then its process is ended.

use std::time::Instant;

use super::{EventLoop, Stage};
use crate::kernel::wrapper::in_flight::Stop;
use crate::terminal::err;

impl EventLoop {
    /// The reader interrupts the cell. It is first asked to stop, and killed at the second
    /// interrupt or after a time limit.
    pub(super) fn stop(&mut self) {
        let Some(running) = self.running.as_mut().filter(|running| !running.hidden) else {
            return self.abort();
        };
        self.stopped = self.queue.len();
        let cell = running.cell.as_mut();
        if let Some(cell) = cell.filter(|cell| cell.stop == Stop::NotAsked) {
            cell.stop = Stop::Asked(Instant::now());
            if let Err(error) = std::fs::write(&self.shared.stop_file, "") {
                err!("could not ask the cell to stop: {error}");
            }
            // A reader who stops the cell is not going to answer its prompt.
            self.answer_input(None);
            self.end_programs();
        } else {
            self.kill();
        }
    }

    /// Ends what the stopped cell waits for.
    pub(super) fn end_programs(&mut self) {
        let cell = self
            .running
            .as_mut()
            .and_then(|running| running.cell.as_mut());
        if let (Stage::Running(inner), Some(cell)) = (&self.inner, cell) {
            cell.stopping.end(inner.process);
        }
    }

    /// Ends the process that runs the cell. While the compiler is still running, this would only
    /// lose the variables, so nothing is done.
    pub(super) fn kill(&mut self) {
        let cell = self
            .running
            .as_mut()
            .and_then(|running| running.cell.as_mut());
        if let (Stage::Running(inner), Some(cell)) = (&mut self.inner, cell)
            && cell.has_begun()
            && cell.stop != Stop::Killed
        {
            cell.stop = Stop::Killed;
            inner.kill_cells();
        }
    }
}
