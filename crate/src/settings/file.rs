//! The settings that evenhand itself writes to a `.env` file: a block of lines between two marks. All other
//! lines stay as they are, and a variable that one of them sets is not set twice.

use std::fs;
use std::io::{self, ErrorKind as IoKind};
use std::path::PathBuf;

use super::private_file::{check_replaceable, remove_unfinished, replace_private};
use super::{RPM_VARIABLE, Service, Settings, TPM_VARIABLE};
use crate::error::{Error, ErrorKind, Result};

/// The line before the settings begins with this.
const BEGIN: &str = "# evenhand cloud: begin";
const WHO_REMOVES_IT: &str =
    ". `evenhand cloud down` or the notebook 07-clean-up removes these lines";
const END: &str = "# evenhand cloud: end";
const HOW_TO_REMOVE_THEM: &str = "`evenhand cloud down` removes what `evenhand cloud up` wrote (with `--practice`, in \
                                  practice), and the notebook 07-clean-up what a notebook wrote; or name \
                                  another file";

/// The largest file that is changed.
const MAX_SIZE: u64 = 1 << 20;

/// The variables that are set.
const NAMES: [&str; 5] = [
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_DEPLOYMENT",
    TPM_VARIABLE,
    RPM_VARIABLE,
];

/// A `.env` file to which the settings of a deployment are written, and from which they are removed again.
///
/// The lines of others stay as they are, byte for byte. The file is then readable by its owner alone, since
/// it holds a key: keep it out of version control.
///
/// ```no_run
/// # use evenhand::azure::Azure;
/// # let openai = Azure::sign_in()?.openai("even-lab").create()?;
/// use evenhand::SettingsFile;
///
/// let model = openai.deploy("gpt-35-turbo").create()?;
/// SettingsFile::new(".env").write(&model.settings()?)?;
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    path: PathBuf,
    label: Option<String>,
}

/// A part of a file as it was found.
enum Part {
    /// Lines of others.
    Lines(Vec<u8>),
    /// The settings of a deployment, with whose they are, if they say so.
    Block {
        text: Vec<u8>,
        label: Option<String>,
    },
}

