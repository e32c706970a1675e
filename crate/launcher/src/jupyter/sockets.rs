//! Starts a kernel and connects to its sockets.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::connection::Connection;
use super::process::{Kernel, KernelCommand};
use super::wire::{Session, random_hex};
use super::zmtp::{Receiver, Sender, connect as connect_to, subscribe};
use crate::error::{Context, Result};

/// How long a kernel may take to answer for the first time.
const START: Duration = Duration::from_secs(120);

/// How many times a kernel is started if another program takes one of its ports.
const ATTEMPTS: u32 = 3;

/// How long a message may take to arrive through a new subscription.
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

/// A client's ends of one of a kernel's channels.
pub type Channel = (Sender, Receiver);

/// A client's ends of a kernel's channels.
pub struct Sockets {
    pub session: Session,
    pub shell: Channel,
    pub control: Channel,
    pub stdin: Channel,
    pub iopub: Receiver,
    /// The kernel's reply to `kernel_info_request`.
    pub info: Value,
}

impl Sockets {
    /// Connects, and waits if the kernel does not listen yet. The caller limits the wait, and also
    /// notices when the kernel dies.
    async fn connect(connection: &Connection) -> Result<Self> {
        // All channels need the same identity: a kernel requests input from the sender of the cell.
        let identity = random_hex(16)?;
        let context = || "cannot connect to the kernel".to_owned();
        let ports = connection.ports;
        let channel = async |port| {
            let endpoint = connection.endpoint(port);
            connect_to(&endpoint, identity.as_bytes())
                .await
                .with_context(context)
        };
        let iopub = subscribe(&connection.endpoint(ports.iopub)).await;
        let mut sockets = Self {
            session: Session::new(&connection.key)?,
            iopub: iopub.with_context(context)?,
            stdin: channel(ports.stdin).await?,
            shell: channel(ports.shell).await?,
            control: channel(ports.control).await?,
            info: Value::Null,
        };
        sockets.info = sockets.greet().await?;
        Ok(sockets)
    }

    /// Requests the kernel's information until the broadcast about the request arrives as well: a
    /// subscription takes effect with a delay, and messages published before that are lost.
    async fn greet(&mut self) -> Result<Value> {
        let context = || "the connection to the kernel broke".to_owned();
        let (send, receive) = &mut self.shell;
        loop {
            let (id, request) = self.session.request("kernel_info_request", &json!({}));
            send.send(&request).with_context(context)?;
            let answer = loop {
                let answer = self
                    .session
                    .read_message(receive.recv().await.with_context(context)?)?;
                if answer.parent.id() == id {
                    break answer.content;
                }
            };
            let heard = timeout(SUBSCRIPTION, async {
                loop {
                    let message = self
                        .session
                        .read_message(self.iopub.recv().await.with_context(context)?)?;
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
