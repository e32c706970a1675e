//! The launcher's parsers as a library, which a program is not: the same files, by their paths.

#![allow(
    dead_code,
    unused_imports,
    reason = "the targets use a part of the launcher"
)]

#[macro_use]
#[path = "../launcher/src/terminal.rs"]
mod terminal;

#[path = "../launcher/src/error.rs"]
mod error;
#[path = "../launcher/src/fuzzing.rs"]
pub mod fuzzing;
#[path = "../launcher/src/jupyter/mod.rs"]
mod jupyter;
#[path = "../launcher/src/kernel/mod.rs"]
mod kernel;
#[path = "../launcher/src/paths/mod.rs"]
mod paths;
#[path = "../launcher/src/supervise/mod.rs"]
mod supervise;
#[path = "../launcher/src/tool.rs"]
mod tool;
