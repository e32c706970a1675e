//! The kernelspecs through which Jupyter finds `evenhand kernel`.
//!
//! That of the launcher has the same name as evcxr's own, `rust`, so that a notebook opens with
//! either. Only a Jupyter that the launcher starts looks in its folder. Those for other Jupyters are
//! written by `evenhand kernel install` (`installed`).

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::error::{Context, Result};
use crate::paths::home::{Home, private};

/// The kernel's name.
pub const NAME: &str = "rust";

/// The folder of the kernelspec.
pub fn folder(home: &Home) -> PathBuf {
    jupyter_path(home).join("kernels").join(NAME)
}

/// The folder to put on `JUPYTER_PATH`.
pub fn jupyter_path(home: &Home) -> PathBuf {
    home.kernel().join("jupyter")
}

/// Writes the kernelspec. It contains the path of this program, so it is written at each start.
pub fn install(home: &Home) -> Result<()> {
    let folder = folder(home);
    let spec = json!({
        "argv": super::command()?,
        "display_name": "Rust",
        "language": "rust",
        "interrupt_mode": "message",
        "env": { "EVENHAND_HOME": home.root() },
    });
    let write = || {
        private::create_folder(&folder)?;
        fs::write(folder.join("kernel.json"), format!("{spec:#}\n"))
    };
    write().with_context(|| format!("could not write the kernelspec in {}", folder.display()))
}
