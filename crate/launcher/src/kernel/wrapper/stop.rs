//! Ending what a stopped cell waits for: compilers, shell commands, programs that cells started.
//!
//! Everything below evcxr is ended, except for the process that runs the cells, which has the same
//! program as evcxr: its variables live as long as it does.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::supervise::end_below;

/// How often programs are ended: a cell may start one after the other.
const AGAIN: Duration = Duration::from_millis(25);

/// How long a program may take to clean up.
const CLEANS_UP: Duration = Duration::from_millis(200);

/// The stop of one cell.
#[derive(Debug, Default)]
pub struct Stopping {
    first: Option<Instant>,
    last: Option<Instant>,
    /// What was asked to end.
    asked: Vec<Pid>,
}

impl Stopping {
    /// When programs are to be ended again.
    pub fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + AGAIN)
    }

    /// Ends the programs below the process with this id.
    pub fn end(&mut self, evcxr: Option<u32>) {
        let now = Instant::now();
        self.last = Some(now);
        let Some(evcxr) = evcxr
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
        else {
            return;
        };
        // At first as Ctrl-C does, which lets a program clean up.
        if now < *self.first.get_or_insert(now) + CLEANS_UP {
            self.asked.extend(end_below(evcxr, Signal::INT));
            return;
        }
        end_below(evcxr, Signal::KILL);
        // Their parents may have ended, and their ids are not given away so soon.
        for process in self.asked.drain(..) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}
