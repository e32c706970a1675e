//! A list of prompts for a batch.

use std::path::Path;

use super::location::{quoted, utf8};
use super::read;
use crate::error::{Error, ErrorKind, Result};

/// The name of the column that holds the prompts.
const PROMPT: &str = "prompt";

/// Reads the prompts of a batch: of a text file (`.txt`) one from each line that is not blank, of any
/// other file that [`read`] takes those in the column `prompt`, or in the only column, where a blank one is
/// left out.
///
/// ```no_run
/// use evenhand::prelude::*;
///
/// let client = Client::from_env()?;
/// let answers = client.batch(read_prompts("prompts.csv")?).max_tokens(100).run()?;
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # Errors
/// As [`read`]; a file without such a column, with a row that has no prompt, or with no prompt at all
/// ([`ErrorKind::Data`]).
pub fn read_prompts(path: impl AsRef<Path>) -> Result<Vec<String>> {
    let path = path.as_ref();
    let is_text = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    let prompts = match is_text {
        true => read_lines(path)?,
        false => column(path)?,
    };
    if prompts.is_empty() {
        let message = format!("{} has no prompt", path.display());
        return Err(Error::new(ErrorKind::Data, message));
    }
    Ok(prompts)
}

fn read_lines(path: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).map_err(|error| super::opened::unreadable(path, error))?;
    let text = utf8(&bytes, 0).map_err(|fault| fault.of_file(path))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

fn column(path: &Path) -> Result<Vec<String>> {
    let frame = read(path)?;
    let wrong = |what: String| Error::new(ErrorKind::Data, format!("{} {what}", path.display()));
    let only = match frame.columns() {
        [only] => Some(only),
        _ => None,
    };
    let Some(column) = frame.column(PROMPT).ok().or(only) else {
        let names = frame
            .columns()
            .iter()
            .take(10)
            .map(|column| quoted(column.name()));
        let names: Vec<_> = names.collect();
        return Err(wrong(format!("has no column `{PROMPT}`"))
            .with_hint(format!("its columns are {}", names.join(", "))));
    };
    let texts = column.str().map_err(|_| {
        wrong(format!(
            "has no strings in its column {}",
            quoted(column.name())
        ))
    })?;
    // Where there is nothing else in a row, a blank line is none, as in a text file.
    let is_row = |(_, text): &(usize, Option<&str>)| text.is_some() || only.is_none();
    texts
        .iter()
        .enumerate()
        .filter(is_row)
        .map(|(row, text)| {
            let text = text.map(str::to_owned);
            text.ok_or_else(|| wrong(format!("has no prompt in row {}", row + 1)))
        })
        .collect()
}
