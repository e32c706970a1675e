//! The Python environment with JupyterLab and the model's engine.
//!
//! The wanted packages are listed in one place, the pip section of `environment.yml`. The packages
//! that are installed for it, with all dependencies and their hashes, are listed in
//! `crate/launcher/requirements.txt`; the comment at the top of that file has the command that
//! generates it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::step::Step;
use crate::error::{Context, Failure, Result};
use crate::paths::checkout::Checkout;
use crate::paths::home::{Home, private};
use crate::tool;

/// The oldest Python version for which the engine has wheels.
const OLDEST: (u32, u32) = (3, 10);

/// Creates the environment unless it was made from the current `requirements.txt`.
pub fn ensure(project: &Checkout, home: &Home) -> Result<()> {
    let path = project.requirements();
    let wanted = fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!("could not read {}", path.display()))
            .because(error)
            .hint("restore the file: `git checkout crate/launcher/requirements.txt`")
    })?;
    let stamp = home.venv().join("evenhand-requirements.txt");
    if home.python().exists() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return settings(home);
    }
    let python = find_python()?;
    let mut step = Step::begin(
        home,
        "python",
        "the Python environment with JupyterLab",
        "about a minute, once",
    );
    // The target of a link is not ours to clear.
    if home.venv().is_symlink() {
        fs::remove_file(home.venv())
            .with_context(|| format!("could not replace the link {}", home.venv().display()))?;
    }
    step.run(
        tool::python(python)
            .args(["-m", "venv", "--clear"])
            .arg(home.venv()),
        |_| String::new(),
    )
    .map_err(|failure| match no_ensurepip() {
        true => failure.hint("install the package python3-venv (Debian, Ubuntu), then start again"),
        false => failure,
    })?;
    let mut pip = pinned(home, &path);
    step.run(&mut pip, |output| {
        format!(
            "{} packages",
            output
                .lines()
                .filter(|line| line.starts_with("Collecting "))
                .count()
        )
    })?;
    settings(home)?;
    fs::write(&stamp, &wanted).with_context(|| format!("could not write {}", stamp.display()))?;
    step.done();
    Ok(())
}

/// Requirements from which packages are installed into the environment, and the file that tells later
/// that they were.
pub(super) struct Wanted {
    text: String,
    stamp: PathBuf,
}

impl Wanted {
    /// The requirements in this file, unless the packages were installed from the same.
    pub(super) fn if_missing(requirements: &Path, stamp: PathBuf) -> Result<Option<Self>> {
        let text = fs::read_to_string(requirements)
            .with_context(|| format!("could not read {}", requirements.display()))?;
        let is_installed = fs::read_to_string(&stamp).is_ok_and(|have| have == text);
        Ok((!is_installed).then_some(Self { text, stamp }))
    }

    /// Notes that the packages are installed.
    pub(super) fn note_installed(self) -> Result<()> {
        fs::write(&self.stamp, self.text)
            .with_context(|| format!("could not write {}", self.stamp.display()))
    }
}

/// JupyterLab's settings, where the user has no others: it does not ask whether it may fetch news,
/// which would cover the notebook, and a button in a notebook's text runs no command of JupyterLab's, such
/// as the one that runs all cells.
fn settings(home: &Home) -> Result<()> {
    let folder = home.venv().join("share/jupyter/lab/settings");
    let file = folder.join("overrides.json");
    let settings = json!({
        "@jupyterlab/apputils-extension:notification": { "fetchNews": "false" },
        "@jupyterlab/apputils-extension:sanitizer": { "allowCommandLinker": false },
    })
    .to_string();
    if fs::read_to_string(&file).is_ok_and(|have| have == settings) {
        return Ok(());
    }
    let write = || {
        private::create_folder(&folder)?;
        fs::write(&file, settings)
    };
    write().with_context(|| format!("could not write into {}", folder.display()))
}

/// Describes the installed Python, if it is new enough.
pub fn find() -> Result<String> {
    let python = find_python()?;
    Ok(format!("Python, as {}", python.display()))
}

fn find_python() -> Result<PathBuf> {
    let hint = format!(
        "install Python {}.{} or newer, with its venv module",
        OLDEST.0, OLDEST.1
    );
    let mut found = None;
    for name in [
        "python3",
        "python",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
    ] {
        match version_of(name) {
            Some(version) if version >= OLDEST => return Ok(PathBuf::from(name)),
            Some(version) => found = found.or(Some((name, version))),
            None => {}
        }
    }
    Err(match found {
        Some((name, (major, minor))) => Failure::new(format!(
            "`{name}` is Python {major}.{minor}, which is too old"
        ))
        .hint(hint),
        None => Failure::new("Python was not found").hint(hint),
    })
}

fn version_of(name: &str) -> Option<(u32, u32)> {
    let output = tool::python(name)
        .args([
            "-c",
            "import sys; print(sys.version_info[0], sys.version_info[1])",
        ])
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Whether the module that installs pip into a new environment is missing, as in Debian's Python.
fn no_ensurepip() -> bool {
    find_python().is_ok_and(|python| {
        tool::python(python)
            .args(["-c", "import ensurepip"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| !status.success())
    })
}

/// pip, which installs the files that the requirements name by their hashes, and builds nothing.
pub(super) fn pinned(home: &Home, requirements: &Path) -> Command {
    let mut pip = pip(home, requirements);
    pip.args(["--only-binary", ":all:"]);
    pip
}

/// pip, which builds a package from its source, by its hash, with what the environment has. It
/// installs nothing else.
pub(super) fn built(home: &Home, requirements: &Path) -> Command {
    let mut pip = pip(home, requirements);
    pip.args(["--no-deps", "--no-build-isolation"]);
    pip
}

fn pip(home: &Home, requirements: &Path) -> Command {
    let mut pip = tool::python(home.python());
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        "--require-hashes",
        "--requirement",
    ])
    .arg(requirements);
    pip
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requirements below `- pip:` of `environment.yml`.
    fn wanted(project: &Checkout) -> Vec<String> {
        let text = fs::read_to_string(project.root().join("environment.yml")).unwrap();
        let (_, section) = text.split_once("- pip:\n").unwrap();
        let items = section
            .lines()
            .map_while(|line| line.trim().strip_prefix("- "));
        items.map(str::to_owned).collect()
    }

    #[test]
    fn what_is_installed_is_what_is_wanted_each_with_its_hashes() {
        let project = Checkout::locate().unwrap();
        let text = fs::read_to_string(project.requirements()).unwrap();
        let wanted = wanted(&project);
        assert_eq!(wanted.len(), 3);
        for requirement in wanted {
            assert!(text.contains(&format!("\n{requirement} ")), "{requirement}");
        }
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let code: Vec<_> = code.collect();
        assert!(code.len() > 100);
        for (line, next) in code.iter().zip(&code[1..]) {
            let is_hash = |line: &str| line.starts_with("    --hash=sha256:");
            assert!(is_hash(line) || line.contains("=="), "{line}");
            assert!(is_hash(line) || is_hash(next), "{line} has no hash");
        }
        assert!(!text.contains("://") && !text.contains("index-url"));
    }
}
