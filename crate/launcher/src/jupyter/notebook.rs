//! A notebook file in nbformat 4, loaded and saved so that only outputs change.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value, json};

use crate::error::{Context, Failure, Result};

/// The names of kernelspecs for Rust.
const KERNELS: [&str; 2] = ["evenhand", "rust"];

/// The size limit of a notebook, in bytes.
const MAX_LENGTH: u64 = 256 * 1024 * 1024;

/// A notebook, and the path that it was loaded from.
#[derive(Debug)]
pub struct Notebook {
    path: PathBuf,
    json: Map<String, Value>,
}

impl Notebook {
    /// Loads a Rust notebook. Anything else is refused with the reason.
    pub fn load(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", on_a_line(path));
        let found = std::fs::metadata(path).with_context(context)?;
        // Reading a pipe or a device may never end.
        if !found.is_file() || found.len() > MAX_LENGTH {
            let what = match found.is_file() {
                true => "it is larger than 256 MB",
                false => "it is not a regular file",
            };
            let name = on_a_line(path);
            return Err(Failure::new(format!("{name} is not a notebook: {what}")));
        }
        Self::parse(path, &std::fs::read(path).with_context(context)?)
    }

    /// Reads the bytes of the file at this path.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self> {
        let name = on_a_line(path);
        let json: Value = serde_json::from_slice(text)
            .with_context(|| format!("{name} is not a notebook: it is not JSON"))?;
        let Value::Object(json) = json else {
            return Err(Failure::new(format!(
                "{name} is not a notebook: it is not a JSON object"
            )));
        };
        match json.get("nbformat").and_then(Value::as_u64) {
            Some(4) => {}
            Some(other) => {
                return Err(
                    Failure::new(format!("{name} has notebook format {other}, not 4"))
                        .hint("open it in JupyterLab and save it; that converts it"),
                );
            }
            None => {
                return Err(Failure::new(format!(
                    "{name} is not a notebook: it has no nbformat"
                )));
            }
        }
        let cells = json.get("cells").and_then(Value::as_array);
        if !cells.is_some_and(|cells| cells.iter().all(Value::is_object)) {
            return Err(Failure::new(format!(
                "{name} is not a notebook: it has no list of cells"
            )));
        }
        let kernel = json
            .get("metadata")
            .and_then(|metadata| metadata.pointer("/kernelspec/name"))
            .and_then(Value::as_str);
        // An installed kernel may have any name.
        let is_rust = json.get("metadata").is_some_and(|metadata| {
            metadata.pointer("/kernelspec/language") == Some(&Value::from("rust"))
        });
        match kernel {
            Some(kernel) if is_rust || KERNELS.contains(&kernel) => Ok(Self {
                path: path.to_owned(),
                json,
            }),
            Some(kernel) => Err(Failure::new(format!(
                "{name} is not a Rust notebook: its kernel is `{kernel}`"
            ))
            .hint("`evenhand run` runs notebooks whose kernel is `rust`, `evenhand` or another one of Rust")),
            None => Err(
                Failure::new(format!("{name} does not say which kernel it needs"))
                    .hint("choose a Rust kernel for it in JupyterLab and save it"),
            ),
        }
    }

    /// The path that it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The notebook's folder, in which its kernel works.
    pub fn folder(&self) -> &Path {
        self.path
            .parent()
            .filter(|parent| *parent != Path::new(""))
            .unwrap_or(Path::new("."))
    }

    /// Its name without the folder and without `.ipynb`.
    pub fn stem(&self) -> &std::ffi::OsStr {
        self.path.file_stem().unwrap_or(self.path.as_os_str())
    }

    fn cells(&self) -> &[Value] {
        self.json
            .get("cells")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The code cells, in order.
    pub fn code_cells(&self) -> Vec<Cell> {
        let code = self
            .cells()
            .iter()
            .enumerate()
            .filter(|(_, cell)| cell["cell_type"] == "code");
        code.map(|(index, cell)| Cell {
            index,
            source: joined(&cell["source"]),
            tags: cell["metadata"]["tags"]
                .as_array()
                .map(|tags| {
                    tags.iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect()
                })
                .unwrap_or_default(),
        })
        .collect()
    }

    /// The texts of the Markdown cells, in order.
    pub fn markdown(&self) -> impl Iterator<Item = String> {
        let cells = self.cells().iter();
        cells
            .filter(|cell| cell["cell_type"] == "markdown")
            .map(|cell| joined(&cell["source"]))
    }

    /// Removes the outputs of earlier runs from the code cells.
    pub fn clear(&mut self) {
        for cell in self.code_cells() {
            self.set_outputs(&cell, Vec::new(), None);
        }
    }

    /// Replaces the outputs and the number of a cell.
    pub fn set_outputs(&mut self, cell: &Cell, outputs: Vec<Value>, count: Option<u64>) {
        let cells = self.json.get_mut("cells").and_then(Value::as_array_mut);
        let cell = cells
            .and_then(|cells| cells.get_mut(cell.index))
            .and_then(Value::as_object_mut);
        if let Some(cell) = cell {
            cell.insert("execution_count".to_owned(), json!(count));
            cell.insert("outputs".to_owned(), Value::Array(outputs));
        }
    }

    /// Whether a cell loads the library, so that the notebook needs the warm build and a model.
    pub fn uses_the_library(&self) -> bool {
        self.code_cells()
            .iter()
            .any(|cell| cell.source.contains(":dep evenhand"))
    }

    /// Whether a cell signs in to Azure, so that the notebook makes or removes things there.
    pub fn signs_in_to_azure(&self) -> bool {
        self.code_cells()
            .iter()
            .any(|cell| cell.source.contains("Azure::sign_in"))
    }

    /// Sets the language, if the notebook does not: a converter would assume Python.
    pub fn name_language(&mut self) {
        if let Some(metadata) = self.json.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.entry("language_info").or_insert_with(
                || json!({"file_extension": ".rs", "mimetype": "text/rust", "name": "rust", "pygments_lexer": "rust"}),
            );
        }
    }

    /// The bytes that Jupyter would write: indented by one space, with a newline at the end.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let style = PrettyFormatter::with_indent(b" ");
        self.json
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut bytes, style,
            ))
            .with_context(|| format!("cannot write {} as JSON", on_a_line(&self.path)))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Writes the file atomically.
    pub fn save(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let context = || format!("cannot write {}", on_a_line(path));
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .with_context(context)?;
        file.write_all(&self.to_bytes()?).with_context(context)?;
        file.persist(path).with_context(context)?;
        Ok(())
    }
}

