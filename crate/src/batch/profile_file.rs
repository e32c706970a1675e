//! Stores the profile of a deployment next to the journal, so that the next run starts with what
//! this one has learned.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::journal::Parameters;
use super::options::JournalChoice;
use crate::openai::Client;
use crate::openai::profile::SharedProfile;
use crate::settings::replace_private;

/// The maximum size of a profile, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// The file with the profile of one deployment.
pub(super) struct ProfileFile(PathBuf);

impl ProfileFile {
    /// The file next to this journal. It is named after the journal if the user chose the journal's
    /// name. The default folder has one journal for each set of parameters, and one profile for each
    /// deployment.
    pub(super) fn beside(journal: &Path, choice: &JournalChoice, parameters: &Parameters) -> Self {
        let stem = match choice {
            JournalChoice::File(_) => {
                let is_lines = journal.extension().is_some_and(|it| it == "jsonl");
                let stem = match is_lines {
                    true => journal.file_stem(),
                    false => journal.file_name(),
                };
                stem.unwrap_or_default().to_owned()
            }
            _ => {
                let whole = Parameters::new(parameters.host(), parameters.deployment(), &json!({}));
                whole.file_stem().into()
            }
        };
        let mut name = stem;
        name.push(".profile.json");
        Self(journal.with_file_name(name))
    }

    /// Loads the file, if it exists. Returns a note if it can't be used.
    pub(super) fn load(&self, client: &Client, deployment: &str) -> Option<String> {
        let Self(path) = self;
        let refused = |why: String| {
            let path = path.display();
            Some(format!(
                "{path} is ignored: {why}; the profile of {deployment} is learned again"
            ))
        };
        let text = match read_file(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return refused(error.to_string()),
        };
        if !SharedProfile::is_file_of_profile(&text) {
            return Some(format!(
                "{} is not a deployment profile, so it is left alone: what is learned about \
                 {deployment} is not stored",
                path.display()
            ));
        }
        if deployment.is_empty() {
            return None;
        }
        let host = Parameters::new(client.host(), deployment, &json!({}));
        let shared = SharedProfile::of_deployment(client.host(), deployment);
        let learned = shared.learn_from_file(&text, host.host());
        learned.err().and_then(refused)
    }

    /// Replaces the file, unless it is something else. An error is ignored: the next run then learns
    /// again, which costs one or two requests.
    pub(super) fn save(&self, profile: &SharedProfile, host: &str) {
        let Self(path) = self;
        let is_replaceable = match read_file(path) {
            Ok(text) => SharedProfile::is_file_of_profile(&text),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_replaceable {
            return;
        }
        let _ = match profile.to_file(host) {
            Some(text) => replace_private(path, &text),
            // Another model, which accepts requests as written, has taken its place.
            None => fs::remove_file(path),
        };
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a named pipe would wait for a writer.
    let is_file = fs::metadata(path)?.is_file();
    let mut text = Vec::new();
    if is_file {
        fs::File::open(path)?
            .take(MAX_SIZE + 1)
            .read_to_end(&mut text)?;
    }
    match is_file && text.len() as u64 <= MAX_SIZE {
        true => Ok(text),
        false => Err(io::Error::other("it is not a small file")),
    }
}
