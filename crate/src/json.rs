//! Reads untrusted JSON without building a tree, which for a body of tiny objects would take
//! fifty times its size. A text is validated once; after that, each field that is needed is read
//! in place and the rest is skipped.

mod outline;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use outline::{Outline, Outside, compact};

/// A text that is valid JSON, reduced to one line and otherwise unchanged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Json(Arc<Box<RawValue>>);

/// An object whose fields don't matter.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnyObject {}

/// Why a text is not JSON.
#[derive(Debug)]
pub(crate) enum NoJson {
    BreaksOff,
    Other,
}

impl Json {
    /// Validates the text. It is copied only if it has to be repaired.
    pub(crate) fn new(text: String) -> Result<Self, NoJson> {
        Self::read(text).map_err(|(why, _)| why)
    }

    /// The same; an error returns the text, repaired if it had to be.
    pub(crate) fn read(text: String) -> Result<Self, (NoJson, String)> {
        let text = match has_half_pairs(&text) {
            true => repair_surrogates(text.as_bytes()),
            false => text,
        };
        let outline = Outline::from_text(&text);
        if outline.is_too_deep {
            return Err((NoJson::Other, text));
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
            return Err((error.into(), text));
        }
        let text = match outline.has_white_space {
            true => compact(text),
            false => text,
        };
        match RawValue::from_string(text) {
            Ok(raw) => Ok(Self(Arc::new(raw))),
            // It was validated before.
            Err(error) => Err((error.into(), String::new())),
        }
    }

    /// The body if it is JSON of at most `most` bytes; otherwise its beginning as a JSON string.
    pub(crate) fn of_body(body: &[u8], most: usize) -> Self {
        let text = String::from_utf8_lossy(body.get(..most).unwrap_or(body));
        let whole = match body.len() <= most {
            true => Self::new(text.clone().into_owned()).ok(),
            false => None,
        };
        whole.unwrap_or_else(|| Self::from(&text.into_owned().into()))
    }

    pub(crate) fn raw(&self) -> &RawValue {
        &self.0
    }

    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }

    /// The whole value, built in memory. A number that no `f64` can hold (`1e999`) becomes null.
    pub(crate) fn to_value(&self) -> Value {
        let text = self.text();
        serde_json::from_str(text)
            .or_else(|_| serde_json::from_str(&without_infinite_numbers(text)))
            .unwrap_or_default()
    }
}

/// The JSON with null for each number that no `f64` can hold.
fn without_infinite_numbers(json: &str) -> String {
    let is_part = |c: char| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
    let mut outside = Outside::default();
    let mut finite = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let number = match outside.next(c) && (c == '-' || c.is_ascii_digit()) {
            true => rest.split(|c| !is_part(c)).next().unwrap_or_default(),
            false => "",
        };
        let is_infinite = number.parse::<f64>().is_ok_and(f64::is_infinite);
        let length = number.len().max(c.len_utf8());
        finite.push_str(if is_infinite { "null" } else { &rest[..length] });
        rest = &rest[length..];
    }
    finite
}

impl From<serde_json::Error> for NoJson {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            Self::BreaksOff
        } else {
            Self::Other
        }
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        let raw = serde_json::value::to_raw_value(value);
        Self(Arc::new(raw.unwrap_or_default()))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Box<str> = raw.into();
        Self::new(text.into()).map_err(|_| serde::de::Error::custom("no JSON"))
    }
}

/// The values of these fields, in this order. Of duplicate fields the last one counts. All are
/// `None` if the text is not an object.
pub(crate) fn fields<'a, const N: usize>(
    json: &'a RawValue,
    names: [&str; N],
) -> [Option<&'a RawValue>; N] {
    let mut found = [None; N];
    if !is_object(json) {
        return found;
    }
    let read = Fields {
        names: &names,
        found: &mut found,
    };
    // Parsing can't fail halfway, because the text was validated.
    let _ = read.deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    found
}

/// The value of one field.
pub(crate) fn field<'a>(json: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let [found] = fields(json, [name]);
    found
}

/// The first `most` items of a list; empty if the text is not a list.
pub(crate) fn items(json: &RawValue, most: usize) -> Vec<&RawValue> {
    if !json.get().starts_with('[') {
        return Vec::new();
    }
    let list = Items(most).deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    list.unwrap_or_default()
}

/// The first `most` fields of an object with their names; empty if the text is not an object.
pub(crate) fn entries(json: &RawValue, most: usize) -> Vec<(String, &RawValue)> {
    if !is_object(json) {
        return Vec::new();
    }
    let list = Entries(most).deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    list.unwrap_or_default()
}

/// Looked at first: a parser's error about the type takes longer to make than an answer to read.
fn is_object(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

/// The value, if it has this type.
pub(crate) fn deserialize<T: DeserializeOwned>(json: &RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// The content of a string, or a number as written.
pub(crate) fn plain_text(json: &RawValue) -> Option<String> {
    let is_number = json
        .get()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit());
    deserialize(json).or_else(|| is_number.then(|| json.get().to_owned()))
}

/// Whether the value is `null`.
pub(crate) fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

/// Deserializes the first `MAX_COUNT` items of a list and skips the rest.
pub(crate) fn first<'de, D, T, const MAX_COUNT: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct First<T, const MAX_COUNT: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX_COUNT: usize> Visitor<'de> for First<T, MAX_COUNT> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while items.len() < MAX_COUNT {
                match list.next_element()? {
                    Some(item) => items.push(item),
                    None => return Ok(items),
                }
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(items)
        }
    }

    deserializer.deserialize_seq(First::<T, MAX_COUNT>(PhantomData))
}

struct Fields<'n, 'f, 'de, const N: usize> {
    names: &'n [&'n str; N],
    found: &'f mut [Option<&'de RawValue>; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<'_, '_, 'de, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<'_, '_, 'de, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let place = self.names.iter().position(|wanted| *wanted == name.0);
            match place.and_then(|place| self.found.get_mut(place)) {
                Some(place) => *place = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A field name that is copied only if it contains escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Items(usize);

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.0 {
            match list.next_element()? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        // The remaining items are skipped.
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(items)
    }
}

struct Entries(usize);

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < self.0 {
            match map.next_entry()? {
                Some(entry) => entries.push(entry),
                None => break,
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// Whether the text may contain an unpaired surrogate.
fn has_half_pairs(text: &str) -> bool {
    ["\\ud", "\\uD"].iter().any(|half| text.contains(half))
}

/// Replaces each unpaired surrogate and each byte sequence that is not UTF-8 with U+FFFD.
pub(crate) fn repair_surrogates(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    let mut repaired = String::with_capacity(json.len());
    let mut rest = &*json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let (taken, meant) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
            (Some(_), _) => (6, None),
            // A backslash and the character it escapes, which in valid JSON is ASCII.
            (None, _) => (2, None),
        };
        let (escape, after) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        repaired.push_str(meant.unwrap_or(escape));
        rest = after;
    }
    repaired.push_str(rest);
    repaired
}

/// The UTF-16 code unit at the beginning of the text, written as `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
