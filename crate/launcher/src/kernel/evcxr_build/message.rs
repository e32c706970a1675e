//! What evcxr is told of the compiler's messages about a cell.
//!
//! evcxr mends what it can, by the places that a message names: the value of a variable that the cell
//! moved is not stored again. But such a message also names the place of the move. If that is the
//! last expression, evcxr would show it by `Debug` instead. So it is told the first place alone.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The file in the build directory that lists the variables that the last cell moved.
pub const MOVED: &str = "moved.jsonl";

/// A variable that a cell moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub name: String,
    /// The line of the cell in which it was moved.
    pub line: String,
}

const STORES: &str = "evcxr_variable_store.put_";
/// What lines contain that evcxr generates around a cell's code.
const GENERATED: [&str; 4] = [
    "catch_unwind",
    "AssertUnwindSafe(||{",
    "let _ = (|| -> ",
    ".block_on(async",
];

/// Changes the compiler's message for evcxr. Returns the variable that the cell moved, if the message
/// is about one.
pub(super) fn adjust(message: &mut Value, source: &str) -> Option<Moved> {
    let is_about_moves = ["E0382", "E0505"].contains(&message["code"]["code"].as_str()?);
    let spans = message["spans"].as_array_mut().filter(|_| is_about_moves)?;
    let line = |span: &Value| {
        let number = usize::try_from(span["line_start"].as_u64()?).ok()?;
        source.lines().nth(number.checked_sub(1)?)
    };
    let stores = |span: &Value| {
        span["is_primary"] == true && line(span).is_some_and(|line| line.starts_with(STORES))
    };
    let stored = spans.iter().find(|span| stores(span)).and_then(line)?;
    let name = stored.split("stringify!(").nth(1)?.split(')').next()?;
    let moved = spans.iter().filter(|span| span["is_primary"] != true);
    // A closure around the cell's code moves it as well.
    let at = moved
        .filter(|span| {
            span["label"]
                .as_str()
                .is_some_and(|label| label.contains("moved"))
        })
        .filter_map(line)
        .find(|line| !GENERATED.iter().any(|generated| line.contains(generated)));
    let moved = Moved {
        name: name.to_owned(),
        line: at.unwrap_or_default().trim().to_owned(),
    };
    spans.retain(|span| stores(span));
    message["children"] = json!([]);
    Some(moved)
}

/// Adds to the list of variables that the cell moved.
pub(super) fn write_note(moved: &Moved, build: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(build.join(MOVED))?;
    writeln!(file, "{}", serde_json::to_string(moved)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "match &(/*shown*/\ndf.lazy()\n) { evenhand_value => {\nevcxr_variable_store.put_variable::<DataFrame>(stringify!(df), df);\n  std::panic::AssertUnwindSafe(||{\n";

    fn message(code: &str, primary: u64) -> Value {
        json!({
            "code": {"code": code},
            "spans": [
                {"is_primary": false, "line_start": 5, "label": "value moved into closure here"},
                {"is_primary": false, "line_start": 2, "label": "`df` moved due to this method call"},
                {"is_primary": true, "line_start": primary, "label": "value used here after move"},
            ],
            "children": [{"message": "you can `clone` the value", "spans": []}],
        })
    }

    #[test]
    fn a_variable_that_the_last_expression_moves_is_only_not_stored() {
        let mut diagnostic = message("E0382", 4);
        let moved = adjust(&mut diagnostic, SOURCE).unwrap();
        assert_eq!((&*moved.name, &*moved.line), ("df", "df.lazy()"));
        assert_eq!(diagnostic["spans"].as_array().unwrap().len(), 1);
        assert_eq!(diagnostic["spans"][0]["line_start"], 4);
        assert_eq!(diagnostic["children"], json!([]));
    }

    #[test]
    fn the_readers_own_mistakes_are_told_as_they_are() {
        for (code, line) in [("E0382", 2), ("E0425", 4)] {
            let mut diagnostic = message(code, line);
            assert_eq!(adjust(&mut diagnostic, SOURCE), None);
            assert_eq!(diagnostic, message(code, line));
        }
    }
}
