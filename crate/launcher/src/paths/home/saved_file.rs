//! Files of the home that name their format and its version, which are read before anything else.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Failure, Result};

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// What the file holds, if there is one. `what` it is, such as `the ledger`, is for messages.
///
/// # Errors
/// The file can't be read, or is of another format or version.
pub fn read_saved<T: DeserializeOwned>(
    what: &str,
    path: &Path,
    format: &str,
    version: u32,
) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {what} {}", path.display()));
        }
    };
    let damaged = || format!("{what} {} can't be read", path.display());
    let header: Header = serde_json::from_slice(&text).with_context(damaged)?;
    if header.format != format || header.version != version {
        let place = path.display();
        return Err(Failure::new(format!(
            "{what} {place} is of another version of evenhand"
        )));
    }
    serde_json::from_slice(&text)
        .map(Some)
        .with_context(damaged)
}