/// A path as it is printed: a stranger may have chosen a notebook's name, and must not be able to
/// write lines of the launcher's output with it.
pub fn on_a_line(path: &Path) -> String {
    path.display()
        .to_string()
        .replace(char::is_control, "\u{FFFD}")
}

/// A code cell.
#[derive(Debug)]
pub struct Cell {
    index: usize,
    /// Its code.
    pub source: String,
    tags: Vec<String>,
}

impl Cell {
    /// A cell that is not in a notebook.
    pub fn from_code(code: &str) -> Self {
        Self {
            index: 0,
            source: code.to_owned(),
            tags: Vec::new(),
        }
    }

    /// Whether the cell may fail, according to a tag that nbclient and papermill use, too.
    pub fn may_fail(&self) -> bool {
        self.has_tag("raises-exception")
    }

    /// Whether there is nothing to run, or a tag says not to run it.
    pub fn is_skipped(&self) -> bool {
        self.source.trim().is_empty() || self.has_tag("skip-execution")
    }

    fn has_tag(&self, wanted: &str) -> bool {
        self.tags.iter().any(|tag| tag == wanted)
    }
}

/// A text of the notebook format: a string, or a list of lines.
pub fn joined(text: &Value) -> String {
    match text {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// A text as the notebook format keeps it: a list of lines.
pub fn source_lines(text: &str) -> Value {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(json: &Value) -> Result<Notebook> {
        Notebook::parse(Path::new("lesson.ipynb"), json.to_string().as_bytes())
    }

    fn refusal(json: Value) -> String {
        parse(&json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("a.ipynb");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let refusal = Notebook::load(path).unwrap_err().to_string();
            assert!(refusal.contains("it is not a regular file"), "{refusal}");
        }
        let large = folder.path().join("large.ipynb");
        std::fs::File::create(&large)
            .unwrap()
            .set_len(MAX_LENGTH + 1)
            .unwrap();
        let refusal = Notebook::load(&large).unwrap_err().to_string();
        assert!(refusal.contains("larger than 256 MB"), "{refusal}");
    }

    #[test]
    fn a_name_writes_no_line_of_its_own() {
        let path = Path::new("a\nerror: run this\u{1b}[2J.ipynb");
        let refusal = Notebook::load(path).unwrap_err().to_string();
        assert!(
            refusal.contains("cannot read a\u{FFFD}error: run this\u{FFFD}[2J.ipynb\n"),
            "{refusal}"
        );
    }

    #[test]
    fn what_is_no_rust_notebook_is_refused() {
        let not_json = Notebook::parse(Path::new("a.ipynb"), b"fn main() {}").unwrap_err();
        assert!(
            not_json
                .to_string()
                .contains("a.ipynb is not a notebook: it is not JSON")
        );
        assert!(refusal(json!([])).contains("not a JSON object"));
        assert!(refusal(json!({})).contains("no nbformat"));
        assert!(refusal(json!({"nbformat": 3})).contains("format 3, not 4"));
        assert!(refusal(json!({"nbformat": 4})).contains("no list of cells"));
        assert!(refusal(json!({"nbformat": 4, "cells": [1]})).contains("no list of cells"));
        assert!(refusal(json!({"nbformat": 4, "cells": []})).contains("which kernel"));
        let python =
            json!({"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"name": "python3"}}});
        assert!(refusal(python).contains("its kernel is `python3`"));
    }

    #[test]
    fn it_is_written_as_jupyter_writes_it() {
        let text = "{\n \"cells\": [],\n \"metadata\": {\n  \"kernelspec\": {\n   \"name\": \"rust\"\n  }\n },\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n";
        let notebook = Notebook::parse(Path::new("a.ipynb"), text.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(notebook.to_bytes().unwrap()).unwrap(),
            text
        );
    }

    #[test]
    fn sources_and_tags_are_read() {
        let notebook = parse(&json!({
            "nbformat": 4,
            "metadata": {"kernelspec": {"name": "evenhand"}},
            "cells": [
                {"cell_type": "markdown", "source": "no"},
                {"cell_type": "code", "source": ["let a = 1;\n", "a"], "metadata": {"tags": ["raises-exception"]}},
                {"cell_type": "code", "source": " \n"},
            ]
        }))
        .unwrap();
        let cells = notebook.code_cells();
        assert_eq!(cells.len(), 2);
        assert_eq!(cells[0].source, "let a = 1;\na");
        assert!(cells[0].may_fail() && !cells[0].is_skipped());
        assert!(!cells[1].may_fail() && cells[1].is_skipped());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300f64).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn any_cell() -> impl Strategy<Value = Value> {
        let kind = prop_oneof![Just("code"), Just("markdown"), Just("raw")];
        (kind, any_json(), any_json(), any_json()).prop_map(|(kind, source, metadata, extra)| {
            json!({"cell_type": kind, "extra": extra, "metadata": metadata, "outputs": [1], "execution_count": 7, "source": source})
        })
    }

    proptest! {
        #[test]
        fn only_outputs_and_counts_change(
            cells in prop::collection::vec(any_cell(), 0..6),
            extra in any_json(),
            metadata in any_json(),
        ) {
            let before = json!({
                "unknown": extra,
                "cells": cells,
                "nbformat": 4,
                "metadata": {"kernelspec": {"name": "rust", "more": metadata}},
            });
            let mut notebook = parse(&before).unwrap();
            for cell in notebook.code_cells() {
                notebook.set_outputs(&cell, vec![json!({"output_type": "stream"})], Some(1));
            }
            let after = notebook.to_bytes().unwrap();
            // The order of the keys counts too, so texts are compared, not values.
            let text = |mut json: Value, code_only: bool| {
                for cell in json["cells"].as_array_mut().unwrap() {
                    if cell["cell_type"] == "code" || !code_only {
                        cell["outputs"] = Value::Null;
                        cell["execution_count"] = Value::Null;
                    }
                }
                json.to_string()
            };
            let after: Value = serde_json::from_slice(&after).unwrap();
            prop_assert_eq!(text(after, true), text(before, true));
        }
    }
}
