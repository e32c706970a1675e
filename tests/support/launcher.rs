//! The launcher as a program.

use std::process::Command;

/// A secret of the user's that the library does not need, in the environment of everything that
/// tests start, including the first setup: no file may contain it.
pub(crate) const SECRET_OF_ANOTHER_TOOL: &str = "Canary-7f3a91c2-of-another-tool";

/// The launcher, without any service that the developer has configured, and with journals for this
/// run only: an answer from an earlier run would test nothing.
pub(crate) fn evenhand() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    let journals = super::artifact(&format!("journals-{}", std::process::id()));
    command
        .env("EVENHAND_JOURNAL", journals)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_OF_ANOTHER_TOOL);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AZURE_OPENAI_") || text.starts_with("OPENAI_") {
            command.env_remove(&name);
        }
    }
    command
}
