//! Removes a client's keys from everything that a service sends, and from the messages that quote it.
//! Code that works with redacted text need not look for keys again.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use crate::secret::Secret;

/// The replacement for a key in data.
const INSTEAD: &[u8] = b"[key]";

/// The replacement for a key in a message, as [`Secret`] shows itself.
const IN_A_MESSAGE: &str = "…";

/// A shorter secret is not looked for in messages, since that would tear words apart.
const SHORTEST_IN_A_MESSAGE: usize = 4;

/// All secrets of a client, whether they are sent or not.
pub(crate) struct Redactor {
    secrets: Vec<Secret>,
    /// The last few tokens that were fetched; earlier ones have expired.
    fetched: RwLock<Vec<Secret>>,
}

/// How many fetched tokens are redacted.
const FETCHED: usize = 4;

impl Redactor {
    /// Secrets that could be an ordinary word are redacted in messages only, because an answer may
    /// contain that word.
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            secrets: secrets.into_iter().collect(),
            fetched: RwLock::default(),
        }
    }

    /// Redacts this token, too.
    pub(crate) fn add(&self, token: &Secret) {
        if !is_no_word(token.expose()) || self.fetched().contains(token) {
            return;
        }
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        if !fetched.contains(token) {
            let too_many = (fetched.len() + 1).saturating_sub(FETCHED);
            fetched.drain(..too_many);
            fetched.push(token.clone());
        }
    }

    /// The tokens that were added, the last few of them.
    fn fetched(&self) -> Vec<Secret> {
        let fetched = self.fetched.read();
        fetched.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bytes without any key, in any case and with any JSON escapes (`\u006b`, `\/`). Valid
    /// JSON stays valid.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self.line(&bytes) {
            Cow::Owned(clean) => clean,
            Cow::Borrowed(_) => bytes,
        }
    }

    /// Like [`bytes`](Self::bytes), for a part of a file.
    pub(crate) fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let fetched = self.fetched();
        let keys = self.secrets.iter().chain(&fetched).map(Secret::expose);
        keys.filter(|key| is_no_word(key))
            .fold(Cow::Borrowed(line), |line, key| {
                match without(&line, key.as_bytes()) {
                    Cow::Owned(clean) => Cow::Owned(clean),
                    Cow::Borrowed(_) => line,
                }
            })
    }

    /// An untrusted text as a message may quote it: here a secret that could be a word is removed
    /// too. The text is taken as it is, without escapes.
    pub(crate) fn message(&self, text: &str) -> String {
        let fetched = self.fetched();
        let keys = self.secrets.iter().chain(&fetched).map(Secret::expose);
        keys.filter(|key| key.len() >= SHORTEST_IN_A_MESSAGE)
            .fold(text.to_owned(), |text, key| without_plain(&text, key))
    }
}

/// The text with each occurrence of the key, in upper or lower case, replaced.
fn without_plain(text: &str, key: &str) -> String {
    // ASCII lower case keeps every byte's place.
    let (haystack, needle) = (text.to_ascii_lowercase(), key.to_ascii_lowercase());
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in haystack.match_indices(&needle) {
        clean.push_str(text.get(from..at).unwrap_or_default());
        clean.push_str(IN_A_MESSAGE);
        from = at + found.len();
    }
    clean.push_str(text.get(from..).unwrap_or_default());
    clean
}

/// Whether a secret is too long, or too unlike a word, to appear in a text by chance.
fn is_no_word(key: &str) -> bool {
    key.len() >= 16 || key.len() >= 8 && !key.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn without<'a>(bytes: &'a [u8], key: &[u8]) -> Cow<'a, [u8]> {
    let mut clean = Vec::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(next) = next_beginning(bytes, at, key) {
        at = next;
        let rest = bytes.get(at..).unwrap_or_default();
        match found(rest, key) {
            Some(length) => {
                clean.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
                clean.extend_from_slice(INSTEAD);
                at += length;
                kept = at;
            }
            None => at += unit(rest).1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(bytes);
    }
    clean.extend_from_slice(bytes.get(kept..).unwrap_or_default());
    Cow::Owned(clean)
}

