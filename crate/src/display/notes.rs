//! Notes to the reader of a notebook while work is in progress.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::writer::log_line;
use crate::runtime::in_kernel;

/// Shows a note in a notebook. A program has the notes of the settings and totals.
pub(crate) fn note_line(line: &str) {
    if in_kernel() {
        log_line(line);
    }
}

/// Shows notes in a notebook, each only once per process.
pub(crate) fn note_once(notes: &[String]) {
    static SHOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !in_kernel() {
        return;
    }
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    for note in notes {
        if shown.insert(note.clone()) {
            log_line(note);
        }
    }
}
