//! What a kernel's cells were, and what became of their variables.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::local_replies::History;
use crate::jupyter::notebook;
use crate::kernel::evcxr_build::{MOVED, Moved};
use crate::kernel::rust_text::{Kind, tokens};

/// Larger notebooks are not read.
const MAX_LENGTH: u64 = 64 * 1024 * 1024;

/// What the reader ran, and where else a name may come from.
#[derive(Debug, Default)]
pub struct CellHistory {
    pub history: History,
    /// The number of the cell that moved a variable, and the line, by the variable's name.
    moved: HashMap<String, (u64, String)>,
    /// The notebook of this kernel, if Jupyter named it.
    notebook: Option<PathBuf>,
}

/// Where a name comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A cell that ran in this kernel.
    Ran(u64),
    /// The code cell of the notebook at this position, from 1, with the line.
    Notebook(usize, String),
}

impl CellHistory {
    /// That of a kernel for this notebook.
    pub fn of_notebook(notebook: Option<PathBuf>) -> Self {
        Self {
            notebook,
            ..Self::default()
        }
    }

    /// A cell has succeeded. The build directory lists what it moved.
    pub fn succeeded(&mut self, count: u64, build: &Path) {
        for moved in moved(build) {
            self.moved.insert(moved.name, (count, moved.line));
        }
    }

    /// A cell has failed: what it would have moved is still there, if it did not run.
    pub fn failed(&mut self, build: &Path) {
        drop(moved(build));
    }

    /// All variables are lost.
    pub fn lost(&mut self) {
        self.moved.clear();
    }

    /// The cell that moved a variable, with the line.
    pub fn moved(&self, name: &str) -> Option<&(u64, String)> {
        self.moved.get(name)
    }

    /// The cell that brings a name: the last that ran here, or the first in the notebook.
    pub fn source(&self, name: &str) -> Option<Source> {
        // The last one is the cell that misses it.
        let mut ran = self.history.cells().iter().rev().skip(1);
        if let Some((count, _)) = ran.find(|(_, code)| brings(code, name).is_some()) {
            return Some(Source::Ran(*count));
        }
        let file = self.notebook.as_ref()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.len() > MAX_LENGTH {
            return None;
        }
        let notebook: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let cells = notebook["cells"].as_array()?.iter();
        let mut code = cells
            .filter(|cell| cell["cell_type"] == "code")
            .map(|cell| notebook::joined(&cell["source"]))
            .enumerate();
        code.find_map(|(at, code)| {
            let line = brings(&code, name)?;
            Some(Source::Notebook(at + 1, line.to_owned()))
        })
    }
}

fn moved(build: &Path) -> Vec<Moved> {
    let file = build.join(MOVED);
    let Ok(list) = fs::read_to_string(&file) else {
        return Vec::new();
    };
    // An error means that the next cell is said to have moved the same.
    let _ = fs::remove_file(file);
    let lines = list.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The line of a cell that defines a name or imports it.
fn brings<'a>(code: &'a str, name: &str) -> Option<&'a str> {
    const DEFINES: [&str; 11] = [
        "let", "mut", "fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod",
    ];
    code.lines().find(|line| {
        let line = line.trim_start();
        let dependency = line.strip_prefix(":dep").map(str::trim_start);
        if dependency.is_some_and(|named| first_word(named) == name) {
            return true;
        }
        let words: Vec<_> = tokens(line)
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect();
        let defines = |pair: &[&str]| DEFINES.contains(&pair[0]) && pair[1] == name;
        let imports = words.first() == Some(&"use") && words.last() == Some(&name);
        words.windows(2).any(defines) || imports
    })
}

fn first_word(text: &str) -> &str {
    let end = text.find(|next: char| !(next.is_alphanumeric() || next == '_' || next == '-'));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_defined() {
        assert_eq!(
            brings("let a = 1;\nlet mut client = f();", "client"),
            Some("let mut client = f();")
        );
        assert_eq!(
            brings(":dep evenhand = { path = \"..\" }", "evenhand"),
            Some(":dep evenhand = { path = \"..\" }")
        );
        assert_eq!(
            brings("use std::collections::HashMap;", "HashMap").map(str::len),
            Some(30)
        );
        assert_eq!(brings("client.run()", "client"), None);
    }

    #[test]
    fn a_cell_that_ran_comes_before_the_notebooks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ipynb");
        let cells = json!([
            {"cell_type": "markdown", "source": "let x"},
            {"cell_type": "code", "source": ["use a;\n", "let x = 1;\n"]},
        ]);
        fs::write(&file, json!({"cells": cells}).to_string()).unwrap();
        let mut cells = CellHistory::of_notebook(Some(file));
        assert_eq!(
            cells.source("x"),
            Some(Source::Notebook(1, "let x = 1;".to_owned()))
        );
        assert_eq!(cells.source("y"), None);
        cells.history.add(7, "let x = 2;");
        cells.history.add(8, "let x = x + 1;");
        assert_eq!(cells.source("x"), Some(Source::Ran(7)));
    }

    #[test]
    fn what_a_cell_moved_is_known_if_it_ran() {
        let build = tempfile::tempdir().unwrap();
        let moves = || {
            fs::write(
                build.path().join(MOVED),
                "{\"name\":\"df\",\"line\":\"display(df);\"}\n",
            )
            .unwrap()
        };
        let mut cells = CellHistory::default();
        moves();
        cells.failed(build.path());
        cells.succeeded(2, build.path());
        assert_eq!(cells.moved("df"), None);
        moves();
        cells.succeeded(3, build.path());
        assert_eq!(cells.moved("df"), Some(&(3, "display(df);".to_owned())));
        cells.lost();
        assert_eq!(cells.moved("df"), None);
    }
}
