//! The side that Jupyter sees: the kernel's five sockets.

use serde_json::Value;
use tokio::sync::mpsc::Sender;
use zeromq::{
    PubSocket, RepSocket, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketRecv,
    SocketSend, ZmqResult,
};

use super::relay::Event;
use crate::failure::{Context, Result};
use crate::jupyter::{Connection, Header, Message, Session};

/// Which of the routed sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Stdin,
}

/// The sockets, ready for what is to be said. What is heard comes as events.
pub struct Front {
    session: Session,
    shell: RouterSendHalf,
    control: RouterSendHalf,
    stdin: RouterSendHalf,
    iopub: PubSocket,
}

impl Front {
    /// Listens where the connection file says.
    pub async fn bind(connection: &Connection, events: &Sender<Event>) -> Result<Self> {
        let ports = connection.ports;
        let mut heartbeat: RepSocket = bound(connection, ports.heartbeat).await?;
        let shell: RouterSocket = bound(connection, ports.shell).await?;
        let control: RouterSocket = bound(connection, ports.control).await?;
        let stdin: RouterSocket = bound(connection, ports.stdin).await?;
        let iopub = bound(connection, ports.iopub).await?;
        tokio::spawn(async move {
            while let Ok(beat) = heartbeat.recv().await {
                // Whoever asks again will be answered again.
                let _ = heartbeat.send(beat).await;
            }
        });
        let hear = |channel, socket: RouterSocket| -> Result<RouterSendHalf> {
            let (send, receive) = socket.split();
            let session = Session::new(&connection.key)?;
            tokio::spawn(listen(channel, receive, session, events.clone()));
            Ok(send)
        };
        Ok(Self {
            session: Session::new(&connection.key)?,
            shell: hear(Channel::Shell, shell)?,
            control: hear(Channel::Control, control)?,
            stdin: hear(Channel::Stdin, stdin)?,
            iopub,
        })
    }

    /// The header of a request of the kernel's own.
    pub fn header(&mut self, kind: &str) -> Header {
        self.session.header(kind)
    }

    /// Answers a request on its own channel: `x_request` with `x_reply`.
    pub async fn reply(&mut self, channel: Channel, request: &Message, content: &Value) {
        let kind = request.kind().replace("_request", "_reply");
        self.send(channel, request, &kind, content).await;
    }

    /// Says something to whoever sent the request.
    pub async fn send(&mut self, channel: Channel, request: &Message, kind: &str, content: &Value) {
        let message = self
            .session
            .about(&request.header, &request.identities, kind, content);
        let socket = match channel {
            Channel::Shell => &mut self.shell,
            Channel::Control => &mut self.control,
            Channel::Stdin => &mut self.stdin,
        };
        unless_gone(socket.send(message).await);
    }

    /// Tells everybody something that belongs to the request with this header.
    pub async fn publish(&mut self, request: &Header, kind: &str, content: &Value) {
        let message = self.session.about(request, &[], kind, content);
        unless_gone(self.iopub.send(message).await);
    }
}

async fn bound<S: Socket>(connection: &Connection, port: u16) -> Result<S> {
    let mut socket = S::new();
    let endpoint = connection.endpoint(port);
    socket
        .bind(&endpoint)
        .await
        .doing(|| format!("the kernel cannot listen at {endpoint}"))?;
    Ok(socket)
}

async fn listen(
    channel: Channel,
    mut socket: RouterRecvHalf,
    session: Session,
    events: Sender<Event>,
) {
    while let Ok(frames) = socket.recv().await {
        match session.read(frames) {
            Ok(message) => {
                if events.send(Event::Asked(channel, message)).await.is_err() {
                    return;
                }
            }
            // It may be from anybody: whoever has the key is told, in Jupyter's log.
            Err(failure) => err!("ignored a request: {failure}"),
        }
    }
}

/// A client that has left is no reason to end.
fn unless_gone(sent: ZmqResult<()>) {
    if let Err(error) = sent {
        err!("a client has left before it was answered: {error}");
    }
}