impl SettingsFile {
    /// The file at this path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            label: None,
        }
    }

    /// The same, for settings that carry a label, such as the account's name. Settings with another label
    /// are neither replaced nor removed; those with none are removed, but not replaced.
    ///
    /// # Default
    /// No label.
    #[must_use]
    pub fn labeled(self, label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..self
        }
    }

    /// Whether the settings can be written. Nothing is changed.
    ///
    /// # Errors
    /// The label is not made of letters, digits and `-`; the file is a link, belongs to another user, sets one
    /// of the variables itself, or holds settings with another label; or its folder can't be written to.
    pub fn check(&self) -> Result<()> {
        if let Some(label) = self.label.as_ref().filter(|label| !is_label(label)) {
            let message = format!("the label {label:?} can't stand in a file of settings");
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("a label is made of letters, digits and `-`"));
        }
        for part in self.find()? {
            match part {
                Part::Block { label, .. } if label != self.label => {
                    let whose = label.unwrap_or_else(|| "another deployment".to_owned());
                    return Err(self
                        .refused(&format!("has the settings of {whose} already"))
                        .with_hint(HOW_TO_REMOVE_THEM));
                }
                Part::Block { .. } => {}
                Part::Lines(lines) => {
                    if let Some(name) = set_in(&lines) {
                        return Err(self
                            .refused(&format!("sets {name} already"))
                            .with_hint("remove that line, or write the settings to another file"));
                    }
                }
            }
        }
        check_replaceable(&self.path).map_err(|error| self.unwritable(error))
    }

    /// Writes the settings of a deployment in Azure: its address, its key, its name and its quota. Settings
    /// that were written before are replaced.
    ///
    /// # Errors
    /// As [`check`](Self::check); the settings name no deployment in Azure; or the file can't be written.
    pub fn write(&self, settings: &Settings) -> Result<()> {
        self.check()?;
        let lines = setting_lines(settings)?;
        let label = self.label.as_ref();
        let label = label.map_or_else(String::new, |label| format!(" {label}"));
        let block = format!("{BEGIN}{label}{WHO_REMOVES_IT}\n{lines}{END}\n");
        let (mut text, mut is_written) = (Vec::new(), false);
        for part in self.find()? {
            match part {
                Part::Lines(lines) => text.extend(lines),
                // A copy of the settings goes.
                Part::Block { .. } if is_written => {}
                Part::Block { .. } => {
                    text.extend(block.as_bytes());
                    is_written = true;
                }
            }
        }
        if !is_written {
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.extend(block.as_bytes());
        }
        replace_private(&self.path, &text).map_err(|error| self.unwritable(error))
    }

    /// Removes the settings that were written, and the file if nothing else is in it. It is no error if
    /// there are none; those with another label stay.
    ///
    /// # Errors
    /// The file is a link, belongs to another user, or can't be written.
    pub fn remove(&self) -> Result<()> {
        remove_unfinished(&self.path).map_err(|error| self.unwritable(error))?;
        let (mut text, mut is_changed) = (Vec::new(), false);
        for part in self.find()? {
            match part {
                Part::Block { label, .. } if self.removes(label.as_deref()) => is_changed = true,
                Part::Lines(kept) | Part::Block { text: kept, .. } => text.extend(kept),
            }
        }
        if !is_changed {
            return Ok(());
        }
        let changed = match text.is_empty() {
            true => fs::remove_file(&self.path),
            false => replace_private(&self.path, &text),
        };
        changed.map_err(|error| self.unwritable(error))
    }

    /// Whether settings with this label are removed. Those without one were written before there were labels.
    fn removes(&self, label: Option<&str>) -> bool {
        label.is_none() || label == self.label.as_deref()
    }

    fn find(&self) -> Result<Vec<Part>> {
        let found = match fs::symlink_metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unwritable(error)),
        };
        if !found.is_file() {
            return Err(self.refused("is a link or no file"));
        }
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::uid(&found) != crate::file_owner::own_user() {
            return Err(self.refused("belongs to another user"));
        }
        if found.len() > MAX_SIZE {
            return Err(self.refused("is too large for a file of settings"));
        }
        let text = fs::read(&self.path).map_err(|error| self.unwritable(error))?;
        self.split(&text)
    }

    fn split(&self, text: &[u8]) -> Result<Vec<Part>> {
        let (mut parts, mut is_inside) = (Vec::new(), false);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let words = line.trim_ascii();
            if is_inside {
                is_inside = words != END.as_bytes();
            } else if words.starts_with(BEGIN.as_bytes()) {
                is_inside = true;
                parts.push(Part::Block {
                    text: Vec::new(),
                    label: label_of(words),
                });
            } else if !matches!(parts.last(), Some(Part::Lines(_))) {
                parts.push(Part::Lines(Vec::new()));
            }
            if let Some(Part::Lines(text) | Part::Block { text, .. }) = parts.last_mut() {
                text.extend(line);
            }
        }
        match is_inside {
            true => Err(self
                .refused(&format!("has no line `{END}`"))
                .with_hint("write that line after the last setting of evenhand's")),
            false => Ok(parts),
        }
    }

    fn refused(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::Settings,
            format!("{} {why}", self.path.display()),
        )
        .with_hint("write the settings to another file")
    }

    fn unwritable(&self, error: io::Error) -> Error {
        let path = self.path.display();
        Error::new(
            ErrorKind::Io,
            format!("could not write the settings to {path}"),
        )
        .with_hint(
            "check that its folder exists and that you may write there, or name another file",
        )
        .with_source(error)
    }
}

/// The first of the variables that these lines set.
fn set_in(lines: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(lines);
    text.lines().find_map(|line| {
        let line = line.trim_start_matches('\u{feff}').trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let name = line.split_once('=')?.0.trim();
        NAMES.into_iter().find(|own| *own == name)
    })
}

fn is_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.len() <= 100 && label.bytes().all(is_plain)
}

/// The label in the line that begins the settings.
fn label_of(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(BEGIN.as_bytes())?;
    let label = String::from_utf8_lossy(rest);
    let label = label.split('.').next().unwrap_or_default().trim();
    is_label(label).then(|| label.to_owned())
}

