//! Showing things without the feature `notebook`: nothing is printed. A program has listeners, results
//! and the notes of the settings and totals instead.

/// There is no progress bar.
pub(crate) enum ProgressBar {}

impl ProgressBar {
    pub(crate) fn new() -> Option<Self> {
        None
    }

    pub(crate) fn is_shown(&self) -> bool {
        match *self {}
    }

    pub(crate) fn show(&mut self, _done: usize, _total: Option<usize>, _words: &str) {
        match *self {}
    }
}

pub(crate) fn log_line(_line: &str) {}

pub(crate) fn note_line(_line: &str) {}

pub(crate) fn note_once(_notes: &[String]) {}
