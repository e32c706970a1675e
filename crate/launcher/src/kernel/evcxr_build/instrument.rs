//! Marks: what a cell reports to the kernel beyond what evcxr has it report.
//!
//! evcxr answers `ok` when a cell panics or returns through `?`, and waits forever for a cell
//! whose last line has no newline. So marks are added to the code that evcxr generates around a
//! cell. A *mark* is a line with an unguessable word, which evcxr passes on as text and the
//! wrapper removes again (`kernel::sideband`). Every change stays within its line, since evcxr
//! locates the reader's code by line numbers.
//!
//! - Both streams end with a mark. It shows that everything the cell printed has arrived, and it
//!   ends the cell's last line.
//! - A panic and an error through `?` report their full message.
//! - What the cell prints with `print!` and `println!` is text, even if a value in it contains
//!   tokens of evcxr's protocol.
//!
//! The code that prints marks is in `cell_library`, which is compiled once: the same code in each
//! cell took 100 ms to compile. The variable store, which evcxr writes into each cell, is taken
//! from there as well, and this saves more than the marks cost.

use std::ops::Range;

use crate::kernel::sideband::CONTENT;

/// Lines of evcxr's generated code, as 0.22 writes them.
const ENTERED: &str = "if evcxr_variable_store.is_null() {";
/// The same if there are no variables yet and no `?`.
const ENTERED_BARE: &str = "evcxr_variable_store: *mut u8) -> *mut u8 {";
const CATCHES_BARE: &str = "if std::panic::catch_unwind(||{";
const CAUGHT_BARE: &str = "}).is_err() {";
const LOST: &str = "if !vars_ok {return evcxr_variable_store;}}";
const CAUGHT: &str = "  Err(_) => {";
const PANICKED: &str = "    println!(\"EVCXR_PANIC_NOTIFICATION\");";
const RETURNED: &str = "println!(\"{}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);";
const LEFT: &str = "evcxr_variable_store";
/// The first line of the file. The reader's crate attributes follow it.
const FIRST: &str = "#![allow(unused_imports, unused_mut, dead_code)]";
/// How the cell prints. The format string is passed separately, so that the reader's own words
/// can be told from values.
const PRINTS: &str = concat!(
    "#[allow(unused_macros)] macro_rules! print { ",
    "($form:literal $($rest:tt)*) => {{ ::evenhand_cell::print(::std::concat!($form), ::std::format_args!($form $($rest)*)); }}; ",
    "($($form:tt)*) => {{ ::evenhand_cell::print(\"\", ::std::format_args!($($form)*)); }}; } ",
    "#[allow(unused_macros)] macro_rules! println { () => { println!(\"\") }; ",
    "($form:literal $($rest:tt)*) => {{ ::evenhand_cell::println(::std::concat!($form), ::std::format_args!($form $($rest)*)); }}; ",
    "($($form:tt)*) => {{ ::evenhand_cell::println(\"\", ::std::format_args!($($form)*)); }}; }",
);
/// The start of a value that has no display of its own.
const SHOWN: &str = r#"b"EVCXR_BEGIN_CONTENT text/plain\n""#;
/// The variable store, which evcxr writes into each cell.
const STORE: &str = "mod evcxr_internal_runtime {";
/// The store's public interface, which `cell_library` has too.
const OFFERED: [&str; 10] = [
    "pub const VARIABLE_CHANGED_TYPE",
    "pub const USER_ERROR_OCCURRED",
    "pub struct VariableStore",
    "pub fn new",
    "pub fn put_variable",
    "pub fn check_variable",
    "pub fn take_variable",
    "pub fn lazy_arc",
    "pub fn merge",
    "pub fn create_variable_store",
];

/// The cell's source with marks that begin with this word. Source without a cell, such as when
/// evcxr only builds dependencies, is left unchanged.
pub fn instrumented(source: &str, word: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let last = lines.len().saturating_sub(2);
    let end = format!("::evenhand_cell::end(\"{word}\");");
    let store = store(&lines);
    // evcxr's own code prints protocol tokens with `println!`. All of that code is known if its
    // store is known or absent.
    let prints = (store.is_some() || !lines.contains(&STORE))
        && lines
            .iter()
            .filter(|line| line.trim_start().starts_with("#!["))
            .count()
            == 1;
    let store = store.unwrap_or_default();
    let mut entered = false;
    let mut watched = String::with_capacity(source.len());
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let line = match *line {
            STORE if at == store.start && !store.is_empty() => {
                format!("{STORE} pub use ::evenhand_cell::*;")
            }
            _ if store.contains(&at) => String::new(),
            FIRST if at == 0 && prints => format!("{FIRST} {PRINTS}"),
            ENTERED if !entered => {
                entered = true;
                format!("::evenhand_cell::begin(\"{word}\"); {ENTERED}")
            }
            ENTERED_BARE if !entered => {
                entered = true;
                format!("{ENTERED_BARE} ::evenhand_cell::begin(\"{word}\");")
            }
            CATCHES_BARE => CATCHES_BARE.replace("if ", "if let Err(evenhand_payload) = "),
            CAUGHT_BARE if next == PANICKED => "}) {".to_owned(),
            LOST => LOST.replace("return", &format!("{end} return")),
            CAUGHT if next == PANICKED => CAUGHT.replace('_', "evenhand_payload"),
            PANICKED => format!("::evenhand_cell::panicked(\"{word}\", evenhand_payload);"),
            // After text without a newline, evcxr would take that text for part of the content.
            _ if line.contains(SHOWN) => {
                let marked = format!(r#"b"\n{word}{CONTENT}\nEVCXR_BEGIN_CONTENT text/plain\n""#);
                line.replace(SHOWN, &marked)
            }
            LEFT if at == last && next == "}" => format!("{end} {LEFT}"),
            _ => match format_of(line, next) {
                // The error is reported instead of printed.
                Some(form) => format!(
                    "::evenhand_cell::returned(\"{word}\", ::std::format_args!(\"{form}\", error));"
                ),
                None if line.trim() == RETURNED => String::new(),
                None => (*line).to_owned(),
            },
        };
        watched.push_str(&line);
        watched.push('\n');
    }
    if entered { watched } else { source.to_owned() }
}

