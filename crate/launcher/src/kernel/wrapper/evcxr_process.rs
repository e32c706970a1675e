//! evcxr as a process: its start, its messages, and its end.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::evcxr_side::EvcxrSide;
use super::event::{EvcxrMessage, Event};
use crate::error::Result;
use crate::jupyter::zmtp::Receiver;
use crate::jupyter::{self, Kernel, KernelCommand, Message, Session, Sockets};
use crate::terminal::err;

/// How long to wait for evcxr to end.
const FAREWELL: Duration = Duration::from_secs(15);

/// Starts evcxr in this folder, and waits until it answers and its broadcasts arrive.
pub async fn start(
    command: &KernelCommand,
    folder: &Path,
    events: &mpsc::Sender<Event>,
) -> Result<EvcxrSide> {
    let (kernel, sockets) = jupyter::start(command, folder).await?;
    begin(kernel, sockets, events)
}

/// Turns everything that evcxr sends into events.
fn begin(kernel: Kernel, sockets: Sockets, events: &mpsc::Sender<Event>) -> Result<EvcxrSide> {
    let connection = &kernel.connection;
    let to_event = |kind: fn(Message) -> EvcxrMessage| -> Result<_> {
        Ok((Session::new(&connection.key)?, events.clone(), kind))
    };
    let (shell, replies) = sockets.shell;
    let (stdin, input_requests) = sockets.stdin;
    tokio::spawn(listen(replies, to_event(EvcxrMessage::Reply)?));
    tokio::spawn(listen(
        input_requests,
        to_event(EvcxrMessage::InputRequest)?,
    ));
    tokio::spawn(listen(sockets.iopub, to_event(EvcxrMessage::Published)?));
    let (end, ended) = oneshot::channel();
    let process = kernel.process();
    tokio::spawn(watch(kernel, ended, events.clone()));
    Ok(EvcxrSide {
        session: sockets.session,
        shell,
        control: sockets.control,
        stdin,
        end,
        process,
        info: sockets.info,
    })
}

async fn listen(
    mut socket: Receiver,
    (session, events, kind): (Session, mpsc::Sender<Event>, fn(Message) -> EvcxrMessage),
) {
    while let Ok(frames) = socket.recv().await {
        match session.read_message(frames) {
            Ok(message) => {
                if events.send(Event::Evcxr(kind(message))).await.is_err() {
                    return;
                }
            }
            Err(failure) => err!("ignored a message from evcxr: {failure}"),
        }
    }
}

/// Waits until evcxr ends, by request or on its own.
async fn watch(mut kernel: Kernel, wanted: oneshot::Receiver<()>, events: mpsc::Sender<Event>) {
    let end = async {
        // A dropped sender means that the kernel is not needed any more, either.
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
    let _ = events.send(Event::EvcxrEnded(gone)).await;
}

/// Waits until nothing of an evcxr that was shut down is left.
pub async fn until_gone(events: &mut mpsc::Receiver<Event>) {
    let gone = async {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::EvcxrEnded(_)) {
                return;
            }
        }
    };
    // Anything left after that is killed when this process ends.
    let _ = timeout(FAREWELL, gone).await;
}
