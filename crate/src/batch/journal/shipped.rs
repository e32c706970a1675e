//! Answers that come with the toolkit: journals of the local model, so that a lesson shows a result
//! without a wait. The kernel names their folder.

use std::ffi::OsString;
use std::fs::{self, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use super::errors::{unreadable, unwritable};
use super::open;
use crate::error::{Error, Result};

/// The variable with the folder of the journals; the kernel sets it.
const VARIABLE: &str = "EVENHAND_ANSWERS";

/// Copies the journal of the same name that comes with the toolkit, if there is one, into this
/// journal, if that is new. Returns what to tell the user.
///
/// # Errors
/// A file that can't be read or written.
pub(crate) fn fill(path: &Path) -> Result<Option<String>> {
    fill_from(std::env::var_os(VARIABLE), path)
}

fn fill_from(folder: Option<OsString>, path: &Path) -> Result<Option<String>> {
    let shipped = folder.zip(path.file_name());
    let shipped = shipped.map(|(folder, name)| Path::new(&folder).join(name));
    let Some(shipped) = shipped.filter(|file| file.is_file() && file != path) else {
        return Ok(None);
    };
    let mut own = open(path)?;
    match own.try_lock() {
        Ok(()) => {}
        // Whoever uses it has filled it.
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(unwritable(path, error)),
    }
    let size = own.metadata().map_err(|error| unreadable(path, error))?;
    if size.len() > 0 {
        return Ok(None);
    }
    let answers = fs::read(&shipped).map_err(|error| no_answers(&shipped, error))?;
    own.write_all(&answers)
        .map_err(|error| unwritable(path, error))?;
    Ok(Some(format!(
        "answers that come with the toolkit are in {} now, and the prompts that they answer are \
         not sent; `.fresh()` asks the model itself",
        path.display()
    )))
}

fn no_answers(shipped: &Path, error: io::Error) -> Error {
    unreadable(shipped, error).with_hint(
        "it holds the answers that come with the toolkit: make it readable for you; or remove it, \
         and the model itself is asked",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that opens and can't be read, not even by root.
    #[cfg(target_os = "linux")]
    #[test]
    fn answers_that_cannot_be_read_are_named_and_not_the_journal() {
        let own = tempfile::tempdir().unwrap();
        let path = own.path().join("mem");
        let error = fill_from(Some("/proc/self".into()), &path).unwrap_err();
        insta::assert_snapshot!(error, @"
        /proc/self/mem can't be read
          hint: it holds the answers that come with the toolkit: make it readable for you; or remove it, and the model itself is asked
        ");
    }

    #[test]
    fn a_new_journal_gets_what_comes_with_the_toolkit_once() {
        let (shipped, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(shipped.path().join("m-1.jsonl"), "{}\n").unwrap();
        let folder = || Some(shipped.path().into());

        let path = own.path().join("m-1.jsonl");
        assert!(fill_from(folder(), &path).unwrap().is_some());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
        assert_eq!(fill_from(folder(), &path).unwrap(), None);

        fs::write(&path, "[]\n").unwrap();
        assert_eq!(fill_from(folder(), &path).unwrap(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[]\n");
    }

    #[test]
    fn where_nothing_comes_with_the_toolkit_no_file_is_made() {
        let own = tempfile::tempdir().unwrap();
        let path = own.path().join("m-1.jsonl");
        for folder in [None, Some(own.path().into()), Some("no such folder".into())] {
            assert_eq!(fill_from(folder, &path).unwrap(), None);
        }
        assert!(!path.exists());
    }

    #[test]
    fn the_journal_of_another_run_is_left_alone() {
        let (shipped, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(shipped.path().join("m-1.jsonl"), "{}\n").unwrap();
        let path = own.path().join("m-1.jsonl");
        let used = open(&path).unwrap();
        used.lock().unwrap();
        assert_eq!(fill_from(Some(shipped.path().into()), &path).unwrap(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
