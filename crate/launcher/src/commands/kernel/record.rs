//! The folders of installed kernelspecs, kept in the launcher's own folder: a prefix may be anywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};
use crate::paths::home::{Home, private};

fn file(home: &Home) -> PathBuf {
    home.kernel().join("installed.json")
}

/// The folders in which kernels were installed. A record that can't be read counts as empty: it only
/// helps to find what is elsewhere.
pub fn folders(home: &Home) -> BTreeSet<PathBuf> {
    let text = fs::read(file(home)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Adds a folder.
pub fn add(home: &Home, folder: &Path) -> Result<()> {
    let mut folders = folders(home);
    // What somebody else removed is not looked for any more.
    folders.retain(|folder| folder.exists());
    folders.insert(folder.to_owned());
    save(home, &folders)
}

/// Removes a folder, if it is there.
pub fn remove(home: &Home, folder: &Path) -> Result<()> {
    let mut folders = folders(home);
    match folders.remove(folder) {
        true => save(home, &folders),
        false => Ok(()),
    }
}

fn save(home: &Home, folders: &BTreeSet<PathBuf>) -> Result<()> {
    let path = file(home);
    let context = || format!("could not write {}", path.display());
    let text = serde_json::to_vec(folders).with_context(context)?;
    private::create_folder(&home.kernel()).with_context(context)?;
    let new = tempfile::NamedTempFile::new_in(home.kernel()).with_context(context)?;
    fs::write(new.path(), text).with_context(context)?;
    new.persist(&path).with_context(context)?;
    Ok(())
}
