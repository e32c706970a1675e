//! What is made ready while the reader reads.
//!
//! Most of the time until a first answer goes into evcxr's reading of the library and all
//! below it, once a kernel. Jupyter names the notebook for which it starts a kernel; if that
//! asks for the library, its own line is run before the reader does, and rust-analyzer is
//! made to look at a variable. Nothing is left behind that the reader could see, other than
//! that the same line takes no time when it comes.

use std::path::Path;

use serde_json::Value;

/// Where Jupyter names the notebook.
pub const NOTEBOOK: &str = "JPY_SESSION_NAME";

/// Cells to run before the reader's first one: none, unless the notebook asks for the library.
pub fn cells(notebook: &Path) -> Vec<String> {
    std::fs::read(notebook)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .and_then(|notebook: Value| dependency(&notebook))
        .map_or(Vec::new(), |line| {
            vec![
                line,
                // Its type has to be found, which takes rust-analyzer most of its time.
                "let evenhand_ahead = evenhand::polars::df![\"a\" => [1]];".to_owned(),
                "drop(evenhand_ahead);".to_owned(),
            ]
        })
}

/// The notebook's line that asks for the library.
fn dependency(notebook: &Value) -> Option<String> {
    let cells = notebook["cells"].as_array()?;
    let code = cells.iter().filter(|cell| cell["cell_type"] == "code");
    code.filter_map(|cell| match &cell["source"] {
        Value::String(text) => Some(text.clone()),
        lines => lines
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect::<Option<String>>(),
    })
    .find_map(|code| {
        code.lines()
            .find(|line| asks_for_library(line))
            .map(str::to_owned)
    })
}

fn asks_for_library(line: &str) -> bool {
    let name = line.trim_start().strip_prefix(":dep ").map(str::trim_start);
    let rest = name.and_then(|name| name.strip_prefix("evenhand"));
    rest.is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line_of(source: Value) -> Option<String> {
        dependency(&json!({"cells": [
            {"cell_type": "markdown", "source": ":dep evenhand = \"prose\""},
            {"cell_type": "code", "source": source},
        ]}))
    }

    #[test]
    fn the_notebooks_own_line_is_found() {
        let line = ":dep evenhand = { path = \"../crate\" }";
        let lines = json!(["// first\n", line, "\nuse evenhand::prelude::*;"]);
        assert_eq!(line_of(lines).as_deref(), Some(line));
        assert_eq!(line_of(json!(format!("{line}\n1"))).as_deref(), Some(line));
    }

    #[test]
    fn a_notebook_without_the_library_is_left_alone() {
        assert_eq!(line_of(json!(":dep evenhand_other = \"1\"")), None);
        assert_eq!(line_of(json!("let evenhand = 1;")), None);
        assert!(cells(Path::new("no such notebook")).is_empty());
    }
}
