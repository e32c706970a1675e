//! Java, which Apache Spark runs on. The launcher installs none.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::error::{Failure, Result};
use crate::tool;

/// The oldest version that Spark 4 runs on.
const OLDEST: u32 = 17;

const HINT: &str = "install Java 17 or newer: `apt install openjdk-17-jre-headless` (Debian, Ubuntu), \
     `brew install openjdk@17` (macOS); or set JAVA_HOME. The engine that starts without SPARK_REMOTE \
     needs no Java";

/// Checks that there is a Java that is new enough: that of `JAVA_HOME`, else that on the `PATH`.
pub fn ensure() -> Result<()> {
    let home = std::env::var_os("JAVA_HOME").filter(|home| !home.is_empty());
    let program = home.map_or_else(
        || PathBuf::from("java"),
        |home| PathBuf::from(home).join("bin/java"),
    );
    check(&program)
}

fn check(program: &Path) -> Result<()> {
    let output = tool::command(program)
        .arg("-version")
        .stdin(Stdio::null())
        .output();
    // It says so on standard error.
    let message = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    match message.as_deref().map(version) {
        Ok(Some(version)) if version >= OLDEST => Ok(()),
        Ok(Some(version)) => Err(Failure::new(format!(
            "`{}` is Java {version}, and Apache Spark needs Java {OLDEST}",
            program.display()
        ))
        .hint(HINT)),
        Ok(None) | Err(_) => Err(Failure::new(format!(
            "Apache Spark needs Java {OLDEST}, and `{}` can't be run",
            program.display()
        ))
        .hint(HINT)),
    }
}

/// The version in `openjdk version "17.0.15" 2025-04-15`, or the 8 of `"1.8.0_452"`.
fn version(message: &str) -> Option<u32> {
    let (_, after) = message.split_once("version \"")?;
    let mut numbers = after.split(|letter: char| !letter.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        version => Some(version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_java_that_is_missing_or_too_old_has_a_hint() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let java = folder.path().join("java");
        let missing = check(&java).unwrap_err();
        assert!(missing.message().contains("can't be run"));
        std::fs::write(&java, "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n").unwrap();
        std::fs::set_permissions(&java, std::fs::Permissions::from_mode(0o755)).unwrap();
        let old = check(&java).unwrap_err();
        assert!(old.message().contains("is Java 11"), "{}", old.message());
        assert!(old.to_string().contains("openjdk-17-jre-headless"));
    }

    #[test]
    fn the_version_is_read_as_old_and_new_ones_print_it() {
        for (message, expected) in [
            ("openjdk version \"17.0.15\" 2025-04-15\n", Some(17)),
            (
                "Picked up _JAVA_OPTIONS: -Xmx1g\njava version \"21\" 2023-09-19 LTS",
                Some(21),
            ),
            ("java version \"1.8.0_452\"", Some(8)),
            ("openjdk version \"25-ea\"", Some(25)),
            ("The operation couldn't be completed.", None),
            ("version \"", None),
        ] {
            assert_eq!(version(message), expected, "{message}");
        }
    }
}
