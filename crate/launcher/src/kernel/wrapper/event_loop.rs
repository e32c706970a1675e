//! The wrapper's event loop: handles the messages of each side and sends the results to the
//! other. One request is processed at a time; the others wait in the order in which they arrived.
//!
//! - `translate_request`: what evcxr is given of a request.
//! - `finishing`: a request ends, and what follows for those behind it.
//! - `process_output`: what the process that runs the cells prints, and what it reads.
//! - `stopping`: the reader stops a cell.

mod finishing;
mod process_output;
mod stopping;
mod translate_request;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::cell_history::CellHistory;
use super::error::CellError;
use super::evcxr_process::until_gone;
use super::evcxr_side::{EvcxrSide, note_on};
use super::event::{Channel, EvcxrMessage, Event};
use super::in_flight::{InFlight, Out};
use super::jupyter_side::JupyterSide;
use super::local_replies::{self, Comms};
use super::outbound::Outbound;
use super::toolkit::Toolkit;
use crate::error::{Failure, Result};
use crate::jupyter::Message;
use crate::kernel::sideband::{Reader, Stream};
use crate::terminal::err;

/// How long to wait for the last messages, which the sockets' own tasks send.
const SENDING: Duration = Duration::from_millis(200);

/// A cell that waits.
const AWAITS: &str = "async {}.await;";

/// What the wrapper shares with the process that runs the cells.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The token with which a mark begins.
    pub token: String,
    /// The file whose existence asks the library to wind down.
    pub stop_file: PathBuf,
    /// Where evcxr writes a cell's generated code.
    pub source: PathBuf,
    /// The file whose existence makes cells print marks.
    pub marks_are_read: PathBuf,
    /// The build directory.
    pub build: PathBuf,
    /// The folder with the pipes for what cells print.
    pub streams: PathBuf,
}

/// Who waits for what the reader types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Nobody,
    Evcxr,
    /// The process that runs the cells.
    Cell,
}

enum Stage {
    Starting,
    Running(Box<EvcxrSide>),
    /// evcxr could not be started or has ended: every cell fails with this error.
    Failed(CellError),
}

/// The wrapper's state.
pub struct EventLoop {
    front: Outbound,
    /// Signals that the reader has run a cell.
    first_cell: Option<oneshot::Sender<()>>,
    inner: Stage,
    shared: Shared,
    /// Notes about the start, to be shown with the first cell.
    notes: Vec<String>,
    /// Cells to run in advance, until the reader runs one.
    prewarm_cells: VecDeque<String>,
    queue: VecDeque<Message>,
    running: Option<InFlight>,
    count: u64,
    cells: CellHistory,
    comms: Comms,
    /// What cells print, to standard output and standard error.
    readers: [Reader; 2],
    input: Input,
    /// Whether evcxr has been given a cell that waits.
    waits: bool,
    /// How many requests were waiting when the reader stopped the cell.
    stopped: usize,
    /// What `:dep evenhand` means.
    toolkit: Option<Toolkit>,
}

impl EventLoop {
    /// A wrapper that has received nothing yet.
    pub fn new(
        front: JupyterSide,
        first_cell: oneshot::Sender<()>,
        shared: Shared,
        notes: Vec<String>,
        prewarm_cells: Vec<String>,
        notebook: Option<PathBuf>,
        toolkit: Option<Toolkit>,
    ) -> Self {
        Self {
            front: Outbound::new(front),
            first_cell: Some(first_cell),
            inner: Stage::Starting,
            shared,
            notes,
            prewarm_cells: prewarm_cells.into(),
            queue: VecDeque::new(),
            running: None,
            count: 0,
            cells: CellHistory::of_notebook(notebook),
            comms: Comms::default(),
            readers: Default::default(),
            input: Input::Nobody,
            waits: false,
            stopped: 0,
            toolkit,
        }
    }

    /// Runs until the kernel is asked to end; fails if evcxr ends before that.
    pub async fn run(mut self, events: &mut Receiver<Event>) -> Result<()> {
        loop {
            let event = match events.try_recv() {
                Ok(event) => Some(event),
                Err(_) => {
                    self.front.flush();
                    next(events, self.deadline()).await
                }
            };
            match event {
                Some(Event::Request(channel, request)) if is_control(channel, &request) => {
                    if self.controlled(channel, request) {
                        return self.end(events).await;
                    }
                }
                Some(Event::Request(Channel::Stdin, reply)) => {
                    self.answer_input(Some(reply));
                }
                Some(Event::Printed(stream, bytes)) => self.printed(stream, &bytes),
                Some(Event::Request(_, request)) => {
                    if request.kind() == "execute_request"
                        && let Some(first_cell) = self.first_cell.take()
                    {
                        // This fails if evcxr was started without waiting for a cell.
                        let _ = first_cell.send(());
                    }
                    self.queue.push_back(request);
                }
                Some(Event::Started(Ok(inner))) => {
                    self.notes.extend(note_on(&inner.info));
                    if let Err(error) = std::fs::write(&self.shared.marks_are_read, "") {
                        err!("failed cells will not be recognized as failed: {error}");
                    }
                    self.inner = Stage::Running(inner);
                }
                Some(Event::Started(Err(failure))) => {
                    err!("{failure}");
                    self.inner = Stage::Failed(CellError::of_kernel(&failure));
                }
                Some(Event::Evcxr(message)) => self.handle_evcxr_message(message),
                Some(Event::EvcxrEnded(why)) => {
                    let why = why
                        .unwrap_or_else(|| Failure::new("evcxr has ended unexpectedly"))
                        .hint("all variables, functions and dependencies are lost: once Jupyter has started another kernel, run the cells again from the top");
                    self.inner = Stage::Failed(CellError::of_kernel(&why));
                    self.give_up().await;
                    return Err(why);
                }
                Some(Event::End) => return self.end(events).await,
                None => self.overdue(),
            }
            // Also where one event follows the other, as in a cell that prints without end.
            if self
                .deadline()
                .is_some_and(|deadline| deadline <= Instant::now())
            {
                self.overdue();
            }
            self.advance();
        }
    }

