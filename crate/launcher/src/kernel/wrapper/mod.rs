//! The wrapper between Jupyter and evcxr. It speaks the Jupyter protocol on both sides.
//!
//! evcxr is not modified. What it lacks is added here: outputs that appear as soon as they are
//! made and can be updated, failed cells that are reported as failed, and an interrupt that keeps
//! the variables.
//!
//! - `jupyter_side` faces Jupyter; `evcxr_side` and `evcxr_process` face evcxr. `event_loop`
//!   connects them by means of `event` and `outbound`.
//! - `in_flight` tracks a request that evcxr is working on; `panic`, `panic_place` and `error` are the
//!   ways in which a cell fails; `stop` ends what it started.
//! - `building`: what the reader is told while something compiles.
//! - `echo`: errors that only repeat another one.
//! - `hints`, with `cell_history`, `renamed` and `python_habits`: what the reader can do about an error.
//! - `local_replies`, `is_complete`: requests that are answered without evcxr; `positions`: completion
//!   and inspection.
//! - `prewarm`: what is prepared while the user reads; `toolkit`: what a line that depends on the toolkit
//!   means.

mod building;
mod cell_history;
mod echo;
mod error;
mod evcxr_process;
mod evcxr_side;
mod event;
mod event_loop;
mod hints;
mod in_flight;
pub mod is_complete;
mod jupyter_side;
mod local_replies;
mod outbound;
mod panic;
mod panic_place;
mod polars_parts;
mod positions;
pub mod prewarm;
mod python_habits;
mod renamed;
mod stop;
mod toolkit;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::oneshot;

use self::event::Event;
use self::event_loop::EventLoop;
use self::jupyter_side::JupyterSide;
use crate::error::{Context, Result};
use crate::jupyter::{Connection, KernelCommand};
use crate::kernel::sideband::pipes;

pub use self::event_loop::Shared;
pub use self::toolkit::Toolkit;

/// How many events may be queued. A cell that prints faster than its output can be shown waits.
const EVENTS: usize = 1024;

/// How often to check whether Jupyter is still running.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The variable in which Jupyter passes its process id to the kernels that it starts.
const PARENT: &str = "JPY_PARENT_PID";

/// What the wrapper works with.
pub struct Parts {
    pub command: Result<KernelCommand>,
    pub folder: PathBuf,
    /// Whether evcxr is started only when the reader runs a cell.
    pub waits: bool,
    pub shared: Shared,
    /// What the reader of the first cell should know.
    pub notes: Vec<String>,
    /// Cells to run before the first.
    pub prewarm_cells: Vec<String>,
    /// The notebook's file, if Jupyter named it.
    pub notebook: Option<PathBuf>,
    /// What `:dep evenhand` means, if the launcher knows.
    pub toolkit: Option<Toolkit>,
}

/// Serves Jupyter until it asks for a shutdown. The connection is bound before anything else is
/// done, so that every failure can be shown in the notebook.
pub async fn serve(
    connection: Connection,
    prepare: impl Future<Output = Parts>,
) -> Result<ExitCode> {
    let (sender, mut events) = mpsc::channel(EVENTS);
    let front = JupyterSide::bind(&connection, &sender).await?;
    connection.check_key()?;
    watch_for_the_end(&sender)?;
    let mut parts = prepare.await;
    if parts.command.is_ok()
        && let Err(failure) = pipes::listen(&parts.shared.streams, &sender, Event::Printed)
    {
        parts.command = Err(failure);
    }
    let (first_cell, wanted) = oneshot::channel();
    let relay = EventLoop::new(
        front,
        first_cell,
        parts.shared,
        parts.notes,
        parts.prewarm_cells,
        parts.notebook,
        parts.toolkit,
    );
    tokio::spawn(async move {
        if parts.waits {
            // If the wrapper ends first, nothing is started for anybody.
            let _ = wanted.await;
        }
        let started = match parts.command {
            Ok(command) => evcxr_process::start(&command, &parts.folder, &sender).await,
            Err(failure) => Err(failure),
        };
        // The sender is held as long as the wrapper runs, so that the channel does not close.
        let _ = sender.send(Event::Started(started.map(Box::new))).await;
        sender.closed().await;
    });
    relay.run(&mut events).await.map(|()| ExitCode::SUCCESS)
}

/// Sends `Event::End` on a signal to terminate and when the Jupyter that started us is gone.
fn watch_for_the_end(events: &Sender<Event>) -> Result<()> {
    let listen = |kind| signal(kind).with_context(|| "cannot listen for signals".to_owned());
    let (mut terminate, mut hang_up) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    // Ctrl-C in a Jupyter console also reaches the kernel, but is meant for the console.
    let mut interrupt = listen(SignalKind::interrupt())?;
    let parent = getppid();
    let is_jupyter = std::env::var(PARENT)
        .ok()
        .and_then(|id| Pid::from_raw(id.parse().ok()?))
        .is_some_and(|id| Some(id) == parent);
    let mut looks = tokio::time::interval(POLL_INTERVAL);
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
