//! One request that evcxr is working on, and what the reader is shown of evcxr's messages.
//!
//! Nothing here sends anything: messages go in, and what the reader should see comes out.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::building::Building;
use super::cell_history::CellHistory;
use super::error::CellError;
use super::panic::Panic;
use super::stop::Stopping;
use super::{echo, hints, panic_place, positions};
use crate::jupyter::Message;
use crate::kernel::sideband::{Mark, Stream};

/// How long to wait, after evcxr's answer, for the marks of a cell that ran.
const MARKS: Duration = Duration::from_secs(1);

/// The same if the cell's process may have ended without printing them.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The same if it seems that nothing ran: printed text can arrive a little later.
const NOTHING_RAN: Duration = Duration::from_millis(5);

/// How long a cell may take to wind down before its process is killed.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How evcxr's crate for input asks the kernel for a line: a prompt follows.
const ASKS: [&str; 2] = ["EVCXR_INPUT_REQUEST_PASSWORD:", "EVCXR_INPUT_REQUEST:"];

/// The most characters of a line that is a prompt.
const MAX_PROMPT: usize = 300;

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
    /// Whether the marks of its beginning have arrived on standard output and standard error.
    begun: (bool, bool),
    /// Whether standard output and standard error have ended.
    ended: (bool, bool),
    panic: Panic,
    /// The error that the cell returned through `?`. It is shown below everything that the cell
    /// printed, some of which may still arrive on the other stream.
    returned: Option<String>,
    /// The end of the process, held back for the same reason.
    lost: Option<CellError>,
    error: Option<CellError>,
    /// The compiler's errors so far, none of which is shown twice. As long as none is shown, all of them
    /// only repeat another one.
    refusals: Vec<CellError>,
    /// Whether its last expression is a `Result` whose value was shown.
    is_opened: bool,
    /// The last line of standard output, which has no end.
    line: String,
    /// A line that may be the prompt of evcxr's crate for input.
    asked: Option<String>,
    /// What the reader is told until its own code begins.
    pub building: Option<Building>,
    /// What has been done to stop it.
    pub stop: Stop,
    pub stopping: Stopping,
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
            begun: (false, false),
            ended: (false, false),
            panic: Panic::default(),
            returned: None,
            lost: None,
            error: None,
            refusals: Vec::new(),
            is_opened: false,
            line: String::new(),
            asked: None,
            building: Some(Building::new(format!(
                "evenhand-building-{}",
                request.header.id()
            ))),
            stop: Stop::NotAsked,
            stopping: Stopping::default(),
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
    pub fn published(&mut self, message: Message, cells: &CellHistory) -> Vec<Out> {
        let kind = message.kind().to_owned();
        let mut content = message.content;
        match (kind.as_str(), &mut self.cell) {
            ("status", _) => {
                self.is_idle |= content["execution_state"] == "idle";
                self.settle();
                Vec::new()
            }
            ("execute_input", _) => Vec::new(),
            ("execute_result", Some(cell)) => {
                content["execution_count"] = cell.count.into();
                vec![Out::Message(kind, content)]
            }
            ("error", Some(cell)) => match CellError::from(&content) {
                error if error.is_of_an_ended_process() => {
                    cell.lost.get_or_insert(error);
                    Vec::new()
                }
                error => cell.refused(error, cells),
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
        let patience = match (cell.has_begun(), failed) {
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
            Stop::Asked(since) if cell.has_begun() => Some(since + TIMEOUT),
            _ => None,
        }
    }

    /// When what a stopped cell waits for is ended again.
    pub fn ends_programs_at(&self) -> Option<Instant> {
        let cell = self.cell.as_ref()?;
        let is_stopped = matches!(cell.stop, Stop::Asked(_)) && self.settled.is_none();
        cell.stopping.due().filter(|_| is_stopped)
    }

    /// When the reader is told how far the preparation of the cell is.
    pub fn reports_at(&self) -> Option<Instant> {
        let cell = self.cell.as_ref().filter(|_| !self.hidden)?;
        let building = cell.building.as_ref().filter(|_| self.settled.is_none())?;
        Some(building.due())
    }

    /// Returns the text that was held back.
    pub fn let_go(&mut self) -> Vec<Out> {
        let held = self.cell.as_mut().and_then(|cell| cell.panic.release());
        let text = held.map(|text| Out::Text(Stream::Stderr, text));
        text.into_iter().collect()
    }

    /// Returns what is still to be shown, and the answer to the request.
    pub fn finish(mut self, cells: &CellHistory) -> (Vec<Out>, Value) {
        let reply = self.reply.take().unwrap_or_default();
        match self.cell {
            Some(cell) => cell.finish(&reply, cells),
            None => {
                let kind = self.request.kind();
                (
                    Vec::new(),
                    positions::answer(kind, &self.request.content, reply),
                )
            }
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
        self.begun.0
    }

    /// Whether text in this stream is the cell's. What arrives before is an earlier cell's.
    pub fn prints(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.begun.0,
            Stream::Stderr => self.begun.1,
        }
    }

    /// Whether the process that runs the cells has ended.
    pub fn has_lost_variables(&self) -> bool {
        self.lost.is_some() || self.stop == Stop::Killed
    }

    /// Takes text that the cell printed.
    pub fn printed(&mut self, stream: Stream, text: String) -> Vec<Out> {
        if stream == Stream::Stderr {
            let text = self.panic.heard(&text);
            return text
                .map(|text| Out::Text(stream, text))
                .into_iter()
                .collect();
        }
        // Nobody waited for the line that looked like a prompt.
        let mut text = self.asked.take().unwrap_or_default() + &text;
        let last = text
            .trim_end_matches('\n')
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let starts = last > 0 || self.line.is_empty();
        if starts && text.ends_with('\n') && ASKS.iter().any(|ask| text[last..].starts_with(ask)) {
            self.asked = Some(text.split_off(last));
        }
        match text.rsplit_once('\n') {
            Some((_, line)) => self.line = line.to_owned(),
            None => self.line.push_str(&text),
        }
        let excess = self.line.chars().count().saturating_sub(MAX_PROMPT);
        if excess > 0 {
            self.line = self.line.chars().skip(excess).collect();
        }
        match text.is_empty() {
            true => Vec::new(),
            false => vec![Out::Text(stream, text)],
        }
    }

    /// The prompt for a line of standard input, and whether what is typed is a password.
    pub fn prompt(&mut self) -> (String, bool) {
        let Some(asked) = self.asked.take() else {
            return (self.line.clone(), false);
        };
        let is_password = asked.starts_with(ASKS[0]);
        let prompt = ASKS.iter().find_map(|ask| asked.strip_prefix(ask));
        (
            prompt.unwrap_or_default().trim_end_matches('\n').to_owned(),
            is_password,
        )
    }

    /// Takes what the cell reports.
    pub fn reported(&mut self, stream: Stream, mark: Mark) -> Vec<Out> {
        let mut out = Vec::new();
        match mark {
            Mark::Begin(_) if stream == Stream::Stdout => {
                self.begun.0 = true;
                out.extend(self.end_of_building());
            }
            Mark::Begin(_) => self.begun.1 = true,
            Mark::End if stream == Stream::Stdout => self.ended.0 = true,
            Mark::End => self.ended.1 = true,
            Mark::Panic(text) => self.panic.uncaught(text),
            Mark::Error(text) => self.returned = Some(text),
            Mark::ResultOpened => self.is_opened = true,
            Mark::Show(kind, content) => out.extend(self.shown(kind, content)),
            Mark::NoInput => out.push(note_output(NO_INPUT)),
            Mark::Input => {}
        }
        out
    }

    fn end_of_building(&mut self) -> Option<Out> {
        let (kind, content) = self.building.take()?.end()?;
        Some(Out::Message(kind.to_owned(), content))
    }

    fn shown(&self, kind: String, mut content: Value) -> Option<Out> {
        match kind.as_str() {
            "execute_result" => content["execution_count"] = self.count.into(),
            "display_data" | "update_display_data" | "clear_output" => {}
            _ => return None,
        }
        Some(Out::Message(kind, content))
    }

    /// Takes an error of the compiler.
    fn refused(&mut self, error: CellError, cells: &CellHistory) -> Vec<Out> {
        if self.refusals.contains(&error) {
            return Vec::new();
        }
        self.refusals.push(error.clone());
        if echo::may_follow(&error) {
            return Vec::new();
        }
        self.failed(error, cells)
    }

    /// Shows a failure. The first one becomes the cell's error.
    fn failed(&mut self, error: CellError, cells: &CellHistory) -> Vec<Out> {
        let error = match self.stop {
            Stop::Killed if error.is_of_an_ended_process() => CellError::killed(),
            Stop::Asked(_) if !self.has_begun() => match &self.error {
                // One stop makes one error, whatever it interrupted.
                Some(_) => return Vec::new(),
                None => CellError::stopped_compiling(),
            },
            _ if error.is_of_an_ended_process() => error.explained(),
            _ => {
                let hint = hints::hint(&error.value, &self.code, cells);
                error.numbered(self.count).hinted(hint)
            }
        };
        let building = self.end_of_building();
        let shown = Out::Message("error".to_owned(), error.content());
        self.error.get_or_insert(error);
        building.into_iter().chain([shown]).collect()
    }

    fn finish(mut self, reply: &Value, cells: &CellHistory) -> (Vec<Out>, Value) {
        let mut out: Vec<Out> = self.end_of_building().into_iter().collect();
        out.extend(
            self.asked
                .take()
                .map(|line| Out::Text(Stream::Stdout, line)),
        );
        let (text, panic) = std::mem::take(&mut self.panic).finish();
        out.extend(text.map(|text| Out::Text(Stream::Stderr, text)));
        if let Some(panic) = panic {
            let generated = std::fs::read_to_string(&self.source).unwrap_or_default();
            let error = panic_place::error(panic, &self.code, &generated, &cells.history);
            out.extend(self.failed(error, cells));
        } else if let Some(text) = self.returned.take() {
            out.extend(self.failed(CellError::returned(&text), cells));
        }
        if let Some(error) = self.lost.take() {
            out.extend(self.failed(error, cells));
        }
        if self.error.is_none() {
            let echoes = std::mem::take(&mut self.refusals);
            out.extend(
                echo::nearest(echoes).map_or_else(Vec::new, |error| self.failed(error, cells)),
            );
        }
        if reply["status"] == "error" && self.error.is_none() {
            out.extend(self.failed(CellError::unsaid(), cells));
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
                if self.is_opened {
                    out.push(note_output(OPENED));
                }
                out.extend(hints::of_statics(&self.code).map(|hint| note_output(&hint)));
                answer["payload"] = json!([]);
                answer["user_expressions"] = json!({});
            }
        }
        (out, answer)
    }
}

const OPENED: &str = "note: the last line is a `Result`: with `?` after it, the cell shows the \
                      value, or fails with the error";
/// What the reader of a cell is told that reads standard input where nobody can be asked.
pub const NO_INPUT: &str = "note: standard input is empty here, since nobody can be asked. Put \
                            the text into a variable";

/// A line for the reader.
pub fn note_output(text: &str) -> Out {
    Out::Text(Stream::Stderr, format!("{text}\n"))
}
