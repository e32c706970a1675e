//! Removes a client's keys from everything that a service sends, and from the messages that quote it.
//! Code that works with redacted text need not look for keys again.
//!
//! A key is found in upper or lower case, escaped for JSON, a URL or HTML (also twice, in texts of up to
//! a megabyte), in Base64, and with invisible characters in it. It is not found with spaces in it, in
//! pieces, or encoded in another way.

mod beginnings;
mod characters;
mod form;

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use self::beginnings::{Beginnings, bits};
use self::form::Form;
use crate::secret::Secret;

/// The replacement for a key in data.
const INSTEAD: &[u8] = b"[key]";

/// The replacement for a key in a message, as [`Secret`] shows itself.
const IN_A_MESSAGE: &str = "…";

/// A shorter secret is not looked for in messages, since that would tear words apart.
const MIN_IN_MESSAGE: usize = 4;

/// All secrets of a client, whether they are sent or not.
pub(crate) struct Redactor {
    secrets: Vec<Hidden>,
    /// The last few tokens that were fetched; earlier ones have expired.
    fetched: RwLock<Vec<Hidden>>,
}

/// How many fetched tokens are redacted.
const FETCHED: usize = 4;

/// A secret in the forms in which it is looked for.
struct Hidden {
    secret: Secret,
    forms: Vec<Form>,
}

impl Hidden {
    fn new(secret: Secret) -> Self {
        let mut forms = vec![Form::key(&secret)];
        if is_no_word(secret.expose()) {
            forms.extend(Form::base64(&secret));
        }
        Self { secret, forms }
    }
}

impl Redactor {
    /// Secrets that could be an ordinary word are redacted in messages only, because an answer may
    /// contain that word.
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            secrets: secrets.into_iter().map(Hidden::new).collect(),
            fetched: RwLock::default(),
        }
    }

    /// Redacts this token, too.
    pub(crate) fn add(&self, token: &Secret) {
        let is_known = |all: &[Hidden]| all.iter().any(|known| known.secret == *token);
        if !is_no_word(token.expose()) || is_known(&self.fetched()) {
            return;
        }
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        if !is_known(&fetched) {
            let too_many = (fetched.len() + 1).saturating_sub(FETCHED);
            fetched.drain(..too_many);
            fetched.push(Hidden::new(token.clone()));
        }
    }

    /// The tokens that were added, the last few of them.
    fn fetched(&self) -> RwLockReadGuard<'_, Vec<Hidden>> {
        self.fetched.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes without any key. Valid JSON stays valid.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self.line(&bytes) {
            Cow::Owned(clean) => clean,
            Cow::Borrowed(_) => bytes,
        }
    }

    /// Like [`bytes`](Self::bytes), for a part of a file.
    pub(crate) fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        self.without(line, is_no_word, INSTEAD)
    }

    /// An untrusted text as a message may quote it: here a secret that could be a word is removed
    /// too.
    pub(crate) fn message(&self, text: &str) -> String {
        let is_long = |secret: &str| secret.len() >= MIN_IN_MESSAGE;
        let clean = self.without(text.as_bytes(), is_long, IN_A_MESSAGE.as_bytes());
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// The text with something else instead of each of these secrets.
    fn without<'a>(
        &self,
        text: &'a [u8],
        is_wanted: impl Fn(&str) -> bool,
        instead: &[u8],
    ) -> Cow<'a, [u8]> {
        let fetched = self.fetched();
        let secrets = self.secrets.iter().chain(fetched.iter());
        let wanted = secrets.filter(|hidden| is_wanted(hidden.secret.expose()));
        let forms: Vec<&Form> = wanted.flat_map(|hidden| &hidden.forms).collect();
        match forms.is_empty() {
            true => Cow::Borrowed(text),
            false => without(text, &forms, instead),
        }
    }
}

