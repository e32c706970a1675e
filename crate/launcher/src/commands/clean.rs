//! Removes what the launcher made, from a home that is ours.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Failure, Result};
use crate::paths::home::{Home, MADE, MARKER, State};

/// Removes the launcher's files, and its folder if nothing else is in it. Files of others stay,
/// and with them the mark that the folder is ours.
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
    let _alone = crate::setup::exclusive(home)?;
    for name in MADE {
        remove(&home.root().join(name))?;
    }
    if holds_only_the_marker(home.root()) {
        remove(&home.root().join(MARKER))?;
        // It fails, as it should, where somebody put a file there just now.
        let _ = fs::remove_dir(home.root());
    }
    out!(
        "removed what evenhand had made in {}",
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
