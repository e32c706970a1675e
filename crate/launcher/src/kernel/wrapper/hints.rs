//! What the reader can do about an error of the compiler.

use super::cell_history::{CellHistory, Source};
use super::{polars_parts, python_habits, renamed};
use crate::kernel::rust_text::items;

/// A hint about this message, for a cell with this code.
pub fn hint(message: &str, code: &str, cells: &CellHistory) -> Option<String> {
    moved(message, cells)
        .or_else(|| renamed::hint(message))
        .or_else(|| python_habits::hint(message, code))
        .or_else(|| missing_item(message, cells))
        .or_else(|| polars_parts::hint(message))
        .or_else(|| unopened(message))
        .or_else(|| twice(message))
        .or_else(|| closure(message, code))
}

/// A variable that an earlier cell moved.
fn moved(message: &str, cells: &CellHistory) -> Option<String> {
    let name = unknown(message)?;
    let (count, line) = cells.moved(name)?;
    Some(format!(
        "  hint: cell [{count}] moved `{name}` away: `{line}`. There, `&{name}` or `{name}.clone()` \
         keeps it; run the cell that defines `{name}` again"
    ))
}

/// A name that another cell brings.
fn missing_item(message: &str, cells: &CellHistory) -> Option<String> {
    let name = unknown(message)?;
    match cells.source(name) {
        Some(Source::Ran(count)) => Some(format!(
            "  hint: cell [{count}] defines `{name}`, which is lost: run that cell again"
        )),
        Some(Source::Notebook(place, line)) => Some(format!(
            "  hint: code cell {place} of the notebook defines `{name}` and has not run since the \
             kernel started (`{}`): run it first, or all cells above",
            line.trim()
        )),
        None if name == "evenhand" => Some(
            "  hint: the cell that adds evenhand has not run since the kernel started: run the \
             notebook's first cell again"
                .to_owned(),
        ),
        None => None,
    }
}

/// The name that the compiler does not know.
fn unknown(message: &str) -> Option<&str> {
    const PHRASES: [&str; 12] = [
        "cannot find value `",
        "cannot find function `",
        "cannot find function, tuple struct or tuple variant `",
        "cannot find type `",
        "cannot find macro `",
        "cannot find struct, variant or union type `",
        "cannot find trait `",
        "use of undeclared type `",
        "use of unresolved module or unlinked crate `",
        "cannot find module or crate `",
        "can't find crate for `",
        "expected value, found macro `",
    ];
    if let Some(rest) = PHRASES.iter().find_map(|phrase| message.split_once(phrase)) {
        return rest.1.split('`').next();
    }
    let path = message
        .split_once("unresolved import `")?
        .1
        .split('`')
        .next()?;
    path.split("::").next()
}

/// A method of the value in a `Result`.
fn unopened(message: &str) -> Option<String> {
    let method = message
        .split_once("no method named `")?
        .1
        .split('`')
        .next()?;
    message.contains("` found for enum `Result<").then(|| {
        format!(
            "  hint: what is before `.{method}` may fail: put a `?` between them, as in \
             `chart(&df).bar(\"name\", \"value\")?.titled(\"..\")`"
        )
    })
}

/// An implementation that the kernel could not replace.
fn twice(message: &str) -> Option<String> {
    message.starts_with("conflicting implementations of trait").then(|| {
        "  hint: an implementation in the same cell as its type is replaced when that cell runs \
         again; `:clear` forgets all cells"
            .to_owned()
    })
}

/// A closure, whose type has no name under which it could be stored.
fn closure(message: &str, code: &str) -> Option<String> {
    let defines = |line: &str| {
        let behind = line
            .trim_start()
            .strip_prefix("let ")
            .and_then(|line| line.split_once('='));
        behind.is_some_and(|(_, value)| {
            value
                .trim_start()
                .trim_start_matches("move ")
                .starts_with('|')
        })
    };
    let is_meant = message.starts_with("borrowed data escapes") && code.lines().any(defines);
    is_meant.then(|| {
        "  hint: a closure can't be kept in a variable for later cells: write a `fn`, or \
         `let f: Box<dyn Fn(i64) -> i64> = Box::new(|x| x + 1);`"
            .to_owned()
    })
}

/// A `static` of this cell that a later cell does not share: each cell is compiled with all items.
pub fn of_statics(code: &str) -> Option<String> {
    const CHANGES: [&str; 7] = [
        "Atomic", "Mutex", "RwLock", "OnceLock", "LazyLock", "Cell", "mut ",
    ];
    let changes = |text: &str| {
        let (declared, _) = text.split_once('=').unwrap_or((text, ""));
        CHANGES.iter().any(|part| declared.contains(part))
    };
    let item = items(code)
        .into_iter()
        .find(|item| item.kind == "static" && changes(item.text))?;
    let name = item.name;
    Some(format!(
        "note: each cell that uses `{name}` has one of its own. To share it between cells, keep it in a \
         variable: `let {} = std::sync::Arc::new(…);`",
        name.to_lowercase()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unknown_name_is_found_in_what_the_compiler_says() {
        for (message, name) in [
            ("cannot find value `df` in this scope", Some("df")),
            ("expected value, found macro `df`", Some("df")),
            ("unresolved import `evenhand::prelude`", Some("evenhand")),
            (
                "cannot find module or crate `evenhand` in this scope",
                Some("evenhand"),
            ),
            ("mismatched types", None),
        ] {
            assert_eq!(unknown(message), name, "{message}");
        }
    }

    #[test]
    fn a_forgotten_operator_is_told() {
        let message = "no method named `titled` found for enum `Result<T, E>` in the current scope";
        let text = hint(
            message,
            "chart(&df).bar(\"a\", \"b\").titled(\"c\")",
            &CellHistory::default(),
        );
        assert!(
            text.unwrap()
                .contains("before `.titled` may fail: put a `?`")
        );
    }

    #[test]
    fn a_closure_is_told_from_other_borrows() {
        let message = "borrowed data escapes outside of function";
        let cells = CellHistory::default();
        assert!(
            hint(message, "let f = |x| x + 1;", &cells)
                .unwrap()
                .contains("Box::new")
        );
        assert_eq!(hint(message, "let f = &x;", &cells), None);
    }

    #[test]
    fn a_static_that_changes_is_explained() {
        let text = of_statics("static N: AtomicU32 = AtomicU32::new(0);").unwrap();
        assert!(text.contains("`N`") && text.contains("let n = "), "{text}");
        assert!(of_statics("static mut S: u8 = 1;").is_some());
        for code in [
            "static S: &str = \"Mutex\";",
            "let x = 1;",
            "fn f() { static N: Mutex<u8> = X; }",
        ] {
            assert_eq!(of_statics(code), None, "{code}");
        }
    }

    #[test]
    fn a_cell_that_did_not_run_again_is_named() {
        let mut cells = CellHistory::default();
        let message = "cannot find value `client` in this scope";
        assert_eq!(hint(message, "client", &cells), None);
        cells.history.add(4, "let client = f();");
        cells.history.add(5, "client");
        assert!(
            hint(message, "client", &cells)
                .unwrap()
                .contains("cell [4] defines `client`")
        );
        let message = "unresolved import `evenhand`";
        assert!(
            hint(message, "use evenhand::prelude::*;", &cells)
                .unwrap()
                .contains("first cell")
        );
    }
}
