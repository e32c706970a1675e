//! The fields of a line, found in one pass over its bytes.
//!
//! What is unusual here, and whatever is no JSON, is left to `serde_json`, which also says what is
//! wrong and where.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::files::words;

/// A value as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    /// A number without a point and an exponent.
    Integer(&'a str),
    Number(&'a str),
    /// What stands between the quotation marks, which has no escapes.
    Text(&'a str),
    /// A text with escapes, in its quotation marks.
    Escaped(&'a str),
    /// A list or an object.
    Nested(&'a str),
}

impl<'a> Json<'a> {
    /// A value that stands alone.
    pub(super) fn from_text(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner { text, at: 0 };
        scanner.value().filter(|_| scanner.peek().is_none())
    }
}

/// Appends the names and the values of the object in this line. Returns whether the line is one, with
/// names that have no escapes; what it has appended otherwise means nothing.
pub(super) fn find<'a>(line: &'a str, fields: &mut Vec<(&'a str, Json<'a>)>) -> bool {
    let mut scanner = Scanner { text: line, at: 0 };
    scanner.object(fields).is_some()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn object(&mut self, fields: &mut Vec<(&'a str, Json<'a>)>) -> Option<()> {
        self.skip_blanks();
        self.eat(b'{')?;
        self.skip_blanks();
        if self.eat(b'}').is_none() {
            loop {
                let Json::Text(name) = self.quoted()? else {
                    return None;
                };
                self.skip_blanks();
                self.eat(b':')?;
                self.skip_blanks();
                fields.push((name, self.value()?));
                self.skip_blanks();
                if self.eat(b',').is_none() {
                    break;
                }
                self.skip_blanks();
            }
            self.eat(b'}')?;
        }
        self.skip_blanks();
        self.peek().is_none().then_some(())
    }

    fn value(&mut self) -> Option<Json<'a>> {
        match self.peek()? {
            b'"' => self.quoted(),
            b't' => self.word("true", Json::Boolean(true)),
            b'f' => self.word("false", Json::Boolean(false)),
            b'n' => self.word("null", Json::Null),
            b'[' | b'{' => self.nested(),
            _ => self.number(),
        }
    }

    fn quoted(&mut self) -> Option<Json<'a>> {
        let begin = self.at;
        self.eat(b'"')?;
        let mut is_escaped = false;
        loop {
            self.at += plain_length(&self.text.as_bytes()[self.at..]);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.escape()?;
                    is_escaped = true;
                }
                _ => return None,
            }
        }
        self.at += 1;
        Some(match is_escaped {
            true => Json::Escaped(&self.text[begin..self.at]),
            false => Json::Text(&self.text[begin + 1..self.at - 1]),
        })
    }

    fn escape(&mut self) -> Option<()> {
        let escape = &self.text.as_bytes()[self.at + 1..];
        self.at += match escape {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', rest @ ..] => {
                let digits = rest.first_chunk::<4>()?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
            }
            _ => return None,
        };
        Some(())
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let begin = self.at;
        let _ = self.eat(b'-');
        let is_zero = self.peek()? == b'0';
        let digits = self.digits()?;
        if is_zero && digits > 1 {
            return None;
        }
        let mut is_integer = true;
        if self.eat(b'.').is_some() {
            self.digits()?;
            is_integer = false;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
            is_integer = false;
        }
        let number = &self.text[begin..self.at];
        Some(match is_integer {
            true => Json::Integer(number),
            false => Json::Number(number),
        })
    }

    /// Skips digits. Returns how many, if there are any.
    fn digits(&mut self) -> Option<usize> {
        let rest = self.text.as_bytes()[self.at..].iter();
        let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }

    fn nested(&mut self) -> Option<Json<'a>> {
        let mut json = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let nested = <&RawValue>::deserialize(&mut json).ok()?.get();
        self.at += nested.len();
        Some(Json::Nested(nested))
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(value)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// How many bytes come before a quotation mark, a backslash or a control character.
fn plain_length(bytes: &[u8]) -> usize {
    words::before(bytes, |word| {
        words::equal(word, b'"') | words::equal(word, b'\\') | words::below(word, 0x20)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fields_of_a_line_are_found() {
        let line = r#" {"a": -1, "b":0.5e-3,"é" : "x", "d": "\"\u00e9", "e": [1, {"f": "}"}], "g": null, "h": true} "#;
        let mut fields = Vec::new();
        assert!(find(line, &mut fields));
        let expected = [
            ("a", Json::Integer("-1")),
            ("b", Json::Number("0.5e-3")),
            ("é", Json::Text("x")),
            ("d", Json::Escaped(r#""\"\u00e9""#)),
            ("e", Json::Nested(r#"[1, {"f": "}"}]"#)),
            ("g", Json::Null),
            ("h", Json::Boolean(true)),
        ];
        assert_eq!(fields, expected);
        assert!(find("{}", &mut fields));
    }

    proptest! {
        /// A line is either what `serde_json` takes it for, or left to it.
        #[test]
        fn nothing_is_a_line_that_is_none(line in r#"\{?([ "0-9a-z\\:,{}\[\].eE+-]|"a":|"b": ?"|true|null|\\u00e9|é|\t){0,12}\}?"#) {
            let known = serde_json::from_str::<BTreeMap<String, &RawValue>>(&line);
            let mut fields = Vec::new();
            let is_found = find(&line, &mut fields);
            prop_assert!(!is_found || known.is_ok(), "{line}");
            if let Ok(known) = known && is_found {
                for (name, value) in &fields {
                    prop_assert!(known.contains_key(*name));
                    let last = fields.iter().rfind(|(other, _)| other == name);
                    if last == Some(&(*name, *value)) {
                        prop_assert_eq!(Json::from_text(known[*name].get()), Some(*value));
                    }
                }
            }
        }
    }
}