/// The next place from `at` on at which the key may begin: with its first character, or with an escape.
/// Every answer is searched, so all other bytes are passed over quickly.
fn next_beginning(bytes: &[u8], at: usize, key: &[u8]) -> Option<usize> {
    let (lower, upper) = (
        key.first()?.to_ascii_lowercase(),
        key.first()?.to_ascii_uppercase(),
    );
    let mut rest = bytes.get(at..)?.iter();
    let next = rest.position(|byte| *byte == lower || *byte == upper || *byte == b'\\');
    next.map(|next| at + next)
}

/// The length of the key at the beginning of the bytes, if there is one. It includes a preceding
/// backslash outside of a JSON string, and the rest of an escape that begins with the key's last
/// character, so that no partial escape is left.
fn found(bytes: &[u8], key: &[u8]) -> Option<usize> {
    let plain = |bytes: &[u8]| {
        let same = bytes.get(..key.len())?.eq_ignore_ascii_case(key);
        same.then(|| whole_escapes(bytes, key.len()))
    };
    match bytes {
        [b'\\', rest @ ..] => escaped(bytes, key).or_else(|| plain(rest).map(|length| length + 1)),
        [first, ..]
            if key
                .first()
                .is_some_and(|key| key.eq_ignore_ascii_case(first)) =>
        {
            plain(bytes).or_else(|| escaped(bytes, key))
        }
        _ => None,
    }
}

/// The length, extended until it ends between two JSON characters.
fn whole_escapes(bytes: &[u8], length: usize) -> usize {
    let mut end = 0;
    while end < length {
        end += unit(bytes.get(end..).unwrap_or_default()).1;
    }
    end.min(bytes.len())
}

/// The length of the key at the beginning of the bytes, if any of its characters may be escaped.
fn escaped(bytes: &[u8], key: &[u8]) -> Option<usize> {
    let mut length = 0;
    for expected in key {
        let (meant, taken) = unit(bytes.get(length..)?);
        if !meant?.eq_ignore_ascii_case(expected) {
            return None;
        }
        length += taken;
    }
    Some(length)
}

