//! The reader's line at which a cell panicked.
//!
//! Rust names a line of the generated code. That line is in a statement of the cell, or in an item
//! of this or of an earlier cell. A line of code may occur more than once, so its text does not tell
//! which it is.

use super::error::CellError;
use super::local_replies::History;
use super::panic::Uncaught;
use crate::kernel::rust_text::{Item, items, normalized};

/// The file of the generated code of all cells.
const GENERATED: &str = "src/lib.rs";
/// The lines of the generated code between which the statements are.
const STATEMENTS: [&str; 2] = ["std::panic::catch_unwind(", "})) {"];

/// The cell's error, with the reader's line if it can be found.
pub fn error(panic: Uncaught, cell: &str, generated: &str, history: &History) -> CellError {
    let mut error = CellError::new("panic", panic.message);
    let mut place = panic.place.splitn(3, ':');
    let (file, number) = (place.next().unwrap_or_default(), place.next());
    let number = number
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| number.checked_sub(1))
        .filter(|_| file == GENERATED);
    let line = number.and_then(|number| generated.lines().nth(number));
    let shown = match (number, line) {
        (Some(number), Some(line)) => located(number, line.trim(), cell, generated, history),
        _ if panic.place.is_empty() => Vec::new(),
        _ => vec![format!("  at {}", panic.place)],
    };
    error.traceback.extend(shown);
    error
}

fn located(
    number: usize,
    line: &str,
    cell: &str,
    generated: &str,
    history: &History,
) -> Vec<String> {
    let quoted = |code: &str, at: usize| {
        let own = code.lines().nth(at).unwrap_or(line);
        format!("{:>4} | {own}", at + 1)
    };
    let item = item_at(generated, number);
    if let Some((item, within)) = item {
        if let Some(at) = in_items(cell, &item, within) {
            return vec![
                format!("  at line {} of this cell:", at + 1),
                quoted(cell, at),
            ];
        }
        let mut earlier = history.cells().iter().rev();
        let found =
            earlier.find_map(|(count, code)| Some((count, code, in_items(code, &item, within)?)));
        return match found {
            Some((count, code, at)) => vec![
                format!(
                    "  in the code of an earlier cell, at line {} of [{count}]:",
                    at + 1
                ),
                quoted(code, at),
            ],
            None => vec![
                "  in the code of an earlier cell:".to_owned(),
                format!("     | {line}"),
            ],
        };
    }
    match in_statements(generated, number, line, cell) {
        Some(at) => vec![
            format!("  at line {} of this cell:", at + 1),
            quoted(cell, at),
        ],
        None => vec![
            "  in the code around this cell:".to_owned(),
            format!("     | {line}"),
        ],
    }
}

/// The reader's item that holds this line, and the line's number within it.
fn item_at(generated: &str, number: usize) -> Option<(Item<'_>, usize)> {
    let first = |item: &Item<'_>| generated[..item.start].matches('\n').count();
    items(generated).into_iter().find_map(|item| {
        let first = first(&item);
        let holds = (first..first + item.text.lines().count()).contains(&number);
        let is_readers = !item.name.starts_with("run_user_code_") && !item.kind.is_empty();
        (holds && is_readers).then_some((item, number - first))
    })
}

/// The line of the code in which the same item has its line `within`.
fn in_items(code: &str, item: &Item<'_>, within: usize) -> Option<usize> {
    let wanted = normalized(item.text);
    let same = items(code).into_iter().find(|own| {
        own.kind == item.kind && own.name == item.name && normalized(own.text) == wanted
    })?;
    Some(code[..same.start].matches('\n').count() + within)
}

/// The line of the cell. If it occurs there several times, it is the one before which it occurs as often
/// as in the generated code.
fn in_statements(generated: &str, number: usize, line: &str, cell: &str) -> Option<usize> {
    let lines: Vec<_> = generated.lines().collect();
    let begins = lines[..number]
        .iter()
        .rposition(|line| line.contains(STATEMENTS[0]) || line.ends_with(STATEMENTS[0]))
        .map_or(0, |at| at + 1);
    // Several statements may be on one line of the cell.
    let times = |other: &str| match line.is_empty() {
        true => usize::from(other.trim().is_empty()),
        false => other.matches(line).count(),
    };
    let before: usize = lines[begins..number].iter().map(|other| times(other)).sum();
    let own: Vec<usize> = without_items(cell)
        .lines()
        .enumerate()
        .flat_map(|(at, own)| std::iter::repeat_n(at, times(own)))
        .collect();
    own.get(before).or(own.last()).copied()
}

/// The code with blanks for its items, whose lines are elsewhere in the generated code.
fn without_items(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for item in items(code).iter().filter(|item| !item.kind.is_empty()) {
        let range = item.start..item.start + item.text.len();
        for byte in bytes[range].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| code.to_owned())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const CELL: &str =
        "fn f(v: &[i32]) {\n    v[7];\n}\nlet v = vec![1];\nf(&v);\nv[7];\nf(&v); v[7];";
    const CODE: &str = "fn f(v: &[i32]) {\n    v[7];\n}\nfn g(v: &[i32]) { v[7]; }\n\
        pub extern \"C\" fn run_user_code_1(\nmatch std::panic::catch_unwind(\n||{\nlet v = vec![1];\nf(&v);\nv[7];\nf(&v); \nv[7];\n})) {\n}";

    fn traceback(place: &str) -> String {
        let uncaught = Uncaught {
            message: "no".to_owned(),
            place: place.to_owned(),
        };
        let mut history = History::default();
        history.add(3, "let a = 1;\nfn g(v: &[i32]) { v[7]; }");
        error(uncaught, CELL, CODE, &history).traceback[1..].join("\n")
    }

    #[test]
    fn a_line_that_stands_twice_is_the_right_one() {
        assert_snapshot!(traceback("src/lib.rs:10:1"), @"
          at line 6 of this cell:
           6 | v[7];
        ");
        assert_snapshot!(traceback("src/lib.rs:12:1"), @"
          at line 7 of this cell:
           7 | f(&v); v[7];
        ");
    }

    #[test]
    fn a_function_is_of_the_cell_that_defines_it() {
        assert_snapshot!(traceback("src/lib.rs:2:5"), @"
          at line 2 of this cell:
           2 |     v[7];
        ");
        assert_snapshot!(traceback("src/lib.rs:4:20"), @"
          in the code of an earlier cell, at line 2 of [3]:
           2 | fn g(v: &[i32]) { v[7]; }
        ");
    }

    #[test]
    fn other_files_are_named() {
        assert_snapshot!(traceback("/x/polars/lib.rs:1:9"), @"  at /x/polars/lib.rs:1:9");
        assert_eq!(traceback(""), "");
        assert_eq!(traceback("src/lib.rs:0:1"), "  at src/lib.rs:0:1");
    }
}
