//! Other programs, found as a shell would find them, but never in the current folder.

use std::path::PathBuf;

/// The first program of this name in the folders of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    all_on_path(name).next()
}

/// All programs of this name in the folders of `PATH`, in their order.
pub fn all_on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let name = name.to_owned();
    folders
        .into_iter()
        .filter(|folder| folder.is_absolute())
        .map(move |folder| folder.join(&name))
        .filter(|program| program.is_file())
}
