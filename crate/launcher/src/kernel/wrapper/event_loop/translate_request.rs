//! What evcxr is given of a request: positions as it counts them, and a line that depends on the
//! toolkit as one that it understands.

use super::{EventLoop, Stage};
use crate::jupyter::Message;
use crate::kernel::wrapper::error::CellError;
use crate::kernel::wrapper::is_complete::{self, Complete};
use crate::kernel::wrapper::positions;
use crate::kernel::wrapper::toolkit::Toolkit;

impl EventLoop {
    /// The request as evcxr is given it, or the error of a cell that it is not given.
    pub(super) fn given(&mut self, request: &Message) -> Result<Message, CellError> {
        let mut given = request.clone();
        match request.kind() {
            "complete_request" | "inspect_request" => {
                given.content = positions::for_evcxr(request.kind(), &request.content);
            }
            "execute_request" => {
                let code = request.content["code"].as_str().unwrap_or_default();
                never_runs(code)?;
                if let Stage::Failed(error) = &self.inner {
                    // Why there is no evcxr matters more than what the cell asks for.
                    return Err(error.clone());
                }
                let translated = Toolkit::translate(self.toolkit.as_ref(), code)?;
                for note in &translated.notes {
                    self.front.send_note(note);
                }
                given.content["code"] = translated.code.into();
            }
            _ => {}
        }
        Ok(given)
    }
}

/// The error of a cell that evcxr would leave out without a word: a bracket closes what was never
/// opened.
fn never_runs(code: &str) -> Result<(), CellError> {
    let is_rust = |line: &&str| !line.trim_start().starts_with(['!', ':']);
    let rust: Vec<_> = code.lines().filter(is_rust).collect();
    match is_complete::complete(&rust.join("\n")) {
        Complete::Wrong => Err(CellError::new(
            "Error",
            "a closing bracket has no opening one before it",
        )),
        _ => Ok(()),
    }
}
