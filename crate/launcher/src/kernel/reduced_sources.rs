//! Copies of folders with Rust's sources, without the bodies of functions. They are for rust-analyzer
//! alone: it keeps what it reads in memory, and needs only signatures to find the type of a variable.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::rust_text::without_bodies;
use crate::paths::home::private;

/// Copies a folder without the folders of these names. Of the files that are not Rust, those are copied
/// whose name is meant.
pub fn copy_reduced(
    from: &Path,
    to: &Path,
    left_out: &[&str],
    is_meant: fn(&OsStr) -> bool,
) -> io::Result<()> {
    private::create_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            if !left_out.iter().any(|left_out| name == *left_out) {
                copy_reduced(&path, &target, left_out, is_meant)?;
            }
        } else if path.extension() == Some(OsStr::new("rs")) {
            let bytes = fs::read(&path)?;
            match std::str::from_utf8(&bytes) {
                Ok(source) => fs::write(target, without_bodies(source))?,
                Err(_) => fs::write(target, &bytes)?,
            }
        } else if is_meant(&name) {
            fs::write(target, fs::read(&path)?)?;
        }
    }
    Ok(())
}
