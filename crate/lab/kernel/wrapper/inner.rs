//! The other side: evcxr as a process, and the conversation with it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::timeout;
use zeromq::util::PeerIdentity;
use zeromq::{
    DealerSendHalf, DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket,
};

use super::relay::Event;
use crate::failure::{Context, Result};
use crate::jupyter::{Connection, Kernel, KernelCommand, Message, Session};

/// How long evcxr may take to answer for the first time.
const START: Duration = Duration::from_secs(120);

/// How often it is started again after another program took one of its ports.
const ATTEMPTS: u32 = 3;

/// How long a message may take to come through a new subscription.
const SUBSCRIPTION: Duration = Duration::from_secs(1);

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
        let mut attempt = 1;
        loop {
            let mut kernel = Kernel::start(command, folder)?;
            match connect(&mut kernel).await {
                Ok(connected) => return Self::listen(kernel, connected, events),
                Err(_) if kernel.lost_a_port() && attempt < ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure),
            }
        }
    }

    fn listen(
        kernel: Kernel,
        (sockets, info): (Sockets, Value),
        events: &Sender<Event>,
    ) -> Result<Self> {
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
            info,
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

async fn connect(kernel: &mut Kernel) -> Result<(Sockets, Value)> {
    let connection = kernel.connection.clone();
    let connected = kernel.alive(async {
        let connected = timeout(START, Sockets::connect(&connection)).await;
        connected.map_or(Ok(None), |connected| connected.map(Some))
    });
    match connected.await? {
        Some(connected) => Ok(connected),
        None => Err(kernel.failure(format_args!(
            "evcxr did not answer within {} seconds",
            START.as_secs()
        ))),
    }
}

/// The sockets before they are put to use.
struct Sockets {
    session: Session,
    shell: DealerSocket,
    control: DealerSocket,
    stdin: DealerSocket,
    iopub: SubSocket,
}

impl Sockets {
    async fn connect(connection: &Connection) -> Result<(Self, Value)> {
        // evcxr asks for input under the identity of who sent the cell.
        let identity = PeerIdentity::new();
        let options = || {
            let mut options = SocketOptions::default();
            options.no_connect_timeout().peer_identity(identity.clone());
            options
        };
        let mut sockets = Self {
            session: Session::new(&connection.key)?,
            shell: DealerSocket::with_options(options()),
            control: DealerSocket::with_options(options()),
            stdin: DealerSocket::with_options(options()),
            iopub: SubSocket::with_options(options()),
        };
        let doing = || "cannot connect to evcxr".to_owned();
        let ports = connection.ports;
        let at = |port| connection.endpoint(port);
        sockets.iopub.connect(&at(ports.iopub)).await.doing(doing)?;
        sockets.iopub.subscribe("").await.doing(doing)?;
        sockets.stdin.connect(&at(ports.stdin)).await.doing(doing)?;
        sockets.shell.connect(&at(ports.shell)).await.doing(doing)?;
        let control = at(ports.control);
        sockets.control.connect(&control).await.doing(doing)?;
        let info = sockets.greet().await?;
        Ok((sockets, info))
    }

    /// A subscription takes effect at some time after it was made, and what was published
    /// before is lost. So the question is repeated until its broadcast is heard, too.
    async fn greet(&mut self) -> Result<Value> {
        let doing = || "the connection to evcxr broke".to_owned();
        loop {
            let (id, request) = self.session.request("kernel_info_request", &json!({}));
            self.shell.send(request).await.doing(doing)?;
            let answer = loop {
                let answer = self.session.read(self.shell.recv().await.doing(doing)?)?;
                if answer.parent() == id {
                    break answer.content;
                }
            };
            let heard = timeout(SUBSCRIPTION, async {
                loop {
                    let message = self.session.read(self.iopub.recv().await.doing(doing)?)?;
                    if message.parent() == id && message.content["execution_state"] == "idle" {
                        return Result::<()>::Ok(());
                    }
                }
            });
            if heard.await.is_ok_and(|heard| heard.is_ok()) {
                return Ok(answer);
            }
        }
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
            Err(failure) => eprintln!("ignored what evcxr said: {failure}"),
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
