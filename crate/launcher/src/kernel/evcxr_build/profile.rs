//! How polars is compiled for cells: as in a release, and without optimization where hardly a row passes.
//!
//! evcxr compiles all packages alike, with optimization and with the checks of a debug build. polars is
//! two thirds of the first build, and its own tests are where its checks belong.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

/// The file among the shims.
pub(super) const FILE: &str = "profile.toml";

/// polars' packages that take time to compile, each with its optimization. What reads, computes and sorts
/// values has the whole of it, and so has `polars-expr`: the loops over texts are compiled there. What plans
/// a query has none.
const POLARS: [(&str, u8); 12] = [
    ("polars-arrow", 2),
    ("polars-compute", 2),
    ("polars-core", 2),
    ("polars-expr", 2),
    ("polars-io", 2),
    ("polars-lazy", 0),
    ("polars-mem-engine", 0),
    ("polars-ops", 2),
    ("polars-plan", 0),
    ("polars-row", 2),
    ("polars-time", 2),
    ("polars-utils", 2),
];

/// The profile, as a file of cargo's configuration.
pub fn text() -> String {
    let mut text = String::new();
    for (package, level) in POLARS {
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
    fn all_of_polars_that_the_toolkit_needs_is_named_as_it_is() {
        let lock = include_str!("../../../../../Cargo.lock");
        for (package, _) in POLARS {
            assert!(
                lock.contains(&format!("\nname = \"{package}\"\n")),
                "{package}"
            );
        }
        assert_eq!(text().matches("opt-level = ").count(), POLARS.len());
    }
}
