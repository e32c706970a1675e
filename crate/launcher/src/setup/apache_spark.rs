//! Apache Spark itself, which a master such as `local[*]` asks for: half a gigabyte, and Java.

use super::java;
use super::python::{Wanted, built, pinned};
use super::step::Step;
use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Checks for Java, and installs Spark unless it was installed from the current requirements. pip
/// checks the hashes, also of what builds it.
pub fn ensure(project: &Checkout, home: &Home) -> Result<()> {
    java::ensure()?;
    let path = project.apache_spark_requirements();
    let Some(wanted) = Wanted::if_missing(&path, home.apache_spark_stamp())? else {
        return Ok(());
    };
    let takes = "456 MB, and a minute to build, once";
    let mut step = Step::begin(home, "apache-spark", "Apache Spark", takes);
    step.run(
        &mut pinned(home, &project.apache_spark_build_requirements()),
        |_| String::new(),
    )?;
    let mut pip = built(home, &path);
    step.run(&mut pip, |output| {
        match output.contains("Building wheel") {
            true => "building",
            false => "downloading",
        }
        .to_owned()
    })?;
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
    fn each_package_has_its_hash() {
        let project = Checkout::locate().unwrap();
        for (path, package) in [
            (project.apache_spark_requirements(), "pyspark=="),
            (project.apache_spark_build_requirements(), "setuptools=="),
        ] {
            let text = fs::read_to_string(path).unwrap();
            let mut code = text.lines().filter(|line| !line.starts_with('#'));
            assert!(code.next().unwrap().starts_with(package));
            assert!(code.next().unwrap().starts_with("    --hash=sha256:"));
            assert_eq!(code.next(), None);
        }
    }
}
