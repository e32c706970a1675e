//! The kernel's program, `evcxr_jupyter`: the launcher's own, or the one on PATH if it fits.

use std::path::{Path, PathBuf};

use super::home::Home;
use super::which::all_on_path;

/// The version that everything here was tested with.
pub const VERSION: &str = "0.22.0";

/// The kernel's program: the launcher's own, or a fitting one on PATH.
pub fn kernel_program(home: &Home) -> Option<PathBuf> {
    let own = own_program(home);
    if own.is_file() {
        return Some(own);
    }
    all_on_path("evcxr_jupyter").find(|program| fits(program))
}

/// The path of the launcher's own program, whether it has been built or not.
pub fn own_program(home: &Home) -> PathBuf {
    home.kernel().join("bin").join("evcxr_jupyter")
}

/// Whether the version fits. The program cannot print its version, but cargo and conda, which
/// install it, record it.
fn fits(program: &Path) -> bool {
    let minor = VERSION.rsplit_once('.').map_or(VERSION, |(minor, _)| minor);
    let Some(root) = program.parent().and_then(Path::parent) else {
        return false;
    };
    let cargo = std::fs::read_to_string(root.join(".crates.toml"))
        .is_ok_and(|crates| crates.contains(&format!("\"evcxr_jupyter {minor}.")));
    let conda = || {
        std::fs::read_dir(root.join("conda-meta")).is_ok_and(|entries| {
            entries.filter_map(std::io::Result::ok).any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("evcxr-{minor}."))
            })
        })
    };
    cargo || conda()
}
