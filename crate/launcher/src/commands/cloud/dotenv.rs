//! The settings in `.env`: a block of lines of our own, between two marks. All other lines stay as they are,
//! and a variable that one of them sets is not set twice.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{Context, Failure, Result};

const BEGIN: &str = "# evenhand cloud: begin. `evenhand cloud down` removes these lines";
const END: &str = "# evenhand cloud: end";

/// The largest file that is changed.
const LARGEST: u64 = 1 << 20;

/// The variables that are set.
pub(super) const NAMES: [&str; 5] = [
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_DEPLOYMENT",
    "AZURE_OPENAI_TPM",
    "AZURE_OPENAI_RPM",
];

/// A file as it was found: what is before our block, and after it.
struct Found {
    before: Vec<u8>,
    after: Vec<u8>,
    has_block: bool,
}

/// Whether the settings can be written.
///
/// # Errors
/// The file is not the user's, or sets one of the variables itself.
pub(super) fn check(path: &Path) -> Result<()> {
    let found = find(path)?;
    for part in [&found.before, &found.after] {
        for line in String::from_utf8_lossy(part).lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let name = line.split('=').next().unwrap_or_default().trim();
            if NAMES.contains(&name) && line.contains('=') {
                return Err(
                    Failure::new(format!("{} sets {name} already", path.display())).hint(
                        "remove that line, or write the settings to another file with `--env FILE`",
                    ),
                );
            }
        }
    }
    Ok(())
}

/// Writes these settings in place of the older ones. The file is readable by its owner alone.
pub(super) fn write(path: &Path, settings: &[(&str, String)]) -> Result<()> {
    let mut block = format!("{BEGIN}\n");
    for (name, value) in settings {
        if value.contains(['\'', '\n', '\r']) {
            return Err(
                Failure::new(format!("the value of {name} can't be written to a file"))
                    .hint("set it by hand"),
            );
        }
        block.push_str(&format!("{name}='{value}'\n"));
    }
    block.push_str(&format!("{END}\n"));
    let found = find(path)?;
    let mut text = found.before;
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend(block.as_bytes());
    text.extend(found.after);
    replace(path, &text)
}

/// Removes the settings, and the file if nothing else is in it.
pub(super) fn remove(path: &Path) -> Result<()> {
    let found = find(path)?;
    if !found.has_block {
        return Ok(());
    }
    let text = [found.before, found.after].concat();
    match text.is_empty() {
        true => fs::remove_file(path).with_context(|| unwritable(path)),
        false => replace(path, &text),
    }
}

fn find(path: &Path) -> Result<Found> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Found {
                before: Vec::new(),
                after: Vec::new(),
                has_block: false,
            });
        }
        Err(error) => return Err(error).with_context(|| unwritable(path)),
    };
    let refused = |why: &str| {
        Failure::new(format!("{} {why}", path.display()))
            .hint("write the settings to another file with `--env FILE`")
    };
    if !found.is_file() {
        return Err(refused("is a link or no file"));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(refused("belongs to another user"));
    }
    if found.len() > LARGEST {
        return Err(refused("is too large for a file of settings"));
    }
    let text = fs::read(path).with_context(|| unwritable(path))?;
    let (mut before, mut after, mut place) = (Vec::new(), Vec::new(), Place::Before);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let words = line.trim_ascii();
        match place {
            Place::Before if words == BEGIN.as_bytes() => place = Place::Inside,
            Place::Inside if words == END.as_bytes() => place = Place::After,
            Place::Before => before.extend(line),
            Place::Inside => {}
            Place::After => after.extend(line),
        }
    }
    match place {
        Place::Inside => Err(refused("has the first of our two marks and not the second")),
        _ => Ok(Found {
            before,
            after,
            has_block: place == Place::After,
        }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    After,
}

fn replace(path: &Path, text: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == text) && is_private(path) {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or(PathBuf::from("."), Path::to_owned);
    // Accessible to its owner alone from the first byte.
    let mut new = tempfile::NamedTempFile::new_in(folder).with_context(|| unwritable(path))?;
    new.write_all(text).with_context(|| unwritable(path))?;
    new.persist(path).with_context(|| unwritable(path))?;
    Ok(())
}

fn is_private(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.mode() & 0o077 == 0)
}

fn unwritable(path: &Path) -> String {
    format!("could not write the settings to {}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(key: &str) -> [(&'static str, String); 2] {
        [
            ("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:1/".to_owned()),
            ("AZURE_OPENAI_API_KEY", key.to_owned()),
        ]
    }

    #[test]
    fn other_lines_stay_byte_for_byte_and_the_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let others = b"A=1\r\nOWNER=O'Brien\n\xff\xfe=x\nAZURE_OPENAI_TPM_OTHER=1";
        fs::write(&path, others).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        check(&path).unwrap();
        for key in ["one", "two"] {
            write(&path, &settings(key)).unwrap();
        }
        let text = fs::read(&path).unwrap();
        assert!(text.starts_with(others));
        let text = String::from_utf8_lossy(&text);
        assert_eq!(text.matches("AZURE_OPENAI_API_KEY").count(), 1);
        assert!(text.contains("AZURE_OPENAI_API_KEY='two'\n"), "{text}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        remove(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [&others[..], b"\n"].concat());
    }

    #[test]
    fn a_file_of_ours_alone_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        write(&path, &settings("one")).unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
        remove(&path).unwrap();
    }

    #[test]
    fn what_is_set_by_others_or_is_no_file_of_ours_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        for line in ["AZURE_OPENAI_API_KEY=mine", "  export AZURE_OPENAI_TPM = 1"] {
            fs::write(&path, line).unwrap();
            let failure = check(&path).unwrap_err().to_string();
            assert!(
                failure.contains("already") && !failure.contains("mine"),
                "{failure}"
            );
        }
        fs::write(&path, format!("{BEGIN}\nA=1\n")).unwrap();
        assert!(write(&path, &settings("one")).is_err());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(check(&path).is_err());
        assert!(write(&path, &settings("a'b")).is_err());
    }
}
