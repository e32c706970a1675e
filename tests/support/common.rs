//! What every test program needs: reporting skipped tests, and waiting for conditions.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Reports that the running test is skipped, and why.
///
/// # Panics
/// With `EVENHAND_TESTS_NO_SKIP=1`: if everything is installed, a skip is a failure.
pub(crate) fn skip(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        std::env::var_os("EVENHAND_TESTS_NO_SKIP").is_none_or(|value| value != "1"),
        "{test} would be skipped, and EVENHAND_TESTS_NO_SKIP=1 forbids that: {reason}"
    );
    note(&format!("SKIPPED: {test}: {reason}"));
}

/// Writes a line that is shown even if the test passes.
///
/// `cargo test` captures what a passing test prints with the macros, but not what is written to the
/// stream directly.
pub(crate) fn note(line: &str) {
    // In one call, so that parallel tests do not split each other's lines.
    let _ = std::io::stderr().write_all(format!("\n{line}\n").as_bytes());
}

/// A file that a test leaves for people to look at, in Cargo's folder for that.
pub(crate) fn artifact(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Tries until there is a result or the deadline has passed.
pub(crate) fn poll<T>(deadline: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        // The last attempt is made after the deadline: on a busy machine, a single sleep can take
        // that long.
        let late = Instant::now() >= end;
        match attempt() {
            Some(value) => return Some(value),
            None if late => return None,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The tested checkout. The tests belong to the launcher's package, two folders below it.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
}

/// Whether the tests run as root, as in a container.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // On every Unix, a new file belongs to the user who created it.
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .is_ok_and(|file| file.uid() == 0)
}
