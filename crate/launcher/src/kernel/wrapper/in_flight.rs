//! One request that evcxr is working on, and what the reader is shown of evcxr's messages.
//!
//! Nothing here sends anything: messages go in, and what the reader should see comes out.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::error::CellError;
use super::panic::Panic;
use crate::jupyter::Message;
use crate::kernel::sideband::{Mark, Reader, Stream, StreamPart};

/// How long to wait, after evcxr's answer, for the marks of a cell that ran.
const MARKS: Duration = Duration::from_secs(1);

/// The same if the cell's process may have ended without printing them.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The same if it seems that nothing ran: printed text can arrive a little later.
const NOTHING_RAN: Duration = Duration::from_millis(5);

/// How long a cell may take to wind down before its process is killed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Output for the reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    Text(Stream, String),
    Message(String, Value),
}

/// A request that was passed on.
pub struct InFlight {
    /// As the reader sent it.
    pub request: Message,
    /// Whether the wrapper itself made it, so that nothing of it is shown.
    pub hidden: bool,
    /// The state of the cell, if it is one.
    pub cell: Option<Cell>,
    reply: Option<Value>,
    is_idle: bool,
    /// When evcxr was done with it.
    settled: Option<Instant>,
}

/// A cell that runs.
pub struct Cell {
    code: String,
    /// Its number, as the reader sees it.
    pub count: u64,
    /// Where evcxr wrote the generated code.
    source: PathBuf,
    stdout: Reader,
    stderr: Reader,
    has_begun: bool,
    /// Whether standard output and standard error have ended.
    ended: (bool, bool),
    panic: Panic,
    /// The error that the cell returned through `?`. It is shown below everything that the cell
    /// printed, some of which may still arrive on the other stream.
    returned: Option<String>,
    /// The end of the process, held back for the same reason.
    lost: Option<CellError>,
    error: Option<CellError>,
    /// What has been done to stop it.
    pub stop: Stop,
}

/// What has been done to stop a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    #[default]
    NotAsked,
    /// The library was asked to wind down at this time.
    Asked(Instant),
    /// The process, with all variables, was killed.
    Killed,
}

impl InFlight {
    /// A cell. Its output and its failure are extracted from evcxr's messages.
    pub fn cell(request: Message, count: u64, source: PathBuf) -> Self {
        let code = request.content["code"].as_str().unwrap_or_default();
        let cell = Cell {
            code: code.to_owned(),
            count,
            source,
            stdout: Reader::default(),
            stderr: Reader::default(),
            has_begun: false,
            ended: (false, false),
            panic: Panic::default(),
            returned: None,
            lost: None,
            error: None,
            stop: Stop::NotAsked,
        };
        Self {
            cell: Some(cell),
            ..Self::other(request)
        }
    }

    /// Any other request. evcxr's answer is passed on.
    pub fn other(request: Message) -> Self {
        Self {
            request,
            hidden: false,
            cell: None,
            reply: None,
            is_idle: false,
            settled: None,
        }
    }

    /// Takes evcxr's answer.
    pub fn answered(&mut self, content: Value) {
        self.reply = Some(content);
        self.settle();
    }

    /// Takes a message that evcxr published.
    pub fn published(&mut self, message: Message, word: &str) -> Vec<Out> {
        let kind = message.kind().to_owned();
        let mut content = message.content;
        match (kind.as_str(), &mut self.cell) {
            ("status", _) => {
                self.is_idle |= content["execution_state"] == "idle";
                self.settle();
                Vec::new()
            }
            ("execute_input", _) => Vec::new(),
            ("stream", Some(cell)) => {
                let stream = match content["name"].as_str() {
                    Some("stderr") => Stream::Stderr,
                    _ => Stream::Stdout,
                };
                let text = content["text"].as_str().unwrap_or_default();
                cell.printed(stream, text.strip_suffix('\n').unwrap_or(text), word)
            }
            ("execute_result", Some(cell)) => {
                content["execution_count"] = cell.count.into();
                vec![Out::Message(kind, content)]
            }
            ("error", Some(cell)) => match CellError::from(&content) {
                error if error.is_of_an_ended_process() => {
                    cell.lost.get_or_insert(error);
                    Vec::new()
                }
                error => cell.failed(error),
            },
            _ => vec![Out::Message(kind, content)],
        }
    }

    /// When it is over at the latest, if that is known yet.
    pub fn deadline(&self) -> Option<Instant> {
        let Some(cell) = &self.cell else {
            return self.settled;
        };
        let failed = self
            .reply
            .as_ref()
            .is_some_and(|reply| reply["status"] == "error");
        let patience = match (cell.has_begun, failed) {
            _ if cell.ended == (true, true) => Duration::ZERO,
            (true, false) => MARKS,
            (true, true) => LAST_WORDS,
            (false, _) => NOTHING_RAN,
        };
        Some(self.settled? + patience)
    }

