//! Standard input. evcxr sends its orders through the process's own, so a cell that reads there would
//! take them away and wait for ever. While a cell runs, it is given another one.
//!
//! A cell that has no use for it finds its end. Otherwise it is a pipe, and a thread looks whether
//! somebody waits for it: the wrapper then asks the reader, and answers in a file.

use std::fs::File;
use std::io::{Write, pipe};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::streams::{copy, mark, replace};

/// How often to look.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The answer's file, in the folder with the pipes.
const ANSWER: &str = "input";

struct Input {
    evcxr: OwnedFd,
    is_over: Arc<AtomicBool>,
}

static INPUT: Mutex<Option<Input>> = Mutex::new(None);

/// A cell begins.
pub(crate) fn begin(reads: bool) {
    let Ok(evcxr) = copy(0) else {
        return;
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let folder = std::env::var_os("EVENHAND_STREAMS").map(PathBuf::from);
    match (reads && can_look(), folder, pipe()) {
        (true, Some(folder), Ok((reader, writer))) => {
            replace(&reader, 0);
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || watch(&folder, writer, &is_over));
        }
        _ => match File::open("/dev/null") {
            Ok(nothing) => {
                replace(&nothing, 0);
                if reads {
                    mark("no-input", "");
                }
            }
            Err(_) => return,
        },
    }
    *INPUT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Input { evcxr, is_over });
}

/// The cell has ended, and evcxr's orders come through standard input again.
pub(crate) fn end() {
    let input = INPUT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(input) = input {
        input.is_over.store(true, Ordering::Relaxed);
        replace(&input.evcxr, 0);
    }
}

/// Passes on what the reader types, each time somebody waits for it.
fn watch(folder: &std::path::Path, writer: impl Write, is_over: &AtomicBool) {
    let mut writer = Some(writer);
    let answer = folder.join(ANSWER);
    while let Some(pipe) = &mut writer {
        std::thread::sleep(POLL_INTERVAL);
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        if !somebody_waits() {
            continue;
        }
        mark("input", "");
        let typed = loop {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            if let Ok(typed) = std::fs::read(&answer) {
                let _ = std::fs::remove_file(&answer);
                break typed;
            }
            std::thread::sleep(POLL_INTERVAL);
        };
        // An empty answer means that there is nobody to ask. A line has its newline.
        if typed.is_empty() || pipe.write_all(&typed).is_err() {
            writer = None;
            continue;
        }
        while somebody_waits() && !is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn can_look() -> bool {
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
        && std::fs::read_to_string("/proc/thread-self/syscall").is_ok()
}

/// Whether a thread of this process is in the system call `read` for standard input.
fn somebody_waits() -> bool {
    let number = if cfg!(target_arch = "x86_64") { "0" } else { "63" };
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    threads.flatten().any(|thread| {
        let call = std::fs::read_to_string(thread.path().join("syscall")).unwrap_or_default();
        let mut words = call.split_whitespace();
        words.next() == Some(number) && words.next() == Some("0x0")
    })
}
