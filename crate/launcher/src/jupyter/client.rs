//! A client of a kernel: sends requests, and collects the messages that belong to them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::error::{Context, Result};
use crate::jupyter::{Message, Sockets};

/// How long to wait for further messages: text that evcxr's child printed to standard error can
/// arrive after the end of the cell (1.3 ms later when measured).
const SILENCE: Duration = Duration::from_millis(30);

/// The limit of that wait, in case a background thread never stops printing.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// How long a kernel may take to acknowledge a shutdown.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// A client of one kernel.
pub struct Client(pub Sockets);

/// A kernel's answer to a cell.
#[derive(Debug)]
pub struct Reply {
    /// Whether the kernel reported that the cell failed.
    pub failed: bool,
    /// The number of the cell.
    pub count: Option<u64>,
    /// How long a user would have waited.
    pub took: Duration,
}

/// A received message, by channel.
enum Event {
    Shell(Message),
    Iopub(Message),
}

impl Client {
    /// Runs a cell, and passes what it shows to `show`. The cell is over when the kernel has
    /// answered and is idle.
    pub async fn execute(&mut self, code: &str, mut show: impl FnMut(Message)) -> Result<Reply> {
        let request = json!({
            "code": code,
            "silent": false,
            "store_history": true,
            "user_expressions": {},
            "allow_stdin": false,
            "stop_on_error": true,
        });
        let start = Instant::now();
        let id = self.request("execute_request", &request)?;
        let (mut reply, mut idle) = (None, false);
        while reply.is_none() || !idle {
            match self.next().await? {
                Event::Shell(answer) if answer.parent.id() == id => reply = Some(answer.content),
                Event::Shell(_) => {}
                Event::Iopub(message) if message.ends(&id) => idle = true,
                Event::Iopub(message) => show(message),
            }
        }
        let took = start.elapsed();
        let stragglers = async {
            while let Ok(event) = timeout(SILENCE, self.next()).await {
                if let Event::Iopub(message) = event? {
                    show(message);
                }
            }
            Result::<()>::Ok(())
        };
        timeout(STRAGGLERS, stragglers).await.unwrap_or(Ok(()))?;
        let reply = reply.unwrap_or_default();
        Ok(Reply {
            failed: reply["status"] != "ok",
            count: reply["execution_count"].as_u64(),
            took,
        })
    }

    /// Asks the kernel to end.
    pub async fn shut_down(&mut self) -> Result<()> {
        let request = json!({"restart": false});
        let (_, request) = self.0.session.request("shutdown_request", &request);
        let (send, receive) = &mut self.0.control;
        send.send(&request)
            .with_context(|| "cannot end the kernel".to_owned())?;
        // The content of the answer does not matter, and the answer may not come at all.
        let _ = timeout(ACKNOWLEDGEMENT, receive.recv()).await;
        Ok(())
    }

    fn request(&mut self, kind: &str, content: &Value) -> Result<String> {
        let (id, request) = self.0.session.request(kind, content);
        self.0
            .shell
            .0
            .send(&request)
            .with_context(|| format!("cannot send the kernel a {kind}"))?;
        Ok(id)
    }

    async fn next(&mut self) -> Result<Event> {
        let context = || "the connection to the kernel broke".to_owned();
        // Neither receiver loses a message when the other one is ready first.
        tokio::select! {
            message = self.0.iopub.recv() => Ok(Event::Iopub(self.0.session.read_message(message.with_context(context)?)?)),
            message = self.0.shell.1.recv() => Ok(Event::Shell(self.0.session.read_message(message.with_context(context)?)?)),
        }
    }
}