    /// Until when printed text is held back.
    pub fn holds_until(&self) -> Option<Instant> {
        self.cell.as_ref()?.panic.deadline()
    }

    /// When the process of a cell that was asked to stop is killed.
    pub fn kills_at(&self) -> Option<Instant> {
        let cell = self.cell.as_ref()?;
        match cell.stop {
            Stop::Asked(since) if cell.has_begun() => Some(since + PATIENCE),
            _ => None,
        }
    }

    /// Returns the text that was held back.
    pub fn let_go(&mut self) -> Vec<Out> {
        let held = self.cell.as_mut().and_then(|cell| cell.panic.release());
        let text = held.map(|text| Out::Text(Stream::Stderr, text));
        text.into_iter().collect()
    }

    /// Returns what is still to be shown, and the answer to the request.
    pub fn finish(mut self) -> (Vec<Out>, Value) {
        let reply = self.reply.take().unwrap_or_default();
        match self.cell {
            Some(cell) => cell.finish(&reply),
            None => (Vec::new(), reply),
        }
    }

    /// Notes when evcxr is done. Comm messages and requests that evcxr does not know have no
    /// answer: they are over when evcxr is idle.
    fn settle(&mut self) {
        let kind = self.request.kind();
        let is_answered =
            ["execute_request", "complete_request", "inspect_request"].contains(&kind);
        if (self.reply.is_some() || !is_answered) && self.is_idle {
            self.settled.get_or_insert_with(Instant::now);
        }
    }
}

impl Cell {
    /// Whether the reader's own code has started, after compiling.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn printed(&mut self, stream: Stream, line: &str, word: &str) -> Vec<Out> {
        let said = match stream {
            Stream::Stdout => self.stdout.read(line, word),
            Stream::Stderr => self.stderr.read(line, word),
        };
        let mut out = Vec::new();
        for part in said {
            match part {
                StreamPart::Text(text) if stream == Stream::Stderr => {
                    let text = self.panic.heard(text);
                    out.extend(text.map(|text| Out::Text(stream, text)));
                }
                StreamPart::Text(text) => out.push(Out::Text(stream, text)),
                StreamPart::Mark(Mark::Begin) => self.has_begun = true,
                StreamPart::Mark(Mark::Content) => {}
                StreamPart::Mark(Mark::End) if stream == Stream::Stdout => self.ended.0 = true,
                StreamPart::Mark(Mark::End) => self.ended.1 = true,
                StreamPart::Mark(Mark::Panic(text)) => self.panic.uncaught(text),
                StreamPart::Mark(Mark::Error(text)) => self.returned = Some(text),
                StreamPart::Mark(Mark::Show(kind, content)) => {
                    out.extend(self.shown(kind, content))
                }
            }
        }
        out
    }

    fn shown(&self, kind: String, mut content: Value) -> Option<Out> {
        match kind.as_str() {
            "execute_result" => content["execution_count"] = self.count.into(),
            "display_data" | "update_display_data" | "clear_output" => {}
            _ => return None,
        }
        Some(Out::Message(kind, content))
    }

    /// Shows a failure. The first one becomes the cell's error.
    fn failed(&mut self, error: CellError) -> Vec<Out> {
        let error = match self.stop {
            Stop::Killed if error.is_of_an_ended_process() => CellError::killed(),
            Stop::Asked(_) if !self.has_begun => CellError::stopped_compiling(),
            _ if error.is_of_an_ended_process() => error.explained(),
            _ => error.numbered(self.count).hinted(),
        };
        let shown = Out::Message("error".to_owned(), error.content());
        self.error.get_or_insert(error);
        vec![shown]
    }

    fn finish(mut self, reply: &Value) -> (Vec<Out>, Value) {
        let mut out = Vec::new();
        let (text, panic) = std::mem::take(&mut self.panic).finish();
        out.extend(text.map(|text| Out::Text(Stream::Stderr, text)));
        if let Some(panic) = panic {
            let generated = std::fs::read_to_string(&self.source).unwrap_or_default();
            out.extend(self.failed(panic.error(&self.code, &generated)));
        } else if let Some(text) = self.returned.take() {
            out.extend(self.failed(CellError::returned(&text)));
        }
        if let Some(error) = self.lost.take() {
            out.extend(self.failed(error));
        }
        if reply["status"] == "error" && self.error.is_none() {
            out.extend(self.failed(CellError::unsaid()));
        }
        let mut answer = json!({"status": "ok", "execution_count": self.count});
        match self.error {
            Some(error) => {
                answer["status"] = "error".into();
                for (name, value) in error.content().as_object().into_iter().flatten() {
                    answer[name] = value.clone();
                }
            }
            None => {
                answer["payload"] = json!([]);
                answer["user_expressions"] = json!({});
            }
        }
        (out, answer)
    }
}