/// A line for each setting.
///
/// # Errors
/// There is no deployment in Azure; or a value can't stand in a file.
fn setting_lines(settings: &Settings) -> Result<String> {
    let refused = |what: String| {
        Error::new(ErrorKind::Argument, what)
            .with_hint("`model.settings()?` of a deployment are such settings")
    };
    let (Service::Azure, Some(endpoint), Some(deployment)) =
        (settings.service, &settings.endpoint, &settings.deployment)
    else {
        return Err(refused(
            "the settings name no deployment in Azure".to_owned(),
        ));
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let values = [
        Some(endpoint.clone()),
        settings.api_key.as_ref().map(|key| key.expose().to_owned()),
        Some(deployment.clone()),
        number(settings.tokens_per_minute),
        number(settings.requests_per_minute),
    ];
    let mut lines = String::new();
    for (name, value) in NAMES.into_iter().zip(values) {
        let Some(value) = value else { continue };
        if value.contains(['\'', '\n', '\r']) {
            return Err(refused(format!(
                "the value of {name} can't be written to a file"
            )));
        }
        lines.push_str(&format!("{name}='{value}'\n"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::secret::Secret;

    fn settings(key: &str) -> Settings {
        Settings {
            endpoint: Some("http://127.0.0.1:1/".to_owned()),
            api_key: Some(Secret::new(key)),
            deployment: Some("gpt".to_owned()),
            tokens_per_minute: Some(5_000),
            ..Settings::default()
        }
    }

    fn place() -> (tempfile::TempDir, PathBuf, SettingsFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let file = SettingsFile::new(&path);
        (folder, path, file)
    }

    #[test]
    fn other_lines_stay_byte_for_byte_and_the_file_is_private() {
        let (_folder, path, file) = place();
        let others = b"A=1\r\nOWNER=O'Brien\n\xff\xfe=x\nAZURE_OPENAI_TPM_OTHER=1";
        fs::write(&path, others).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for key in ["one", "two"] {
            file.write(&settings(key)).unwrap();
        }
        let text = fs::read(&path).unwrap();
        assert!(text.starts_with(others));
        let text = String::from_utf8_lossy(&text);
        assert_eq!(text.matches("AZURE_OPENAI_API_KEY").count(), 1);
        assert!(
            text.contains(
                "AZURE_OPENAI_API_KEY='two'\nAZURE_OPENAI_DEPLOYMENT='gpt'\nAZURE_OPENAI_TPM='5000'\n#"
            ),
            "{text}"
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        file.remove().unwrap();
        assert_eq!(fs::read(&path).unwrap(), [&others[..], b"\n"].concat());
    }

    #[test]
    fn what_is_written_is_read_and_a_file_of_ours_alone_goes() {
        let (folder, path, file) = place();
        file.write(&settings("one")).unwrap();
        let read = Settings::from_dotenv_in(folder.path()).unwrap();
        assert_eq!(read.endpoint.as_deref(), Some("http://127.0.0.1:1/"));
        assert_eq!(read.tokens_per_minute, Some(5_000));
        file.remove().unwrap();
        assert!(!path.exists());
        file.remove().unwrap();
    }

    #[test]
    fn settings_with_another_label_stay() {
        let (folder, path, file) = place();
        let mine = file.clone().labeled("even-lab-1");
        mine.write(&settings("one")).unwrap();
        let text = fs::read(&path).unwrap();
        for other in [file.clone(), file.labeled("even-lab-12")] {
            let error = other.write(&settings("two")).unwrap_err().to_string();
            assert!(
                error.contains("has the settings of even-lab-1 already"),
                "{error}"
            );
            other.remove().unwrap();
            assert_eq!(fs::read(&path).unwrap(), text);
        }
        mine.write(&settings("three")).unwrap();
        // Copied by hand, and one of before there were labels.
        let block = fs::read_to_string(&path).unwrap();
        let old = block.replace(" even-lab-1", "");
        let other = block.replace("even-lab-1", "even-lab-2");
        fs::write(&path, format!("{block}A=1\n{block}{old}{other}")).unwrap();
        mine.remove().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("A=1\n{other}"));
        fs::write(&path, "\u{feff}AZURE_OPENAI_API_KEY=x\n").unwrap();
        assert!(mine.check().is_err());
        assert!(mine.labeled("a\nb").check().is_err());
        let nowhere = SettingsFile::new(folder.path().join("none/.env"));
        let error = nowhere.check().unwrap_err();
        assert!(error.hint().unwrap().contains("folder exists"), "{error}");
    }

    #[test]
    fn what_is_set_by_others_or_is_no_file_of_ours_is_refused() {
        let (_folder, path, file) = place();
        for line in ["AZURE_OPENAI_API_KEY=mine", "  export AZURE_OPENAI_TPM = 1"] {
            fs::write(&path, line).unwrap();
            for refused in [file.check(), file.write(&settings("one"))] {
                let error = refused.unwrap_err().to_string();
                assert!(
                    error.contains("already") && !error.contains("mine"),
                    "{error}"
                );
            }
        }
        fs::write(&path, format!("{BEGIN}\nA=1\n")).unwrap();
        assert!(file.write(&settings("one")).is_err());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(file.check().is_err());
        fs::remove_file(&path).unwrap();
        for unusable in [settings("a'b"), Settings::default()] {
            assert!(file.write(&unusable).is_err() && !path.exists());
        }
    }
}
