//! The JSON in which reports and what is made of them are saved: it names its format and version.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A format of saved files.
pub(super) struct Format {
    /// Its name in the file.
    pub(super) name: &'static str,
    /// What a file holds, for messages.
    pub(super) content: &'static str,
    /// The version that is written; earlier ones can be read.
    pub(super) version: u32,
}

/// What is saved, with its format.
#[derive(Serialize)]
struct Saved<'a, T> {
    format: &'static str,
    version: u32,
    #[serde(flatten)]
    content: &'a T,
}

/// The part of a saved file that tells whether it can be read. An early file has none.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}

impl Format {
    /// The content as JSON.
    ///
    /// # Errors
    /// None that a user could cause.
    pub(super) fn write(&self, content: &impl Serialize) -> Result<String> {
        let saved = Saved {
            format: self.name,
            version: self.version,
            content,
        };
        serde_json::to_string_pretty(&saved).map_err(|error| {
            let message = format!("the {} can't be written as JSON", self.content);
            Error::new(ErrorKind::Argument, message).with_source(error)
        })
    }

    /// Reads what [`write`](Self::write) has written.
    ///
    /// # Errors
    /// The text has another format, or was written by a later version.
    pub(super) fn parse_saved<T: DeserializeOwned>(&self, json: &str) -> Result<T> {
        let head: Head = self.parse(json)?;
        if !head.format.is_empty() && head.format != self.name {
            return Err(self.is_other());
        }
        if head.version <= self.version {
            return self.parse(json);
        }
        let message = format!(
            "this {} has version {} of its format, but this version of evenhand reads up to {}",
            self.content, head.version, self.version
        );
        Err(Error::new(ErrorKind::Argument, message)
            .with_hint("read it with the version of evenhand that wrote it, or a later one"))
    }

    /// Whether the text names this format.
    pub(super) fn is_named_in(&self, json: &str) -> bool {
        self.parse::<Head>(json)
            .is_ok_and(|head| head.format == self.name)
    }

    fn parse<T: DeserializeOwned>(&self, json: &str) -> Result<T> {
        serde_json::from_str(json).map_err(|error| self.is_other().with_source(error))
    }

    /// The error for a text that is something else.
    fn is_other(&self) -> Error {
        let message = format!("this is not a saved {}", self.content);
        Error::new(ErrorKind::Argument, message)
    }
}
