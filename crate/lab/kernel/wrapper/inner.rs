//! The other side: evcxr as a process, and the conversation with it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::timeout;
use zeromq::{DealerSendHalf, SocketRecv, SocketSend};

use super::relay::Event;
use crate::failure::{Context, Result};
use crate::jupyter::{self, Kernel, KernelCommand, Message, Session, Sockets};

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
pub struct Inner {
    session: Session,
    shell: DealerSendHalf,
    control: DealerSendHalf,
    stdin: DealerSendHalf,
    end: oneshot::Sender<()>,
    /// What it says of itself.
    pub info: Value,
}

impl Inner {
    /// Starts evcxr in this folder, and waits until it answers and its broadcasts arrive.
    pub async fn start(
        command: &KernelCommand,
        folder: &Path,
        events: &Sender<Event>,
    ) -> Result<Self> {
        let (kernel, sockets) = jupyter::start(command, folder).await?;
        Self::listen(kernel, sockets, events)
    }

    fn listen(kernel: Kernel, sockets: Sockets, events: &Sender<Event>) -> Result<Self> {
        let connection = &kernel.connection;
        let listening = |said: fn(Message) -> Said| -> Result<_> {
            Ok((Session::new(&connection.key)?, events.clone(), said))
        };
        let (shell, replies) = sockets.shell.split();
        let (control, _) = sockets.control.split();
        let (stdin, asks) = sockets.stdin.split();
        tokio::spawn(listen(replies, listening(Said::Reply)?));
        tokio::spawn(listen(asks, listening(Said::Asks)?));
        tokio::spawn(listen(sockets.iopub, listening(Said::Published)?));
        let (end, ended) = oneshot::channel();
        tokio::spawn(watch(kernel, ended, events.clone()));
        Ok(Self {
            session: sockets.session,
            shell,
            control,
            stdin,
            end,
            info: sockets.info,
        })
    }

    /// Passes a request on; evcxr's answers belong to it.
    pub async fn forward(&mut self, request: &Message) -> Result<()> {
        self.shell
            .send(self.session.forward(request))
            .await
            .doing(|| "cannot reach evcxr".to_owned())
    }

    /// Passes on what the reader typed.
    pub async fn answer(&mut self, reply: &Message) {
        // If it is gone, its end is heard by itself.
        let _ = self.stdin.send(self.session.forward(reply)).await;
    }

    /// Ends the process that runs the cells; evcxr starts another one.
    pub async fn kill_cells(&mut self) {
        let (_, request) = self.session.request("interrupt_request", &json!({}));
        let _ = self.control.send(request).await;
    }

    /// Ends evcxr. `Event::Gone` comes when nothing of it is left.
    pub async fn shut_down(mut self) {
        let request = json!({"restart": false});
        let (_, request) = self.session.request("shutdown_request", &request);
        let _ = timeout(ACKNOWLEDGEMENT, self.control.send(request)).await;
        let _ = self.end.send(());
    }
}

async fn listen(
    mut socket: impl SocketRecv,
    (session, events, said): (Session, Sender<Event>, fn(Message) -> Said),
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
async fn watch(mut kernel: Kernel, wanted: oneshot::Receiver<()>, events: Sender<Event>) {
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
