//! The other side: evcxr as a process, and the conversation with it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::event_loop::Event;
use crate::error::{Context, Result};
use crate::jupyter::zmtp::{Receiver, Sender};
use crate::jupyter::{self, Channel, Kernel, KernelCommand, Message, Session, Sockets};

/// How long it may take to acknowledge that it shall end.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// What evcxr says, and where.
#[derive(Debug)]
pub enum Said {
    Reply(Message),
    Published(Message),
    Asks(Message),
}

/// A running evcxr that can be spoken to. What it says comes as events.
pub struct EvcxrSide {
    session: Session,
    shell: Sender,
    control: Channel,
    stdin: Sender,
    end: oneshot::Sender<()>,
    /// What it says of itself.
    pub info: Value,
}

impl EvcxrSide {
    /// Starts evcxr in this folder, and waits until it answers and its broadcasts arrive.
    pub async fn start(
        command: &KernelCommand,
        folder: &Path,
        events: &mpsc::Sender<Event>,
    ) -> Result<Self> {
        let (kernel, sockets) = jupyter::start(command, folder).await?;
        Self::listen(kernel, sockets, events)
    }

    fn listen(kernel: Kernel, sockets: Sockets, events: &mpsc::Sender<Event>) -> Result<Self> {
        let connection = &kernel.connection;
        let listening = |said: fn(Message) -> Said| -> Result<_> {
            Ok((Session::new(&connection.key)?, events.clone(), said))
        };
        let (shell, replies) = sockets.shell;
        let (stdin, asks) = sockets.stdin;
        tokio::spawn(listen(replies, listening(Said::Reply)?));
        tokio::spawn(listen(asks, listening(Said::Asks)?));
        tokio::spawn(listen(sockets.iopub, listening(Said::Published)?));
        let (end, ended) = oneshot::channel();
        tokio::spawn(watch(kernel, ended, events.clone()));
        Ok(Self {
            session: sockets.session,
            shell,
            control: sockets.control,
            stdin,
            end,
            info: sockets.info,
        })
    }

    /// Passes a request on; evcxr's answers belong to it.
    pub fn forward(&self, request: &Message) -> Result<()> {
        self.shell
            .send(&self.session.forward(request))
            .doing(|| "cannot reach evcxr".to_owned())
    }

    /// Passes on what the reader typed.
    pub fn answer(&self, reply: &Message) {
        // If it is gone, its end is heard by itself.
        let _ = self.stdin.send(&self.session.forward(reply));
    }

    /// Ends the process that runs the cells; evcxr starts another one.
    pub fn kill_cells(&mut self) {
        let (_, request) = self.session.request("interrupt_request", &json!({}));
        let _ = self.control.0.send(&request);
    }

    /// Ends evcxr. `Event::Gone` comes when nothing of it is left.
    pub async fn shut_down(mut self) {
        let request = json!({"restart": false});
        let (_, request) = self.session.request("shutdown_request", &request);
        let (control, answers) = &mut self.control;
        if control.send(&request).is_ok() {
            // The answer's content says nothing, and it may not come at all.
            let _ = timeout(ACKNOWLEDGEMENT, answers.recv()).await;
        }
        let _ = self.end.send(());
    }
}

async fn listen(
    mut socket: Receiver,
    (session, events, said): (Session, mpsc::Sender<Event>, fn(Message) -> Said),
) {
    while let Ok(frames) = socket.recv().await {
        match session.read(frames) {
            Ok(message) => {
                if events.send(Event::Inner(said(message))).await.is_err() {
                    return;
                }
            }
            Err(failure) => err!("ignored what evcxr said: {failure}"),
        }
    }
}

/// Waits for the end of evcxr, wanted or not.
async fn watch(mut kernel: Kernel, wanted: oneshot::Receiver<()>, events: mpsc::Sender<Event>) {
    let end = async {
        // Whoever drops the other end has no use for the kernel either.
        let _ = wanted.await;
        Ok(())
    };
    let gone = match kernel.alive(end).await {
        Ok(()) => {
            kernel.finish().await;
            None
        }
        Err(failure) => Some(failure),
    };
    let _ = events.send(Event::Gone(gone)).await;
}
