//! Reading lines of JSON into columns.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::columns::{Columns, Kind, MAX_COUNT, Misfit};
use super::fields::{Json, find};
use crate::files::blocks::Block;
use crate::files::cells::Value;
use crate::files::location::{Fault, quoted, utf8};

const ONE_OBJECT: &str =
    "JSON lines are read: one whole object on each line, without a list around them";
const JSON: &str = "JSON has strings and names in double quotation marks, `null`, `true` and `false`, and nothing after \
                    the last field";

/// Reads the lines of a block.
pub(super) fn read_rows(block: &Block, mut columns: Columns) -> Result<Columns, Fault> {
    let text = utf8(&block.bytes, block.offset)?;
    let mut offset = block.offset;
    let mut fields = Vec::new();
    let mut unescaped = String::new();
    for line in text.split_inclusive('\n') {
        let row = line
            .strip_prefix('\u{feff}')
            .filter(|_| offset == 0)
            .unwrap_or(line)
            .trim_end_matches(['\r', '\n']);
        fields.clear();
        if find(row, &mut fields) {
            push_fields(&fields, offset, &mut columns, &mut unescaped)?;
        } else if !row.trim_ascii().is_empty() {
            read_line(row, offset, &mut columns, &mut unescaped)?;
        }
        offset += line.len() as u64;
    }
    Ok(columns)
}

/// Puts the fields of a line into the columns.
fn push_fields(
    fields: &[(&str, Json)],
    offset: u64,
    columns: &mut Columns,
    unescaped: &mut String,
) -> Result<(), Fault> {
    let mut row = Row::new(columns, offset, unescaped);
    for (name, value) in fields {
        row.push(name, *value)?;
    }
    columns.end_row();
    Ok(())
}

/// Reads a line as `serde_json` does, or says why it can't be read.
fn read_line(
    line: &str,
    offset: u64,
    columns: &mut Columns,
    unescaped: &mut String,
) -> Result<(), Fault> {
    if !line.trim_ascii_start().starts_with('{') {
        let what = format!(
            "{} is not an object `{{\"name\": value, ..}}`",
            quoted(line.trim())
        );
        let fault = Fault::new(offset, what);
        return Err(match line.trim_ascii_start().as_bytes().first() {
            Some(b'[') => fault.hint(ONE_OBJECT),
            _ => fault.hint("a file of CSV is read as such if its name ends in `.csv`"),
        });
    }
    let mut fault = None;
    let object = Object {
        row: Row::new(columns, offset, unescaped),
        fault: &mut fault,
    };
    let mut json = serde_json::Deserializer::from_str(line);
    let read = object.deserialize(&mut json).and_then(|()| json.end());
    if let Some(fault) = fault {
        return Err(fault);
    }
    read.map_err(|error| {
        let (what, hint) = match error.is_eof() {
            true => ("the object breaks off".to_owned(), ONE_OBJECT),
            false => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                (format!("it is not JSON: {message}"), JSON)
            }
        };
        let before = line.get(..error.column().saturating_sub(1));
        let character = before.map_or(1, |before| before.chars().count() + 1);
        let fault = Fault::new(offset, what).within(format!("character {character}"));
        fault.hint(hint)
    })?;
    columns.end_row();
    Ok(())
}

/// A row that is read into the columns.
struct Row<'r> {
    columns: &'r mut Columns,
    offset: u64,
    /// The column that the next field probably belongs to.
    expected: usize,
    unescaped: &'r mut String,
}

impl<'r> Row<'r> {
    fn new(columns: &'r mut Columns, offset: u64, unescaped: &'r mut String) -> Self {
        Self {
            columns,
            offset,
            expected: 0,
            unescaped,
        }
    }

    fn push(&mut self, name: &str, json: Json) -> Result<(), Fault> {
        let pushed = match self.columns.place(name, self.expected) {
            Some(place) => {
                self.expected = place + 1;
                self.push_at(place, json)
            }
            None => Err(self.unknown(name)),
        };
        pushed.map_err(|fault| fault.within(format!("field {}", quoted(name))))
    }

