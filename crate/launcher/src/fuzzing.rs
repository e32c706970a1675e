//! What must hold for any bytes that the launcher reads from outside: a kernel's peer, a
//! connection file, a notebook, a cell.
//!
//! Each function is a fuzz target. `crate/fuzz` runs them guided by coverage; the tests below
//! replay its corpus and mutate it at random. A finding is a panic.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a finding is a panic; the targets are documented as a whole"
)]

use std::path::Path;

use crate::jupyter::notebook::Notebook;
use crate::jupyter::zmtp::fuzzing::{Heard, encode, heard, heard_opening};
use crate::jupyter::{Connection, Session};
use crate::kernel::fuzzing::{Complete, Reader, complete};

/// Bytes that arrive at a kernel's socket: the opening, then messages.
pub fn wire(bytes: &[u8]) {
    let _ = heard_opening(bytes);
    let whole = heard(bytes, usize::MAX);
    let pieces = heard(
        bytes,
        1 + usize::from(bytes.first().copied().unwrap_or_default() % 16),
    );
    assert_eq!(
        whole.as_ref().ok(),
        pieces.as_ref().ok(),
        "pieces change it"
    );
    let unsigned = Session::new("").unwrap();
    let signed = Session::new("secret").unwrap();
    for message in whole.unwrap_or_default() {
        let Heard::Message(frames) = message else {
            continue;
        };
        assert!(
            signed.read_message(frames.clone()).is_err(),
            "nobody signed it"
        );
        if let Ok(message) = unsigned.read_message(frames) {
            let again = heard(&encode(&unsigned.forward(&message)), 64).unwrap_or_default();
            for sent in again {
                let Heard::Message(frames) = sent else {
                    continue;
                };
                let read = unsigned.read_message(frames).unwrap();
                assert_eq!(read.header.id(), message.header.id());
                assert_eq!(read.content, message.content);
            }
        }
    }
}

/// A connection file.
pub fn connection(text: &[u8]) {
    if let Ok(connection) = serde_json::from_slice::<Connection>(text) {
        let _ = connection.endpoint(connection.ports.shell).to_string();
    }
}

/// A partly typed cell in a console.
pub fn is_complete(code: &[u8]) {
    let code = String::from_utf8_lossy(code);
    if let Complete::Open { indent } = complete(&code) {
        assert!(indent <= 4 * 32, "{indent}");
    }
}

/// A notebook.
pub fn notebook(text: &[u8]) {
    let path = Path::new("lesson.ipynb");
    let Ok(mut notebook) = Notebook::parse(path, text) else {
        return;
    };
    let cells = notebook.code_cells().len();
    notebook.uses_the_library();
    notebook.clear();
    notebook.name_language();
    let again = Notebook::parse(path, &notebook.to_bytes().unwrap()).unwrap();
    assert_eq!(again.code_cells().len(), cells);
}

/// The output of a cell, with text that may look like marks.
pub fn sideband(output: &[u8]) {
    let mut reader = Reader::default();
    for piece in output.chunks(7) {
        reader.split(piece, "word:");
    }
    reader.release();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::replay;

    #[test]
    fn no_bytes_at_a_socket_are_a_finding() {
        replay("wire", wire);
    }

    #[test]
    fn no_connection_file_is_a_finding() {
        replay("connection", connection);
    }

    #[test]
    fn no_cell_is_a_finding() {
        replay("is_complete", is_complete);
    }

    #[test]
    fn no_notebook_is_a_finding() {
        replay("notebook", notebook);
    }

    #[test]
    fn no_output_of_a_cell_is_a_finding() {
        replay("sideband", sideband);
    }
}
