//! Makes a reduced copy of the sources of Rust's standard library. rust-analyzer, with which evcxr infers
//! the types of variables, keeps what it reads in memory: most of a kernel's memory is the standard
//! library.
//!
//! Left out are the intrinsics of all processors (two thirds of the text), tests, and the bodies of
//! functions, since the types of variables follow from signatures. Documentation stays.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Context, Result};
use crate::kernel::copy_reduced;
use crate::paths::home::{Home, private};
use crate::paths::library_sources::{folder, is_complete, locate};
use crate::paths::toolchain;

/// Folders that are not read. The manifests of all others stay, since rust-analyzer asks cargo for the
/// crates that the standard library itself depends on: without them, it knows no `HashMap`.
const LEFT_OUT: [&str; 5] = ["benches", "examples", "portable-simd", "stdarch", "tests"];

/// Modules of `core` that are elsewhere, and what replaces them, so that paths resolve.
const REPLACED: [(&str, &str); 2] = [
    ("stdarch/crates/core_arch/src/mod.rs", "pub mod arch {}\n"),
    (
        "portable-simd/crates/core_simd/src/mod.rs",
        "pub mod simd { pub mod prelude {} }\n",
    ),
];

/// Makes the copy unless there is one.
pub fn ensure(home: &Home) -> Result<()> {
    let copy = locate(home)?;
    if is_complete(&copy) {
        return Ok(());
    }
    let sources = toolchain::sources()?;
    let new = copy.with_extension("new");
    let make = || {
        // Those of other compilers, and what an interrupted setup left.
        match fs::remove_dir_all(folder(home)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        copy_reduced(&sources, &new, &LEFT_OUT, |_| true)?;
        for (file, text) in REPLACED {
            write(&new.join(file), text.as_bytes())?;
        }
        fs::rename(&new, &copy)
    };
    make().with_context(|| {
        format!(
            "could not copy the sources of Rust's library from {} to {}",
            sources.display(),
            copy.display()
        )
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), private::create_folder)?;
    fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::without_bodies;

    #[test]
    fn tests_and_bodies_are_left_out_and_the_rest_stays() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        for (file, text) in [
            ("lib.rs", "/// One.\npub fn one() -> u8 { 1 }\n"),
            ("a/docs.md", "fn two() { 2 }"),
            ("a/tests/mod.rs", "fn three() {}"),
        ] {
            write(&from.join(file), text.as_bytes()).unwrap();
        }
        copy_reduced(&from, &to, &LEFT_OUT, |_| true).unwrap();
        let read = |file: &str| fs::read_to_string(to.join(file)).unwrap();
        assert_eq!(read("lib.rs"), "/// One.\npub fn one() -> u8 {loop{}}\n");
        assert_eq!(read("a/docs.md"), "fn two() { 2 }");
        assert!(!to.join("a/tests").exists());
    }

    #[test]
    fn the_installed_sources_keep_their_items() {
        // A new machine has none until the setup adds them.
        crate::setup::toolchain::ensure().unwrap();
        let sources = toolchain::sources().unwrap();
        let file = sources.join("alloc/src/vec/mod.rs");
        let before = fs::read_to_string(file).unwrap();
        let after = without_bodies(&before);
        assert!(after.len() < before.len() * 9 / 10);
        let count = |text: &str, part: &str| text.matches(part).count();
        assert!(count(&after, "pub fn ") > 20);
        assert_eq!(
            count(&after, "\n    pub fn "),
            count(&before, "\n    pub fn ")
        );
        assert_eq!(count(&after, "\nimpl<"), count(&before, "\nimpl<"));
        assert_eq!(count(&after, "    /// "), count(&before, "    /// "));
    }
}
