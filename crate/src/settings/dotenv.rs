//! The `.env` file: found in a folder or one above it, read without changing the process
//! environment, and never quoted in messages, because it holds keys. `find` finds the file,
//! `parse` parses it.

mod find;
pub(crate) mod parse;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use find::Found;
use parse::Broken;

/// The largest file that is read, in bytes: a larger one is not a settings file.
const MAX_SIZE: u64 = 1024 * 1024;

/// What a `.env` file sets.
#[derive(Debug)]
pub(super) struct DotEnv {
    pub(super) path: PathBuf,
    pub(super) values: HashMap<String, String>,
}

impl DotEnv {
    /// The file for a program in this folder, if there is one, and notes for the user about the
    /// files that were considered.
    ///
    /// # Errors
    /// A file that belongs to the user can't be read.
    pub(super) fn find_above(folder: &Path) -> Result<(Option<Self>, Vec<String>)> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        // The folder may have been removed while the process runs.
        let Ok(folder) = fs::canonicalize(folder) else {
            return Ok((None, Vec::new()));
        };
        let mut notes = Vec::new();
        let found = find::find(&folder, find::home().as_deref(), &mut notes);
        let found = found.map_err(|(path, error)| unreadable(&path, error))?;
        let read = found.map(|found| Self::from_found(found, &mut notes));
        Ok((read.transpose()?, notes))
    }

    fn from_found(found: Found, notes: &mut Vec<String>) -> Result<Self> {
        let Found { path, file } = found;
        let mut bytes = Vec::new();
        file.take(MAX_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&path, error))?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(failed(
                &path,
                "is larger than 1 MB, the limit for a file of settings",
            )
            .with_hint("move it away, or set the variables yourself"));
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(failed(&path, "is not UTF-8 text").with_hint(
                "save it as UTF-8 (PowerShell's `>` writes UTF-16: use `Out-File -Encoding utf8`)",
            ));
        }
        // Invalid UTF-8 in the lines of other tools is not an error.
        let parsed = parse::parse(&String::from_utf8_lossy(&bytes)).map_err(|Broken(name)| {
            let what = format!("has a line for {name} that can't be understood");
            failed(&path, &what).with_hint(format!("write it as {name}='value', in single quotes"))
        })?;
        notes.extend(parsed.swallowed.iter().map(|lost| {
            format!(
                "{}: a line for {} was skipped, since it is inside a value that begins in \
                 line {}: a quote may be missing there",
                path.display(),
                lost.name,
                lost.begins
            )
        }));
        Ok(Self {
            path,
            values: parsed.values,
        })
    }
}

fn failed(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("{} {what}", path.display()))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    failed(path, "can't be read")
        .with_source(error)
        .with_hint("make the file readable, or move it away and set the variables yourself")
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<DotEnv> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), bytes).unwrap();
        Ok(DotEnv::find_above(folder.path())?.0.unwrap())
    }

    fn outcome(error: &Error) -> String {
        let outcome = format!("{error:?}");
        let (_, rest) = outcome.split_once("/.env").unwrap();
        format!("FOLDER/.env{rest}")
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_without_what_it_holds() {
        let error = read(b"OPENAI_API_KEY=two secret words").unwrap_err();
        assert_snapshot!(outcome(&error), @r"
        FOLDER/.env has a line for OPENAI_API_KEY that can't be understood
          hint: write it as OPENAI_API_KEY='value', in single quotes
        ");
        let error = read(b"\xff\xfeA\0=\0").unwrap_err();
        assert_snapshot!(outcome(&error), @r"
        FOLDER/.env is not UTF-8 text
          hint: save it as UTF-8 (PowerShell's `>` writes UTF-16: use `Out-File -Encoding utf8`)
        ");
        let error = read(&vec![b'#'; 1024 * 1024 + 1]).unwrap_err();
        assert_snapshot!(outcome(&error), @r"
        FOLDER/.env is larger than 1 MB, the limit for a file of settings
          hint: move it away, or set the variables yourself
        ");
    }

    #[test]
    fn what_is_no_text_elsewhere_hides_nothing() {
        let file = read(b"# Schl\xfcssel\nA='\xff\nOPENAI_MODEL=m\n").unwrap();
        assert_eq!(file.values["OPENAI_MODEL"], "m");
    }

    #[test]
    fn a_folder_that_is_gone_has_no_file() {
        assert!(
            DotEnv::find_above(Path::new("/no/such/folder"))
                .unwrap()
                .0
                .is_none()
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }
    }
}
