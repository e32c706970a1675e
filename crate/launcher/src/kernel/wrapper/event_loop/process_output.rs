//! What the process that runs the cells prints, and what it reads from standard input.

use serde_json::json;

use super::{EventLoop, Input, Stage};
use crate::jupyter::Message;
use crate::kernel::sideband::pipes::INPUT;
use crate::kernel::sideband::{Mark, Stream, StreamPart};
use crate::kernel::wrapper::event::Channel;
use crate::kernel::wrapper::in_flight::{InFlight, NO_INPUT, Out, Stop, note_output};
use crate::terminal::err;

impl EventLoop {
    /// Takes what the process that runs the cells printed.
    pub(super) fn printed(&mut self, stream: Stream, bytes: &[u8]) {
        let reader = match stream {
            Stream::Stdout => &mut self.readers[0],
            Stream::Stderr => &mut self.readers[1],
        };
        let parts = reader.split(bytes, &self.shared.token);
        self.parts(stream, parts);
    }

    fn parts(&mut self, stream: Stream, parts: Vec<StreamPart>) {
        for part in parts {
            let running = self.running.as_mut();
            let hidden = running.as_ref().is_some_and(|running| running.hidden);
            let cell = running.and_then(|running| running.cell.as_mut());
            let out = match (part, cell) {
                (StreamPart::Mark(Mark::Input), Some(_)) => {
                    self.ask_for_input();
                    continue;
                }
                (StreamPart::Mark(mark), Some(cell)) => cell.reported(stream, mark),
                (StreamPart::Text(text), Some(cell)) if cell.prints(stream) => {
                    cell.printed(stream, text)
                }
                (StreamPart::Text(text), _) => {
                    self.front.show_late(stream, &text);
                    continue;
                }
                // A thread of an earlier cell shows something.
                (StreamPart::Mark(Mark::Show(kind, content)), None) => {
                    self.front.show_late_message(&kind, &content);
                    continue;
                }
                (StreamPart::Mark(_), None) => continue,
            };
            if !hidden {
                self.front.show(out);
            }
        }
    }

    /// The cell waits for standard input: the reader is asked, if there is one.
    fn ask_for_input(&mut self) {
        let Some(running) = self.running.as_mut().filter(|running| !running.hidden) else {
            return self.answer_input(None);
        };
        let can_be_asked = running.request.content["allow_stdin"] == true;
        let is_stopped = running
            .cell
            .as_ref()
            .is_some_and(|cell| cell.stop != Stop::NotAsked);
        if !can_be_asked || is_stopped {
            self.front.show(vec![note_output(NO_INPUT)]);
            self.input = Input::Cell;
            return self.answer_input(None);
        }
        let prompt = running.cell.as_mut().map(|cell| cell.prompt());
        let (prompt, password) = prompt.unwrap_or_default();
        let request = running.request.clone();
        self.input = Input::Cell;
        self.front.flush();
        let content = json!({"prompt": prompt, "password": password});
        self.front
            .side
            .send(Channel::Stdin, &request, "input_request", &content);
    }

    /// Passes on what the reader typed, or the end of input.
    pub(super) fn answer_input(&mut self, reply: Option<Message>) {
        match std::mem::replace(&mut self.input, Input::Nobody) {
            Input::Nobody => {}
            Input::Evcxr => {
                let reply = reply.unwrap_or_else(|| {
                    let header = self.front.side.header("input_reply");
                    Message::with_header(header, json!({"status": "ok", "value": ""}))
                });
                if let Stage::Running(inner) = &mut self.inner {
                    inner.answer(&reply);
                }
            }
            Input::Cell => {
                let typed =
                    reply.and_then(|reply| Some(reply.content["value"].as_str()?.to_owned()));
                let typed = typed.map_or(String::new(), |typed| typed + "\n");
                let new = self.shared.streams.join("input.new");
                // The cell waits until the file is there, and can be stopped.
                if let Err(error) = std::fs::write(&new, typed)
                    .and_then(|()| std::fs::rename(&new, self.shared.streams.join(INPUT)))
                {
                    err!("could not pass on what was typed: {error}");
                }
            }
        }
    }

    /// Text that a process printed last, which was held back for what might follow.
    pub(super) fn parts_of(
        &mut self,
        running: &mut InFlight,
        stream: Stream,
        parts: Vec<StreamPart>,
    ) {
        for part in parts {
            if let (StreamPart::Text(text), Some(cell)) = (part, running.cell.as_mut()) {
                let out: Vec<Out> = cell.printed(stream, text);
                if !running.hidden {
                    self.front.show(out);
                }
            }
        }
    }
}