    /// Continues with the next request, unless one is being processed.
    fn advance(&mut self) {
        let over = |running: &InFlight| running.deadline().is_some_and(|end| end <= Instant::now());
        if self.running.as_ref().is_some_and(over) {
            self.finish();
        }
        while self.running.as_ref().is_none_or(|running| running.hidden) {
            let Some(request) = self.queue.front() else {
                return self.run_prewarm_cell();
            };
            let own = local_replies::answer(request, &self.cells.history, &self.comms);
            let can_start = self.running.is_none() && !matches!(self.inner, Stage::Starting);
            if own.is_none() && !can_start {
                return;
            }
            if self.needs_await(request) {
                self.waits = true;
                self.prewarm_cells.push_front(AWAITS.to_owned());
                return self.run_prewarm_cell();
            }
            let Some(request) = self.queue.pop_front() else {
                return;
            };
            self.comms.observe(&request);
            self.front.belong_to(&request);
            self.front
                .publish("status", json!({"execution_state": "busy"}));
            match own {
                Some(answer) => self.front.answer(&request, &answer),
                None => self.start(request),
            }
        }
    }

    fn start(&mut self, request: Message) {
        self.prewarm_cells.clear();
        let is_cell = request.kind() == "execute_request";
        let count = self.count + u64::from(counts(&request));
        if is_cell {
            let code = request.content["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if request.content["silent"] != true {
                let input = json!({"code": code, "execution_count": count});
                self.front.publish("execute_input", input);
            }
            if counts(&request) {
                self.count = count;
                self.cells.history.add(count, &code);
            }
            for note in std::mem::take(&mut self.notes) {
                self.front.send_note(&note);
            }
        }
        let given = match self.given(&request) {
            Ok(given) => given,
            Err(error) => return self.fail(&request, &error, count),
        };
        let failure = match &mut self.inner {
            Stage::Running(inner) => match inner.forward(&given) {
                Ok(()) => {
                    self.running = Some(if is_cell {
                        InFlight::cell(request, count, self.shared.source.clone())
                    } else {
                        InFlight::other(request)
                    });
                    return;
                }
                Err(failure) => CellError::of_kernel(&failure),
            },
            Stage::Failed(error) => error.clone(),
            Stage::Starting => return self.queue.push_front(request),
        };
        self.fail(&request, &failure, count);
    }

    /// Whether evcxr has to learn that cells wait, before it is given this one: it would show a last
    /// expression with the first `.await` of a kernel by `Debug`.
    fn needs_await(&self, request: &Message) -> bool {
        let code = request.content["code"].as_str().unwrap_or_default();
        let is_running = matches!(self.inner, Stage::Running(_)) && self.running.is_none();
        !self.waits && is_running && request.kind() == "execute_request" && code.contains(".await")
    }

    /// Runs a cell in advance that prepares what the reader will need.
    fn run_prewarm_cell(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Stage::Running(inner) = &mut self.inner else {
            return;
        };
        let Some(code) = self.prewarm_cells.pop_front() else {
            return;
        };
        let content =
            json!({"code": code, "silent": true, "store_history": false, "allow_stdin": false});
        let request = Message::with_header(self.front.side.header("execute_request"), content);
        if inner.forward(&request).is_ok() {
            let mut running = InFlight::cell(request, 0, self.shared.source.clone());
            running.hidden = true;
            self.running = Some(running);
        }
    }

