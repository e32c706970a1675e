//! What stands between Jupyter and evcxr, and speaks the Jupyter protocol on both sides.
//!
//! evcxr stays as it is. What it does not do is done here: outputs that appear when they are
//! made and can be updated, cells whose failure is one, a stop that leaves the variables.
//!
//! - `jupyter_side` is the side that Jupyter sees, `evcxr_side` is evcxr; `event_loop` is the loop between.
//! - `in_flight` is what becomes of a request that evcxr works on; `panic` and `error` are how a
//!   cell fails.
//! - `local_replies`, `is_complete`: what is answered without evcxr.
//! - `prewarm`: what is made ready while the reader reads; `renamed`: what old names are now.

mod error;
mod evcxr_side;
mod event_loop;
mod in_flight;
pub mod is_complete;
mod jupyter_side;
mod local_replies;
mod panic;
pub mod prewarm;
mod renamed;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::oneshot;

use self::evcxr_side::EvcxrSide;
use self::event_loop::{Event, EventLoop};
use self::jupyter_side::JupyterSide;
use crate::error::{Context, Result};
use crate::jupyter::{Connection, KernelCommand};

pub use self::event_loop::Shared;

/// How many events may wait. Whoever prints faster than it can be shown waits then.
const EVENTS: usize = 1024;

/// How often it is looked whether Jupyter lives.
const LOOK: Duration = Duration::from_secs(1);

/// Jupyter names itself here to the kernels that it starts.
const PARENT: &str = "JPY_PARENT_PID";

/// What the wrapper works with.
pub struct Parts {
    pub command: Result<KernelCommand>,
    pub folder: PathBuf,
    /// Whether evcxr is started when the reader runs a cell, and not before.
    pub waits: bool,
    pub shared: Shared,
    /// What the reader of the first cell should know.
    pub notes: Vec<String>,
    /// Cells to run before the first.
    pub ahead: Vec<String>,
}

/// Serves Jupyter until it wants the end. The connection is bound before anything else is
/// done, so that whatever goes wrong can be said in the notebook.
pub async fn serve(
    connection: Connection,
    prepare: impl Future<Output = Parts>,
) -> Result<ExitCode> {
    let (sender, mut events) = mpsc::channel(EVENTS);
    let front = JupyterSide::bind(&connection, &sender).await?;
    watch_for_the_end(&sender)?;
    let parts = prepare.await;
    let (first_cell, wanted) = oneshot::channel();
    let relay = EventLoop::new(front, first_cell, parts.shared, parts.notes, parts.ahead);
    tokio::spawn(async move {
        if parts.waits {
            // Without a reader nothing has to be started.
            let _ = wanted.await;
        }
        let started = match parts.command {
            Ok(command) => EvcxrSide::start(&command, &parts.folder, &sender).await,
            Err(failure) => Err(failure),
        };
        // Held as long as the wrapper runs, so that the channel never closes by itself.
        let _ = sender.send(Event::Started(started.map(Box::new))).await;
        sender.closed().await;
    });
    relay.run(&mut events).await.map(|()| ExitCode::SUCCESS)
}

/// Jupyter ends a kernel with a signal if it must, and may itself be killed outright.
fn watch_for_the_end(events: &Sender<Event>) -> Result<()> {
    let listen = |kind| signal(kind).doing(|| "cannot listen for signals".to_owned());
    let (mut terminate, mut hang_up) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    // Ctrl-C in the terminal of a console reaches the kernel as well, and is for the console.
    let mut interrupt = listen(SignalKind::interrupt())?;
    let parent = getppid();
    let is_jupyter = std::env::var(PARENT)
        .ok()
        .and_then(|id| Pid::from_raw(id.parse().ok()?))
        .is_some_and(|id| Some(id) == parent);
    let mut looks = tokio::time::interval(LOOK);
    let events = events.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = hang_up.recv() => break,
                _ = interrupt.recv() => {}
                _ = looks.tick() => if is_jupyter && getppid() != parent { break },
            }
        }
        let _ = events.send(Event::End).await;
    });
    Ok(())
}
