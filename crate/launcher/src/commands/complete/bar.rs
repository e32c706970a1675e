//! The progress line.

use std::time::Duration;

use evenhand::batch::Progress;
use evenhand::text::sanitize_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// More columns than any terminal has.
const LONGEST: usize = 1_000;

/// A progress line on standard error, or nothing if that is not a terminal.
pub(in crate::commands) struct Bar(ProgressBar);

impl Bar {
    pub(in crate::commands) fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(in crate::commands) fn listener(&self) -> impl Fn(&Progress) + Send + Sync + use<> {
        let bar = self.0.clone();
        move |progress| bar.set_message(sanitize_line(&progress.to_string(), LONGEST))
    }

    pub(in crate::commands) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
