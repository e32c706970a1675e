//! The streams of the process that runs the cells.
//!
//! evcxr reads its protocol from the process's standard output, by lines of UTF-8, and only while a
//! cell runs. So a byte that is not text breaks it, a line without an end stops it, and text can be
//! mistaken for an order. Before the first cell, both streams are therefore replaced by pipes to the
//! kernel's wrapper, which takes any bytes at any time. evcxr's pipe is kept for what this library
//! tells evcxr; no child inherits it.
//!
//! A mark is the kernel's token with what is to be said, and ends its line.

use std::fmt::Arguments;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

/// The variable that names the folder with the pipes to the wrapper.
const FOLDER: &str = "EVENHAND_STREAMS";

/// The tokens of evcxr's display protocol.
const BEGIN_CONTENT: &str = "EVCXR_BEGIN_CONTENT ";
const END_CONTENT: &str = "EVCXR_END_CONTENT";

unsafe extern "C" {
    fn dup2(from: i32, to: i32) -> i32;
    fn _exit(code: i32) -> !;
}

pub(crate) struct Streams {
    token: String,
    process: u32,
    pipes: Option<Pipes>,
}

struct Pipes {
    evcxr: File,
    stdout: File,
    stderr: File,
}

static STREAMS: OnceLock<Streams> = OnceLock::new();

fn streams() -> Option<&'static Streams> {
    STREAMS.get()
}

/// A cell begins.
pub(crate) fn begin(token: &str, orders: bool) {
    let streams = STREAMS.get_or_init(|| Streams {
        token: token.to_owned(),
        process: std::process::id(),
        pipes: Pipes::open().ok(),
    });
    if let Some(pipes) = &streams.pipes {
        // An earlier cell may have closed them.
        replace(&pipes.stdout, 1);
        replace(&pipes.stderr, 2);
    }
    let orders = if orders { " orders" } else { "" };
    let line = format!("{token}begin {}{orders}\n", streams.process);
    streams.write_both(&line);
}

/// Everything that the cell prints has been printed, and evcxr is told so.
pub(crate) fn end() {
    let Some(streams) = streams() else {
        return;
    };
    if streams.process != std::process::id() {
        // A copy of the process that the cell forked: evcxr's pipes belong to the original.
        let _ = io::stdout().flush();
        // SAFETY: ends this process without running the original's destructors.
        unsafe { _exit(0) }
    }
    let _ = io::stdout().flush();
    match &streams.pipes {
        Some(_) => streams.write_both(&format!("{}end\n", streams.token)),
        None => streams.write_both(&format!("\n{}end\n", streams.token)),
    }
    if streams.pipes.is_some() {
        // evcxr's own code is going to print the same to the replaced stream, and the wrapper
        // leaves it out.
        tell_evcxr("EVCXR_EXECUTION_COMPLETE");
    }
}

/// Prints a line for evcxr.
pub(crate) fn tell_evcxr(line: &str) {
    let _ = io::stdout().flush();
    let line = format!("{line}\n");
    match streams().and_then(|streams| streams.pipes.as_ref()) {
        Some(pipes) => drop((&pipes.evcxr).write_all(line.as_bytes())),
        None => print!("\n{line}"),
    }
}

/// Prints a mark behind everything that was printed before.
pub(crate) fn mark(name: &str, said: &str) {
    let _ = io::stdout().flush();
    if let Some(streams) = streams() {
        let space = if said.is_empty() { "" } else { " " };
        streams.write(&format!("{}{name}{space}{said}\n", streams.token));
    }
}

impl Streams {
    fn write(&self, line: &str) {
        match &self.pipes {
            Some(pipes) => drop((&pipes.stdout).write_all(line.as_bytes())),
            None => print!("\n{line}"),
        }
    }

    fn write_both(&self, line: &str) {
        match &self.pipes {
            Some(pipes) => {
                drop((&pipes.stdout).write_all(line.as_bytes()));
                drop((&pipes.stderr).write_all(line.as_bytes()));
            }
            None => {
                print!("{line}");
                eprint!("{line}");
            }
        }
    }
}

impl Pipes {
    fn open() -> io::Result<Self> {
        let folder = std::env::var_os(FOLDER).ok_or(io::ErrorKind::NotFound)?;
        let open = |name: &str| {
            OpenOptions::new()
                .write(true)
                .open(Path::new(&folder).join(name))
        };
        let (stdout, stderr) = (open("stdout")?, open("stderr")?);
        Ok(Self {
            evcxr: File::from(copy(1)?),
            stdout,
            stderr,
        })
    }
}

/// Another descriptor of the same file, which children do not inherit.
pub(crate) fn copy(descriptor: i32) -> io::Result<OwnedFd> {
    // SAFETY: the process has been given its standard streams, and nothing of the reader's has run.
    unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()
}

/// Makes the descriptor refer to the file.
pub(crate) fn replace(file: &impl AsFd, descriptor: i32) {
    // SAFETY: changes what the descriptor refers to; `file` is open.
    unsafe { dup2(file.as_fd().as_raw_fd(), descriptor) };
}

/// What `print!` does in a cell. If the cell's own format string (`form`) contains a token of evcxr's
/// display protocol, the cell means it. Everywhere else, such a token is text.
pub fn print(form: &str, text: Arguments<'_>) {
    let is_meant = form.contains(BEGIN_CONTENT.trim_end()) || form.contains(END_CONTENT);
    match streams().filter(|streams| is_meant && streams.pipes.is_some()) {
        Some(streams) => {
            let token = &streams.token;
            let text = text.to_string();
            let text = text.replace(BEGIN_CONTENT, &format!("{token}content "));
            print!("{}", text.replace(END_CONTENT, &format!("{token}content-end")));
        }
        None => print!("{text}"),
    }
}

/// What `println!` does in a cell.
pub fn println(form: &str, text: Arguments<'_>) {
    print(form, format_args!("{text}\n"));
}
