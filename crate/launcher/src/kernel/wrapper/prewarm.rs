//! Loading the library in advance, while the user reads the notebook.
//!
//! Most of the time until the first answer is spent by evcxr on loading the library and its
//! dependencies, once per kernel. Jupyter passes the path of the notebook for which it starts a
//! kernel. If that notebook depends on this checkout's library, the library is loaded before the
//! reader runs the `:dep` line, and rust-analyzer is made to find the type of a variable. The only
//! visible effect is that the `:dep` line takes no time when the reader runs it.
//!
//! Opening a notebook must not run any of its code. The code that is run in advance is written
//! here and names the library by the checkout's own path; the notebook is only examined for
//! whether it means the same library (`toolkit`).

use std::path::Path;

use serde_json::Value;

use super::toolkit::Toolkit;

/// The variable in which Jupyter passes the notebook's path.
pub const NOTEBOOK: &str = "JPY_SESSION_NAME";

/// Larger notebooks are not examined.
const MAX_LENGTH: u64 = 64 * 1024 * 1024;

/// Cells to run before the reader's first one: none, unless the notebook depends on the installed
/// toolkit.
pub fn cells(notebook: &Path, toolkit: &Toolkit) -> Vec<String> {
    match read_notebook(&toolkit.folder().join(notebook)) {
        Some(notebook) if depends(&notebook, toolkit) => vec![
            toolkit.line(),
            // rust-analyzer spends most of its time on finding the type of this variable.
            "let evenhand_ahead = evenhand::polars::df![\"a\" => [1]];".to_owned(),
            "drop(evenhand_ahead);".to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn read_notebook(notebook: &Path) -> Option<Value> {
    // Reading anything but a regular file, such as a pipe, may never end.
    let found = notebook.metadata().ok()?;
    if !found.is_file() || found.len() > MAX_LENGTH {
        return None;
    }
    serde_json::from_slice(&std::fs::read(notebook).ok()?).ok()
}

/// Whether the notebook's first line that depends on the toolkit means exactly the installed one. A
/// line with features means a different build of it.
fn depends(notebook: &Value, toolkit: &Toolkit) -> bool {
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let code = cells.filter(|cell| cell["cell_type"] == "code");
    code.filter_map(|cell| match &cell["source"] {
        Value::String(text) => Some(text.clone()),
        lines => lines
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect::<Option<String>>(),
    })
    .find_map(|code| toolkit.is_meant(&code))
    .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;

    /// The path of a checkout's library, and the cells for a notebook next to it with this source.
    fn cells_of(source: Value) -> (PathBuf, Vec<String>) {
        let root = tempfile::tempdir().unwrap();
        let library = root.path().join("crate/notebook");
        let folder = root.path().join("notebooks");
        for made in [&library, &folder, &root.path().join("evil")] {
            std::fs::create_dir_all(made).unwrap();
        }
        std::fs::write(library.join("Cargo.toml"), "").unwrap();
        let notebook = json!({"cells": [
            {"cell_type": "markdown", "source": ":dep evenhand = \"prose\""},
            {"cell_type": "code", "source": source},
        ]});
        std::fs::write(folder.join("a.ipynb"), notebook.to_string()).unwrap();
        let library = library.canonicalize().unwrap();
        let toolkit = Toolkit::new(library.clone(), folder);
        let cells = cells(Path::new("a.ipynb"), &toolkit);
        (library, cells)
    }

    #[test]
    fn a_line_that_means_this_checkout_is_prepared_by_our_own() {
        let line = ":dep evenhand = { path = \"../crate/notebook\" }";
        for source in [
            json!(["// first\n", line, "\nuse evenhand::prelude::*;"]),
            json!(format!("{line}\n1")),
            json!(":dep evenhand={path=\"../evil/../crate/notebook/\"}"),
            json!(":dep evenhand = { path = \"../crate\" }"),
            json!(":dep evenhand"),
            json!("// first\n:dep evenhand = \"0.1\"\nuse evenhand::prelude::*;"),
        ] {
            let (library, cells) = cells_of(source);
            assert_eq!(cells.len(), 3);
            assert_eq!(
                cells[0],
                format!(":dep evenhand = {{ path = {library:?} }}")
            );
        }
    }

    #[test]
    fn nothing_of_another_line_is_run() {
        for line in [
            ":dep evenhand = { path = \"../evil\" }",
            ":dep evenhand = { path = \"no such folder\" }",
            ":dep evenhand = { path = \"../crate\", features = [\"x\"] }",
            ":dep evenhand = { path = \"../crate\", path = \"../evil\" }",
            ":dep evenhand = { path = \"../crate\" } # \"}",
            ":dep evenhand = { package = \"evil\", path = \"../crate\" }",
            ":dep evenhand = { path = \"../evil\" }\n:dep evenhand = { path = \"../crate\" }",
            ":dep evenhand = { git = \"https://example.com\" }",
            ":dep evenhand = \"1\"",
            ":dep evenhand_other = \"1\"",
            "let evenhand = 1;",
        ] {
            assert_eq!(cells_of(json!(line)).1, Vec::<String>::new(), "{line}");
        }
        let toolkit = Toolkit::new("/".into(), "/".into());
        assert!(cells(Path::new("no such notebook"), &toolkit).is_empty());
    }
}
