//! The side that Jupyter sees: the kernel's five sockets.

use std::io;

use serde_json::Value;
use tokio::sync::mpsc::Sender;

use super::event::{Channel, Event};
use crate::error::{Failure, Result};
use crate::jupyter::zmtp::{Endpoint, Publisher, Router, echo};
use crate::jupyter::{Connection, Header, Message, Session};
use crate::terminal::err;

/// The bound sockets, ready to send. What Jupyter sends arrives as events.
pub struct JupyterSide {
    session: Session,
    shell: Router,
    control: Router,
    stdin: Router,
    iopub: Publisher,
}

impl JupyterSide {
    /// Listens on the addresses in the connection file.
    pub async fn bind(connection: &Connection, events: &Sender<Event>) -> Result<Self> {
        let ports = connection.ports;
        let listen = async |channel, port| -> Result<Router> {
            let session = Session::new(&connection.key)?;
            let endpoint = connection.endpoint(port);
            let check = move |frames| Ok(Event::Request(channel, session.read_message(frames)?));
            let listening = Router::listen(&endpoint, events.clone(), check).await;
            listening.map_err(|error| cannot_listen(&endpoint, error))
        };
        let (heartbeat, iopub) = (
            connection.endpoint(ports.heartbeat),
            connection.endpoint(ports.iopub),
        );
        echo(&heartbeat)
            .await
            .map_err(|error| cannot_listen(&heartbeat, error))?;
        Ok(Self {
            session: Session::new(&connection.key)?,
            shell: listen(Channel::Shell, ports.shell).await?,
            control: listen(Channel::Control, ports.control).await?,
            stdin: listen(Channel::Stdin, ports.stdin).await?,
            iopub: Publisher::listen(&iopub)
                .await
                .map_err(|error| cannot_listen(&iopub, error))?,
        })
    }

    /// A header for a request that the kernel itself makes.
    pub fn header(&mut self, kind: &str) -> Header {
        self.session.header(kind)
    }

    /// Answers a request on its channel: `x_request` with `x_reply`.
    pub fn reply(&mut self, channel: Channel, request: &Message, content: &Value) {
        let kind = request.kind().replace("_request", "_reply");
        self.send(channel, request, &kind, content);
    }

    /// Sends a message to the client that sent the request.
    pub fn send(&mut self, channel: Channel, request: &Message, kind: &str, content: &Value) {
        let message = self
            .session
            .about(&request.header, &request.identities, kind, content);
        let socket = match channel {
            Channel::Shell => &self.shell,
            Channel::Control => &self.control,
            Channel::Stdin => &self.stdin,
        };
        // The kernel goes on when a client has left.
        if let Err(error) = socket.send(&message) {
            err!("a client has left before it was answered: {error}");
        }
    }

    /// Publishes a message from evcxr, with its buffers.
    pub fn pass_on(&mut self, message: &Message) {
        let mut frames = self
            .session
            .about(&message.parent, &[], message.kind(), &message.content);
        frames.extend_from_slice(&message.buffers);
        self.iopub.publish(&frames);
    }

    /// Publishes a message that belongs to the request with this header.
    pub fn publish(&mut self, request: &Header, kind: &str, content: &Value) {
        self.iopub
            .publish(&self.session.about(request, &[], kind, content));
    }
}

fn cannot_listen(endpoint: &Endpoint, error: io::Error) -> Failure {
    let failure = Failure::new(format!("the kernel cannot listen at {endpoint}")).because(error);
    match endpoint {
        Endpoint::Tcp(..) => failure,
        Endpoint::Ipc(_) => failure.hint(
            "the path of a socket has about 100 characters at most: set JUPYTER_RUNTIME_DIR to a \
             folder with a short path that is yours alone",
        ),
    }
}
