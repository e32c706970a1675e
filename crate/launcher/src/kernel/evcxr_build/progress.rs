//! What the reader is told of a build: cargo's own progress, in a file that the wrapper reads.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// The file in the build directory. It exists while cargo builds.
pub const PROGRESS: &str = "progress";

/// How far a build is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub all: usize,
    /// What is being compiled.
    pub packages: String,
}

impl Progress {
    /// Reads cargo's line, such as `Building [==> ] 12/40: serde, polars-core`.
    pub fn from_line(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("Building [")?;
        let (_, rest) = rest.split_once("] ")?;
        let (numbers, packages) = rest.split_once(": ").unwrap_or((rest, ""));
        let (done, all) = numbers.trim().split_once('/')?;
        Some(Self {
            done: done.parse().ok()?,
            all: all.parse().ok()?,
            packages: packages.trim().trim_end_matches("...").to_owned(),
        })
    }

    /// cargo's line in the build directory, if a build runs.
    pub fn of_build(build: &Path) -> Option<Self> {
        Self::from_line(&fs::read_to_string(build.join(PROGRESS)).ok()?)
    }
}

/// Passes on what cargo prints, except for its progress, which is written to the file. Returns what
/// was passed on.
pub(super) fn follow<R: Read>(mut cargo: R, build: &Path) -> Vec<u8> {
    let (mut pending, mut printed) = (Vec::new(), Vec::new());
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = cargo.read(&mut piece) {
        pending.extend_from_slice(&piece[..length]);
        while let Some(end) = pending
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n'))
        {
            let line: Vec<u8> = pending.drain(..=end).collect();
            printed.extend(pass_on(&line, build));
        }
    }
    printed.extend(pass_on(&pending, build));
    let _ = fs::remove_file(build.join(PROGRESS));
    printed
}

fn pass_on(line: &[u8], build: &Path) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    match Progress::from_line(&text) {
        Some(_) => {
            // Without it, the reader sees only how long it takes.
            let _ = fs::write(build.join(PROGRESS), text.as_bytes());
            Vec::new()
        }
        // The end of a line that cargo erased.
        None if text
            .trim_matches(['\u{1b}', '[', 'K', '\r', '\n', ' '])
            .is_empty() =>
        {
            Vec::new()
        }
        None => {
            let text = text.trim_start_matches("\u{1b}[K");
            let _ = io::stderr().write_all(text.as_bytes());
            text.as_bytes().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_line_is_read() {
        let progress =
            Progress::from_line("\r    Building [==>   ] 12/40: serde, polars-core(build)...");
        assert_eq!(
            progress,
            Some(Progress {
                done: 12,
                all: 40,
                packages: "serde, polars-core(build)".to_owned(),
            })
        );
        for line in [
            "   Compiling serde v1.0.1",
            "Building [",
            "Building [=] 1: a",
            "",
        ] {
            assert_eq!(Progress::from_line(line), None);
        }
    }

    #[test]
    fn progress_is_in_the_file_while_cargo_runs_and_nothing_is_left_after() {
        let build = tempfile::tempdir().unwrap();
        pass_on(b"    Building [=>   ] 1/2: a\r", build.path());
        assert_eq!(
            Progress::of_build(build.path()).map(|is| (is.done, is.all)),
            Some((1, 2))
        );
        let cargo = &b"    Building [=>   ] 2/2: b\rerror: no\n"[..];
        assert_eq!(follow(cargo, build.path()), b"error: no\n");
        assert_eq!(Progress::of_build(build.path()), None);
    }
}
