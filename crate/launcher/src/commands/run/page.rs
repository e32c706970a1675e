//! Writes a notebook as an HTML page, with Jupyter's own converter.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{pictures, policy};
use crate::error::{Context, Failure, Result};
use crate::jupyter::notebook::{Notebook, on_a_line};
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
        .with_context(|| "cannot make a temporary folder".to_owned())?;
    // The page's title is the name of the file that it is converted from.
    let copy = copies
        .path()
        .join(notebook.stem())
        .with_added_extension("ipynb");
    notebook.save(&copy)?;

    let folder = std::path::absolute(folder)
        .with_context(|| format!("no such folder: {}", folder.display()))?;
    let output = Command::from(tool::python(&python))
        .args(["-m", "nbconvert", "--to", "html", "--log-level", "ERROR"])
        .args(NO_SCRIPTS)
        .arg("--output-dir")
        .arg(copies.path())
        .arg(output_argument(notebook.stem()))
        .arg(literal(copy.as_os_str()))
        // It looks for settings and templates in its working directory. In the notebook's folder,
        // these could run somebody else's code.
        .current_dir(copies.path())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {}", python.display()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "nbconvert failed ({}):\n{}",
            output.status,
            stderr.trim_end()
        ))
        .hint(format!(
            "is nbconvert installed? `{} -m pip install nbconvert`",
            python.display()
        )));
    }
    let page = folder.join(named(notebook.stem()));
    let context = || format!("cannot write {}", on_a_line(&page));
    let made = copies.path().join(named(notebook.stem()));
    let made = std::fs::read_to_string(made).with_context(context)?;
    let made = pictures::embedded(made, notebook)?;
    let safe = policy::applied(made.as_bytes()).ok_or_else(|| {
        Failure::new("nbconvert's page has another form than expected, so its scripts could not be turned off")
            .hint("`evenhand clean`, then start again: that installs the version that is known")
    })?;
    put(&safe, &page).with_context(context)?;
    Ok(page)
}

/// Puts the page in this place, as a whole. What was there is replaced, and a link is not
/// followed: it may lead to any file of the user's.
fn put(page: &[u8], place: &Path) -> std::io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(page)?;
    file.persist(place)?;
    Ok(())
}

/// The page's name as one argument, since a name may begin with a hyphen.
fn output_argument(stem: &OsStr) -> OsString {
    let mut argument = OsString::from("--output=");
    argument.push(named(stem));
    argument
}

/// The path as a pattern of Python's `glob` that matches this path only.
fn literal(path: &OsStr) -> OsString {
    let mut pattern = Vec::new();
    for byte in path.as_bytes() {
        match byte {
            b'[' | b'*' | b'?' => pattern.extend([b'[', *byte, b']']),
            _ => pattern.push(*byte),
        }
    }
    OsString::from_vec(pattern)
}

fn named(stem: &OsStr) -> PathBuf {
    let mut name = stem.to_owned();
    name.push(".html");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_not_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("mine"), "keep").unwrap();
        std::os::unix::fs::symlink("mine", path("page.html")).unwrap();
        put(b"page", &path("page.html")).unwrap();
        assert_eq!(std::fs::read_to_string(path("mine")).unwrap(), "keep");
        assert_eq!(std::fs::read_to_string(path("page.html")).unwrap(), "page");
        assert!(!path("page.html").is_symlink());
    }

    #[test]
    fn a_name_is_neither_a_pattern_nor_an_option() {
        assert_eq!(literal("/t/a[1]*?.ipynb".as_ref()), "/t/a[[]1][*][?].ipynb");
        assert_eq!(output_argument("-a".as_ref()), "--output=-a.html");
    }
}
