//! The launcher as a program.

use std::process::Command;

/// The launcher, without any service that the developer has configured, and with journals for this
/// run only: an answer from an earlier run would test nothing.
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
