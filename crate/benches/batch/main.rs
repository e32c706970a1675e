//! How fast the batch engine is, how much memory it takes, and how fully it uses a quota,
//! compared with openai-python in the same run. Prints tables.
//!
//! `cargo bench -p evenhand --no-default-features --bench batch -- [PART...] [--long]`; the
//! parts are `speed`, `latency`, `journal`, `memory` (these by default) and `quota`, which takes
//! minutes. `--long` goes up to a million rows.
//!
//! This process is the server. Each client runs in its own process, so that its cost can be
//! measured separately.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a terminal program"
)]

mod ask;
mod journal;
mod latency;
#[path = "../../testing/loopback/mod.rs"]
mod loopback;
mod memory;
mod peer;
mod process;
#[path = "../peer/python.rs"]
mod python;
mod quota;
mod server;
mod service;
mod speed;
mod table;

use std::path::PathBuf;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

type Part = fn(&Bench) -> Result;

const PARTS: [(&str, Part); 5] = [
    ("speed", speed::run),
    ("latency", latency::run),
    ("journal", journal::run),
    ("memory", memory::run),
    ("quota", quota::run),
];
const BY_DEFAULT: [&str; 4] = ["speed", "latency", "journal", "memory"];

/// What all parts need.
struct Bench {
    /// openai-python, if it could be installed.
    peer: Option<peer::Peer>,
    /// The folder for temporary files; each part removes its own.
    folder: PathBuf,
    /// Whether to go up to a million rows.
    long: bool,
}

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(task) = arguments.strip_prefix(&["ask".to_owned()]) {
        return ask::asked(task);
    }
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let any = PARTS.iter().any(|(name, _)| named(name));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let bench = Bench {
        peer: peer::set_up(&folder),
        folder,
        long: named("--long"),
    };
    println!("{}", process::machine());
    for (name, part) in PARTS {
        if named(name) || (!any && BY_DEFAULT.contains(&name)) {
            part(&bench)?;
        }
    }
    Ok(())
}
