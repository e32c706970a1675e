//! How the packages that take longest to compile are compiled for cells: as in a release, and with less
//! optimization where hardly a row passes.
//!
//! evcxr compiles all packages alike, with optimization and with the checks of a debug build. polars is
//! two thirds of the first build, and its own tests are where its checks belong.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

/// The file among the shims.
pub(super) const FILE: &str = "profile.toml";

/// The packages, each with its optimization. What reads, computes, sorts and groups values has the whole of
/// it. The functions on columns have less: a loop over texts (`polars-expr`, `polars-ops`) takes two to four
/// times as long as with the whole, and up to six times without any, and the whole of it in `polars-expr`
/// alone is 85 CPU-seconds. What plans a query has none, and neither has what waits for a server.
const PACKAGES: [(&str, u8); 17] = [
    ("h2", 1),
    ("hyper", 1),
    ("hyper-util", 0),
    ("polars-arrow", 2),
    ("polars-compute", 2),
    ("polars-core", 2),
    ("polars-expr", 1),
    ("polars-io", 2),
    ("polars-lazy", 0),
    ("polars-mem-engine", 0),
    ("polars-ops", 1),
    ("polars-plan", 0),
    ("polars-row", 2),
    ("polars-time", 1),
    ("polars-utils", 2),
    ("reqwest", 0),
    ("rustls", 1),
];

/// The profile, as a file of cargo's configuration.
pub fn text() -> String {
    let mut text = String::new();
    for (package, level) in PACKAGES {
        let _ = write!(
            text,
            "[profile.dev.package.{package}]\nopt-level = {level}\ndebug-assertions = false\n\
             overflow-checks = false\n\n"
        );
    }
    text
}

/// What cargo is told to build with the file in this folder.
pub(super) fn option(shims: &Path) -> [OsString; 2] {
    ["--config".into(), shims.join(FILE).into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_one_that_the_toolkit_needs() {
        let lock = include_str!("../../../../../Cargo.lock");
        for (package, _) in PACKAGES {
            assert!(
                lock.contains(&format!("\nname = \"{package}\"\n")),
                "{package}"
            );
        }
        assert_eq!(text().matches("opt-level = ").count(), PACKAGES.len());
    }
}
