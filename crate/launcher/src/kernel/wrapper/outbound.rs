//! What the wrapper sends to Jupyter: answers, and messages that belong to the current request.
//! Text is collected into larger pieces first.

use serde_json::{Value, json};

use super::error::CellError;
use super::event::Channel;
use super::in_flight::Out;
use super::jupyter_side::JupyterSide;
use crate::jupyter::{Header, Message};
use crate::kernel::sideband::Stream;

/// The approximate size limit of the pieces in which a cell's text is passed on.
const PIECE: usize = 64 * 1024;

/// The way to Jupyter.
pub struct Outbound {
    pub side: JupyterSide,
    /// The request that published messages belong to.
    last: Header,
    /// The last cell that has ended: what its threads and children print belongs to it.
    pub late: Header,
    /// Text that is held back to be sent with the text that follows.
    text: Option<(Stream, String)>,
}

impl Outbound {
    /// No request is current, and no text is held back.
    pub fn new(side: JupyterSide) -> Self {
        Self {
            side,
            last: Header::none(),
            late: Header::none(),
            text: None,
        }
    }

    /// Makes this the request that published messages belong to.
    pub fn belong_to(&mut self, request: &Message) {
        self.last = request.header.clone();
    }

    /// Publishes a message that belongs to the current request.
    pub fn publish(&mut self, kind: &str, content: Value) {
        self.side.publish(&self.last, kind, &content);
    }

    /// Prints a line to the current request's standard error.
    pub fn send_note(&mut self, note: &str) {
        let content = json!({"name": "stderr", "text": format!("{note}\n")});
        self.publish("stream", content);
    }

    /// Shows what a running cell prints and displays.
    pub fn show(&mut self, out: Vec<Out>) {
        for part in out {
            match part {
                Out::Text(stream, text) => {
                    match &mut self.text {
                        Some((last, shown)) if *last == stream => shown.push_str(&text),
                        _ => {
                            self.flush();
                            self.text = Some((stream, text));
                        }
                    }
                    if self
                        .text
                        .as_ref()
                        .is_some_and(|(_, text)| text.len() >= PIECE)
                    {
                        self.flush();
                    }
                }
                Out::Message(kind, content) => {
                    self.flush();
                    self.publish(&kind, content);
                }
            }
        }
    }

    /// Sends the text that is held back.
    pub fn flush(&mut self) {
        if let Some((stream, text)) = self.text.take() {
            self.publish("stream", json!({"name": name(stream), "text": text}));
        }
    }

    /// Shows what a thread or a child prints after its cell has ended.
    pub fn show_late(&mut self, stream: Stream, text: &str) {
        let content = json!({"name": name(stream), "text": text});
        self.show_late_message("stream", &content);
    }

    /// The same for a display.
    pub fn show_late_message(&mut self, kind: &str, content: &Value) {
        self.flush();
        self.side.publish(&self.late, kind, content);
    }

    /// Answers a request and ends it. Some requests have no answer.
    pub fn answer(&mut self, request: &Message, answer: &Value) {
        if !answer.is_null() {
            self.side.reply(Channel::Shell, request, answer);
        }
        let idle = json!({"execution_state": "idle"});
        self.side.publish(&request.header, "status", &idle);
    }

    /// Answers a request that evcxr cannot process.
    pub fn fail(&mut self, request: &Message, error: &CellError, count: u64) {
        let mut answer = error.content();
        if request.kind() == "execute_request" {
            self.publish("error", error.content());
            answer["execution_count"] = count.into();
        }
        answer["status"] = "error".into();
        self.answer(request, &answer);
    }

    /// Answers a cell without running it, as the protocol requires after a failure.
    pub fn abort(&mut self, cell: &Message) {
        let busy = json!({"execution_state": "busy"});
        self.side.publish(&cell.header, "status", &busy);
        self.answer(cell, &json!({"status": "aborted"}));
    }
}

fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    }
}
