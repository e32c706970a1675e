//! What there is in the practice cloud, kept in a file of the home that only its owner can read. One process
//! at a time holds it; the others find out where that one listens.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cloud::{Identity, State};
use crate::error::{Context, Failure, Result};
use crate::local_model::key::Key;
use crate::paths::home::{Home, private, saved_file};

/// The port, unless another one is chosen. The addresses in `.env` go on meaning this cloud.
pub(crate) const DEFAULT_PORT: u16 = 8090;

const FORMAT: &str = "evenhand practice cloud";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved<S> {
    format: String,
    version: u32,
    /// Where the process that holds the file listens.
    origin: String,
    state: S,
}

/// The file, held by this process.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Holds the lock until it is closed.
    _lock: File,
    pub(super) state: State,
}

/// Who holds the file.
pub(super) enum Holder {
    Here(Box<StateFile>),
    Elsewhere { origin: String, identity: Identity },
}

impl StateFile {
    /// Takes the file, or says where the process listens that has it. If `is_new`, what was in it is
    /// forgotten.
    pub(super) fn hold(home: &Home, is_new: bool) -> Result<Holder> {
        home.claim()?;
        let folder = home.practice();
        let path = folder.join("state.json");
        let context = || format!("could not write to {}", folder.display());
        let Some(lock) = private::lock_folder(&folder).with_context(context)? else {
            let saved = read_state(&path)?.ok_or_else(|| {
                Failure::new("another process is just starting the practice cloud")
                    .hint("try again in a second")
            })?;
            return Ok(Holder::Elsewhere {
                origin: saved.origin,
                identity: saved.state.identity,
            });
        };
        let saved = if is_new { None } else { read_state(&path)? };
        let state = match saved {
            Some(saved) => saved.state,
            None => empty()?,
        };
        Ok(Holder::Here(Box::new(Self {
            path,
            _lock: lock,
            state,
        })))
    }

    /// Takes the file, which no other process may have, and begins with an empty cloud if `is_new`.
    pub(super) fn alone(home: &Home, is_new: bool) -> Result<Self> {
        match Self::hold(home, is_new)? {
            Holder::Here(file) => Ok(*file),
            Holder::Elsewhere { origin, .. } => Err(Failure::new(format!(
                "the practice cloud runs already, at {origin}"
            ))
            .hint("use that one, or stop it with Ctrl-C first")),
        }
    }

    /// Writes what there is, as a whole or not at all.
    pub(super) fn save(&self, origin: &str, state: &State) -> Result<()> {
        let context = || format!("could not write {}", self.path.display());
        let saved = Saved {
            format: FORMAT.to_owned(),
            version: VERSION,
            origin: origin.to_owned(),
            state,
        };
        let text = serde_json::to_vec_pretty(&saved).with_context(context)?;
        private::replace_in_locked_folder(&self.path, &text, false).with_context(context)
    }
}

fn read_state(path: &Path) -> Result<Option<Saved<State>>> {
    saved_file::read_saved("the state of the practice cloud", path, FORMAT, VERSION).map_err(
        |failure| failure.hint("`evenhand practice --reset` begins with an empty practice cloud"),
    )
}

fn empty() -> Result<State> {
    let secret = || Key::made().map(|key| key.expose().to_owned());
    Ok(State::new(Identity {
        client_secret: secret()?,
        token: secret()?,
        workspace_token: format!("dapi{}", secret()?),
        keys: secret()?,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_state_is_private_and_read_again_and_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let lock = tempfile::tempfile().unwrap();
        let file = StateFile {
            path: path.clone(),
            _lock: lock,
            state: empty().unwrap(),
        };
        file.save("http://127.0.0.1:1", &file.state).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read_again = read_state(&path).unwrap().unwrap();
        assert_eq!(read_again.state.identity.token, file.state.identity.token);
        for text in [
            r#"{"format":"evenhand practice cloud","version":2}"#,
            r#"{"format":"evenhand practice cloud","version":1,"origin":"x","state":{}}"#,
            "[]",
            "",
        ] {
            fs::write(&path, text).unwrap();
            let failure = read_state(&path).map(drop).unwrap_err();
            assert!(failure.to_string().contains("--reset"), "{failure}");
        }
    }
}
