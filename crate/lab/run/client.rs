//! The conversation with a kernel: requests, and what belongs to them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;
use zeromq::{DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket};

use crate::failure::{Context, Result};
use crate::jupyter::{Connection, Message, Session};

/// What evcxr's child wrote to standard error can arrive after the cell is
/// over (1.3 ms later when measured). This much silence ends the wait for it.
const SILENCE: Duration = Duration::from_millis(30);

/// A background thread that never falls silent does not hold a cell up for longer than this.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// How long a message may take to come through a new subscription.
const SUBSCRIPTION: Duration = Duration::from_secs(1);

/// How long a kernel may take to acknowledge that it shall end.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// A client of one kernel.
pub struct Client {
    session: Session,
    shell: DealerSocket,
    control: DealerSocket,
    iopub: SubSocket,
}

/// A kernel's answer to a cell.
#[derive(Debug)]
pub struct Reply {
    /// Whether the kernel itself says that the cell failed.
    pub failed: bool,
    /// The number of the cell.
    pub count: Option<u64>,
    /// How long the reader would have waited.
    pub took: Duration,
}

/// What has come, and on which channel.
enum Event {
    Shell(Message),
    Iopub(Message),
}

impl Client {
    /// Connects; waits for a kernel that does not listen yet.
    pub async fn connect(connection: &Connection) -> Result<Self> {
        let ports = connection.ports;
        let session = Session::new(&connection.key)?;
        // The caller sets the limit: it also hears when the kernel dies.
        let options = || {
            let mut options = SocketOptions::default();
            options.no_connect_timeout();
            options
        };
        let mut client = Self {
            session,
            shell: DealerSocket::with_options(options()),
            control: DealerSocket::with_options(options()),
            iopub: SubSocket::with_options(options()),
        };
        let doing = || "cannot connect to the kernel".to_owned();
        let at = |port| connection.endpoint(port);
        client.iopub.connect(&at(ports.iopub)).await.doing(doing)?;
        client.iopub.subscribe("").await.doing(doing)?;
        client.shell.connect(&at(ports.shell)).await.doing(doing)?;
        client
            .control
            .connect(&at(ports.control))
            .await
            .doing(doing)?;
        Ok(client)
    }

    /// Waits until the kernel answers and its broadcasts arrive.
    pub async fn ready(&mut self) -> Result<()> {
        loop {
            let id = self.ask("kernel_info_request", &json!({})).await?;
            let (mut answered, mut heard) = (false, false);
            loop {
                // A subscription takes effect at some time after it was made.
                // Broadcasts before that are lost, so if none has come by then
                // the question is asked again.
                let event = if answered {
                    let Ok(event) = timeout(SUBSCRIPTION, self.next()).await else {
                        break;
                    };
                    event?
                } else {
                    self.next().await?
                };
                match event {
                    Event::Shell(reply) if reply.parent() == id => answered = true,
                    Event::Iopub(message) => heard |= is_idle(&message, &id),
                    Event::Shell(_) => {}
                }
                if heard && answered {
                    return Ok(());
                }
            }
        }
    }

    /// Runs a cell, and hands over what it shows. The cell is over when the
    /// kernel has answered and is idle.
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
        let id = self.ask("execute_request", &request).await?;
        let (mut reply, mut idle) = (None, false);
        while reply.is_none() || !idle {
            match self.next().await? {
                Event::Shell(answer) if answer.parent() == id => reply = Some(answer.content),
                Event::Shell(_) => {}
                Event::Iopub(message) if is_idle(&message, &id) => idle = true,
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
        let (_, request) = self
            .session
            .request("shutdown_request", &json!({"restart": false}));
        self.control
            .send(request)
            .await
            .doing(|| "cannot end the kernel".to_owned())?;
        // The answer's content says nothing, and it may not come at all.
        let _ = timeout(ACKNOWLEDGEMENT, self.control.recv()).await;
        Ok(())
    }

    async fn ask(&mut self, kind: &str, content: &Value) -> Result<String> {
        let (id, request) = self.session.request(kind, content);
        self.shell
            .send(request)
            .await
            .doing(|| format!("cannot send the kernel a {kind}"))?;
        Ok(id)
    }

    async fn next(&mut self) -> Result<Event> {
        let doing = || "the connection to the kernel broke".to_owned();
        // Both receive without losing a message when the other one is first.
        tokio::select! {
            message = self.iopub.recv() => Ok(Event::Iopub(self.session.read(message.doing(doing)?)?)),
            message = self.shell.recv() => Ok(Event::Shell(self.session.read(message.doing(doing)?)?)),
        }
    }
}

fn is_idle(message: &Message, request: &str) -> bool {
    message.kind() == "status"
        && message.parent() == request
        && message.content["execution_state"] == "idle"
}
