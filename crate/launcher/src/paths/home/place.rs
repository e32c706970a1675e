//! Where the launcher's folder may be: never in place of a folder with other contents.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Failure, Result};
use crate::paths::checkout::Checkout;

/// What to do about a location that is refused.
pub(super) const ANOTHER: &str =
    "set EVENHAND_HOME to the full path of a folder of its own, new or empty, with 4 GB of room";

/// Refuses locations that contain something else. `source` is where the path comes from.
pub(super) fn check(path: &Path, source: &str) -> Result<()> {
    let protected = [
        (
            std::env::var_os("HOME").map(PathBuf::from),
            "your home folder",
        ),
        (
            Checkout::locate().ok().map(|it| it.root().to_owned()),
            "the checkout",
        ),
    ];
    let protected: Vec<_> = protected
        .into_iter()
        .filter_map(|(folder, what)| Some((folder?, what)))
        .filter(|(folder, _)| folder.is_absolute())
        .collect();
    match reason(path, &protected) {
        None => Ok(()),
        Some(why) => Err(Failure::new(format!(
            "{source} is {}, which {why}: nothing is created or removed there",
            path.display()
        ))
        .hint(ANOTHER)),
    }
}

/// Why the folder cannot be here, if it cannot.
fn reason(path: &Path, protected: &[(PathBuf, &str)]) -> Option<String> {
    if !path.is_absolute() {
        return Some("is a relative path and depends on where evenhand is started".to_owned());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Some("contains `..`, which makes its location unclear".to_owned());
    }
    if path.parent().is_none() || is_same(path, Path::new("/")) {
        return Some("is the root of the file system".to_owned());
    }
    for (folder, what) in protected {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        for (height, around) in folder.ancestors().enumerate() {
            if path == around || is_same(path, around) {
                return Some(match height {
                    0 => format!("is {what}"),
                    _ => format!("contains {what}"),
                });
            }
        }
    }
    None
}

/// Whether both paths lead to the same folder.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: impl AsRef<Path>, home: &Path) -> String {
        let protected = [(home.to_owned(), "your home folder")];
        reason(path.as_ref(), &protected).unwrap_or_default()
    }

    #[test]
    fn places_that_hold_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home/me");
        fs::create_dir_all(&home).unwrap();
        assert!(refused(".", &home).contains("relative"));
        assert!(refused("evenhand", &home).contains("relative"));
        assert!(refused("~/evenhand", &home).contains("relative"));
        assert!(refused("/", &home).contains("root of the file system"));
        assert!(refused("/.", &home).contains("root of the file system"));
        assert!(refused("//", &home).contains("root of the file system"));
        assert_eq!(refused(&home, &home), "is your home folder");
        assert_eq!(
            refused(home.parent().unwrap(), &home),
            "contains your home folder"
        );
        assert!(refused(home.join("a/../.."), &home).contains("`..`"));
        assert_eq!(refused(home.join("evenhand"), &home), "");
        assert_eq!(refused(folder.path().join("other"), &home), "");
    }

    #[test]
    fn a_link_does_not_hide_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("me");
        fs::create_dir(&home).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&home, &link).unwrap();
        assert_eq!(refused(&link, &home), "is your home folder");
        let linked_home = folder.path().join("linked home");
        std::os::unix::fs::symlink(&home, &linked_home).unwrap();
        assert_eq!(refused(&home, &linked_home), "is your home folder");
    }
}
