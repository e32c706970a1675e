//! A thread that brings a journal's rows to the disk, at most once a second.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Files;

const BETWEEN_SYNCS: Duration = Duration::from_secs(1);

/// Dropping it brings the last rows to the disk.
pub(super) struct BackgroundSync {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    /// Are there rows that the disk may not have?
    is_dirty: bool,
    is_closed: bool,
}

impl BackgroundSync {
    pub(super) fn start(files: Arc<Files>) -> io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let thread = thread::Builder::new()
            .name("evenhand-journal".to_owned())
            .spawn({
                let bell = Arc::clone(&bell);
                move || bell.keep(&files)
            })?;
        Ok(Self {
            bell,
            thread: Some(thread),
        })
    }

    /// Tells that a row was written.
    pub(super) fn wake(&self) {
        let mut state = self.bell.lock();
        if !state.is_dirty {
            state.is_dirty = true;
            self.bell.rung.notify_one();
        }
    }
}

impl Drop for BackgroundSync {
    fn drop(&mut self) {
        self.bell.lock().is_closed = true;
        self.bell.rung.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Bell {
    /// Syncs as soon as there is a row, and then after a second at the earliest.
    fn keep(&self, files: &Files) {
        let mut state = self.lock();
        loop {
            state = self
                .rung
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
            // What could not be written now may be in a second.
            state.is_dirty |= failed;
            (state, _) = self
                .rung
                .wait_timeout_while(state, BETWEEN_SYNCS, |state| !state.is_closed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
