//! Marks: what a cell reports to the kernel beyond what evcxr has it report.
//!
//! evcxr answers `ok` when a cell panics or returns through `?`, and reads what a cell prints only
//! by lines of UTF-8. So calls are added to the code that evcxr generates around a cell. Every change
//! stays within its line, since evcxr locates the reader's code by line numbers.
//!
//! - A cell begins and ends: its streams do not pass through evcxr, and both say that they have ended.
//! - A panic and an error through `?` report their full message. `?` works in every cell at once:
//!   evcxr would compile the first cell with one again, and show a last expression by `Debug`.
//! - The last expression is shown by what its type has (`last_expression`).
//! - A variable is stored with a fingerprint of the definitions that its type mentions
//!   (`definitions`).
//!
//! The code that is called is in `cell_library`, which is compiled once: the same code in each
//! cell took 100 ms to compile. The variable store, which evcxr writes into each cell, is taken
//! from there as well, and this saves more than the calls cost.

use std::ops::Range;

use super::definitions::Definitions;
use super::last_expression::LastExpression;

/// Lines of evcxr's generated code, as 0.22 writes them.
const ENTERED: &str = "if evcxr_variable_store.is_null() {";
/// The same if there are no variables yet and no `?`.
const ENTERED_BARE: &str = "evcxr_variable_store: *mut u8) -> *mut u8 {";
/// The same without any statement of the reader's.
const NO_CODE: &str = "mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}";
const CATCHES: &str = "  std::panic::AssertUnwindSafe(||{";
const CATCHES_BARE: &str = "if std::panic::catch_unwind(||{";
const CAUGHT_ALL: &str = "})) { ";
const CAUGHT_BARE: &str = "}).is_err() {";
const LOST: &str = "if !vars_ok {return evcxr_variable_store;}}";
const CAUGHT: &str = "  Err(_) => {";
const PANICKED: &str = "    println!(\"EVCXR_PANIC_NOTIFICATION\");";
const RETURNED: &str = "println!(\"{}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);";
const LEFT: &str = "evcxr_variable_store";
/// The first line of the file. The reader's crate attributes follow it.
const FIRST: &str = "#![allow(unused_imports, unused_mut, dead_code)]";
/// evcxr's own `?`, and its way to wait.
const QUESTION_MARK: &str = "struct EvcxrUserCodeError {}";
const WAITS: &str = ".block_on(async {";
/// Where the reader's code may leave through `?`.
const OPENS_QUESTION_MARK: &str =
    " let _ = (|| -> ::std::result::Result<(), ::evenhand_cell::UserError> {";
const CLOSES_QUESTION_MARK: &str = "Ok(())})(); ";
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
/// What shows a value that has no display of its own.
const SHOWN: &str = "fn evcxr_send_text_plain(";
/// The same by the cell library. What evcxr wrote gets another name.
const SHOWN_HERE: &str = "use ::evenhand_cell::send_text_plain as evcxr_send_text_plain; \
                          #[allow(dead_code)] fn evenhand_send_text_plain(";
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

/// What a cell's own code may do, which only its text tells.
struct Uses {
    /// It prints evcxr's display protocol by another crate's code.
    orders: bool,
    /// It reads from standard input.
    input: bool,
}

/// The cell's source with marks that begin with this token. Source without a cell is left unchanged.
/// With `formats`, the reader chose how evcxr formats values that have no display of their own.
pub fn instrumented(source: &str, token: &str, formats: bool) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let last = lines.len().saturating_sub(2);
    let store = store(&lines);
    // evcxr's own code prints protocol tokens with `println!`. All of that code is known if its
    // store is known or absent.
    let prints = store.is_some() || !lines.contains(&STORE);
    let store = store.unwrap_or_default();
    let expression = LastExpression::find(source, &lines);
    let definitions = Definitions::from_source(source);
    let uses = uses(&lines, expression.as_ref());
    let begin = format!(
        "::evenhand_cell::begin({token:?}, {}, {});",
        uses.orders, uses.input
    );
    let attributes = attributes(&lines);
    let asks = asks(&lines);
    let mut entered = false;
    let mut watched = String::with_capacity(source.len() + PRINTS.len());
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let line = match *line {
            STORE if at == store.start && !store.is_empty() => {
                format!("{STORE} pub use ::evenhand_cell::*;")
            }
            _ if store.contains(&at) => String::new(),
            line if at == attributes && prints => format!("{line} {PRINTS}"),
            ENTERED if !entered => {
                entered = true;
                format!("{begin} {ENTERED}")
            }
            ENTERED_BARE if !entered => {
                entered = true;
                format!("{ENTERED_BARE} {begin}")
            }
            NO_CODE if !entered => {
                entered = true;
                NO_CODE.replace("{x}", &format!("{{{begin} ::evenhand_cell::end(); x}}"))
            }
            CATCHES if asks => format!("{CATCHES}{OPENS_QUESTION_MARK}"),
            CAUGHT_ALL if asks => format!("{CLOSES_QUESTION_MARK}{CAUGHT_ALL}"),
            CATCHES_BARE => {
                let opens = if asks { OPENS_QUESTION_MARK } else { "" };
                CATCHES_BARE.replace("if ", "if let Err(evenhand_payload) = ") + opens
            }
            CAUGHT_BARE if next == PANICKED => {
                let closes = if asks { CLOSES_QUESTION_MARK } else { "" };
                format!("{closes}}}) {{")
            }
            LOST => LOST.replace("return", "::evenhand_cell::end(); return"),
            CAUGHT if next == PANICKED => CAUGHT.replace('_', "evenhand_payload"),
            PANICKED => "::evenhand_cell::panicked(evenhand_payload);".to_owned(),
            // evcxr writes it over several lines, all of which stay.
            _ if line.starts_with(SHOWN) => line.replacen(SHOWN, SHOWN_HERE, 1),
            LEFT if at == last && next == "}" => format!("::evenhand_cell::end(); {LEFT}"),
            line => match format_of(line, next) {
                // The error is reported instead of printed.
                Some(form) => {
                    format!("::evenhand_cell::returned(::std::format_args!(\"{form}\", error));")
                }
                None if line.trim() == RETURNED => String::new(),
                None => expression
                    .as_ref()
                    .and_then(|expression| expression.shown(at, formats))
                    .or_else(|| definitions.stored(line))
                    .unwrap_or_else(|| line.to_owned()),
            },
        };
        watched.push_str(&line);
        watched.push('\n');
    }
    if entered { watched } else { source.to_owned() }
}

