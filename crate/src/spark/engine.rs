//! The local engine: a Spark Connect server on this machine, for whoever has no other.
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
const PATIENCE: Duration = Duration::from_secs(600);

/// How often to look whether the user has pressed the stop button.
const LOOK: Duration = Duration::from_millis(50);

/// How many lines of the program are kept for an error.
const LINES: usize = 12;

/// The most that is read of one line.
const LONGEST_LINE: u64 = 4_096;

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
    child: Child,
    /// The engine ends when this is closed.
    _stdin: Option<ChildStdin>,
    address: String,
}

/// The engine of this process.
static ENGINE: Mutex<Option<Engine>> = Mutex::new(None);

/// The address of the local engine, which is started unless it runs.
///
/// # Errors
/// Nothing says how to start one; it can't be installed or started; or the user has stopped it.
pub(super) fn address() -> Result<String> {
    let mut engine = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = &mut *engine
        && matches!(running.child.try_wait(), Ok(None))
    {
        return Ok(running.address.clone());
    }
    let program = std::env::var_os(SPARK_ENGINE_VARIABLE).filter(|program| !program.is_empty());
    let started = start(&program.ok_or_else(nowhere)?)?;
    let address = started.address.clone();
    *engine = Some(started);
    Ok(address)
}

fn nowhere() -> Error {
    Error::new(
        ErrorKind::Settings,
        "no Spark server is named, and the local engine starts only in evenhand's own kernel",
    )
    .with_hint(
        "set SPARK_REMOTE, such as `sc://localhost:15002`; `evenhand spark` starts a local engine and \
         prints its address",
    )
}

fn start(program: &OsStr) -> Result<Engine> {
    let mut command = Command::new(program);
    command
        .args(["spark", "--for-parent"])
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
    let said = child.stderr.take().map(lines_of);
    let address = child.stdout.take().map(lines_of);
    match wait(&mut child, said.as_ref(), address.as_ref()) {
        Ok(address) => Ok(Engine {
            child,
            _stdin: stdin,
            address,
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
    said: Option<&Receiver<String>>,
    address: Option<&Receiver<String>>,
) -> Result<String> {
    let began = Instant::now();
    let mut lines: Vec<String> = Vec::new();
    let listen = |lines: &mut Vec<String>| {
        for line in said.into_iter().flat_map(Receiver::try_iter) {
            display::log_line(&line);
            lines.push(line);
        }
    };
    loop {
        let printed = address.map_or(Err(RecvTimeoutError::Disconnected), |address| {
            address.recv_timeout(LOOK)
        });
        listen(&mut lines);
        match printed {
            Ok(line) if line.starts_with("sc://") => return Ok(line),
            Ok(line) => {
                return Err(failed(&format!(
                    "it printed {line:?} in place of an address"
                )));
            }
            Err(RecvTimeoutError::Disconnected) => {
                // Its last words may still be on their way.
                std::thread::sleep(LOOK);
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
            Err(RecvTimeoutError::Timeout) if began.elapsed() > PATIENCE => {
                return Err(failed(&format!("it was not ready after {PATIENCE:?}")));
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
            match (&mut stream)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
            {
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
