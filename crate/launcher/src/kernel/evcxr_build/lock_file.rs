//! The lock file of a build directory, restored when cargo has dropped the library from it.

use std::fs;
use std::io;
use std::path::Path;

use super::own_crates;

/// Restores the lock file if the library is a dependency but is missing from the lock file.
pub(super) fn put_back(build: &Path, lock_file: &Path) -> io::Result<()> {
    let read = |name| fs::read_to_string(build.join(name)).unwrap_or_default();
    let wanted = own_crates::has_toolkit(&read("Cargo.toml"));
    let locked = read("Cargo.lock")
        .lines()
        .any(|line| line == "name = \"evenhand\"");
    if wanted && !locked {
        fs::copy(lock_file, build.join("Cargo.lock"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(manifest: &str, lock: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::write(&path, text).unwrap();
            path
        };
        write("Cargo.toml", manifest);
        let lock = write("Cargo.lock", lock);
        let workspace = "name = \"evenhand\"\nname = \"polars\"\n";
        put_back(folder.path(), &write("the workspace's.lock", workspace)).unwrap();
        fs::read_to_string(lock).unwrap().contains("polars")
    }

    #[test]
    fn a_pruned_lock_file_is_put_back_where_the_library_is_wanted() {
        assert!(restored(
            "[dependencies]\nevenhand = { path = \"x\" }\n",
            "version = 4\n"
        ));
        assert!(!restored("[dependencies]\n", "version = 4\n"));
        assert!(!restored("evenhand_other = \"1\"\n", "version = 4\n"));
        assert!(!restored(
            "evenhand = { path = \"x\" }\n",
            "name = \"evenhand\"\nname = \"added by the reader\"\n"
        ));
    }
}
