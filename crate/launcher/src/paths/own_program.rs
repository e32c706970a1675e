//! The launcher's own program.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// What Linux appends to the path of a running program whose file was replaced.
const REPLACED: &[u8] = b" (deleted)";

/// The path of this program, to be started again. Where the program was built anew while this one ran,
/// it is the new one.
pub fn own_program() -> Result<PathBuf> {
    let path = std::env::current_exe()
        .with_context(|| "could not find the launcher's own program".to_owned())?;
    Ok(match path.exists() {
        true => path,
        false => replaced(&path).unwrap_or(path),
    })
}

/// The file that took the place of a program's, if one has.
fn replaced(path: &Path) -> Option<PathBuf> {
    let before = path.as_os_str().as_bytes().strip_suffix(REPLACED)?;
    let new = PathBuf::from(OsStr::from_bytes(before));
    new.exists().then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_built_anew_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("evenhand");
        let gone = folder.path().join("evenhand (deleted)");
        assert_eq!(replaced(&gone), None);
        std::fs::write(&program, "").unwrap();
        assert_eq!(replaced(&gone), Some(program.clone()));
        assert_eq!(replaced(&program), None);
        assert!(own_program().unwrap().exists());
    }
}
