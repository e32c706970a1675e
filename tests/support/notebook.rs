//! Notebooks that tests write, have executed, and read.

use std::path::{Path, PathBuf};

use super::checkout;
use serde_json::{Value, json};

/// A notebook in a file.
pub(crate) struct Notebook {
    pub(crate) json: Value,
    path: PathBuf,
    /// Holds the file, where a test wrote it.
    _folder: Option<tempfile::TempDir>,
}

impl Notebook {
    /// A new notebook that loads the toolkit and then has these cells.
    pub(crate) fn of<S: AsRef<str>>(name: &str, cells: impl IntoIterator<Item = S>) -> Self {
        let library = checkout().join("crate");
        let first = format!(":dep evenhand = {{ path = {library:?} }}\nuse evenhand::prelude::*;");
        let cells = cells.into_iter().map(|cell| cell.as_ref().to_owned());
        Self::write(
            name,
            [first]
                .into_iter()
                .chain(cells)
                .map(|source| code_cell(&source))
                .collect(),
        )
    }

    /// The notebook with only the cell whose code begins so, as it was executed.
    pub(crate) fn excerpt(&self, name: &str, code: &str) -> Self {
        Self::write(name, vec![self.cell(code).clone()])
    }

    fn write(name: &str, cells: Vec<Value>) -> Self {
        let json = json!({
            "cells": cells,
            "metadata": {"kernelspec": {"display_name": "Rust", "language": "rust", "name": "rust"}},
            "nbformat": 4,
            "nbformat_minor": 4,
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{name}.ipynb"));
        std::fs::write(&path, json.to_string()).unwrap();
        Self {
            json,
            path,
            _folder: Some(folder),
        }
    }

    pub(crate) fn load(path: &Path) -> Self {
        let json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self {
            json,
            path: path.to_owned(),
            _folder: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The code of each cell that has some, and what it shows.
    pub(crate) fn code_cells(&self) -> Vec<(String, String)> {
        let cells = self.json["cells"].as_array().unwrap().iter();
        cells
            .filter(|cell| cell["cell_type"] == "code")
            .map(|cell| (source(cell), cell["outputs"].to_string()))
            .collect()
    }

    /// The first cell whose code begins so, or has a line that does.
    pub(crate) fn cell(&self, code: &str) -> &Value {
        let begins = |cell: &&Value| {
            cell["cell_type"] == "code" && source(cell).lines().any(|line| line.starts_with(code))
        };
        let cells = self.json["cells"].as_array().unwrap();
        cells
            .iter()
            .find(begins)
            .unwrap_or_else(|| panic!("no cell has a line that begins with {code}"))
    }
}

fn code_cell(source: &str) -> Value {
    json!({"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": source})
}

fn source(cell: &Value) -> String {
    match &cell["source"] {
        Value::String(text) => text.clone(),
        lines => lines
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect(),
    }
}
