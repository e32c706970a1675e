//! `evenhand kernel install`: any Jupyter of the machine then offers the kernel, as warm as that of
//! `evenhand lab`.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::{Located, Place};
use super::record;
use crate::error::{Failure, Result};
use crate::kernel::installed::{self, Found};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::terminal::out;

/// The length limit of a name that readers see.
const MAX_NAME: usize = 100;

/// The options of `evenhand kernel install`.
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// The name that readers see
    #[arg(long, value_name = "TEXT", default_value = "Rust (evenhand)")]
    display_name: String,
}

/// Checks the place, sets up what is missing, and writes the kernelspec.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<()> {
    let shown = shown(&options.display_name)?;
    let place = options.place.locate()?;
    place.check_version()?;
    check_owner(&place, project)?;
    check_writable(&place.folder)?;
    setup::kernel(home)?;
    setup::library(project, home)?;
    setup::starter(home)?;
    installed::write(&place.folder, &installed::content(home, project, shown)?)?;
    record::add(home, &place.folder)?;
    print_installed(&place, shown);
    Ok(())
}

fn shown(name: &str) -> Result<&str> {
    let is_plain = !name.trim().is_empty()
        && name.chars().count() <= MAX_NAME
        && evenhand::text::terminal::sanitize(name) == name
        && !name.contains('\n');
    is_plain.then_some(name).ok_or_else(|| {
        Failure::new(
            "--display-name is empty, longer than 100 characters, or has invisible \
             characters",
        )
        .hint("use a short line of text, such as 'Rust (evenhand)'")
    })
}

/// Refuses to replace what is not ours, or another checkout's kernel that still works.
fn check_owner(place: &Located, project: &Checkout) -> Result<()> {
    let folder = place.folder.display();
    match installed::find(&place.folder)? {
        Found::Nothing => Ok(()),
        Found::Foreign => Err(Failure::new(format!(
            "{folder} has a kernel or something else that evenhand did not install: it stays as it is"
        ))
        .hint("choose another --name, or remove it yourself")),
        Found::Ours(other) if other.checkout != project.root() && other.trouble().is_none() => {
            Err(Failure::new(format!(
                "the kernel `{}` in {folder} belongs to another checkout, {} (version {}): it stays \
                 as it is",
                place.name,
                other.checkout.display(),
                other.version
            ))
            .hint(
                "choose another --name and --display-name to have both, or run `evenhand kernel \
                 uninstall` with the same options first",
            ))
        }
        Found::Ours(_) => Ok(()),
    }
}

/// Refuses a place that can't be written to, before minutes are spent on the setup.
fn check_writable(folder: &Path) -> Result<()> {
    let kernels = folder.parent().unwrap_or(folder);
    let made = missing_files(kernels);
    let tried = fs::create_dir_all(kernels).and_then(|()| {
        let inside = match folder.is_dir() {
            true => folder,
            false => kernels,
        };
        tempfile::tempfile_in(inside).map(drop)
    });
    // What a failed attempt has created is removed again; what is not empty stays.
    if tried.is_err() {
        for folder in made {
            let _ = fs::remove_dir(folder);
        }
    }
    tried.map_err(|error| {
        Failure::new(format!("could not write to {}", kernels.display()))
            .because(error)
            .hint(
                "install it for yourself alone with --user, into the active Python environment with \
                 --sys-prefix, or below a folder of yours with --prefix",
            )
    })
}

/// The folders on the way that do not exist yet, the innermost first.
fn missing_files(folder: &Path) -> Vec<PathBuf> {
    folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect()
}

fn print_installed(place: &Located, shown: &str) {
    out!(
        "✓ Jupyter offers '{shown}' (kernel `{}`), from {}",
        place.name,
        place.folder.display()
    );
    let client = place.python.as_ref().map(|python| (python, &python.client));
    if let Some((python, None)) = client.filter(|_| place.is_of_python) {
        out!(
            "! no Jupyter is installed in {} yet; once there is one, it offers the kernel",
            python.prefix.display()
        );
    }
    let own = std::env::var_os("HOME").map(PathBuf::from);
    if !own.is_some_and(|own| place.folder.starts_with(own)) {
        out!(
            "! only you can start it: what it needs is in evenhand's folder, which is closed to other users"
        );
    }
    out!(
        "  In a notebook, `:dep evenhand` means this toolkit. Its cells ask the service that the \
         environment or a file .env next to the notebook names; `evenhand serve` starts the local model."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_readers_is_a_line_of_text() {
        assert_eq!(shown("Rust 🦀 (evenhand)").unwrap(), "Rust 🦀 (evenhand)");
        for name in [
            "",
            " ",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            &"x".repeat(101),
        ] {
            assert!(shown(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_refused_place_leaves_no_folders() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let failure = check_writable(&file.join("share/jupyter/kernels/evenhand")).unwrap_err();
        assert!(
            failure
                .to_string()
                .contains("hint: install it for yourself")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        check_writable(&folder.path().join("a/kernels/evenhand")).unwrap();
        assert!(folder.path().join("a/kernels").is_dir());
        assert!(!folder.path().join("a/kernels/evenhand").exists());
    }
}
