//! Reading JSON field by field, with errors that name the file and the field.

use std::path::Path;

use evenhand::text::sanitize_line;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::INVALID;
use super::json::UniqueFields;
use crate::error::{Context, Failure, Result};

/// No settings are as large.
const MAX_FILE: u64 = 16 << 20;

/// The most characters of a wrong value that are shown.
const SHOWN: usize = 60;

/// A JSON object whose fields are taken one by one.
pub(super) struct Fields {
    /// The file, and where in it the object is: `study.json: gate.`.
    place: String,
    fields: Map<String, Value>,
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Field {
    place: String,
    value: Value,
}

impl Fields {
    /// The object in a file.
    ///
    /// # Errors
    /// A file that can't be read, or is not a JSON object.
    pub(super) fn read_file(file: &Path) -> Result<Self> {
        let name = file.display();
        let unread = |failure: Failure| failure.exit_with(INVALID);
        let context = || format!("{name} can't be read");
        let size = std::fs::metadata(file)
            .with_context(context)
            .map_err(unread)?
            .len();
        if size > MAX_FILE {
            return Err(invalid(format!(
                "{name}: {size} bytes are too many for a file of settings"
            )));
        }
        let text = std::fs::read_to_string(file)
            .with_context(context)
            .map_err(unread)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let UniqueFields(value) = serde_json::from_str(text).map_err(|error| {
            let message = sanitize_line(&error.to_string(), 2 * SHOWN);
            match error.classify() {
                Category::Data => invalid(format!("{name}: {message}"))
                    .hint("only one of them would count: remove the other"),
                _ => invalid(format!("{name} is not JSON: {message}")).hint(
                    "put strings in double quotes, and no comma after the last field; \
                     comments are not allowed",
                ),
            }
        })?;
        let whole = Field {
            place: format!("{name}: "),
            value,
        };
        whole.object("settings in { }")
    }

    /// Takes a field out; `None` if it is missing or null.
    pub(super) fn take_field(&mut self, name: &str) -> Option<Field> {
        let value = self
            .fields
            .shift_remove(name)
            .filter(|value| !value.is_null())?;
        Some(Field {
            place: format!("{}{name}", self.place),
            value,
        })
    }

    /// Every field, in order.
    pub(super) fn all(self) -> impl Iterator<Item = (String, Field)> {
        let place = self.place;
        self.fields.into_iter().map(move |(name, value)| {
            let place = format!("{place}{}", sanitize_line(&name, SHOWN));
            (name, Field { place, value })
        })
    }

    /// Refuses what was not taken.
    ///
    /// # Errors
    /// A field that is left.
    pub(super) fn end(self, known: &[&str]) -> Result<()> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => {
                let name = sanitize_line(name, SHOWN);
                Err(
                    invalid(format!("{}{name} is not a known field", self.place))
                        .hint(format!("the fields are {}", known.join(", "))),
                )
            }
        }
    }
}

impl Field {
    /// The error that something else was expected.
    pub(super) fn expected(&self, what: &str) -> Failure {
        let value = sanitize_line(&self.value.to_string(), SHOWN);
        let place = self.place.trim_end_matches(": ");
        invalid(format!("{place} is {value}, expected {what}"))
    }

    /// A field whose value was understood, but is refused by the library.
    pub(super) fn refused(&self, error: evenhand::Error) -> Failure {
        Failure::from(error).at(&self.place).exit_with(INVALID)
    }

    /// The fields of an object.
    pub(super) fn object(self, what: &str) -> Result<Fields> {
        match self.value {
            Value::Object(fields) => Ok(Fields {
                place: match self.place.ends_with(": ") {
                    true => self.place,
                    false => format!("{}.", self.place),
                },
                fields,
            }),
            _ => Err(self.expected(what)),
        }
    }

    /// The elements of a list that is not empty.
    pub(super) fn list(self, what: &str) -> Result<Vec<Field>> {
        match self.value {
            Value::Array(values) if !values.is_empty() => {
                let elements = values.into_iter().enumerate();
                let element = |(place, value)| Field {
                    place: format!("{}[{place}]", self.place),
                    value,
                };
                Ok(elements.map(element).collect())
            }
            _ => Err(self.expected(what)),
        }
    }

    /// A list of texts.
    pub(super) fn texts(self, what: &str) -> Result<Vec<String>> {
        let elements = self.list(what)?.into_iter();
        elements.map(|element| element.text("a string")).collect()
    }

    /// A text that is not empty.
    pub(super) fn text(self, what: &str) -> Result<String> {
        match &self.value {
            Value::String(text) if !text.trim().is_empty() => Ok(text.clone()),
            _ => Err(self.expected(what)),
        }
    }

    /// A text that may be empty.
    pub(super) fn any_text(self, what: &str) -> Result<String> {
        match &self.value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.expected(what)),
        }
    }

    /// The value, if it is a text.
    pub(super) fn value_text(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// A whole number of at least 1.
    pub(super) fn count<N: TryFrom<u64>>(&self) -> Result<N> {
        let number = self.value.as_u64().filter(|number| *number > 0);
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| self.expected("a whole number of at least 1"))
    }

    /// A whole number.
    pub(super) fn whole(&self) -> Result<i64> {
        let number = self.value.as_i64();
        number.ok_or_else(|| self.expected("a whole number"))
    }

    /// A number.
    pub(super) fn number(&self) -> Result<f64> {
        let number = self.value.as_f64();
        number.ok_or_else(|| self.expected("a number"))
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        self.value.is_number()
    }

    /// Whether it is a text.
    pub(super) fn is_text(&self) -> bool {
        self.value.is_string()
    }
}

/// A failure that is about the settings.
pub(super) fn invalid(message: String) -> Failure {
    Failure::new(message).exit_with(INVALID)
}
