//! What the reader is told while something compiles for more than a moment: what, how many of how many
//! packages, and how long so far. It is one output that is updated in place. A client that cannot
//! update outputs shows it once, and the result.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kernel::evcxr_build::{NOTE, Progress};

/// How long a cell may take without a word.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often it is updated.
const PACE: Duration = Duration::from_secs(1);

/// The most characters of the packages' names.
const MAX_LENGTH: usize = 60;

/// One cell's preparation.
#[derive(Debug)]
pub struct Building {
    id: String,
    began: Instant,
    shown: Option<Instant>,
    /// The most packages seen so far.
    packages: usize,
    /// What else the reader should know of this build.
    note: Option<String>,
}

impl Building {
    /// That of the cell with this number, which begins now.
    pub fn new(id: String) -> Self {
        Self {
            id,
            began: Instant::now(),
            shown: None,
            packages: 0,
            note: None,
        }
    }

    /// When the reader is told more.
    pub fn due(&self) -> Instant {
        self.shown
            .map_or(self.began + TIMEOUT, |shown| shown + PACE)
    }

    /// What is said now: a message's type and content.
    pub fn say(&mut self, build: &Path) -> (&'static str, Value) {
        let kind = match self.shown {
            None => "display_data",
            Some(_) => "update_display_data",
        };
        self.shown = Some(Instant::now());
        let progress = Progress::of_build(build);
        if let Some(progress) = &progress {
            self.packages = self.packages.max(progress.all);
        }
        if let Ok(note) = std::fs::read_to_string(build.join(NOTE)) {
            self.note = Some(note);
        }
        let status = status_text(progress.as_ref(), self.began.elapsed());
        (kind, self.content(&status))
    }

    /// What is left when the cell's own code begins, or the cell ends: nothing, unless packages were
    /// compiled.
    pub fn end(&self) -> Option<(&'static str, Value)> {
        self.shown?;
        let seconds = self.began.elapsed().as_secs();
        Some(match self.packages {
            0..=1 => ("clear_output", json!({"wait": false})),
            packages => {
                let text = format!("compiled {packages} packages in {seconds} s");
                ("update_display_data", self.content(&text))
            }
        })
    }

    fn content(&self, text: &str) -> Value {
        let note = self.note.as_ref().map(|note| format!("\n{note}"));
        json!({
            "data": {"text/plain": text.to_owned() + &note.unwrap_or_default()},
            "metadata": {},
            "transient": {"display_id": self.id},
        })
    }
}

fn status_text(progress: Option<&Progress>, took: Duration) -> String {
    let seconds = took.as_secs();
    let Some(progress) = progress.filter(|progress| progress.all > 1) else {
        return format!("compiling this cell, {seconds} s so far");
    };
    let names: String = progress.packages.chars().take(MAX_LENGTH).collect();
    let more = if names.len() < progress.packages.len() {
        "…"
    } else {
        ""
    };
    let (done, all) = (progress.done, progress.all);
    format!("compiling: {done} of {all} packages, {seconds} s so far ({names}{more})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_is_told_what_how_many_and_how_long() {
        let progress = |all| Progress {
            done: 3,
            all,
            packages: "serde, polars-core".to_owned(),
        };
        let took = Duration::from_millis(7_300);
        assert_eq!(
            status_text(Some(&progress(40)), took),
            "compiling: 3 of 40 packages, 7 s so far (serde, polars-core)"
        );
        assert_eq!(
            status_text(Some(&progress(1)), took),
            "compiling this cell, 7 s so far"
        );
        assert_eq!(status_text(None, took), "compiling this cell, 7 s so far");
    }

    #[test]
    fn one_output_is_updated_and_says_in_the_end_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut building = Building::new("b1".to_owned());
        assert_eq!(building.end(), None);
        let (first, content) = building.say(folder.path());
        assert_eq!(
            (first, &content["transient"]["display_id"]),
            ("display_data", &"b1".into())
        );
        assert_eq!(building.say(folder.path()).0, "update_display_data");
        assert_eq!(building.end().unwrap().0, "clear_output");
        let line = "    Building [=>  ] 2/3: serde";
        std::fs::write(
            folder.path().join(crate::kernel::evcxr_build::PROGRESS),
            line,
        )
        .unwrap();
        building.say(folder.path());
        let (kind, content) = building.end().unwrap();
        assert_eq!(kind, "update_display_data");
        assert_eq!(content["data"]["text/plain"], "compiled 3 packages in 0 s");
        std::fs::write(folder.path().join(NOTE), "polars again").unwrap();
        building.say(folder.path());
        let (_, content) = building.end().unwrap();
        assert_eq!(
            content["data"]["text/plain"],
            "compiled 3 packages in 0 s\npolars again"
        );
    }
}