/// Whether a secret is too long, or too unlike a word, to appear in a text by chance.
fn is_no_word(key: &str) -> bool {
    key.len() >= 16 || key.len() >= 8 && !key.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn without<'a>(text: &'a [u8], forms: &[&Form], instead: &[u8]) -> Cow<'a, [u8]> {
    let depth = characters::depth(text);
    let beginnings = Beginnings::from_forms(forms, depth);
    let mut clean = Vec::new();
    let (mut at, mut kept) = (0, 0);
    // Every answer is searched, so nearly all bytes are passed over quickly.
    while let Some(next) = beginnings.next(text, at) {
        at = next;
        let rest = text.get(at..).unwrap_or_default();
        // The key may also begin inside what looks like an escape in a text that is not JSON.
        let unit = match rest.first() {
            Some(b'\\') => characters::length_in_json(rest).min(rest.len()),
            _ => 1,
        };
        let found = (0..unit).find_map(|skipped| {
            let rest = rest.get(skipped..)?;
            let begun = beginnings.at(rest);
            let forms = forms.iter().zip(bits()).filter(|(_, bit)| begun & bit != 0);
            let lengths = forms.filter_map(|(form, _)| form.at_the_beginning_of(rest, depth));
            Some(skipped + lengths.max()?)
        });
        match found {
            Some(length) => {
                clean.extend_from_slice(text.get(kept..at).unwrap_or_default());
                clean.extend_from_slice(instead);
                at += whole_escapes(rest, length);
                kept = at;
            }
            None => at += unit,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    clean.extend_from_slice(text.get(kept..).unwrap_or_default());
    Cow::Owned(clean)
}

/// The length, extended until it ends between two JSON characters, so that no partial escape is
/// left.
fn whole_escapes(text: &[u8], length: usize) -> usize {
    let mut end = 0;
    while end < length {
        end += characters::length_in_json(text.get(end..).unwrap_or_default());
    }
    end.min(text.len())
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

    /// Everything that hides a key from a search, but not from a reader.
    #[test]
    fn a_key_is_found_however_it_is_written() {
        let key = "sk-0123/45+6789abcdef";
        let between = |separator: &str| {
            let letters: Vec<String> = key.chars().map(String::from).collect();
            letters.join(separator)
        };
        let each = |escape: fn(char) -> String| key.chars().map(escape).collect::<String>();
        for hidden in [
            // Zero-width space and joiner, soft hyphen, direction mark, tag, combining mark.
            between("\u{200B}"),
            between("\u{200D}\u{AD}\u{200E}"),
            between("\u{E0041}\u{E007F}"),
            between("\u{336}"),
            between(r"\u200b"),
            between(r"\udb40\udc41"),
            between("%E2%80%8B"),
            between("&shy;"),
            between("&#8203;"),
            each(|c| format!("%{:02X}", u32::from(c))),
            each(|c| format!("%25{:02x}", u32::from(c))),
            each(|c| format!("&#{};", u32::from(c))),
            each(|c| format!("&#x{:x};", u32::from(c))),
            each(|c| format!(r"\u{:04x}", u32::from(c))),
            each(|c| format!(r"\\u{:04x}", u32::from(c))),
            key.replace('/', "%2F").replace('+', "%2b"),
            key.replace('/', r"\\\/"),
            key.replace('/', "&#x2F;"),
            key.to_uppercase(),
        ] {
            let text = format!("{{\"a\": \"x {hidden} y\"}}");
            assert_eq!(redacted(&text, key), "{\"a\": \"x [key] y\"}", "{hidden}");
            let redactor = Redactor::new([Secret::new(key)]);
            assert_eq!(redactor.message(&format!("x {hidden} y")), "x … y");
        }
    }

    #[test]
    fn a_key_in_base64_is_found_whatever_is_before_it() {
        let key = "sk-0123/45+6789abc>?~~";
        // From Python's base64.b64encode: alone, after `user:`, after `u:`, and between `us:` and `!!`.
        for (encoded, clean) in [
            ("c2stMDEyMy80NSs2Nzg5YWJjPj9+fg==", "[key]g=="),
            ("dXNlcjpzay0wMTIzLzQ1KzY3ODlhYmM+P35+", "dXNlcjp[key]"),
            ("dTpzay0wMTIzLzQ1KzY3ODlhYmM+P35+", "dTp[key]"),
            ("dXM6c2stMDEyMy80NSs2Nzg5YWJjPj9+fiEh", "dXM6[key]iEh"),
        ] {
            assert_eq!(redacted(encoded, key), clean);
            let of_url = encoded.replace('+', "-").replace('/', "_");
            assert_eq!(redacted(&of_url, key), clean, "for URLs");
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
