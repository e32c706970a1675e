//! The Python environment: JupyterLab and the model's engine, in a folder of their own.
//!
//! What is installed stands in one place, the pip section of `environment.yml`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use super::step::Step;
use crate::failure::{Context, Failure, Result};
use crate::home::Home;
use crate::project::Project;

/// The engine's wheels need at least this one.
const OLDEST: (u32, u32) = (3, 10);

/// Makes the environment unless it holds just what `environment.yml` asks for.
pub fn ensure(project: &Project, home: &Home) -> Result<()> {
    let wanted = requirements(project)?;
    let stamp = home.venv().join("evenhand-requirements.txt");
    if home.python().exists() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    let python = find_python()?;
    let mut step = Step::begin(
        home,
        "python",
        "the Python environment with JupyterLab",
        "about a minute, once",
    );
    step.run(
        Command::new(python)
            .args(["-m", "venv", "--clear"])
            .arg(home.venv()),
        |_| String::new(),
    )
    .map_err(|failure| match no_ensurepip() {
        true => failure.hint("install the package python3-venv (Debian, Ubuntu), then start again"),
        false => failure,
    })?;
    let mut pip = Command::new(home.python());
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ])
    .args(wanted.lines());
    step.run(&mut pip, |output| {
        format!(
            "{} packages",
            output
                .lines()
                .filter(|line| line.starts_with("Collecting "))
                .count()
        )
    })?;
    no_news(home)?;
    fs::write(&stamp, &wanted).doing(|| format!("could not write {}", stamp.display()))?;
    step.done();
    Ok(())
}

/// JupyterLab would ask each learner whether it may fetch news, over the notebook.
fn no_news(home: &Home) -> Result<()> {
    let folder = home.venv().join("share/jupyter/lab/settings");
    let settings =
        json!({ "@jupyterlab/apputils-extension:notification": { "fetchNews": "false" } });
    let write = || {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("overrides.json"), settings.to_string())
    };
    write().doing(|| format!("could not write into {}", folder.display()))
}

/// The lines of the pip section.
fn requirements(project: &Project) -> Result<String> {
    let path = project.environment();
    let text = fs::read_to_string(&path).doing(|| format!("could not read {}", path.display()))?;
    let lines = pip_section(&text);
    if lines.is_empty() {
        return Err(
            Failure::new(format!("{} has no pip section", path.display()))
                .hint("restore the file: `git checkout environment.yml`"),
        );
    }
    Ok(lines.join("\n"))
}

/// The requirements below `- pip:`: the items that stand deeper than it.
fn pip_section(text: &str) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim() != "- pip:");
    let Some(head) = lines.next() else {
        return Vec::new();
    };
    lines
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .take_while(|line| depth(line) > depth(head))
        .filter_map(|line| line.trim().strip_prefix("- "))
        .map(|item| {
            item.split(" #")
                .next()
                .unwrap_or(item)
                .trim()
                .trim_matches('"')
                .to_owned()
        })
        .collect()
}

/// Which Python there is, if it is new enough.
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
    let output = Command::new(name)
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

/// Debian's Python comes without the module that puts pip into a new environment.
fn no_ensurepip() -> bool {
    find_python().is_ok_and(|python| {
        Command::new(python)
            .args(["-c", "import ensurepip"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| !status.success())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pip_section_is_what_stands_below_pip() {
        let text = "name: evenhand\ndependencies:\n  - python=3.12\n  - pip:\n      # comment\n      \
                    - jupyterlab==4.5.0\n      - \"xllamacpp==1.0\" # engine\n\n  - rust\n";
        assert_eq!(pip_section(text), ["jupyterlab==4.5.0", "xllamacpp==1.0"]);
        assert!(pip_section("dependencies:\n  - rust\n").is_empty());
    }
}
