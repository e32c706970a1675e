//! A kernel that was started and answers: the sockets on which it is spoken to.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use zeromq::util::PeerIdentity;
use zeromq::{DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket};

use super::connection::Connection;
use super::process::{Kernel, KernelCommand};
use super::wire::Session;
use crate::failure::{Context, Result};

/// How long a kernel may take to answer for the first time.
const START: Duration = Duration::from_secs(120);

/// How often a kernel is started again after another program took one of its ports.
const ATTEMPTS: u32 = 3;

/// How long a message may take to come through a new subscription.
const SUBSCRIPTION: Duration = Duration::from_secs(1);

/// Starts a kernel that works in this folder, and waits until it answers and its broadcasts
/// arrive.
pub async fn start(command: &KernelCommand, folder: &Path) -> Result<(Kernel, Sockets)> {
    let mut attempt = 1;
    loop {
        let mut kernel = Kernel::start(command, folder)?;
        match connect(&mut kernel).await {
            Ok(sockets) => return Ok((kernel, sockets)),
            Err(_) if kernel.lost_a_port() && attempt < ATTEMPTS => attempt += 1,
            Err(failure) => return Err(failure),
        }
    }
}

async fn connect(kernel: &mut Kernel) -> Result<Sockets> {
    let connection = kernel.connection.clone();
    let connected = kernel.alive(async {
        let connected = timeout(START, Sockets::connect(&connection)).await;
        connected.map_or(Ok(None), |connected| connected.map(Some))
    });
    match connected.await? {
        Some(connected) => Ok(connected),
        None => Err(kernel.failure(format_args!(
            "the kernel did not answer within {} seconds",
            START.as_secs()
        ))),
    }
}

/// A client's ends of a kernel's channels.
pub struct Sockets {
    pub session: Session,
    pub shell: DealerSocket,
    pub control: DealerSocket,
    pub stdin: DealerSocket,
    pub iopub: SubSocket,
    /// What the kernel says of itself.
    pub info: Value,
}

impl Sockets {
    /// Connects; waits for a kernel that does not listen yet.
    async fn connect(connection: &Connection) -> Result<Self> {
        // A kernel asks for input under the identity of who sent the cell.
        let identity = PeerIdentity::new();
        // The caller sets the limit: it also hears when the kernel dies.
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
            info: Value::Null,
        };
        let doing = || "cannot connect to the kernel".to_owned();
        let ports = connection.ports;
        let at = |port| connection.endpoint(port);
        sockets.iopub.connect(&at(ports.iopub)).await.doing(doing)?;
        sockets.iopub.subscribe("").await.doing(doing)?;
        sockets.stdin.connect(&at(ports.stdin)).await.doing(doing)?;
        sockets.shell.connect(&at(ports.shell)).await.doing(doing)?;
        let control = at(ports.control);
        sockets.control.connect(&control).await.doing(doing)?;
        sockets.info = sockets.greet().await?;
        Ok(sockets)
    }

    /// A subscription takes effect at some time after it was made, and what was published
    /// before is lost. So the question is repeated until its broadcast is heard, too.
    async fn greet(&mut self) -> Result<Value> {
        let doing = || "the connection to the kernel broke".to_owned();
        loop {
            let (id, request) = self.session.request("kernel_info_request", &json!({}));
            self.shell.send(request).await.doing(doing)?;
            let answer = loop {
                let answer = self.session.read(self.shell.recv().await.doing(doing)?)?;
                if answer.parent.id() == id {
                    break answer.content;
                }
            };
            let heard = timeout(SUBSCRIPTION, async {
                loop {
                    let message = self.session.read(self.iopub.recv().await.doing(doing)?)?;
                    if message.ends(&id) {
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