/// The last line of the file's attributes. Those after the first are the reader's.
fn attributes(lines: &[&str]) -> usize {
    if lines.first() != Some(&FIRST) {
        return usize::MAX;
    }
    let mut open = 0_usize;
    let behind = lines.iter().skip(1).take_while(|line| {
        let goes_on = open > 0 || line.trim_start().starts_with("#![") || line.trim().is_empty();
        open = (open + line.matches('[').count()).saturating_sub(line.matches(']').count());
        goes_on
    });
    behind.count()
}

/// Whether the reader's code uses `?`, and evcxr does not provide for it.
fn asks(lines: &[&str]) -> bool {
    let begins = |line: &&str| [CATCHES, CATCHES_BARE].contains(line);
    let provided = |line: &&str| line.trim() == QUESTION_MARK || *line == WAITS;
    let Some(start) = lines.iter().position(begins) else {
        return false;
    };
    !lines.iter().any(provided) && lines[start..].iter().any(|line| line.contains('?'))
}

fn uses(lines: &[&str], expression: Option<&LastExpression>) -> Uses {
    let any = |words: &[&str]| {
        let mut own = lines.iter().enumerate();
        own.any(|(at, line)| {
            expression.is_none_or(|expression| expression.last_line() != at)
                && words.iter().any(|word| line.contains(word))
        })
    };
    Uses {
        orders: any(&["evcxr_runtime", "evcxr_image", ".evcxr_display()"]),
        input: any(&["stdin", "evcxr_input"]),
    }
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
fn evcxr_send_text_plain(text: &str)
{
    use std::io::Write;
    output.write_all(b"EVCXR_BEGIN_CONTENT text/plain\n")?;
    output.write_all(b"\nEVCXR_END_CONTENT\n")?;
}
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
        let watched = instrumented(CELL, "token:", false);
        assert_eq!(watched.lines().count(), CELL.lines().count());
        for (call, times) in [("begin", 1), ("end", 2), ("panicked", 1), ("returned", 1)] {
            let call = format!("::evenhand_cell::{call}(");
            assert_eq!(watched.matches(&call).count(), times, "{call}");
        }
        assert!(watched.contains("use ::evenhand_cell::send_text_plain"));
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
        let swapped = instrumented(&known, "token:", false);
        assert_eq!(swapped.lines().count(), known.lines().count());
        assert!(swapped.contains("mod evcxr_internal_runtime { pub use ::evenhand_cell::*;"));
        assert!(!swapped.contains("put_variable"));
        let other = instrumented(&store(&OFFERED[..9]), "token:", false);
        assert!(!other.contains("pub use"));
        assert!(
            other.contains("put_variable") && other.contains("::begin(\"token:\", false, false)")
        );
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
        let watched = instrumented(BARE, "token:", false);
        assert_eq!(watched.lines().count(), BARE.lines().count());
        for (call, times) in [("begin", 1), ("end", 1), ("panicked", 1)] {
            let call = format!("::evenhand_cell::{call}(");
            assert_eq!(watched.matches(&call).count(), times, "{call}");
        }
        assert!(
            watched
                .contains("if let Err(evenhand_payload) = std::panic::catch_unwind(||{\nf()\n}) {")
        );
    }

    #[test]
    fn a_cell_of_items_alone_begins_and_ends() {
        let source = format!("fn f() {{}}\npub extern \"C\" fn run_user_code_2(\n{NO_CODE}\n");
        let watched = instrumented(&source, "token:", false);
        assert!(watched.contains(
            "{::evenhand_cell::begin(\"token:\", false, false); ::evenhand_cell::end(); x}"
        ));
    }

    #[test]
    fn a_question_mark_works_where_evcxr_does_not_provide_for_it_yet() {
        let asks = BARE.replace("f()", "f()?;");
        let watched = instrumented(&asks, "token:", false);
        assert!(watched.contains(OPENS_QUESTION_MARK) && watched.contains("Ok(())})(); }) {"));
        assert!(!instrumented(BARE, "token:", false).contains(OPENS_QUESTION_MARK));
        assert!(!instrumented(CELL, "token:", false).contains(OPENS_QUESTION_MARK));
    }

    #[test]
    fn the_readers_attributes_stay_first() {
        let source = format!("{FIRST}\n#![allow(\n    clippy::all\n)]\n{BARE}");
        let watched = instrumented(&source, "token:", false);
        let prints = watched
            .lines()
            .position(|line| line.contains("macro_rules! print "));
        assert_eq!(prints, Some(3), "{watched}");
        assert_eq!(watched.lines().count(), source.lines().count());
    }

    #[test]
    fn what_is_no_cell_stays_as_it_is() {
        let source = "pub fn f() {}\n";
        assert_eq!(instrumented(source, "token:", false), source);
    }
}
