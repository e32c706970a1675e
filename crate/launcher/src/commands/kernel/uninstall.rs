//! `evenhand kernel uninstall`: removes a kernelspec that the launcher wrote, and nothing else.

use super::place::Place;
use super::record;
use crate::error::{Failure, Result};
use crate::kernel::installed::{self, Found, InstalledSpec};
use crate::paths::home::Home;
use crate::terminal::{err, out};

/// The options of `evenhand kernel uninstall`.
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Place,
}

/// Removes the kernelspec at this place.
pub fn run(options: &Options, home: &Home) -> Result<()> {
    let place = options.place.locate()?;
    let folder = place.folder.display();
    match installed::find(&place.folder)? {
        Found::Ours(spec) => {
            remove(&spec)?;
            record::remove(home, &place.folder)
        }
        Found::Nothing => Err(Failure::new(format!("no kernel is installed in {folder}"))
            .hint("`evenhand kernel list` shows where kernels are installed")),
        Found::Foreign => Err(Failure::new(format!(
            "{folder} has a kernel or something else that evenhand did not install: it stays as it is"
        ))
        .hint("`jupyter kernelspec remove NAME` removes other kernels")),
    }
}

/// Removes all kernelspecs that start something in this home, before the home itself is removed.
pub fn all(home: &Home) {
    for folder in record::folders(home) {
        let removed = match installed::find(&folder) {
            Ok(Found::Ours(spec)) if spec.home == home.root() => remove(&spec),
            Ok(_) => Ok(()),
            Err(failure) => Err(failure),
        };
        // The rest is removed all the same, and `list` names what is left.
        if let Err(failure) = removed {
            err!("! {failure}");
        }
    }
}

fn remove(spec: &InstalledSpec) -> Result<()> {
    let gone = spec.remove()?;
    out!(
        "✓ removed the kernel `{}` in {}",
        spec.name(),
        spec.folder.display()
    );
    if !gone {
        out!("! the folder stays: it has files that evenhand did not write");
    }
    Ok(())
}
