//! The local Spark engine, Sail, in the Python environment of JupyterLab. It is installed when a
//! session first wants it, since most readers never do.

use super::python::{Wanted, pinned};
use super::step::Step;
use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Installs the engine unless it was installed from the current requirements. pip checks its hash.
pub fn ensure(project: &Checkout, home: &Home) -> Result<()> {
    let path = project.spark_requirements();
    let Some(wanted) = Wanted::if_missing(&path, home.spark_stamp())? else {
        return Ok(());
    };
    let mut step = Step::begin(home, "spark", "the local Spark engine, Sail", "63 MB, once");
    let mut pip = pinned(home, &path);
    pip.arg("--no-deps");
    step.run(&mut pip, |_| String::new())?;
    wanted.note_installed()?;
    step.done();
    Ok(())
}

// Two lists of packages with their own tests: what holds for one may change for the other.
#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_package_is_installed_and_pip_knows_its_hashes() {
        let project = Checkout::locate().unwrap();
        let text = fs::read_to_string(project.spark_requirements()).unwrap();
        let code = text.lines().filter(|line| !line.starts_with('#'));
        let (packages, hashes): (Vec<_>, Vec<_>) = code.partition(|line| line.contains("=="));
        assert_eq!(packages.len(), 1);
        assert!(packages[0].starts_with("pysail=="));
        assert!(hashes.len() >= 4, "one for each platform");
        assert!(
            hashes
                .iter()
                .all(|line| line.starts_with("    --hash=sha256:"))
        );
    }
}
