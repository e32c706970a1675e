//! Marks: lines in a cell's output that are meant for the wrapper and not for the reader.
//!
//! evcxr passes on what a cell prints, line by line, and nothing else. So anything else is
//! reported in a line with a random word that is new for each kernel. Marks are printed by the
//! generated code around a cell (`evcxr_build/instrument.rs` and `evcxr_build/cell_library.rs`)
//! and by the library, which shows its results this way (`display::writer`) and defines what both
//! must call alike (`evenhand::sideband`). Text from a model cannot forge a mark.

use evenhand::sideband::SHOW;
use serde_json::Value;

/// The file in the build directory whose existence means that marks are read. While evcxr starts,
/// nothing reads them yet, and it waits until everything that its own code prints has been read.
pub const READ: &str = "marks-are-read";

/// What follows the word, as `evcxr_build/cell_library.rs` writes it.
const BEGIN: &str = "begin";
const END: &str = "end";
const PANIC: &str = "panic ";
const ERROR: &str = "error ";
/// The same, as `evcxr_build/instrument.rs` writes it.
pub const CONTENT: &str = "content";

/// A mark.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// The cell's own code begins.
    Begin,
    /// Nothing from the cell follows in this stream.
    End,
    /// Content in evcxr's own display protocol follows.
    Content,
    /// The cell panicked with this message, which is empty if the payload was not text.
    Panic(String),
    /// The cell returned this error through `?`.
    Error(String),
    /// Something to show: the type of the message and its content.
    Show(String, Value),
}

/// One of the two streams of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A part of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamPart {
    Text(String),
    Mark(Mark),
}

/// Separates marks from text in one stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// The number of empty lines held back: the last one before a mark may belong to the mark.
    empty: usize,
}

impl Reader {
    /// Reads a line, without its newline.
    pub fn read(&mut self, line: &str, word: &str) -> Vec<StreamPart> {
        let marked = line
            .split_once(word)
            .and_then(|(before, mark)| Some((before, parse(mark)?)));
        let Some((before, mark)) = marked else {
            if line.is_empty() {
                self.empty += 1;
                return Vec::new();
            }
            return vec![StreamPart::Text(format!("{}{line}\n", self.take_empty()))];
        };
        // All other marks begin with a newline of their own.
        if before.is_empty() && !matches!(mark, Mark::Begin | Mark::Show(..)) {
            self.empty = self.empty.saturating_sub(1);
        }
        let text = format!("{}{before}", self.take_empty());
        let text = (!text.is_empty()).then_some(StreamPart::Text(text));
        text.into_iter().chain([StreamPart::Mark(mark)]).collect()
    }

    fn take_empty(&mut self) -> String {
        "\n".repeat(std::mem::take(&mut self.empty))
    }
}

fn parse(mark: &str) -> Option<Mark> {
    match mark {
        BEGIN => Some(Mark::Begin),
        END => Some(Mark::End),
        CONTENT => Some(Mark::Content),
        _ => {
            let said = |kind| mark.strip_prefix(kind);
            said(PANIC)
                .map(|text| Mark::Panic(unescaped(text)))
                .or_else(|| said(ERROR).map(|text| Mark::Error(unescaped(text))))
                .or_else(|| shown(said(SHOW)?))
        }
    }
}

fn shown(json: &str) -> Option<Mark> {
    let mut message: Value = serde_json::from_str(json).ok()?;
    let kind = message["msg_type"].as_str()?.to_owned();
    Some(Mark::Show(kind, message["content"].take()))
}

/// Reverses the escaping of `evcxr_build/cell_library.rs`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(output: &str) -> Vec<StreamPart> {
        let mut reader = Reader::default();
        let lines = output.lines().flat_map(|line| reader.read(line, "w:"));
        let mut said: Vec<StreamPart> = Vec::new();
        for part in lines {
            match (said.last_mut(), part) {
                (Some(StreamPart::Text(text)), StreamPart::Text(more)) => text.push_str(&more),
                (_, part) => said.push(part),
            }
        }
        said
    }

    fn text(text: &str) -> StreamPart {
        StreamPart::Text(text.to_owned())
    }

    #[test]
    fn the_line_that_a_mark_ends_is_nobody_elses() {
        let end = || StreamPart::Mark(Mark::End);
        assert_eq!(read("a\n\nw:end\n"), [text("a\n"), end()]);
        assert_eq!(read("a\n\n\nw:end\n"), [text("a\n\n"), end()]);
        assert_eq!(read("\nw:end\n"), [end()]);
        assert_eq!(read("a\nw:end\n"), [text("a\n"), end()]);
    }

    #[test]
    fn a_mark_may_stand_behind_text() {
        let show = "w:show {\"msg_type\": \"display_data\", \"content\": {\"a\": 1}}";
        let shown = StreamPart::Mark(Mark::Show("display_data".to_owned(), json!({"a": 1})));
        assert_eq!(
            read(&format!("50 %{show}\nx")),
            [text("50 %"), shown, text("x\n")]
        );
    }

    #[test]
    fn messages_come_back_as_they_were() {
        assert_eq!(
            read(r"w:panic a\\n\nEVCXR\_END"),
            [StreamPart::Mark(Mark::Panic("a\\n\nEVCXR_END".to_owned()))]
        );
        assert_eq!(
            read("w:error \n"),
            [StreamPart::Mark(Mark::Error(String::new()))]
        );
    }

    #[test]
    fn what_only_looks_like_a_mark_is_text() {
        for line in ["w:", "w:endless", "w:show {", "begin", "v:end"] {
            assert_eq!(read(line), [text(&format!("{line}\n"))]);
        }
    }
}
