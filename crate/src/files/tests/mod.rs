//! Files as people have them, and as nobody wants them.

mod csv;
mod json_lines;
mod others;

use std::path::PathBuf;

use polars::prelude::DataFrame;
use tempfile::TempDir;

use super::read;
use crate::error::Error;

/// A folder with one file.
struct Given {
    _folder: TempDir,
    path: PathBuf,
}

fn given(name: &str, content: impl AsRef<[u8]>) -> Given {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    Given {
        _folder: folder,
        path,
    }
}

fn frame(name: &str, content: impl AsRef<[u8]>) -> DataFrame {
    let given = given(name, content);
    read(&given.path).unwrap()
}

/// What is said of a file that is refused, without the folder.
fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    let given = given(name, content);
    said(&given, &read(&given.path).unwrap_err())
}

fn said(given: &Given, error: &Error) -> String {
    let folder = given.path.parent().unwrap().to_str().unwrap();
    error.to_string().replace(&format!("{folder}/"), "")
}

/// The rows as text, without the types.
fn rows(frame: &DataFrame) -> Vec<Vec<String>> {
    let cell = |column: &polars::prelude::Column, row| {
        let value = column.get(row).unwrap();
        value
            .get_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    (0..frame.height())
        .map(|row| {
            frame
                .columns()
                .iter()
                .map(|column| cell(column, row))
                .collect()
        })
        .collect()
}
