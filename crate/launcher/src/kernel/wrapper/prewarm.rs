//! What is made ready while the reader reads.
//!
//! Most of the time until a first answer goes into evcxr's reading of the library and all
//! below it, once a kernel. Jupyter names the notebook for which it starts a kernel; if that
//! asks for this checkout's library, the library is loaded before the reader runs the line, and
//! rust-analyzer is made to look at a variable. Nothing is left behind that the reader could
//! see, other than that the same line takes no time when it comes.
//!
//! To open a notebook is not to run it. What is run here is written here, and names the library
//! by the checkout's own path; of the notebook it is only asked whether it means the same.

use std::path::Path;

use serde_json::Value;

/// Where Jupyter names the notebook.
pub const NOTEBOOK: &str = "JPY_SESSION_NAME";

/// Longer notebooks are left alone.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Cells to run before the reader's first one: none, unless the notebook asks for the library
/// in this folder. It will be run in `folder`, from which its paths lead.
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
            // Its type has to be found, which takes rust-analyzer most of its time.
            "let evenhand_ahead = evenhand::polars::df![\"a\" => [1]];".to_owned(),
            "drop(evenhand_ahead);".to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn read(notebook: &Path) -> Option<Value> {
    // What is no plain file, such as a pipe, may never end.
    let found = notebook.metadata().ok()?;
    if !found.is_file() || found.len() > LONGEST {
        return None;
    }
    serde_json::from_slice(&std::fs::read(notebook).ok()?).ok()
}

/// The path in the notebook's first line that asks for the library. A line that says anything
/// else than a path, such as features, asks for another one.
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

/// What a line says of the library, if it asks for it.
fn asked(line: &str) -> Option<&str> {
    let name = line.trim_start().strip_prefix(":dep")?;
    let asked = name.trim_start().strip_prefix("evenhand")?;
    asked.trim_start().strip_prefix('=')
}

/// The path, if that is all that is said.
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

    /// The library of a checkout, and a notebook in a folder beside it that begins so.
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
