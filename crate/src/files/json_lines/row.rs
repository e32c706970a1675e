//! Reading lines of JSON into columns.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::columns::{Columns, Kind, MOST, Misfit, Value};
use super::pieces::Piece;
use crate::files::location::{Fault, quoted, utf8};

/// Reads the lines of a piece.
pub(super) fn read_rows(piece: &Piece, mut columns: Columns) -> Result<Columns, Fault> {
    let text = utf8(&piece.bytes, piece.offset)?;
    let mut offset = piece.offset;
    for line in text.split_inclusive('\n') {
        let row = line
            .strip_prefix('\u{feff}')
            .filter(|_| offset == 0)
            .unwrap_or(line)
            .trim_end_matches(['\r', '\n']);
        if !row.trim_ascii().is_empty() {
            read_line(row, offset, &mut columns)?;
        }
        offset += line.len() as u64;
    }
    Ok(columns)
}

fn read_line(line: &str, offset: u64, columns: &mut Columns) -> Result<(), Fault> {
    if !line.trim_ascii_start().starts_with('{') {
        let what = format!(
            "{} is not an object `{{\"name\": value, ..}}`",
            quoted(line.trim())
        );
        return Err(Fault::new(offset, what));
    }
    let mut fault = None;
    let row = Row {
        columns,
        offset,
        fault: &mut fault,
    };
    let mut json = serde_json::Deserializer::from_str(line);
    let read = row.deserialize(&mut json).and_then(|()| json.end());
    if let Some(fault) = fault {
        return Err(fault);
    }
    read.map_err(|error| {
        let what = match error.is_eof() {
            true => "the object breaks off".to_owned(),
            false => {
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                format!("it is not JSON: {said}")
            }
        };
        let before = line.get(..error.column().saturating_sub(1));
        let character = before.map_or(1, |before| before.chars().count() + 1);
        Fault::new(offset, what).within(format!("character {character}"))
    })?;
    columns.end_row();
    Ok(())
}

/// A line that is read into the columns.
struct Row<'c, 'f> {
    columns: &'c mut Columns,
    offset: u64,
    fault: &'f mut Option<Fault>,
}

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            let value: &RawValue = map.next_value()?;
            let read = match self.columns.place(&name, expected) {
                Some(place) => {
                    expected = place + 1;
                    self.push(place, value.get())
                }
                None => Err(self.unknown(&name)),
            };
            if let Err(found) = read {
                *self.fault = Some(found.within(format!("field {}", quoted(&name))));
                return Err(A::Error::custom("a fault"));
            }
        }
        Ok(())
    }
}

impl Row<'_, '_> {
    fn push(&mut self, place: usize, json: &str) -> Result<(), Fault> {
        let text;
        let value = match json.as_bytes().first() {
            Some(b'n') => Value::Null,
            Some(b't' | b'f') => Value::Boolean(json == "true"),
            Some(b'[' | b'{') => Value::Nested(json),
            Some(b'"') => {
                let inner = &json[1..json.len() - 1];
                if inner.contains('\\') {
                    text = serde_json::from_str::<String>(json).map_err(|_| {
                        self.fault_of("it contains an unpaired surrogate, which is not valid text")
                    })?;
                    Value::Text(&text)
                } else {
                    Value::Text(inner)
                }
            }
            _ => self.number(json)?,
        };
        let pushed = self.columns.push(place, value, self.offset);
        pushed.map_err(|misfit| match misfit {
            Misfit::Twice => self.fault_of("the object has this field twice"),
            Misfit::Kind(found, expected, first) => {
                misfit_fault(self.offset, found, expected, first)
            }
        })
    }

    fn number(&self, json: &str) -> Result<Value<'static>, Fault> {
        if !json.contains(['.', 'e', 'E']) {
            return json.parse().map(Value::Integer).map_err(|_| {
                let what = format!("{} is too large for an integer of 64 bits", quoted(json));
                self.fault_of(what)
                    .hint("write it as a string, in quotation marks")
            });
        }
        match json.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(self.fault_of(format!("{} is too large for a number", quoted(json)))),
        }
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

/// The fault of a row with one name more than there may be.
pub(super) fn too_many(offset: u64) -> Fault {
    let what = format!("with this name, the objects have more than {MOST} different ones");
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
