//! Data frames from files and into files.
//!
//! - [`read`] makes a data frame of a file, [`scan`] a lazy one, and [`save`] and [`overwrite`] write
//!   one. [`read_prompts`] makes a list of prompts for a batch.
//! - `opened` opens a file and finds out what it holds, by its content and by its extension.
//! - `csv`, `json_lines`, `parquet` and `journal` read one format each; `csv` and `json_lines` also
//!   name the line and the column of what they refuse.
//! - `blocks` cuts a file into whole rows for several threads; `cells` is a column that grows while its file is read; `lazy` is what polars asks for rows when a lazy frame is computed.
//! - `words` searches bytes; `atomic` writes: a file is there whole, or as it was before.

mod atomic;
mod blocks;
mod cells;
mod csv;
mod journal;
mod json_lines;
mod lazy;
mod location;
mod opened;
#[cfg(feature = "parquet")]
mod parquet;
mod prompts;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;

use polars::prelude::{DataFrame, LazyFrame};

pub use csv::Csv;
pub use prompts::read_prompts;

use crate::error::{Error, ErrorKind, Result};
use json_lines::JsonLines;
use opened::{Format, Opened};

/// Reads a file of data: CSV (also with semicolons, tabs or `|`), JSON lines, Parquet, or a journal.
///
/// The content decides; the extension decides only if the content is ambiguous. A journal of a
/// batch gives a row for each request with its answer, as
/// [`Answers::full_frame`](crate::Answers::full_frame) does. In JSON lines, a nested value becomes
/// a string of JSON. A column of CSV is made of integers, numbers or truth values if all of the
/// first megabyte is; a number that begins with a zero (`01234`) makes it a column of strings.
///
/// ```
/// use evenhand::prelude::*;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("jobs.csv");
/// let jobs = df!["job" => ["nurse", "pilot"], "women" => [0.87, 0.09]]?;
/// save(&jobs, &path)?;
/// assert_eq!(read(&path)?, jobs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A file that can't be opened ([`ErrorKind::Io`]), or whose content is malformed
/// ([`ErrorKind::Data`]): the error names the line and the column. [`Csv`] has what a CSV file may
/// need: another separator, no header, strings that mean a missing value.
pub fn read(path: impl AsRef<Path>) -> Result<DataFrame> {
    let opened = Opened::open(path.as_ref())?;
    match opened.format()? {
        Format::Csv => Csv::new(path).read(),
        Format::JsonLines => JsonLines::new(opened).read(),
        Format::Journal => journal::read_journal(opened.path()),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::read_parquet(&opened, None, None),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(without_parquet(opened.path())),
    }
}

/// Reads a file when its rows are asked for, and only the columns and the rows that a query needs: for
/// a file that is larger than the memory. The formats are those of [`read`]; a journal is read at
/// once.
///
/// ```no_run
/// use evenhand::prelude::*;
///
/// let few = scan("large.csv")?.filter(col("score").gt(lit(0.9))).collect()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`]. The columns and their types are those of the first megabyte; a later row that
/// does not fit is an error when the rows are asked for.
pub fn scan(path: impl AsRef<Path>) -> Result<LazyFrame> {
    use polars::prelude::IntoLazy;

    let opened = Opened::open(path.as_ref())?;
    match opened.format()? {
        Format::Csv => Csv::new(path).scan(),
        Format::JsonLines => JsonLines::new(opened).scan(),
        Format::Journal => Ok(journal::read_journal(opened.path())?.lazy()),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::scan(opened),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(without_parquet(opened.path())),
    }
}

/// Writes a data frame to a new file. Its extension decides the format: `.csv`, `.tsv`,
/// `.jsonl`, `.ndjson` or `.parquet`.
///
/// The file appears when it is complete and on the disk; if anything fails, nothing is there.
/// In CSV, a string that a spreadsheet would compute (`=1+1`) gets an apostrophe in front, as in
/// the download of a table; in JSON lines and Parquet, every string stays as it is.
///
/// # Errors
/// The file exists ([`overwrite`] replaces it), the extension is another one, the format can't hold a
/// column ([`ErrorKind::Argument`]), or the file can't be written ([`ErrorKind::Io`]).
pub fn save(frame: &DataFrame, path: impl AsRef<Path>) -> Result<()> {
    write(frame, path.as_ref(), false)
}

/// Like [`save`], and replaces the file if it exists. Until the new one is complete, the old one
/// stays. Of a symbolic link, the file that it leads to is replaced.
///
/// # Errors
/// As [`save`].
pub fn overwrite(frame: &DataFrame, path: impl AsRef<Path>) -> Result<()> {
    write(frame, path.as_ref(), true)
}

fn write(frame: &DataFrame, path: &Path, may_replace: bool) -> Result<()> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("csv") => csv::write(frame, path, b',', may_replace),
        Some("tsv") => csv::write(frame, path, b'\t', may_replace),
        Some("jsonl" | "ndjson") => json_lines::write(frame, path, may_replace),
        #[cfg(feature = "parquet")]
        Some("parquet") => parquet::write(frame, path, may_replace),
        #[cfg(not(feature = "parquet"))]
        Some("parquet") => Err(without_parquet(path)),
        _ => {
            let message = format!(
                "{} ends neither in `.csv`, `.tsv`, `.jsonl`, `.ndjson` nor `.parquet`",
                path.display()
            );
            Err(Error::new(ErrorKind::Argument, message)
                .with_hint("the extension decides the format"))
        }
    }
}

#[cfg(not(feature = "parquet"))]
fn without_parquet(path: &Path) -> Error {
    let message = format!("{} is Parquet, which is not compiled in", path.display());
    Error::new(ErrorKind::Argument, message).with_hint(
        "ask for it in the line that adds evenhand, `:dep evenhand = { features = [\"parquet\"] }`, and \
         restart the kernel: it compiles for some minutes, once. Or read the file with a Spark session",
    )
}
