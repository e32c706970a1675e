//! The pipes through which a cell's streams reach the wrapper.
//!
//! They have names, since the process that runs the cells is started by evcxr, and started again when
//! a cell is killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::Sender;

use super::Stream;
use crate::error::{Context, Failure, Result};
use crate::paths::home::private;
use crate::tool;

const NAMES: [(Stream, &str); 2] = [(Stream::Stdout, "stdout"), (Stream::Stderr, "stderr")];

/// The file with which the wrapper answers a cell that waits for standard input.
pub const INPUT: &str = "input";

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// Creates the pipes in this folder.
pub fn create(folder: &Path) -> Result<()> {
    let context = || format!("could not create pipes in {}", folder.display());
    private::create_folder(folder).with_context(context)?;
    let made = tool::command("mkfifo")
        .args(["-m", "600"])
        .args(NAMES.map(|(_, name)| folder.join(name)))
        .stdin(Stdio::null())
        .output()
        .with_context(context)?;
    match made.status.success() {
        true => Ok(()),
        false => Err(Failure::new(context())
            .because(io::Error::other(
                String::from_utf8_lossy(&made.stderr).trim().to_owned(),
            ))
            .hint("set EVENHAND_HOME to a folder on a local disk")),
    }
}

/// Turns everything that arrives into events.
pub fn listen<E: Send + 'static>(
    folder: &Path,
    events: &Sender<E>,
    event: fn(Stream, Vec<u8>) -> E,
) -> Result<()> {
    for (stream, name) in NAMES {
        let path = folder.join(name);
        let context = || format!("could not open {}", path.display());
        let reader = pipe::OpenOptions::new()
            .open_receiver(&path)
            .with_context(context)?;
        // While the wrapper itself could write, the pipe does not end when a cell's process does.
        let held = OpenOptions::new()
            .write(true)
            .open(&path)
            .with_context(context)?;
        tokio::spawn(pass_on(reader, held, stream, events.clone(), event));
    }
    Ok(())
}

async fn pass_on<E>(
    mut reader: pipe::Receiver,
    _held: File,
    stream: Stream,
    events: Sender<E>,
    event: fn(Stream, Vec<u8>) -> E,
) {
    let mut piece = vec![0; PIECE];
    while let Ok(length @ 1..) = reader.read(&mut piece).await {
        if events
            .send(event(stream, piece[..length].to_vec()))
            .await
            .is_err()
        {
            return;
        }
    }
}
