//! Puts a copy of the launcher into its own folder, which installed kernelspecs start.

use std::fs;

use crate::error::{Context, Result};
use crate::kernel::starter_of;
use crate::paths::home::{Home, private};
use crate::paths::own_program::own_program;

/// Replaces the copy by one of this program. A kernel that runs keeps the old one.
pub fn ensure(home: &Home) -> Result<()> {
    let program = own_program()?;
    let starter = starter_of(home);
    if program == starter {
        return Ok(());
    }
    let new = starter.with_extension("new");
    let copy = || {
        starter.parent().map_or(Ok(()), private::create_folder)?;
        // The permissions come with it.
        fs::copy(&program, &new)?;
        fs::rename(&new, &starter)
    };
    copy().with_context(|| format!("could not write {}", starter.display()))
}
