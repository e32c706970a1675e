//! A notebook as an HTML page, by Jupyter's own converter.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::{Context, Failure, Result};
use crate::jupyter::notebook::Notebook;
use crate::paths::home::Home;
use crate::tool;

/// The scripts that nbconvert's pages fetch from other sites: for widgets and
/// formulas. A page that is handed on shall show the same without a network and
/// tell nobody that it is read, so they are empty, and a formula is shown as its
/// source. (A diagram in Mermaid's language would still fetch its script.)
const NO_SCRIPTS: [&str; 3] = [
    "--HTMLExporter.require_js_url=data:text/javascript,",
    "--HTMLExporter.jquery_url=data:text/javascript,",
    "--HTMLExporter.mathjax_url=data:text/javascript,",
];

/// Writes the page into the folder.
pub async fn write(notebook: &mut Notebook, folder: &Path, home: &Home) -> Result<PathBuf> {
    let python = home.python();
    // The converter reads a copy, since the page is wanted with or without the
    // notebook. Its highlighter must know the language, the notebook need not.
    notebook.name_language();
    let copies = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .doing(|| "cannot make a temporary folder".to_owned())?;
    // The page's title is the name of the file that it is made from.
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
        // Its settings and templates are looked for where it works, and could run a stranger's
        // code from the notebook's folder.
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
