//! The key that clients must send: generated at each start, unless the user chooses one.
//!
//! Every user of the machine can read command lines, so a key can also come from a variable or a
//! file.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Context, Failure, Result};

/// The variable with the key, if it is not on the command line.
pub(crate) const VARIABLE: &str = "EVENHAND_SERVE_KEY";

/// How many bytes of a key file are read.
const MAX_LENGTH: u64 = 4096;

/// A key, and where it comes from.
#[derive(Clone)]
pub(crate) struct Key {
    text: String,
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// Generated for this start.
    Made,
    CommandLine,
    Variable,
    File(PathBuf),
}

impl Key {
    /// The key from the command line, the file or the variable, or else a new one.
    pub(crate) fn choose(given: Option<&str>, file: Option<&Path>) -> Result<Self> {
        if let Some(given) = given {
            return Self::checked(given, Origin::CommandLine);
        }
        if let Some(file) = file {
            return Self::checked(&read_first_line(file)?, Origin::File(file.to_owned()));
        }
        match std::env::var(VARIABLE) {
            Ok(value) if !value.is_empty() => Self::checked(&value, Origin::Variable),
            Err(std::env::VarError::NotUnicode(_)) => Self::checked(" ", Origin::Variable),
            _ => Self::made(),
        }
    }

    /// A new key.
    pub(crate) fn made() -> Result<Self> {
        let mut bytes = [0; 24];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Failure::new("the system provided no random bytes for a key"))?;
        Ok(Self {
            text: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            origin: Origin::Made,
        })
    }

    /// Checks that a key fits into a header.
    fn checked(text: &str, origin: Origin) -> Result<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self {
                text: text.to_owned(),
                origin,
            });
        }
        let place = match &origin {
            Origin::Made | Origin::CommandLine => "of --key".to_owned(),
            Origin::Variable => format!("of {VARIABLE}"),
            Origin::File(path) => format!("in {}", path.display()),
        };
        Err(Failure::new(format!("the key {place} is invalid"))
            .hint("a key consists of visible ASCII characters without spaces; if none is given, a new one is generated"))
    }

    /// The key itself, for code that has to send or compare it.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// The key in shell syntax. A key that the user keeps elsewhere is not printed.
    pub(crate) fn in_shell(&self) -> String {
        match &self.origin {
            Origin::Made | Origin::CommandLine => quoted(&self.text),
            Origin::Variable => format!("\"${VARIABLE}\""),
            Origin::File(path) => {
                format!("\"$(cat {})\"", quoted(&path.display().to_string()))
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.origin)
    }
}

/// The first line of the file.
fn read_first_line(path: &Path) -> Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_LENGTH).read_to_string(&mut text))
        .with_context(|| format!("the key can't be read from {}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// A word in shell syntax.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_a_key_of_its_own() {
        let [one, other] = [Key::made().unwrap(), Key::made().unwrap()];
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 48);
        assert_eq!(one.in_shell(), one.expose());
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn a_key_of_a_file_is_its_first_line_and_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a key");
        std::fs::write(&path, "s3cret!\r\n# mine\n").unwrap();
        let key = Key::choose(None, Some(&path)).unwrap();
        assert_eq!(key.expose(), "s3cret!");
        assert!(
            key.in_shell().starts_with("\"$(cat '"),
            "{}",
            key.in_shell()
        );
        assert!(
            key.in_shell().ends_with("/it'\\''s a key')\""),
            "{}",
            key.in_shell()
        );
        assert!(!key.in_shell().contains("s3cret"));
        std::fs::write(&path, "\n").unwrap();
        let failure = Key::choose(None, Some(&path)).unwrap_err().to_string();
        assert!(failure.contains("it's a key is invalid"), "{failure}");
        let failure = Key::choose(None, Some(&folder.path().join("none"))).unwrap_err();
        assert!(
            failure.to_string().contains("can't be read from"),
            "{failure}"
        );
    }

    #[test]
    fn a_key_that_fits_no_header_is_refused_unsaid() {
        let failure = Key::choose(Some("two words"), None)
            .unwrap_err()
            .to_string();
        assert!(failure.contains("the key of --key is invalid"), "{failure}");
        assert!(!failure.contains("two words"));
        assert_eq!(
            Key::choose(Some("a'b"), None).unwrap().in_shell(),
            r"'a'\''b'"
        );
    }
}
