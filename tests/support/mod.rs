//! What the tests need around the programs that they start.

pub(crate) mod http;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that the launcher has set up, with the model in it: `EVENHAND_TEST_HOME`,
/// or the one that the launcher uses by itself. A test that needs it fails without it.
pub(crate) fn home() -> PathBuf {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = set("EVENHAND_TEST_HOME")
        .or_else(|| set("EVENHAND_HOME"))
        .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("evenhand")))
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share").join("evenhand")))
        .expect("set EVENHAND_TEST_HOME to a folder that `evenhand lab` has set up");
    for needed in ["venv/bin/python", "model/SmolLM2-135M-Instruct.Q4_1.gguf"] {
        let needed = home.join(needed);
        assert!(
            needed.is_file(),
            "{} is missing: run `evenhand lab` once, or set EVENHAND_TEST_HOME to a folder that it has set up",
            needed.display()
        );
    }
    home
}

/// The launcher, with this folder as its own.
pub(crate) fn evenhand(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    command.env("EVENHAND_HOME", home);
    command
}
