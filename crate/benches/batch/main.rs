//! How fast the batch engine is, how much memory it takes, and how well it fills a quota,
//! each beside openai-python in the same run. Prints tables.
//!
//! `cargo bench -p evenhand --no-default-features --bench batch -- [PART...] [--long]`; parts
//! are `speed`, `latency`, `journal`, `memory` (these by default) and `quota`, which takes
//! minutes. `--long` goes up to a million rows.
//!
//! This process is the server; each client is a process of its own, so that what it costs can
//! be told apart.

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
    /// openai-python, where there is a Python that can have it.
    peer: Option<peer::Peer>,
    /// Where files may lie; each part sweeps its own away.
    folder: PathBuf,
    /// Up to a million rows.
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
