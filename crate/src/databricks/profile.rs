//! Profiles of `~/.databrickscfg`, the file that Databricks' own tools write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// The section whose `default_profile` names the profile to use.
const SETTINGS: &str = "__settings__";

/// The profile without any other name.
const DEFAULT: &str = "DEFAULT";

/// A profile, and where it was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Profile {
    /// A value such as `host`. An empty one counts as none.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// The profile of this name, else the file's default. `None` if no name is given and there is no
/// file, or it has no default.
///
/// # Errors
/// The file can't be read, or lacks the profile.
pub(super) fn read_profile(path: &Path, name: Option<&str>) -> Result<Option<Profile>> {
    let text = match std::fs::metadata(path) {
        Ok(file) if file.len() > MAX_SIZE => return Err(unreadable(path, "it is too large")),
        Ok(_) => {
            std::fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?
        }
        Err(_) => match name {
            Some(name) => return Err(missing_profile(path, name)),
            None => return Ok(None),
        },
    };
    let mut sections = sections(&text);
    let default = sections
        .get(SETTINGS)
        .and_then(|settings| settings.get("default_profile"))
        .cloned();
    let wanted = name.map(str::to_owned).or(default);
    let name_or_default = wanted.as_deref().unwrap_or(DEFAULT).to_owned();
    match sections.remove(&name_or_default) {
        Some(values) => Ok(Some(Profile {
            name: name_or_default,
            path: path.to_owned(),
            values,
        })),
        None if wanted.is_some() => Err(missing_profile(path, &name_or_default)),
        None => Ok(None),
    }
}

/// The sections of an INI file. Lines that are neither section, value nor comment are skipped, as by
/// Databricks' own tools.
fn sections(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut name = DEFAULT.to_owned();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name = section.trim().to_owned();
            sections.entry(name.clone()).or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let section = sections.entry(name.clone()).or_default();
            section.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    sections
}

fn unreadable(path: &Path, why: &str) -> Error {
    let message = format!("{} can't be read: {why}", path.display());
    Error::new(ErrorKind::Settings, message)
        .with_hint("fix it, or name another file in DATABRICKS_CONFIG_FILE")
}

fn missing_profile(path: &Path, name: &str) -> Error {
    let message = format!("{} has no profile {name:?}", path.display());
    Error::new(ErrorKind::Settings, message).with_hint(
        "`databricks auth profiles` lists them; DATABRICKS_CONFIG_PROFILE or `.profile(..)` names one",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(text: &str, name: Option<&str>) -> Result<Option<Profile>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cfg");
        std::fs::write(&path, text).unwrap();
        read_profile(&path, name)
    }

    #[test]
    fn a_profile_is_found_by_its_name_or_by_default() {
        let text = "; a comment\n[DEFAULT]\nhost = https://one\n\n[two]\n# token = no\nHOST=https://two\ntoken =  dapi \n";
        let host = |text: &str, name| {
            let profile = read_text(text, name).unwrap()?;
            profile.value("host").map(str::to_owned)
        };
        assert_eq!(host(text, None).as_deref(), Some("https://one"));
        assert_eq!(host(text, Some("two")).as_deref(), Some("https://two"));
        let chosen = format!("{text}[__settings__]\ndefault_profile = two\n");
        assert_eq!(host(&chosen, None).as_deref(), Some("https://two"));
        // Profiles are never merged.
        let one = read_text(text, None).unwrap().unwrap();
        assert_eq!(one.value("token"), None);
        assert_eq!(read_text("[other]\n", None).unwrap(), None);
        let error = read_text(text, Some("three")).unwrap_err();
        assert!(error.message().contains("\"three\""), "{error}");
        let nowhere = Path::new("/nowhere/cfg");
        assert_eq!(read_profile(nowhere, None).unwrap(), None);
        assert!(read_profile(nowhere, Some("two")).is_err());
    }

    proptest! {
        #[test]
        fn any_file_has_an_answer(text: String) {
            let _ = sections(&text);
        }
    }
}
