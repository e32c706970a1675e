//! The value of a cell's last expression.
//!
//! The generated code calls methods by name, and Rust picks the first that the type has: its own
//! `evcxr_display`, else its `Debug` form, else a line that names the type. Taking one reference more
//! for each choice makes the order, so nothing has to be compiled twice.

use std::convert::Infallible;
use std::fmt::{self, Debug, Display, Write};

use super::{escaped, streams};

/// The most bytes of a `Debug` form that are shown.
const MAX_LENGTH: usize = 100_000;

/// A value, or the error in its place.
pub enum Opened<'a, T: ?Sized, E> {
    Value(&'a T),
    Error(&'a E),
}

pub trait OpenResult<T, E> {
    fn evenhand_open(&self) -> Opened<'_, T, E>;
}

impl<T, E> OpenResult<T, E> for Result<T, E> {
    fn evenhand_open(&self) -> Opened<'_, T, E> {
        match self {
            Ok(value) => {
                if std::mem::size_of::<T>() > 0 || std::any::type_name::<T>() != "()" {
                    streams::mark("result", "");
                }
                Opened::Value(value)
            }
            Err(error) => Opened::Error(error),
        }
    }
}

pub trait OpenOther<T: ?Sized> {
    fn evenhand_open(&self) -> Opened<'_, T, Infallible>;
}

impl<T: ?Sized> OpenOther<T> for &T {
    fn evenhand_open(&self) -> Opened<'_, T, Infallible> {
        Opened::Value(self)
    }
}

/// Nothing is shown of `()`, the value of `println!("..")`.
pub trait ShowNothing {
    fn evcxr_display(&self);
}

impl ShowNothing for () {
    fn evcxr_display(&self) {}
}

pub trait ShowDebug {
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> ShowDebug for &T {
    fn evcxr_display(&self) {
        show_debug(format_args!("{self:?}"));
    }
}

pub trait ShowName {
    fn evcxr_display(&mut self);
}

impl<T: ?Sized> ShowName for &T {
    fn evcxr_display(&mut self) {
        let name = std::any::type_name::<T>().replace("ctx::", "");
        show_debug(format_args!("a value of the type {name}, which has no Debug form"));
    }
}

pub trait ReturnDisplay {
    fn evenhand_return(&self);
}

impl<E: Display> ReturnDisplay for E {
    fn evenhand_return(&self) {
        failed(format_args!("{self}"));
    }
}

pub trait ReturnDebug {
    fn evenhand_return(&self);
}

impl<E: Debug> ReturnDebug for &E {
    fn evenhand_return(&self) {
        failed(format_args!("{self:?}"));
    }
}

pub trait ReturnName {
    fn evenhand_return(&mut self);
}

impl<E> ReturnName for &E {
    fn evenhand_return(&mut self) {
        failed(format_args!("an error of the type {}", std::any::type_name::<E>()));
    }
}

/// The last expression is an error, and `?` was not there. The cell's variables are kept.
fn failed(error: fmt::Arguments<'_>) {
    streams::mark("error", &escaped(&error.to_string()));
}

/// The methods by which a value shows itself may use evcxr's display protocol.
pub fn display_begins() {
    streams::mark("display", "");
}

pub fn display_ends() {
    streams::mark("display-end", "");
}

/// What evcxr's own code does with the `Debug` form.
pub fn send_text_plain(text: &str) {
    show_debug(format_args!("{text}"));
}

/// Shows the head of a text, and how much more there is.
fn show_debug(text: fmt::Arguments<'_>) {
    let mut head = Head::default();
    let _ = head.write_fmt(text);
    if head.left_out > 0 {
        let _ = write!(head.text, "… and {} characters more", head.left_out);
    }
    let json = format!(
        r#"{{"msg_type":"execute_result","content":{{"data":{{"text/plain":"{}"}},"metadata":{{}}}}}}"#,
        as_json(&head.text)
    );
    streams::mark("show", &json);
}

/// Keeps the head of what is written to it.
#[derive(Default)]
struct Head {
    text: String,
    left_out: usize,
}

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut room = MAX_LENGTH.saturating_sub(self.text.len()).min(text.len());
        if self.left_out > 0 {
            room = 0;
        }
        while !text.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(&text[..room]);
        self.left_out += text[room..].chars().count();
        Ok(())
    }
}

fn as_json(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + text.len() / 8);
    for next in text.chars() {
        match next {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            _ if next.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(next));
            }
            _ => json.push(next),
        }
    }
    json
}