/// The first character of a JSON string if it is ASCII, and the length of its source.
fn unit(bytes: &[u8]) -> (Option<u8>, usize) {
    match bytes {
        [b'\\', b'u', rest @ ..] => {
            let digits = rest
                .get(..4)
                .and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                Some(code) => (u8::try_from(code).ok().filter(u8::is_ascii), 6),
                None => (None, 2),
            }
        }
        [b'\\', letter @ (b'"' | b'\\' | b'/'), ..] => (Some(*letter), 2),
        [b'\\', _, ..] => (None, 2),
        [letter, ..] => (Some(*letter), 1),
        [] => (None, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn redacted(text: &str, key: &str) -> String {
        let redactor = Redactor::new([Secret::new(key)]);
        let clean = redactor.bytes(text.as_bytes().to_vec());
        assert_eq!(redactor.line(text.as_bytes()), clean);
        String::from_utf8(clean).unwrap()
    }

    #[test]
    fn a_key_is_found_in_every_form() {
        let key = "Ab/c\"d-0123456789";
        for text in [
            r#"{"a": "x Ab/c\"d-0123456789 y"}"#,
            r#"{"a": "x \u0041b\/c\u0022d-012345678\u0039 y"}"#,
            r#"{"a": "x aB\u002Fc\"d-0123456789 y"}"#,
        ] {
            assert_eq!(redacted(text, key), r#"{"a": "x [key] y"}"#);
        }
        assert_eq!(
            redacted(r"<p>\n0123456789abcdef", "n0123456789abcdef"),
            "<p>[key]"
        );
        assert_eq!(redacted(r"\\u006bey", "key-01234"), r"\\u006bey");
        for text in [
            r#"["key-01234\\"]"#,
            r#"["key-01234\""]"#,
            r#"["key-01234\u0041"]"#,
        ] {
            assert_eq!(redacted(text, r"key-01234\"), r#"["[key]"]"#);
        }
    }

    #[test]
    fn a_token_that_was_fetched_is_found_as_long_as_it_may_hold() {
        let redactor = Redactor::new([]);
        let token = |number: usize| format!("token-{number}-0123456789");
        for number in 0..9 {
            redactor.add(&Secret::new(token(number)));
            redactor.add(&Secret::new(token(number)));
        }
        let text = format!("{} {} {}", token(4), token(5), token(8));
        let clean = redactor.bytes(text.into_bytes());
        assert_eq!(clean, format!("{} [key] [key]", token(4)).as_bytes());
    }

    #[test]
    fn a_word_is_none() {
        for word in ["EMPTY", "ollama", "passwords", "key"] {
            assert_eq!(
                redacted(&format!("an {word} answer"), word),
                format!("an {word} answer")
            );
        }
        assert_eq!(redacted("sk-12345", "sk-12345"), "[key]");
    }

    /// The text with some characters escaped, as a hostile service may do it.
    fn escape(text: &str, which: &[bool]) -> String {
        let escape = |(at, c): (usize, char)| match which.get(at % which.len().max(1)) {
            Some(true) if c.is_ascii() => format!("\\u{:04x}", c as u32),
            _ => {
                serde_json::to_string(&c)
                    .unwrap()
                    .trim_matches('"')
                    .to_owned()
                    + if c == '"' { "\"" } else { "" }
            }
        };
        text.chars().enumerate().map(escape).collect()
    }

    #[test]
    fn a_message_holds_no_secret_that_is_a_word_either() {
        let redactor = Redactor::new(["ollama", "key"].map(Secret::new));
        let message = redactor.message("Ollama is not a key, says ollama");
        assert_eq!(message, "… is not a key, says …");
    }

    proptest! {
        #[test]
        fn no_secret_is_left_in_a_message(
            before in any::<String>(), after in any::<String>(), secret in "[!-~]{4,40}",
        ) {
            let redactor = Redactor::new([Secret::new(&secret)]);
            let message = redactor.message(&format!("{before}{secret}{after}{secret}"));
            prop_assert!(!message.to_ascii_lowercase().contains(&secret.to_ascii_lowercase()));
        }

        #[test]
        fn no_text_of_json_holds_it_afterwards(
            key in "[!-~]{16,40}", before in ".{0,9}", after in ".{0,9}",
            which in prop::collection::vec(any::<bool>(), 1..9),
        ) {
            let text = format!(r#"{{"{}":["{}"]}}"#, escape(&key, &which), escape(&format!("{before}{key}{after}{key}"), &which));
            prop_assume!(serde_json::from_str::<Value>(&text).is_ok());
            let clean: Value = serde_json::from_str(&redacted(&text, &key)).unwrap();
            let written = format!("{clean:?}").to_ascii_lowercase();
            let held = clean.as_object().unwrap().iter().any(|(name, list)| {
                [name.as_str(), list[0].as_str().unwrap()]
                    .iter()
                    .any(|text| text.to_ascii_lowercase().contains(&key.to_ascii_lowercase()))
            });
            prop_assert!(!held, "{written}");
        }

        #[test]
        fn any_bytes_are_looked_through(bytes in any::<Vec<u8>>(), key in "[!-~]{16,20}") {
            Redactor::new([Secret::new(key)]).bytes(bytes);
        }

        #[test]
        fn what_holds_no_key_stays_as_it_is(text in any::<String>()) {
            prop_assert_eq!(redacted(&text, "0123456789-abcdefgh"), text);
        }
    }
}