/// The lines of the store without its closing brace, if it is the store that we know.
fn store(lines: &[&str]) -> Option<Range<usize>> {
    let start = lines.iter().position(|line| *line == STORE)?;
    let mut depth = 0;
    let inside = lines[start..].iter().position(|line| {
        depth += line.matches('{').count();
        depth -= depth.min(line.matches('}').count());
        depth == 0
    })?;
    let store = start..start + inside;
    let offered = lines[store.clone()]
        .iter()
        .filter(|line| line.trim_start().starts_with("pub "));
    let is_known = offered.clone().count() == OFFERED.len()
        && offered
            .zip(OFFERED)
            .all(|(line, name)| line.trim_start().starts_with(name));
    is_known.then_some(store)
}

/// The format with which evcxr prints the error that ends a cell, if this is that line.
fn format_of<'a>(line: &'a str, next: &str) -> Option<&'a str> {
    let form = line.trim().strip_prefix("eprintln!(\"")?;
    (next.trim() == RETURNED).then_some(form.strip_suffix("\", error);")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How evcxr 0.22 wraps `let n: i32 = "x".parse()?;`, without the store's module.
    const CELL: &str = r#"#![allow(unused_imports, unused_mut, dead_code)]
fn evcxr_send_text_plain(text: &str) { output.write_all(b"EVCXR_BEGIN_CONTENT text/plain\n")?; }
            struct EvcxrUserCodeError {}
            impl<T: std::fmt::Display> From<T> for EvcxrUserCodeError {
                fn from(error: T) -> Self {
                    eprintln!("{}", error);
                    println!("{}", evcxr_internal_runtime::USER_ERROR_OCCURRED);
                    EvcxrUserCodeError {}
                }
            }
pub extern "C" fn run_user_code_1(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
if evcxr_variable_store.is_null() {
  evcxr_variable_store = evcxr_internal_runtime::create_variable_store();
}
{let mut vars_ok = true;
if !vars_ok {return evcxr_variable_store;}}
match std::panic::catch_unwind(
  std::panic::AssertUnwindSafe(||{
let _ = (|| -> std::result::Result<(), EvcxrUserCodeError> {
let n: i32 = "x".parse()?;
Ok(())})();
})) { 
  Ok(_) => {}
  Err(_) => {
    println!("EVCXR_PANIC_NOTIFICATION");
}}
evcxr_variable_store
}
"#;

    #[test]
    fn all_places_are_marked_and_no_line_moves() {
        let watched = instrumented(CELL, "word:");
        assert_eq!(watched.lines().count(), CELL.lines().count());
        for (call, times) in [("begin", 1), ("end", 2), ("panicked", 1), ("returned", 1)] {
            let call = format!("::evenhand_cell::{call}(\"word:\"");
            assert_eq!(watched.matches(&call).count(), times, "{call}");
        }
        assert_eq!(watched.matches("\nword:content\n").count(), 0, "escaped");
        assert_eq!(watched.matches(r"\nword:content\n").count(), 1);
        assert!(!watched.contains("eprintln!(\"{}\", error)"));
        let user = "let n: i32 = \"x\".parse()?;";
        let line = |text: &str| text.lines().position(|line| line == user);
        assert_eq!(line(&watched), line(CELL));
    }

    #[test]
    fn the_store_is_the_compiled_one_where_it_is_known() {
        let store = |offered: &[&str]| {
            let items: String = offered
                .iter()
                .map(|item| format!("    {item} {{ }}\n"))
                .collect();
            CELL.replacen("pub extern", &format!("{STORE}\n{items}}}\npub extern"), 1)
        };
        let known = store(&OFFERED);
        let swapped = instrumented(&known, "word:");
        assert_eq!(swapped.lines().count(), known.lines().count());
        assert!(swapped.contains("mod evcxr_internal_runtime { pub use ::evenhand_cell::*;"));
        assert!(!swapped.contains("put_variable"));
        let other = instrumented(&store(&OFFERED[..9]), "word:");
        assert!(!other.contains("pub use"));
        assert!(other.contains("put_variable") && other.contains("::begin(\"word:\")"));
    }

    /// How evcxr 0.22 wraps `f()` in a kernel without variables.
    const BARE: &str = r#"pub extern "C" fn run_user_code_1(
evcxr_variable_store: *mut u8) -> *mut u8 {
if std::panic::catch_unwind(||{
f()
}).is_err() {
    println!("EVCXR_PANIC_NOTIFICATION");
}
evcxr_variable_store
}
"#;

    #[test]
    fn a_cell_without_variables_is_marked_too() {
        let watched = instrumented(BARE, "word:");
        assert_eq!(watched.lines().count(), BARE.lines().count());
        for (call, times) in [("begin", 1), ("end", 1), ("panicked", 1)] {
            let call = format!("::evenhand_cell::{call}(\"word:\"");
            assert_eq!(watched.matches(&call).count(), times, "{call}");
        }
        assert!(
            watched
                .contains("if let Err(evenhand_payload) = std::panic::catch_unwind(||{\nf()\n}) {")
        );
    }

    #[test]
    fn what_is_no_cell_stays_as_it_is() {
        let source = "pub extern \"C\" fn run_user_code_2(\nmut x: *mut u8) -> *mut u8 {x}\n";
        assert_eq!(instrumented(source, "word:"), source);
    }
}
