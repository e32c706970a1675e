//! What a cell tells the kernel of itself, beside what evcxr has it tell.
//!
//! evcxr answers `ok` to a cell that panics and to one that leaves through `?`, and waits for
//! ever for one whose last line does not end. So its generated code around a cell is given
//! *marks*: lines with a word that nobody can guess, which evcxr passes on as text and
//! `wrapper::marks` takes out again. Every change stays on its line, since evcxr finds the
//! reader's code by the numbers of lines.
//!
//! - Both streams end with a mark, so that all that a cell printed is known to have come, and
//!   its last line ends.
//! - A panic and an error through `?` say what was said, word for word.

use crate::kernel::marks::{BEGIN, CONTENT, END, ERROR, PANIC};

/// evcxr's own lines, as 0.22 writes them.
const ENTERED: &str = "if evcxr_variable_store.is_null() {";
/// The same where there is no variable yet and no `?`.
const ENTERED_BARE: &str = "evcxr_variable_store: *mut u8) -> *mut u8 {";
const CATCHES_BARE: &str = "if std::panic::catch_unwind(||{";
const CAUGHT_BARE: &str = "}).is_err() {";
const LOST: &str = "if !vars_ok {return evcxr_variable_store;}}";
const CAUGHT: &str = "  Err(_) => {";
const PANICKED: &str = "    println!(\"EVCXR_PANIC_NOTIFICATION\");";
const RETURNED: &str = "println!(\"{}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);";
const LEFT: &str = "evcxr_variable_store";
/// How a value begins that has no display of its own.
const SHOWN: &str = r#"b"EVCXR_BEGIN_CONTENT text/plain\n""#;

/// A token of evcxr's in a message would be taken for an order, and a line's end for its end.
const ESCAPED: &str = r#".replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace("EVCXR_", "EVCXR\\_")"#;

/// The cell's source with marks that begin with this word. Source that holds no cell, as when
/// evcxr only builds its dependencies, stays as it is.
pub fn watched(source: &str, word: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let last = lines.len().saturating_sub(2);
    let mut entered = false;
    let mut watched = String::with_capacity(source.len() + 2_000);
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let end = format!(
            r#"{{ ::std::println!("\n{word}{END}"); ::std::eprintln!("\n{word}{END}"); }}"#
        );
        let line = match *line {
            ENTERED if !entered => {
                entered = true;
                format!(r#"::std::println!("{word}{BEGIN}"); {ENTERED}"#)
            }
            ENTERED_BARE if !entered => {
                entered = true;
                format!(r#"{ENTERED_BARE} ::std::println!("{word}{BEGIN}");"#)
            }
            CATCHES_BARE => CATCHES_BARE.replace("if ", "if let Err(evenhand_payload) = "),
            CAUGHT_BARE if next == PANICKED => "}) {".to_owned(),
            LOST => LOST.replace("return", &format!("{end} return")),
            CAUGHT if next == PANICKED => CAUGHT.replace('_', "evenhand_payload"),
            PANICKED => format!(
                r#"let said = evenhand_payload.downcast_ref::<&str>().map(|said| said.to_string()).or_else(|| evenhand_payload.downcast_ref::<String>().cloned()).unwrap_or_default(); ::std::println!("\nEVCXR_PANIC_NOTIFICATION\n{word}{PANIC}{{}}", said{ESCAPED});"#
            ),
            // Behind text without an end it would take that text along.
            _ if line.contains(SHOWN) => {
                let marked = format!(r#"b"\n{word}{CONTENT}\nEVCXR_BEGIN_CONTENT text/plain\n""#);
                line.replace(SHOWN, &marked)
            }
            LEFT if at == last && next == "}" => format!("{end} {LEFT}"),
            _ => match format_of(line, next) {
                // The error is told in the place of being printed.
                Some(form) => format!(
                    r#"::std::println!("\n{{}}\n{word}{ERROR}{{}}", evcxr_internal_runtime::USER_ERROR_OCCURRED, ::std::format!("{form}", error){ESCAPED});"#
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

/// How evcxr prints the error that ends a cell, if this is the line that does.
fn format_of<'a>(line: &'a str, next: &str) -> Option<&'a str> {
    let form = line.trim().strip_prefix("eprintln!(\"")?;
    (next.trim() == RETURNED).then_some(form.strip_suffix("\", error);")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As evcxr 0.22 wraps `let n: i32 = "x".parse()?;`, without its store's module.
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
        let watched = watched(CELL, "word:");
        assert_eq!(watched.lines().count(), CELL.lines().count());
        for (mark, times) in [(BEGIN, 1), (END, 4), (PANIC, 1), (ERROR, 1), (CONTENT, 1)] {
            let mark = format!("word:{mark}");
            assert_eq!(watched.matches(&mark).count(), times, "{mark}");
        }
        assert!(!watched.contains("eprintln!(\"{}\", error)"));
        let user = "let n: i32 = \"x\".parse()?;";
        let line = |text: &str| text.lines().position(|line| line == user);
        assert_eq!(line(&watched), line(CELL));
    }

    /// As evcxr 0.22 wraps `f()` in a kernel without variables.
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
        let watched = watched(BARE, "word:");
        assert_eq!(watched.lines().count(), BARE.lines().count());
        for (mark, times) in [(BEGIN, 1), (END, 2), (PANIC, 1)] {
            let mark = format!("word:{mark}");
            assert_eq!(watched.matches(&mark).count(), times, "{mark}");
        }
        assert!(
            watched
                .contains("if let Err(evenhand_payload) = std::panic::catch_unwind(||{\nf()\n}) {")
        );
    }

    #[test]
    fn what_is_no_cell_stays_as_it_is() {
        let source = "pub extern \"C\" fn run_user_code_2(\nmut x: *mut u8) -> *mut u8 {x}\n";
        assert_eq!(watched(source, "word:"), source);
    }
}
