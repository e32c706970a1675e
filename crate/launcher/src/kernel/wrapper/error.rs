//! A cell's failure as Jupyter shows it: name, value, traceback.

use evenhand::text::terminal::sanitize;
use serde_json::{Value, json};

/// What evcxr says when the process that runs the cells has ended.
const ENDED: &str = "Subprocess terminated";

/// A failure of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    pub name: String,
    pub value: String,
    pub traceback: Vec<String>,
}

impl From<&Value> for CellError {
    fn from(content: &Value) -> Self {
        let text = |field: &str| content[field].as_str().unwrap_or_default().to_owned();
        let lines = content["traceback"].as_array();
        Self {
            name: text("ename"),
            value: text("evalue"),
            traceback: lines
                .into_iter()
                .flatten()
                .filter_map(|line| Some(line.as_str()?.to_owned()))
                .collect(),
        }
    }
}

impl CellError {
    /// A failure with this message; its first line has a colored name. The text is sanitized:
    /// a panic may quote a model's answer, and tools that run notebooks in a terminal print
    /// tracebacks unchanged.
    pub fn new(name: &str, value: impl AsRef<str>) -> Self {
        let value = sanitize(value.as_ref()).into_owned();
        Self {
            name: name.to_owned(),
            traceback: headed(name, &value),
            value,
        }
    }

    /// An error that the cell returned through `?`.
    pub fn returned(text: &str) -> Self {
        Self::new(
            "error",
            match text.trim() {
                "" => "the cell returned an error without a message",
                content => content,
            },
        )
    }

    /// evcxr reports that the cell failed, but not why.
    pub fn unsaid() -> Self {
        Self::new(
            "error",
            "the kernel reported that the cell failed, but not why",
        )
    }

    /// The reader stopped the cell, and its code did not wind down in time.
    pub fn killed() -> Self {
        Self::new(
            "Stopped",
            "the cell was stopped, and all variables are lost; functions, types and \
             dependencies are still there\n  hint: run the cells again from the top. Rows that a \
             batch had finished are in its journal and are not requested again",
        )
    }

    /// The reader stopped the cell before its code ran.
    pub fn stopped_compiling() -> Self {
        Self::new(
            "Stopped",
            "the cell was stopped before it ran; all variables are still there",
        )
    }

    /// evcxr itself has ended or could not be started, for the launcher's reason.
    pub fn of_kernel(failure: &impl ToString) -> Self {
        let text = failure.to_string();
        Self::new("KernelError", text.strip_prefix("error: ").unwrap_or(&text))
    }

    /// Whether evcxr reports that the process that runs the cells has ended.
    pub fn is_of_an_ended_process(&self) -> bool {
        self.value.contains(ENDED)
    }

    /// Adds to evcxr's message about an ended process what it means.
    pub fn explained(self) -> Self {
        let memory = match self.value.contains("SIGKILL") {
            true => "; the system kills a process like this when memory runs short",
            false => "",
        };
        Self::new(
            "ProcessEnded",
            format!(
                "{}\n  hint: the process that runs the cells has ended, and all variables are \
                 lost{memory}. Run the cells again from the top; rows that a batch had finished \
                 are in its journal",
                self.value.trim_end()
            ),
        )
    }

    /// Replaces evcxr's internal cell number in quoted code by the reader's.
    pub fn numbered(mut self, count: u64) -> Self {
        for line in &mut self.traceback {
            if let Some((before, rest)) = line.split_once("command_") {
                let after = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
                if after.len() < rest.len() {
                    *line = format!("{before}command_{count}{after}");
                }
            }
        }
        self
    }

    /// Adds what the reader can do about it.
    pub fn hinted(mut self, hint: Option<String>) -> Self {
        if let Some(hint) = hint {
            self.value = format!("{}\n{hint}", self.value.trim_end());
            self.traceback.push(hint);
        }
        self
    }

    /// The fields of the protocol, for an `error` message and for a reply.
    pub fn content(&self) -> Value {
        json!({"ename": self.name, "evalue": self.value, "traceback": self.traceback})
    }
}

/// The lines of a message. The first begins with the name in red, as evcxr colors compiler errors.
pub fn headed(name: &str, value: &str) -> Vec<String> {
    let mut lines = value.lines();
    let first = format!(
        "\u{1b}[91m{name}\u{1b}[0m: {}",
        lines.next().unwrap_or_default()
    );
    [first]
        .into_iter()
        .chain(lines.map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_evcxrs_becomes_the_readers() {
        let error = CellError {
            name: "Error".to_owned(),
            value: String::new(),
            traceback: vec![
                "   ╭─[command_12:1:1]".to_owned(),
                "a command_line".to_owned(),
            ],
        };
        assert_eq!(
            error.numbered(3).traceback,
            ["   ╭─[command_3:1:1]", "a command_line"]
        );
    }

    #[test]
    fn what_a_cell_says_steers_no_terminal() {
        let error = CellError::returned("\u{1b}]0;mine\u{7}\rok\nand \u{9b}2J");
        assert_eq!(error.value, "�]0;mine��ok\nand �2J");
        assert_eq!(
            error.traceback,
            ["\u{1b}[91merror\u{1b}[0m: �]0;mine��ok", "and �2J"]
        );
    }

    #[test]
    fn an_ended_process_is_explained() {
        let content = json!({"evalue": "Subprocess terminated with status: signal: 9 (SIGKILL)"});
        let error = CellError::from(&content);
        assert!(error.is_of_an_ended_process());
        let value = error.explained().value;
        assert!(value.contains("memory runs short"), "{value}");
        assert!(value.contains("all variables are lost"), "{value}");
    }
}
