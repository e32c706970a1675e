//! The launcher as a program, and the folder that it has set up.

use std::path::PathBuf;
use std::process::Command;

/// The launcher, without any service that whoever runs the tests has set for themselves.
pub(crate) fn evenhand() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AZURE_OPENAI_") || text.starts_with("OPENAI_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The launcher's folder with everything in it: kernel, warm build, JupyterLab, model. The
/// first use on a machine takes minutes, in which the launcher tells what it does.
pub(crate) fn home() -> PathBuf {
    crate::kernel::lab();
    path()
}

/// As the launcher has it: `EVENHAND_HOME`, or `evenhand` in the platform's data directory.
fn path() -> PathBuf {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(home) = set("EVENHAND_HOME") {
        return std::path::absolute(home).unwrap();
    }
    let data = if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library").join("Application Support"))
    } else {
        set("XDG_DATA_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
    };
    data.unwrap().join("evenhand")
}