    fn handle_evcxr_message(&mut self, message: EvcxrMessage) {
        match message {
            EvcxrMessage::Reply(reply) => {
                if let Some(running) = self.of_running(&reply) {
                    running.answered(reply.content);
                }
            }
            EvcxrMessage::InputRequest(message) => {
                if let Some(running) = &self.running
                    && !running.hidden
                {
                    self.input = Input::Evcxr;
                    let request = running.request.clone();
                    self.front.flush();
                    self.front.side.send(
                        Channel::Stdin,
                        &request,
                        "input_request",
                        &message.content,
                    );
                }
            }
            EvcxrMessage::Published(message) if message.kind().starts_with("comm_") => {
                // Comm messages belong to no request and are not part of a cell's output.
                self.comms.observe(&message);
                self.front.side.pass_on(&message);
            }
            // Where a cell's streams could not be replaced, they come through evcxr.
            EvcxrMessage::Published(message) if message.kind() == "stream" => {
                let stream = match message.content["name"].as_str() {
                    Some("stderr") => Stream::Stderr,
                    _ => Stream::Stdout,
                };
                let text = message.content["text"].as_str().unwrap_or_default();
                let cell = self
                    .running
                    .as_mut()
                    .and_then(|running| running.cell.as_mut());
                if let Some(cell) =
                    cell.filter(|cell| !text.contains(&self.shared.token) && !cell.has_begun())
                {
                    // The process says why it ends before the cell's own code begins.
                    let out = cell.printed(stream, text.to_owned());
                    return self.front.show(out);
                }
                self.printed(stream, text.as_bytes());
            }
            EvcxrMessage::Published(message) => {
                let running = self.running.as_mut();
                let of =
                    |running: &&mut InFlight| message.parent.id() == running.request.header.id();
                if let Some(running) = running.filter(of) {
                    let out = running.published(message, &self.cells);
                    if !running.hidden {
                        self.front.show(out);
                    }
                }
            }
        }
    }

    fn of_running(&mut self, message: &Message) -> Option<&mut InFlight> {
        let running = self.running.as_mut();
        running.filter(|running| message.parent.id() == running.request.header.id())
    }

    /// Answers a request about the kernel itself. Returns whether the kernel is to end.
    fn controlled(&mut self, channel: Channel, request: Message) -> bool {
        let answer = match request.kind() {
            "kernel_info_request" => local_replies::info(),
            "interrupt_request" => {
                self.stop();
                json!({"status": "ok"})
            }
            "shutdown_request" => {
                json!({"status": "ok", "restart": request.content["restart"] == true})
            }
            other => {
                err!("ignored a request on the control channel: {other}");
                return false;
            }
        };
        self.front.side.reply(channel, &request, &answer);
        request.kind() == "shutdown_request"
    }

    /// When something is due even if no event arrives.
    fn deadline(&self) -> Option<Instant> {
        let running = self.running.as_ref()?;
        [
            running.deadline(),
            running.holds_until(),
            running.kills_at(),
            running.ends_programs_at(),
            running.reports_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn overdue(&mut self) {
        let now = Instant::now();
        let kills_at = self.running.as_ref().and_then(InFlight::kills_at);
        if kills_at.is_some_and(|at| at <= now) {
            self.kill();
        }
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.running.as_ref().and_then(InFlight::ends_programs_at)) {
            self.end_programs();
        }
        if due(self.running.as_ref().and_then(InFlight::reports_at))
            && let Some(building) = self
                .running
                .as_mut()
                .and_then(|running| running.cell.as_mut()?.building.as_mut())
        {
            let (kind, content) = building.say(&self.shared.build);
            self.front
                .show(vec![Out::Message(kind.to_owned(), content)]);
        }
        if let Some(running) = &mut self.running
            && running.holds_until().is_some_and(|until| until <= now)
        {
            let out = running.let_go();
            if !running.hidden {
                self.front.show(out);
            }
        }
    }

    /// Answers all pending requests with the reason why evcxr is gone.
    async fn give_up(&mut self) {
        let Stage::Failed(error) = &self.inner else {
            return;
        };
        let error = error.clone();
        self.front.flush();
        if let Some(running) = self.running.take().filter(|running| !running.hidden) {
            self.front.belong_to(&running.request);
            let count = running.cell.as_ref().map_or(self.count, |cell| cell.count);
            self.fail(&running.request, &error, count);
        }
        self.abort();
        tokio::time::sleep(SENDING).await;
    }

    async fn end(mut self, events: &mut Receiver<Event>) -> Result<()> {
        self.front.flush();
        if let Stage::Running(inner) = self.inner {
            inner.shut_down().await;
            until_gone(events).await;
        } else {
            tokio::time::sleep(SENDING).await;
        }
        Ok(())
    }
}

/// The next event, or `None` if the deadline passes first.
async fn next(events: &mut Receiver<Event>, deadline: Option<Instant>) -> Option<Event> {
    let event = async {
        // The wrapper's own tasks hold a sender as long as it runs.
        events.recv().await.or(Some(Event::End))
    };
    match deadline {
        None => event.await,
        Some(deadline) => timeout(deadline.saturating_duration_since(Instant::now()), event)
            .await
            .unwrap_or(None),
    }
}

/// Whether a request is about the kernel itself. Old clients request a shutdown on the shell
/// channel.
fn is_control(channel: Channel, request: &Message) -> bool {
    channel == Channel::Control || request.kind() == "shutdown_request"
}

/// Whether a request is a cell that gets a number.
fn counts(request: &Message) -> bool {
    let content = &request.content;
    request.kind() == "execute_request"
        && content["silent"] != true
        && content["store_history"] != false
}
