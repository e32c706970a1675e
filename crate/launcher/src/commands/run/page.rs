//! Writes a notebook as an HTML page, with Jupyter's own converter.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::{Context, Failure, Result};
use crate::jupyter::notebook::Notebook;
use crate::paths::home::Home;
use crate::tool;

/// Replaces the scripts that nbconvert's pages fetch from other sites, for widgets and formulas,
/// by empty ones. A page that is passed on should look the same without a network, and should not
/// report to other sites that it is read. A formula is shown as its source. (A Mermaid diagram
/// would still fetch its script.)
const NO_SCRIPTS: [&str; 3] = [
    "--HTMLExporter.require_js_url=data:text/javascript,",
    "--HTMLExporter.jquery_url=data:text/javascript,",
    "--HTMLExporter.mathjax_url=data:text/javascript,",
];

/// Writes the page to the folder.
pub async fn write(notebook: &mut Notebook, folder: &Path, home: &Home) -> Result<PathBuf> {
    let python = home.python();
    // The converter reads a copy, since the page may be wanted without the executed notebook. Its
    // highlighter needs the language, which the notebook itself need not name.
    notebook.name_language();
    let copies = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .doing(|| "cannot make a temporary folder".to_owned())?;
    // The page's title is the name of the file that it is converted from.
    let copy = copies
        .path()
        .join(notebook.stem())
        .with_added_extension("ipynb");
    notebook.save(&copy)?;

    let folder =
        std::path::absolute(folder).doing(|| format!("no such folder: {}", folder.display()))?;
    let output = Command::from(tool::python(&python))
        .args([
            "-m",
            "nbconvert",
            "--to",
            "html",
            "--embed-images",
            "--log-level",
            "ERROR",
        ])
        .args(NO_SCRIPTS)
        .arg("--output-dir")
        .arg(&folder)
        .arg("--output")
        .arg(named(notebook.stem()))
        .arg(&copy)
        // It looks for settings and templates in its working directory. In the notebook's folder,
        // these could run somebody else's code.
        .current_dir(copies.path())
        .kill_on_drop(true)
        .output()
        .await
        .doing(|| format!("cannot start {}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "nbconvert failed ({}):\n{}",
            output.status,
            said.trim_end()
        ))
        .hint(format!(
            "is nbconvert installed? `{} -m pip install nbconvert`",
            python.display()
        )));
    }
    Ok(folder.join(named(notebook.stem())))
}

fn named(stem: &OsStr) -> PathBuf {
    let mut name = stem.to_owned();
    name.push(".html");
    name.into()
}
