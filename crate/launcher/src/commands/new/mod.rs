//! `evenhand new`: writes a first notebook, which runs as it is and shows how to continue.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Context, Failure, Result};
use crate::terminal::out;

/// The notebook.
const NOTEBOOK: &str = include_str!("first-questions.ipynb");
const NAME: &str = "first-questions.ipynb";

/// The options of `evenhand new`.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The folder of the notebook, which is created if needed
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// Writes the notebook, unless there is a file of its name.
pub fn run(options: &Options) -> Result<()> {
    let path = write(&options.folder)?;
    out!("✓ wrote {}", path.display());
    out!("  open it with `evenhand lab {}`", path.display());
    Ok(())
}

fn write(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder).because(error))?;
    let path = folder.join(NAME);
    let mut file = File::create_new(&path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(format!(
            "{} is there already, and stays as it is",
            path.display()
        ))
        .hint("name another folder: `evenhand new DIR`"),
        _ => unwritable(folder).because(error),
    })?;
    file.write_all(NOTEBOOK.as_bytes())
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

fn unwritable(folder: &Path) -> Failure {
    Failure::new(format!(
        "could not write a notebook to {}",
        folder.display()
    ))
    .hint("name a folder of yours: `evenhand new DIR`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::notebook::Notebook;

    #[test]
    fn a_notebook_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder.path().join("a/b")).unwrap();
        let notebook = Notebook::load(&path).unwrap();
        assert!(notebook.uses_the_library());
        fs::write(&path, "mine").unwrap();
        let refused = write(&folder.path().join("a/b")).unwrap_err().to_string();
        assert!(
            refused.contains("stays as it is\n  hint: name another folder"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let refused = write(&folder.path().join("file/b"))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("could not write a notebook to "),
            "{refused}"
        );
        assert!(
            refused.contains("hint: name a folder of yours"),
            "{refused}"
        );
    }

    #[test]
    fn it_is_stored_as_jupyter_stores_it() {
        let notebook = Notebook::parse(Path::new(NAME), NOTEBOOK.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(notebook.to_bytes().unwrap()).unwrap(),
            NOTEBOOK
        );
    }
}
