//! The settings that evenhand itself writes to a `.env` file: a block of lines between two marks. All other
//! lines stay as they are, and a variable that one of them sets is not set twice.

use std::fs;
use std::io::{self, ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};

use super::{RPM_VARIABLE, Service, Settings, TPM_VARIABLE};
use crate::error::{Error, ErrorKind, Result};

/// The line before the settings begins with this.
const BEGIN: &str = "# evenhand cloud: begin";
const WHO_REMOVES_IT: &str =
    ". `evenhand cloud down` or the notebook 07-clean-up removes these lines";
const END: &str = "# evenhand cloud: end";

/// The largest file that is changed.
const LARGEST: u64 = 1 << 20;

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
pub struct SettingsFile(PathBuf);

/// A file as it was found: what is before our block, and after it.
#[derive(Default)]
struct Found {
    before: Vec<u8>,
    after: Vec<u8>,
    has_block: bool,
}

enum Place {
    Before,
    Inside,
    After,
}

impl SettingsFile {
    /// The file at this path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Whether the settings can be written. Nothing is changed.
    ///
    /// # Errors
    /// The file is a link, belongs to another user, or sets one of the variables itself.
    pub fn check(&self) -> Result<()> {
        let found = self.find()?;
        for part in [&found.before, &found.after] {
            for line in String::from_utf8_lossy(part).lines() {
                let line = line.trim_start();
                let line = line.strip_prefix("export ").unwrap_or(line);
                let name = line.split('=').next().unwrap_or_default().trim();
                if NAMES.contains(&name) && line.contains('=') {
                    return Err(self
                        .refused(&format!("sets {name} already"))
                        .with_hint("remove that line, or write the settings to another file"));
                }
            }
        }
        Ok(())
    }

    /// Writes the settings of a deployment in Azure: its address, its key, its name and its quota. Settings
    /// that were written before are replaced.
    ///
    /// # Errors
    /// As [`check`](Self::check); the settings name no deployment in Azure; or the file can't be written.
    pub fn write(&self, settings: &Settings) -> Result<()> {
        self.check()?;
        let lines = lines(settings)?;
        let found = self.find()?;
        let mut text = found.before;
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend(format!("{BEGIN}{WHO_REMOVES_IT}\n{lines}{END}\n").as_bytes());
        text.extend(found.after);
        replace_private(&self.0, &text).map_err(|error| self.unwritable(error))
    }

    /// Removes the settings that were written, and the file if nothing else is in it. It is no error if
    /// there are none.
    ///
    /// # Errors
    /// The file is a link, belongs to another user, or can't be written.
    pub fn remove(&self) -> Result<()> {
        let found = self.find()?;
        if !found.has_block {
            return Ok(());
        }
        let text = [found.before, found.after].concat();
        let changed = match text.is_empty() {
            true => fs::remove_file(&self.0),
            false => replace_private(&self.0, &text),
        };
        changed.map_err(|error| self.unwritable(error))
    }

    fn find(&self) -> Result<Found> {
        let found = match fs::symlink_metadata(&self.0) {
            Ok(found) => found,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(Found::default()),
            Err(error) => return Err(self.unwritable(error)),
        };
        if !found.is_file() {
            return Err(self.refused("is a link or no file"));
        }
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::uid(&found) != crate::file_owner::own_user() {
            return Err(self.refused("belongs to another user"));
        }
        if found.len() > LARGEST {
            return Err(self.refused("is too large for a file of settings"));
        }
        let text = fs::read(&self.0).map_err(|error| self.unwritable(error))?;
        self.split(&text)
    }

    fn split(&self, text: &[u8]) -> Result<Found> {
        let (mut before, mut after, mut place) = (Vec::new(), Vec::new(), Place::Before);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let words = line.trim_ascii();
            match place {
                Place::Before if words.starts_with(BEGIN.as_bytes()) => place = Place::Inside,
                Place::Inside if words == END.as_bytes() => place = Place::After,
                Place::Before => before.extend(line),
                Place::Inside => {}
                Place::After => after.extend(line),
            }
        }
        match place {
            Place::Inside => Err(self
                .refused(&format!("has no line `{END}`"))
                .with_hint("write that line after the last setting of evenhand's")),
            place => Ok(Found {
                before,
                after,
                has_block: matches!(place, Place::After),
            }),
        }
    }

    fn refused(&self, why: &str) -> Error {
        Error::new(ErrorKind::Settings, format!("{} {why}", self.0.display()))
            .with_hint("write the settings to another file")
    }

    fn unwritable(&self, error: io::Error) -> Error {
        let path = self.0.display();
        Error::new(
            ErrorKind::Io,
            format!("could not write the settings to {path}"),
        )
        .with_source(error)
    }
}

/// A line for each setting.
///
/// # Errors
/// There is no deployment in Azure; or a value can't stand in a file.
fn lines(settings: &Settings) -> Result<String> {
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

/// Replaces a file by one that is accessible to its owner alone from the first byte.
pub(crate) fn replace_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // This process may write the same file twice at the same time.
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let beside = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&beside)
        .and_then(|mut file| file.write_all(text))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
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
