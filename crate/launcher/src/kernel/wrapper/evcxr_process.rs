//! evcxr as a process: its start, what it says, and its end.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::evcxr_side::EvcxrSide;
use super::event::{Event, Said};
use crate::error::Result;
use crate::jupyter::zmtp::Receiver;
use crate::jupyter::{self, Kernel, KernelCommand, Message, Session, Sockets};

/// How long evcxr may take to end.
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

/// Has everything that evcxr says come as events.
fn begin(kernel: Kernel, sockets: Sockets, events: &mpsc::Sender<Event>) -> Result<EvcxrSide> {
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
    Ok(EvcxrSide {
        session: sockets.session,
        shell,
        control: sockets.control,
        stdin,
        end,
        info: sockets.info,
    })
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

/// Waits until nothing of an evcxr that was shut down is left.
pub async fn until_gone(events: &mut mpsc::Receiver<Event>) {
    let gone = async {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Gone(_)) {
                return;
            }
        }
    };
    // What is left then is ended with this process.
    let _ = timeout(FAREWELL, gone).await;
}