    fn push_at(&mut self, place: usize, json: Json) -> Result<(), Fault> {
        let (kind, value) = match json {
            Json::Null => (Kind::Null, Value::Null),
            Json::Boolean(value) => (Kind::Boolean, Value::Boolean(value)),
            Json::Integer(number) => (Kind::Integer, Value::Integer(self.integer(number)?)),
            Json::Number(number) => (Kind::Float, Value::Float(self.number(number)?)),
            Json::Text(text) => (Kind::Text, Value::Text(text)),
            Json::Escaped(text) => {
                if !unescape(text, self.unescaped) {
                    return Err(
                        self.fault_of("it contains an unpaired surrogate, which is not valid text")
                    );
                }
                (Kind::Text, Value::Text(self.unescaped))
            }
            Json::Nested(json) => (Kind::Nested, Value::Text(json)),
        };
        let pushed = self.columns.push(place, kind, value, self.offset);
        pushed.map_err(|misfit| match misfit {
            Misfit::Twice => self.fault_of("the object has this field twice"),
            Misfit::Kind(found, expected, first) => {
                misfit_fault(self.offset, found, expected, first)
            }
        })
    }

    fn integer(&self, number: &str) -> Result<i64, Fault> {
        number.parse().map_err(|_| {
            let what = format!("{} is too large for an integer of 64 bits", quoted(number));
            self.fault_of(what)
                .hint("write it as a string, in quotation marks")
        })
    }

    fn number(&self, number: &str) -> Result<f64, Fault> {
        let value = number.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| self.fault_of(format!("{} is too large for a number", quoted(number))))
    }

    fn unknown(&self, name: &str) -> Fault {
        if self.columns.is_full() {
            return too_many(self.offset);
        }
        let what = format!("no row at the beginning of the file has {}", quoted(name));
        self.fault_of(what)
            .hint("`read` takes the fields of all rows; `scan` knows those of the first megabyte")
    }

    fn fault_of(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.offset, what)
    }
}

/// Writes what the text in quotation marks says. Returns `false` if that is no text.
fn unescape(json: &str, text: &mut String) -> bool {
    text.clear();
    let inner = &json[1..json.len() - 1];
    let mut parts = inner.split('\\');
    text.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let letter = match part.as_bytes().first() {
            // The second of two backslashes.
            None => {
                text.push('\\');
                text.push_str(parts.next().unwrap_or_default());
                continue;
            }
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let Ok(whole) = serde_json::from_str::<String>(json) else {
                    return false;
                };
                *text = whole;
                return true;
            }
            Some(letter) => char::from(*letter),
        };
        text.push(letter);
        text.push_str(&part[1..]);
    }
    true
}

/// A line that `serde_json` reads into a row.
struct Object<'r, 'f> {
    row: Row<'r>,
    fault: &'f mut Option<Fault>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            let value: &RawValue = map.next_value()?;
            let value = Json::from_text(value.get()).ok_or_else(|| A::Error::custom("no value"))?;
            if let Err(fault) = self.row.push(&name, value) {
                *self.fault = Some(fault);
                return Err(A::Error::custom("a fault"));
            }
        }
        Ok(())
    }
}

/// The fault of a row with one name more than there may be.
pub(super) fn too_many(offset: u64) -> Fault {
    let what = format!("with this name, the objects have more than {MAX_COUNT} different ones");
    Fault::new(offset, what)
        .hint("a name that is another one in each object is data: write it as a value")
}

/// The fault of a value that is of another kind than its column, which got its kind from the row at
/// the offset `first`.
pub(super) fn misfit_fault(offset: u64, found: Kind, expected: Kind, first: u64) -> Fault {
    let fault = Fault {
        unlike: Some((expected.name(), first)),
        ..Fault::new(offset, format!("it is {}", found.name()))
    };
    fault.hint("a column holds values of one kind; `null` stands for a missing one")
}

/// A field name that is copied only if it contains escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_says_what_serde_json_reads(inner in r#"([a-zé/]|\\["\\/bfnrt]|\\u00e9|\\ud83d|\\ude00){0,12}"#) {
            let json = format!("\"{inner}\"");
            let mut text = String::new();
            let known = serde_json::from_str::<String>(&json);
            prop_assert_eq!(unescape(&json, &mut text), known.is_ok(), "{}", json);
            if let Ok(known) = known {
                prop_assert_eq!(text, known);
            }
        }
    }
}
