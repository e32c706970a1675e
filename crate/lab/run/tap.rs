//! How a cell that fails in evcxr is told from one that does not.
//!
//! evcxr answers `status: ok` to a cell that panics and to one that leaves
//! through `?`. Standard error is no evidence: a caught panic prints what an
//! uncaught one prints, and `eprintln!` can print either. But evcxr's own
//! child process tells evcxr the truth, with a line on its standard output
//! that evcxr reads and does not pass on. So before the first cell a hidden
//! one leads the child's standard output through a small filter, the hidden
//! subcommand `evenhand tap`. The filter passes all on unchanged and notes in a
//! file what those lines say. It notes before it passes on, and evcxr answers
//! only after the cell's last line: when the answer is there, so is the note.
//!
//! The filter is a process, not a thread of the child, so that the last words
//! of a child that aborts still arrive.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, Result};

/// evcxr's words for a cell that panicked, that left through `?`, that is over.
const PANICKED: &[u8] = b"EVCXR_PANIC_NOTIFICATION";
const RETURNED: &[u8] = b"EVCXR_ERROR_OCCURRED";
const COMPLETE: &[u8] = b"EVCXR_EXECUTION_COMPLETE";

/// Around what a cell displays.
const BEGIN: &[u8] = b"EVCXR_BEGIN_CONTENT ";
const END: &[u8] = b"EVCXR_END_CONTENT";

/// The filter: from standard input to standard output, with notes in the file.
pub fn filter(notes: &Path) -> Result<()> {
    let doing = || "the tap cannot work".to_owned();
    let mut notes = OpenOptions::new()
        .append(true)
        .create(true)
        .open(notes)
        .doing(doing)?;
    notes.write_all(b"open\n").doing(doing)?;
    let passed = pass(io::stdin().lock(), io::stdout().lock(), &mut notes);
    notes.write_all(b"closed\n").doing(doing)?;
    passed.doing(doing)
}

fn pass(mut from: impl BufRead, mut to: impl Write, notes: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    let mut in_content = false;
    // Line by line: evcxr reads it no other way.
    while from.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let word = [PANICKED, RETURNED, COMPLETE]
            .into_iter()
            .find(|word| text.ends_with(word));
        // Inside a display, evcxr hears of nothing but a panic.
        match word.filter(|word| !in_content || (*word == PANICKED && text == PANICKED)) {
            Some(word) => {
                if word == PANICKED {
                    in_content = false;
                    notes.write_all(b"panic\n")?;
                } else if word == RETURNED {
                    notes.write_all(b"error\n")?;
                }
                // What the cell printed without ending its line would hide the
                // word from evcxr, which would then wait for it for ever.
                let before = &text[..text.len() - word.len()];
                if !before.is_empty() {
                    to.write_all(before)?;
                    to.write_all(b"\n")?;
                }
                to.write_all(word)?;
                to.write_all(b"\n")?;
            }
            None => {
                if in_content {
                    in_content = text != END;
                } else {
                    in_content = contains(text, BEGIN);
                }
                to.write_all(&line)?;
            }
        }
        to.flush()?;
        line.clear();
    }
    Ok(())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Fine,
    /// It panicked, and nothing in it caught the panic.
    Panicked,
    /// It left through `?`.
    Returned,
}

/// The reader of the notes.
#[derive(Debug)]
pub struct Tap {
    notes: PathBuf,
    read: usize,
    open: bool,
}

impl Tap {
    /// A tap that is yet to be installed, with its notes in this folder.
    pub fn new(folder: &Path) -> Result<Self> {
        let notes = folder.join("notes");
        File::create_new(&notes).doing(|| "cannot make the tap's notes".to_owned())?;
        Ok(Self {
            notes,
            read: 0,
            open: false,
        })
    }

