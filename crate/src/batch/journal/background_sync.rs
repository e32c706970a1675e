//! A thread that syncs a journal's rows to disk, at most once per second.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Files;

const BETWEEN_SYNCS: Duration = Duration::from_secs(1);

/// Dropping it syncs the last rows to disk.
pub(super) struct BackgroundSync {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether there are rows that may not be on disk.
    is_dirty: bool,
    is_closed: bool,
}

impl BackgroundSync {
    pub(super) fn start(files: Arc<Files>) -> io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let thread = thread::Builder::new()
            .name("evenhand-journal".to_owned())
            .spawn({
                let signal = Arc::clone(&signal);
                move || signal.run(&files)
            })?;
        Ok(Self {
            signal,
            thread: Some(thread),
        })
    }

    /// Signals that a row was written.
    pub(super) fn wake(&self) {
        let mut state = self.signal.lock();
        if !state.is_dirty {
            state.is_dirty = true;
            self.signal.changed.notify_one();
        }
    }
}

impl Drop for BackgroundSync {
    fn drop(&mut self) {
        self.signal.lock().is_closed = true;
        self.signal.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Signal {
    /// Syncs as soon as there is a row, and then at most once per second.
    fn run(&self, files: &Files) {
        let mut state = self.lock();
        loop {
            state = self
                .changed
                .wait_while(state, |state| !state.is_dirty && !state.is_closed)
                .unwrap_or_else(PoisonError::into_inner);
            let (was_dirty, was_closed) = (state.is_dirty, state.is_closed);
            state.is_dirty = false;
            drop(state);
            let failed = was_dirty && files.sync().is_err();
            if was_closed {
                return;
            }
            state = self.lock();
            // Rows that could not be written now are tried again in a second.
            state.is_dirty |= failed;
            (state, _) = self
                .changed
                .wait_timeout_while(state, BETWEEN_SYNCS, |state| !state.is_closed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
