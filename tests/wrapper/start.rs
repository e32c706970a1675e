//! What is prepared while the reader reads.

use super::{library, told};
use crate::support::Notebook;

#[test]
fn the_notebooks_library_is_there_before_the_reader_asks() {
    let notebook = Notebook::of("read", ["1"]);
    let said = told(&format!(
        r#"
kernel = Kernel(JPY_SESSION_NAME={:?})
source = os.path.join(kernel.folder(), "src", "lib.rs")
def prepared():
    try:
        return "drop(evenhand_ahead)" in open(source).read()
    except OSError:
        return False
until = time.monotonic() + TIMEOUT
while not prepared() and time.monotonic() < until:
    time.sleep(0.1)
tell([kernel.run(code) for code in [
    "evenhand::polars::df![\"a\" => [1, 2]]?.height()",
    "evenhand_ahead",
    {:?},
    "display(&df![\"a\" => [1]]?);",
]])
kernel.end()
"#,
        notebook.path(),
        library(),
    ));
    let first = &said[0];
    assert_eq!(first["outputs"][0]["data"]["text/plain"], "2", "{first}");
    assert_eq!(first["execution_count"], 1, "what ran ahead was counted");
    assert_eq!(said[1]["status"], "error", "something was left behind");
    assert_eq!(said[3]["outputs"][0]["kind"], "display_data", "{}", said[3]);
}

#[test]
fn a_notebook_without_the_library_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.ipynb");
    std::fs::write(&path, r#"{"cells": []}"#).unwrap();
    let said = told(&format!(
        "kernel = Kernel(JPY_SESSION_NAME={path:?})\ntime.sleep(3)\ntell([kernel.run('evenhand::VERSION'), kernel.run('1')])\nkernel.end()"
    ));
    assert_eq!(said[0]["status"], "error");
    assert_eq!(said[1]["outputs"][0]["data"]["text/plain"], "1");
}
