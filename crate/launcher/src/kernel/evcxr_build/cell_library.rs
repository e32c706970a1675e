//! The library that every cell calls, compiled once for all of them.
//!
//! evcxr writes its variable store into each cell, where compiling it again takes a tenth of the
//! cell's time. This crate has the same interface and stores the variables in the same form. It
//! also prints a cell's marks and its text (`instrument`). To keep the calling cells small,
//! generic functions only wrap functions that are not generic.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Arguments;
use std::sync::{Arc, Mutex, PoisonError};

pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// The variables of a kernel, by name. Cells pass it on by address, including cells that have
/// evcxr's own store, so the layout must be the same.
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

impl VariableStore {
    pub fn new() -> VariableStore {
        VariableStore {
            variables: HashMap::new(),
        }
    }

    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.get(name).is_none_or(|value| value.is::<T>()) || changed(name)
    }

    fn get(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(|value| &**value)
    }

    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => not_checked(name),
        }
    }

    fn take(&mut self, name: &str) -> Box<dyn Any> {
        let value = self.variables.remove(name);
        value.unwrap_or_else(|| panic!("Variable '{name}' has gone missing"))
    }

    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.get(name).is_none() {
            self.put(name, Box::new(Arc::new(create())));
        }
        match self.get(name).and_then(|value| value.downcast_ref()) {
            Some(value) => Arc::clone(value),
            None => not_checked(name),
        }
    }

    pub fn merge(&mut self, other: VariableStore) {
        self.variables.extend(other.variables);
    }
}

pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}

fn changed(name: &str) -> bool {
    eprintln!("The type of the variable {name} was redefined, so was lost.");
    println!("{VARIABLE_CHANGED_TYPE}{name}");
    false
}

fn not_checked(name: &str) -> ! {
    panic!("Variable '{name}' changed type")
}

/// The cell's own code begins.
pub fn begin(word: &str) {
    println!("{word}begin");
}

/// Everything that the cell prints has been printed. Ends its last line.
pub fn end(word: &str) {
    println!("\n{word}end");
    eprintln!("\n{word}end");
}

/// The cell panicked with this payload. The message is empty if the payload is not text.
pub fn panicked(word: &str, payload: Box<dyn Any + Send>) {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let said = escaped(text.unwrap_or_default());
    println!("\nEVCXR_PANIC_NOTIFICATION\n{word}panic {said}");
}

/// The cell left through `?` with this error.
pub fn returned(word: &str, error: Arguments<'_>) {
    let said = escaped(&error.to_string());
    println!("\n{USER_ERROR_OCCURRED}\n{word}error {said}");
}

/// evcxr would obey one of its tokens in a message, and a newline would end the mark.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace("EVCXR_", "EVCXR\\_")
}

/// How all tokens of evcxr begin.
const TOKEN: &str = "EVCXR_";
/// The same with an invisible word joiner, which looks the same to a reader.
const SHOWN: &str = "EVCXR\u{2060}_";

/// The start of a token at the end of the text that was printed last.
static BEGUN: Mutex<&str> = Mutex::new("");

/// What `print!` does in a cell. evcxr reads its tokens from the same stream, so a printed value
/// must not contain one: otherwise a model's answer could put anything into the notebook. If the
/// cell's own format string (`form`) contains such a token, the cell means it, and it is kept.
pub fn print(form: &str, text: Arguments<'_>) {
    match form.contains("EVCXR_BEGIN_CONTENT") || form.contains("EVCXR_END_CONTENT") {
        true => print!("{text}"),
        false => print_text(&text.to_string()),
    }
}

/// What `println!` does in a cell.
pub fn println(form: &str, text: Arguments<'_>) {
    print(form, format_args!("{text}\n"));
}

fn print_text(text: &str) {
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    if begun.is_empty() && !text.contains(TOKEN) {
        print!("{text}");
        *begun = start_at_the_end(text);
        return;
    }
    let whole = format!("{begun}{text}");
    print!("{}", &whole.replace(TOKEN, SHOWN)[begun.len()..]);
    *begun = start_at_the_end(&whole);
}

fn start_at_the_end(text: &str) -> &'static str {
    let mut starts = (1..TOKEN.len()).rev().map(|length| &TOKEN[..length]);
    starts
        .find(|start| text.ends_with(start))
        .unwrap_or_default()
}
