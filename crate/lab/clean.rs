//! Removes what the launcher made.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::home::Home;

/// Everything that the launcher puts into its home; whatever else lies there is left alone.
const MADE: &[&str] = &["venv", "kernel", "warm", "model", "logs", "setup.lock"];

/// Removes the launcher's files, and its folder if nothing else is in it.
pub fn run(home: &Home) -> Result<()> {
    if !home.root().exists() {
        out!(
            "nothing to remove: {} does not exist",
            home.root().display()
        );
        return Ok(());
    }
    let _alone = crate::setup::exclusive(home)?;
    for name in MADE {
        remove(&home.root().join(name))?;
    }
    // It fails, as it should, where the folder holds files of others.
    let _ = fs::remove_dir(home.root());
    out!(
        "removed what evenhand had made in {}",
        home.root().display()
    );
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("could not remove {}", path.display()))
                .because(error)
                .hint("close the notebooks that use it, and check that the files are yours"))
        }
        _ => Ok(()),
    }
}