    /// The hidden cell that leads the child's standard output through the filter.
    pub fn cell(&self) -> Result<String> {
        let program = std::env::current_exe()
            .doing(|| "the launcher does not know where it is".to_owned())?;
        let (Some(program), Some(notes)) = (program.to_str(), self.notes.to_str()) else {
            return Err(Failure::new(
                "the launcher lies in a folder whose name is not Unicode",
            ));
        };
        // A block with a semicolon leaves no name behind and displays nothing.
        Ok(format!(
            r#"{{
    use std::os::fd::{{AsFd, AsRawFd}};
    unsafe extern "C" {{ fn dup2(from: i32, to: i32) -> i32; }}
    let (reader, writer) = std::io::pipe().unwrap();
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
    std::process::Command::new({program:?}).arg("tap").arg({notes:?}).stdin(reader).stdout(stdout).spawn().unwrap();
    assert_eq!(unsafe {{ dup2(writer.as_raw_fd(), 1) }}, 1);
}};"#
        ))
    }

    /// Whether the child's standard output goes through the filter. A child
    /// that was replaced after it died has a new one.
    pub fn is_open(&mut self) -> Result<bool> {
        self.verdict().map(|_| self.open)
    }

    /// What the notes say about the cell that has just been answered.
    pub fn verdict(&mut self) -> Result<Verdict> {
        let notes =
            std::fs::read(&self.notes).doing(|| "cannot read the tap's notes".to_owned())?;
        let mut verdict = Verdict::Fine;
        // A note that is being written has no newline yet; it is read next time.
        let whole = notes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        for note in notes
            .get(self.read..whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
        {
            match note {
                b"open" => self.open = true,
                b"closed" => self.open = false,
                b"panic" => verdict = Verdict::Panicked,
                b"error" => verdict = Verdict::Returned,
                _ => {}
            }
        }
        self.read = whole;
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(input: &str) -> (String, String) {
        let (mut output, mut notes) = (Vec::new(), Vec::new());
        pass(input.as_bytes(), &mut output, &mut notes).unwrap();
        (
            String::from_utf8(output).unwrap(),
            String::from_utf8(notes).unwrap(),
        )
    }

    #[test]
    fn all_is_passed_on() {
        for input in [
            "",
            "a\nb\n",
            "no end",
            "EVCXR_BEGIN_CONTENT text/html\n<b>\nEVCXR_END_CONTENT\n",
        ] {
            assert_eq!(passed(input), (input.to_owned(), String::new()));
        }
    }

    #[test]
    fn failures_are_noted() {
        let (output, notes) =
            passed("EVCXR_PANIC_NOTIFICATION\nEVCXR_EXECUTION_COMPLETE\nEVCXR_ERROR_OCCURRED\n");
        assert_eq!(notes, "panic\nerror\n");
        assert_eq!(
            output,
            "EVCXR_PANIC_NOTIFICATION\nEVCXR_EXECUTION_COMPLETE\nEVCXR_ERROR_OCCURRED\n"
        );
    }

    #[test]
    fn a_line_that_was_not_ended_hides_nothing() {
        let (output, notes) = passed("50 %EVCXR_PANIC_NOTIFICATION\nxEVCXR_EXECUTION_COMPLETE\n");
        assert_eq!(notes, "panic\n");
        assert_eq!(
            output,
            "50 %\nEVCXR_PANIC_NOTIFICATION\nx\nEVCXR_EXECUTION_COMPLETE\n"
        );
    }

    #[test]
    fn a_displayed_text_is_no_failure() {
        let shown = "EVCXR_BEGIN_CONTENT text/plain\nEVCXR_ERROR_OCCURRED\nsay EVCXR_PANIC_NOTIFICATION\nEVCXR_END_CONTENT\n";
        assert_eq!(passed(shown), (shown.to_owned(), String::new()));
        let cut_short = "EVCXR_BEGIN_CONTENT text/plain\nhalf\nEVCXR_PANIC_NOTIFICATION\nEVCXR_ERROR_OCCURRED\n";
        assert_eq!(passed(cut_short).1, "panic\nerror\n");
    }

    #[test]
    fn notes_are_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut tap = Tap::new(folder.path()).unwrap();
        assert!(!tap.is_open().unwrap());
        std::fs::write(&tap.notes, "open\npanic\nerr").unwrap();
        assert_eq!(tap.verdict().unwrap(), Verdict::Panicked);
        assert_eq!(tap.verdict().unwrap(), Verdict::Fine);
        std::fs::write(&tap.notes, "open\npanic\nerror\nclosed\n").unwrap();
        assert_eq!(tap.verdict().unwrap(), Verdict::Returned);
        assert!(!tap.is_open().unwrap());
    }
}
