//! The local engine: a Spark Connect server on this machine, for those without another. It is Sail,
//! or Apache Spark for a master such as `local[*]`.
//!
//! The library starts none itself. evenhand's kernel passes on which program does: that program
//! installs the engine when it is first wanted, starts it, and prints its address. It runs in the
//! notebook's folder, so that relative paths mean the same there, and ends when its standard input
//! is closed, which the operating system does however this process ends.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::kernel_requested_stop;
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::sideband::SPARK_ENGINE_VARIABLE;

/// How long the engine may take to start. The first time it is downloaded.
const START_TIME_LIMIT: Duration = Duration::from_secs(600);

/// How often to look whether the user has pressed the stop button.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How many lines of the program are kept for an error.
const LINES: usize = 12;

/// The most that is read of one line.
const MAX_LINE: u64 = 4_096;

/// Keys of other services, for which the program has no use.
const KEYS: [&str; 5] = [
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_CLIENT_SECRET",
    "OPENAI_API_KEY",
    "SPARK_REMOTE",
];

/// A running engine.
struct Engine {
    /// Apache Spark's; `None` for Sail.
    master: Option<String>,
    child: Child,
    /// The engine ends when this is closed.
    _stdin: Option<ChildStdin>,
    place: Place,
}

/// Where an engine is.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) address: String,
    /// A folder for tables, of an engine that would make one in the user's folder.
    pub(super) tables: Option<String>,
}

/// The engines of this process, one for each master.
static ENGINES: Mutex<Vec<Engine>> = Mutex::new(Vec::new());

/// The local engine, which is started unless it runs: Sail, or Apache Spark on a master such as
/// `local[*]`.
///
/// # Errors
/// Nothing says how to start one; it can't be installed or started; or the user has stopped it.
pub(super) fn place(master: Option<&str>) -> Result<Place> {
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain_mut(|engine| matches!(engine.child.try_wait(), Ok(None)));
    let running = engines
        .iter()
        .find(|engine| engine.master.as_deref() == master);
    if let Some(running) = running {
        return Ok(running.place.clone());
    }
    let program = std::env::var_os(SPARK_ENGINE_VARIABLE).filter(|program| !program.is_empty());
    let started = start(&program.ok_or_else(|| nowhere(master))?, master)?;
    let place = started.place.clone();
    engines.push(started);
    Ok(place)
}

fn nowhere(master: Option<&str>) -> Error {
    let (what, command) = match master {
        None => ("no Spark server is named", "evenhand spark".to_owned()),
        Some(master) => (
            "the address names a Spark master",
            format!("evenhand spark --master '{master}'"),
        ),
    };
    let message = format!("{what}, and a local engine starts only in evenhand's own kernel");
    Error::new(ErrorKind::Settings, message).with_hint(format!(
        "set SPARK_REMOTE, such as `sc://localhost:15002`; `{command}` starts a local engine and \
         prints its address",
    ))
}

fn start(program: &OsStr, master: Option<&str>) -> Result<Engine> {
    let mut command = Command::new(program);
    if let Some(master) = master {
        let begins = format!("Apache Spark starts on this machine, on the master {master}");
        display::log_line(&begins);
    }
    command
        .args(["spark", "--for-parent"])
        .args(master.iter().flat_map(|master| ["--master", master]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for key in KEYS {
        command.env_remove(key);
    }
    let mut child = command.spawn().map_err(|error| {
        failed("it can't be run")
            .with_hint(format!(
                "{SPARK_ENGINE_VARIABLE} names the program that starts it"
            ))
            .with_source(error)
    })?;
    let stdin = child.stdin.take();
    let messages = child.stderr.take().map(lines_of);
    let address = child.stdout.take().map(lines_of);
    match wait(&mut child, messages.as_ref(), address.as_ref()) {
        Ok(place) => Ok(Engine {
            master: master.map(str::to_owned),
            child,
            _stdin: stdin,
            place,
        }),
        Err(error) => {
            drop(stdin);
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// Shows what the program says, until it prints the address.
fn wait(
    child: &mut Child,
    messages: Option<&Receiver<String>>,
    address: Option<&Receiver<String>>,
) -> Result<Place> {
    let began = Instant::now();
    let mut lines: Vec<String> = Vec::new();
    let listen = |lines: &mut Vec<String>| {
        for line in messages.into_iter().flat_map(Receiver::try_iter) {
            display::log_line(&line);
            lines.push(line);
        }
    };
    loop {
        let printed = address.map_or(Err(RecvTimeoutError::Disconnected), |address| {
            address.recv_timeout(POLL_INTERVAL)
        });
        listen(&mut lines);
        match printed {
            Ok(line) if line.starts_with("sc://") => {
                let (address, tables) = match line.split_once(' ') {
                    Some((address, tables)) => (address, Some(tables.to_owned())),
                    None => (line.as_str(), None),
                };
                return Ok(Place {
                    address: address.to_owned(),
                    tables,
                });
            }
            Ok(line) => {
                return Err(failed(&format!(
                    "it printed {line:?} instead of an address"
                )));
            }
            Err(RecvTimeoutError::Disconnected) => {
                // Its last words may still be on their way.
                std::thread::sleep(POLL_INTERVAL);
                listen(&mut lines);
                let _ = child.try_wait();
                let last = &lines[lines.len().saturating_sub(LINES)..];
                return Err(failed(&last.join("\n")));
            }
            Err(RecvTimeoutError::Timeout) if kernel_requested_stop() => {
                return Err(Error::new(
                    ErrorKind::Cancelled,
                    "the start of the local engine was stopped",
                ));
            }
            Err(RecvTimeoutError::Timeout) if began.elapsed() > START_TIME_LIMIT => {
                return Err(failed(&format!(
                    "it was not ready after {START_TIME_LIMIT:?}"
                )));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn failed(how: &str) -> Error {
    let message = format!("the local Spark engine did not start: {how}");
    Error::new(ErrorKind::Io, message).with_hint(
        "`evenhand spark` in a terminal shows more; or name another server in SPARK_REMOTE",
    )
}

/// The lines of a stream, read on a thread of its own: nothing that the program prints later holds
/// it up.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(64);
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match (&mut stream).take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            // Nobody listens once it runs; what it prints is read all the same.
            let _ = sender.try_send(line);
        }
    });
    receiver
}
