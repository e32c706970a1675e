//! Notebooks that tests write, execute and read.

use std::path::{Path, PathBuf};

use super::checkout;
use serde_json::{Value, json};

/// A notebook in a file.
pub(crate) struct Notebook {
    pub(crate) json: Value,
    path: PathBuf,
    /// The folder of the file, if a test wrote it.
    _folder: Option<tempfile::TempDir>,
}

impl Notebook {
    /// A new notebook that loads the library and then has these cells.
    pub(crate) fn of<S: AsRef<str>>(name: &str, cells: impl IntoIterator<Item = S>) -> Self {
        let library = checkout().join("crate/notebook");
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

    /// The executed notebook with only the cell whose code begins with this.
    pub(crate) fn excerpt(&self, name: &str, code: &str) -> Self {
        Self::write(name, vec![self.cell(code).clone()])
    }

    /// This lesson as it is, in another folder, with one more cell at its end.
    pub(crate) fn followed_by(&self, name: &str, code: &str) -> Self {
        let mut cells = self.cells_for_anywhere();
        cells.push(code_cell(code));
        Self::write(name, cells)
    }

    /// Writes this lesson as it is into this folder.
    pub(crate) fn copy_to(&self, folder: &Path) -> PathBuf {
        let mut json = self.json.clone();
        json["cells"] = self.cells_for_anywhere().into();
        let path = folder.join(self.path.file_name().unwrap());
        std::fs::write(&path, json.to_string()).unwrap();
        path
    }

    /// The cells, loading the library by its full path.
    fn cells_for_anywhere(&self) -> Vec<Value> {
        let library = format!("{{ path = {:?} }}", checkout().join("crate/notebook"));
        let mut cells = self.json["cells"].as_array().unwrap().clone();
        for cell in &mut cells {
            if source(cell).starts_with(":dep evenhand") {
                let loading = source(cell).replace("{ path = \"../crate/notebook\" }", &library);
                cell["source"] = loading.into();
            }
        }
        cells
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

    /// The code and the outputs of each code cell.
    pub(crate) fn code_cells(&self) -> Vec<(String, String)> {
        let cells = self.json["cells"].as_array().unwrap().iter();
        cells
            .filter(|cell| cell["cell_type"] == "code")
            .map(|cell| (source(cell), cell["outputs"].to_string()))
            .collect()
    }

    /// The first cell whose code, or a line of it, begins with this.
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
