//! The launcher as a program, and the folder that it has set up.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The launcher, without any service that whoever runs the tests has set for themselves, and
/// with journals of this run alone: an answer of yesterday would test nothing.
pub(crate) fn evenhand() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    let journals = super::artifact(&format!("journals-{}", std::process::id()));
    command.env("EVENHAND_JOURNAL", journals);
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
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        crate::kernel::lab();
        path()
    })
    .clone()
}

/// Where that folder is, as the launcher itself says.
fn path() -> PathBuf {
    let doctor = evenhand().arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    let folder = said
        .lines()
        .find_map(|line| line.strip_prefix("evenhand's folder: "));
    PathBuf::from(folder.unwrap_or_else(|| panic!("`evenhand doctor` names no folder:\n{said}")))
}
