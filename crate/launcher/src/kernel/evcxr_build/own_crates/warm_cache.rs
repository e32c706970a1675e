//! Hands what was compiled for a kernel to the warm build, from which the next kernel has it.
//!
//! A file that is there is never replaced. Cargo takes a package for compiled by its fingerprint, so
//! the fingerprints come last: who copies the warm build meanwhile compiles a package again at worst.

use std::fs;
use std::io;
use std::path::Path;

use super::super::copy::{copy_file, is_artifact};
use crate::paths::home::private;

/// The variable that names the warm build's directory.
pub const WARM: &str = "EVENHAND_WARM";

/// The folders of a target, in the order in which they are handed over.
const FOLDERS: [&str; 3] = ["build", "deps", ".fingerprint"];

/// Hands over what the warm build lacks.
pub(super) fn keep(build: &Path, warm: &Path, target: &str) -> io::Result<()> {
    let targets = [
        Path::new("target/debug").to_owned(),
        Path::new("target").join(target).join("debug"),
    ];
    for folder in FOLDERS {
        for target in &targets {
            add(
                &build.join(target).join(folder),
                &warm.join(target).join(folder),
                true,
            )?;
        }
    }
    Ok(())
}

fn add(from: &Path, to: &Path, is_top: bool) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if is_top && (target.exists() || is_of_cells(&name.to_string_lossy())) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            private::create_folder(&target)?;
            add(&entry.path(), &target, false)?;
        } else if entry.file_type()?.is_file() {
            copy(&entry.path(), &target, &name.to_string_lossy())?;
        }
    }
    Ok(())
}

/// Copies a file under another name first, so that nobody sees half of it.
fn copy(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    let mut half = to.as_os_str().to_owned();
    half.push(".half");
    let half = Path::new(&half);
    copy_file(from, half, is_artifact(name))?;
    fs::rename(half, to)
}

/// Whether this is of the cells, or of the packages that only hold a graph together.
fn is_of_cells(name: &str) -> bool {
    let name = name.strip_prefix("lib").unwrap_or(name);
    ["ctx", "code_", "evenhand"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_build_gets_what_it_lacks_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let (build, warm) = (folder.path().join("build"), folder.path().join("warm"));
        let write = |root: &Path, file: &str, text: &str| {
            let path = root.join("target").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for file in [
            "t1/debug/deps/libchrono-1.rlib",
            "t1/debug/deps/libserde-1.rlib",
            "t1/debug/deps/libctx.so",
            "t1/debug/deps/libcode_3.so",
            "t1/debug/.fingerprint/chrono-1/lib-chrono",
            "t1/debug/.fingerprint/evenhand_shared-1/x",
            "debug/build/ring-2/out/a.o",
        ] {
            write(&build, file, "own");
        }
        for folder in FOLDERS {
            fs::create_dir_all(warm.join("target/t1/debug").join(folder)).unwrap();
            fs::create_dir_all(warm.join("target/debug").join(folder)).unwrap();
        }
        write(&warm, "t1/debug/deps/libserde-1.rlib", "warm");
        keep(&build, &warm, "t1").unwrap();
        let text = |file: &str| fs::read_to_string(warm.join("target").join(file)).ok();
        let own = Some("own".to_owned());
        assert_eq!(text("t1/debug/deps/libchrono-1.rlib"), own);
        assert_eq!(text("t1/debug/.fingerprint/chrono-1/lib-chrono"), own);
        assert_eq!(text("debug/build/ring-2/out/a.o"), own);
        assert_eq!(
            text("t1/debug/deps/libserde-1.rlib"),
            Some("warm".to_owned())
        );
        for of_cells in ["t1/debug/deps/libctx.so", "t1/debug/deps/libcode_3.so"] {
            assert_eq!(text(of_cells), None);
        }
        assert!(
            !warm
                .join("target/t1/debug/.fingerprint/evenhand_shared-1")
                .exists()
        );
    }
}
