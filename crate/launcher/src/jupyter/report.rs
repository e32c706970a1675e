//! What the terminal shows while notebooks run.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use evenhand::text::terminal::sanitize_styled;
use serde_json::Value;

use super::notebook::{Cell, joined, on_a_line};
use crate::error::Failure;
use crate::terminal::{self, err, out};

/// How many lines of a cell's outputs are shown, and how many characters of each.
const PREVIEW: usize = 5;
const WIDTH: usize = 100;

/// Writes a report of a run to the terminal.
#[derive(Debug)]
pub struct Report {
    terminal: bool,
    color: bool,
}

impl Report {
    /// A report to standard output, in color on a terminal unless `NO_COLOR` is set.
    pub fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            terminal,
            color: terminal && !no_color,
        }
    }

    /// A notebook begins.
    pub fn notebook(&self, path: &Path) {
        out!("{}", on_a_line(path));
    }

    /// The kernel has not answered yet.
    pub fn waiting(&self, since: Duration) {
        err!("  waiting for the kernel… {} s", since.as_secs());
    }

    /// A cell begins. Only shown on a terminal, where the line can be replaced at the end.
    pub fn begin(&self, index: usize, total: usize, cell: &Cell) {
        if self.terminal {
            let line = format!(
                "{}       …    {}",
                place(index, total),
                first_line(&cell.source)
            );
            terminal::replace_line(std::io::stdout(), &line);
        }
    }

    /// A cell is done.
    pub fn end(&self, index: usize, total: usize, cell: &Cell, took: Duration, mark: &str) {
        if self.terminal {
            terminal::replace_line(std::io::stdout(), "");
        }
        let seconds = took.as_secs_f64();
        out!(
            "{} {seconds:7.1} s  {mark}{}",
            place(index, total),
            first_line(&cell.source)
        );
    }

    /// The beginning of what a cell shows.
    pub fn preview(&self, outputs: &[Value]) {
        // If there are other outputs, an error only repeats what standard error says.
        let is_error = |output: &&Value| output["output_type"] == "error";
        let repeats = !outputs.iter().all(|output| is_error(&output));
        let shown = outputs
            .iter()
            .filter(|output| !(repeats && is_error(output)));
        let text: String = shown.filter_map(text_of).collect();
        let text = sanitize_styled(&text, false);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        for line in lines.iter().take(PREVIEW) {
            out!("          | {}", cut(line, WIDTH));
        }
        if lines.len() > PREVIEW {
            out!("          | … {} more lines", lines.len() - PREVIEW);
        }
    }

    /// The cell that failed, and its errors.
    pub fn failed(&self, cell: &Cell, outputs: &[Value]) {
        if outputs
            .iter()
            .any(|output| output["output_type"] != "error")
        {
            self.preview(outputs);
        }
        err!("");
        for (number, line) in sanitize_styled(&cell.source, false).lines().enumerate() {
            err!("    {:>3} | {line}", number + 1);
        }
        err!("");
        for error in outputs
            .iter()
            .filter(|output| output["output_type"] == "error")
        {
            let traceback = error["traceback"].as_array().into_iter().flatten();
            for line in traceback.filter_map(Value::as_str) {
                terminal::styled_line(std::io::stderr(), line, self.color);
            }
            err!("");
        }
    }

    /// Something other than the notebook's own failure went wrong.
    pub fn trouble(&self, failure: &Failure) {
        err!("{failure}");
    }

    /// A file was written.
    pub fn wrote(&self, path: &Path) {
        out!("  wrote {}", on_a_line(path));
    }
}

fn place(index: usize, total: usize) -> String {
    let digits = total.to_string().len();
    format!("  [{index:>digits$}/{total}]")
}

fn first_line(source: &str) -> String {
    let line = source
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    cut(&sanitize_styled(line, false), 60)
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// The text of an output that a terminal can show.
fn text_of(output: &Value) -> Option<String> {
    let text = match output["output_type"].as_str()? {
        "stream" => joined(&output["text"]),
        "error" => output["evalue"].as_str()?.to_owned(),
        _ => match output["data"].get("text/plain") {
            Some(text) => joined(text),
            None => output["data"]
                .as_object()?
                .keys()
                .map(|mime| format!("<{mime}>"))
                .collect(),
        },
    };
    Some(if text.ends_with('\n') {
        text
    } else {
        text + "\n"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_have_a_text() {
        let text = |output: Value| text_of(&output).unwrap();
        assert_eq!(
            text(json!({"output_type": "stream", "text": ["a\n", "b"]})),
            "a\nb\n"
        );
        let html = json!({"output_type": "display_data", "data": {"text/html": "<b>"}});
        assert_eq!(text(html), "<text/html>\n");
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(first_line("\n  let a = 1;\nb"), "  let a = 1;");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(first_line("\x1b[31mred\x1b[0m\rx"), "red�x");
    }
}
