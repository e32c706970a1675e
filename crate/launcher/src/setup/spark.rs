//! The local Spark engine, Sail, in the Python environment of JupyterLab. It is installed when a
//! session first wants it, since most readers never do.

use std::fs;

use super::python::pinned;
use super::step::Step;
use crate::error::{Context, Result};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Installs the engine unless it was installed from the current requirements. pip checks its hash.
pub fn ensure(project: &Checkout, home: &Home) -> Result<()> {
    let path = project.spark_requirements();
    let wanted =
        fs::read_to_string(&path).doing(|| format!("could not read {}", path.display()))?;
    let stamp = home.spark_stamp();
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    let mut step = Step::begin(home, "spark", "the local Spark engine, Sail", "63 MB, once");
    let mut pip = pinned(home, &path);
    pip.arg("--no-deps");
    step.run(&mut pip, |_| String::new())?;
    fs::write(&stamp, &wanted).doing(|| format!("could not write {}", stamp.display()))?;
    step.done();
    Ok(())
}

#[cfg(test)]
mod tests {
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
