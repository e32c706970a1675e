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
//! whether it means the same library.

use std::path::Path;

use serde_json::Value;

/// The variable in which Jupyter passes the notebook's path.
pub const NOTEBOOK: &str = "JPY_SESSION_NAME";

/// Larger notebooks are not examined.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Cells to run before the reader's first one: none, unless the notebook depends on the library
/// in this folder. `folder` is the notebook's working directory, to which its paths are relative.
pub fn cells(notebook: &Path, folder: &Path, library: &Path) -> Vec<String> {
    let Ok(library) = library.canonicalize() else {
        return Vec::new();
    };
    let means_library = |path: &str| {
        let meant = folder.join(path).canonicalize();
        meant.is_ok_and(|meant| meant == library)
    };
    match read(&folder.join(notebook)) {
        Some(notebook) if dependency(&notebook).is_some_and(|path| means_library(&path)) => vec![
            format!(":dep evenhand = {{ path = {library:?} }}"),
            // rust-analyzer spends most of its time on finding the type of this variable.
            "let evenhand_ahead = evenhand::polars::df![\"a\" => [1]];".to_owned(),
            "drop(evenhand_ahead);".to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn read(notebook: &Path) -> Option<Value> {
    // Reading anything but a regular file, such as a pipe, may never end.
    let found = notebook.metadata().ok()?;
    if !found.is_file() || found.len() > LONGEST {
        return None;
    }
    serde_json::from_slice(&std::fs::read(notebook).ok()?).ok()
}

/// The path in the notebook's first line that depends on the library. A line with anything but
/// a path, such as features, means a different build of it.
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
        let mut lines = code.lines();
        lines.find_map(asked).map(path)
    })
    .flatten()
}

/// What follows `=` in a line that depends on the library.
fn asked(line: &str) -> Option<&str> {
    let name = line.trim_start().strip_prefix(":dep")?;
    let asked = name.trim_start().strip_prefix("evenhand")?;
    asked.trim_start().strip_prefix('=')
}

/// The path, if there is nothing else.
fn path(said: &str) -> Option<String> {
    let inner = said.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let value = inner.strip_prefix("path")?.trim_start().strip_prefix('=')?;
    let path = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!path.contains(['"', '\\'])).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The path of a checkout's library, and the cells for a notebook beside it with this source.
    fn cells_of(source: Value) -> (PathBuf, Vec<String>) {
        let root = tempfile::tempdir().unwrap();
        let (library, folder) = (root.path().join("crate"), root.path().join("notebooks"));
        for made in [&library, &folder, &root.path().join("evil")] {
            std::fs::create_dir(made).unwrap();
        }
        let notebook = json!({"cells": [
            {"cell_type": "markdown", "source": ":dep evenhand = \"prose\""},
            {"cell_type": "code", "source": source},
        ]});
        std::fs::write(folder.join("a.ipynb"), notebook.to_string()).unwrap();
        let library = library.canonicalize().unwrap();
        let cells = cells(Path::new("a.ipynb"), &folder, &library);
        (library, cells)
    }

    #[test]
    fn a_line_that_means_this_checkout_is_prepared_by_our_own() {
        let line = ":dep evenhand = { path = \"../crate\" }";
        for source in [
            json!(["// first\n", line, "\nuse evenhand::prelude::*;"]),
            json!(format!("{line}\n1")),
            json!(":dep evenhand={path=\"../evil/../crate/\"}"),
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
        let nowhere = cells(
            Path::new("no such notebook"),
            Path::new("/"),
            Path::new("/"),
        );
        assert!(nowhere.is_empty());
    }

    proptest! {
        #[test]
        fn any_line_has_an_answer(line in r#":dep evenhand ?=[ {}path="'\\./]{0,20}"#, text: String) {
            for line in [line, text] {
                let _ = asked(&line).map(path);
            }
        }
    }
}
