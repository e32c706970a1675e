//! `evenhand clean`: removes everything that the launcher created in its home.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::commands::{cloud, kernel};
use crate::error::{Failure, Result};
use crate::paths::home::{Home, MADE, MARKER, State};
use crate::terminal::out;

/// Removes the launcher's files, and its folder if it contains nothing else. Other files are
/// kept, and so is the marker that the folder is ours. The kernels that were installed for other
/// Jupyters are removed first, since they start a program in it.
pub fn run(home: &Home) -> Result<()> {
    let nothing = match home.state()? {
        State::Absent => "does not exist",
        State::Empty => "is empty",
        State::Unmarked | State::Ours => "",
    };
    if !nothing.is_empty() {
        out!("nothing to remove: {} {nothing}", home.root().display());
        return Ok(());
    }
    if let Some(ledger) = cloud::ledger::of_a_real_cloud(home) {
        return Err(Failure::new(format!(
            "{} tells what was made in Azure, which may cost money",
            ledger.display()
        ))
        .hint("remove that first: `evenhand cloud down`"));
    }
    let _alone = crate::setup::exclusive(home)?;
    kernel::uninstall_all(home);
    for name in MADE {
        remove(&home.root().join(name))?;
    }
    if holds_only_the_marker(home.root()) {
        remove(&home.root().join(MARKER))?;
        // This fails, as it should, if another process has just put a file there.
        let _ = fs::remove_dir(home.root());
    }
    out!(
        "removed everything that evenhand had created in {}",
        home.root().display()
    );
    Ok(())
}

fn holds_only_the_marker(root: &Path) -> bool {
    fs::read_dir(root).is_ok_and(|entries| {
        entries
            .filter_map(std::io::Result::ok)
            .all(|entry| entry.file_name() == MARKER)
    })
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
