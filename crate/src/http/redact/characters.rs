//! Reads the characters of a text that may be escaped, once or twice: for JSON, a URL or HTML.

use unicode_normalization::char::is_combining_mark;

use crate::text::invisible::is_invisible;

/// A longer text is no answer, and looking for escapes in escapes would take seconds if it is hostile.
const LONG: usize = 1 << 20;

/// How many escapes may lie in each other in this text, as in JSON that is a string of JSON.
pub(super) const fn depth(text: &[u8]) -> usize {
    if text.len() > LONG { 1 } else { 2 }
}

/// The longest entity of HTML that is read, in characters, without `&` and `;`.
const MAX_ENTITY: usize = 8;

/// A character, if it can be read, and the number of bytes that it takes.
pub(super) type Character = (Option<char>, usize);

/// Whether an escape may begin with this byte.
pub(super) const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// Whether what begins like an escape may be one of a character that is seen, by its second byte.
pub(super) fn may_be_escaped(bytes: &[u8]) -> bool {
    match bytes {
        [b'\\', next, ..] => matches!(next, b'u' | b'"' | b'/') || is_escape(*next),
        [b'%', next, ..] => next.is_ascii_hexdigit() || is_escape(*next),
        [b'&', next, ..] => next.is_ascii_alphabetic() || *next == b'#' || is_escape(*next),
        _ => false,
    }
}

/// The first character in every reading: as it stands, unescaped, and unescaped again up to this depth.
pub(super) fn readings(bytes: &[u8], depth: usize) -> impl Iterator<Item = Character> {
    // Most characters have one reading only.
    let may_be_escaped = bytes.first().is_some_and(|byte| is_escape(*byte));
    let depths = if may_be_escaped { depth } else { 0 };
    (0..=depths).map(move |depth| read_character(bytes, depth))
}

/// The number of bytes of the first character of a JSON string.
pub(super) fn length_in_json(bytes: &[u8]) -> usize {
    match bytes {
        [b'\\', b'u', ..] => json(bytes, 0).map_or(1, |(_, length)| length),
        [b'\\', _, ..] => 2,
        _ => raw(bytes).1,
    }
}

/// The number of bytes of the first character, if a reader does not see it: it is invisible, or a
/// mark on the one before it.
pub(super) fn unseen(bytes: &[u8], depth: usize) -> Option<usize> {
    let first = *bytes.first()?;
    if matches!(first, b' '..=b'~') && !is_escape(first) {
        return None;
    }
    readings(bytes, depth)
        .find(|(character, _)| character.is_some_and(|c| is_invisible(c) || is_combining_mark(c)))
        .map(|(_, length)| length)
}

/// The first character after so many rounds of unescaping.
fn read_character(bytes: &[u8], depth: usize) -> Character {
    let Some(below) = depth.checked_sub(1) else {
        return raw(bytes);
    };
    let (first, length) = read_character(bytes, below);
    let escaped = match first {
        Some('\\') => json(bytes, below),
        Some('%') => percent(bytes, below),
        Some('&') => entity(bytes, below),
        _ => None,
    };
    escaped.unwrap_or((first, length))
}

/// The first character as it stands. What is not UTF-8 is passed over byte by byte.
fn raw(bytes: &[u8]) -> Character {
    let Some(first) = bytes.first() else {
        return (None, 1);
    };
    let length = match first {
        0..0x80 => return (Some(char::from(*first)), 1),
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return (None, 1),
    };
    let text = bytes.get(..length).map(std::str::from_utf8);
    match text {
        Some(Ok(text)) => (text.chars().next(), length),
        _ => (None, 1),
    }
}

/// The characters of a text after so many rounds of unescaping.
struct Characters<'a> {
    bytes: &'a [u8],
    depth: usize,
    taken: usize,
}

impl<'a> Characters<'a> {
    fn new(bytes: &'a [u8], depth: usize) -> Self {
        Self {
            bytes,
            depth,
            taken: 0,
        }
    }

    /// The next character, if there is one that can be read.
    fn next(&mut self) -> Option<char> {
        let (character, length) = read_character(self.bytes.get(self.taken..)?, self.depth);
        let character = character?;
        self.taken += length;
        Some(character)
    }

    /// The number that this many hexadecimal digits mean.
    fn hex(&mut self, digits: u32) -> Option<u32> {
        (0..digits).try_fold(0, |number, _| {
            Some(number * 16 + self.next()?.to_digit(16)?)
        })
    }

    fn skip(&mut self, expected: &str) -> Option<()> {
        expected
            .chars()
            .try_for_each(|expected| (self.next()? == expected).then_some(()))
    }
}

/// An escape of JSON.
fn json(bytes: &[u8], depth: usize) -> Option<Character> {
    let mut rest = Characters::new(bytes, depth);
    rest.skip("\\")?;
    let character = match rest.next() {
        Some(letter @ ('"' | '\\' | '/')) => Some(letter),
        Some('b') => Some('\u{8}'),
        Some('f') => Some('\u{C}'),
        Some('n') => Some('\n'),
        Some('r') => Some('\r'),
        Some('t') => Some('\t'),
        Some('u') => {
            let after = rest.taken;
            match code_point(&mut rest) {
                Some(character) => character,
                None => {
                    rest.taken = after;
                    None
                }
            }
        }
        Some(_) => None,
        None => return None,
    };
    Some((character, rest.taken))
}

/// What follows `\u`: a character, or half of one.
fn code_point(rest: &mut Characters<'_>) -> Option<Option<char>> {
    let first = rest.hex(4)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some(char::from_u32(first));
    }
    let alone = rest.taken;
    let second = rest.skip("\\u").and_then(|()| rest.hex(4));
    match second.filter(|second| (0xDC00..0xE000).contains(second)) {
        Some(second) => Some(char::from_u32(
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00),
        )),
        None => {
            rest.taken = alone;
            Some(None)
        }
    }
}

/// A character of a URL: `%` and two digits for each of its bytes.
fn percent(bytes: &[u8], depth: usize) -> Option<Character> {
    let mut rest = Characters::new(bytes, depth);
    let mut encoded = [0; 4];
    for length in 1..=encoded.len() {
        rest.skip("%")?;
        *encoded.get_mut(length - 1)? = u8::try_from(rest.hex(2)?).ok()?;
        match std::str::from_utf8(encoded.get(..length)?) {
            Ok(text) => return Some((text.chars().next(), rest.taken)),
            // More bytes belong to it.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return None,
        }
    }
    None
}

/// An entity of HTML: `&#107;`, `&#x6b;`, `&amp;`.
fn entity(bytes: &[u8], depth: usize) -> Option<Character> {
    let mut rest = Characters::new(bytes, depth);
    rest.skip("&")?;
    let mut name = [0; MAX_ENTITY];
    for length in 0..=MAX_ENTITY {
        match rest.next()? {
            ';' => {
                let name = std::str::from_utf8(name.get(..length)?).ok()?;
                return Some((Some(named(name)?), rest.taken));
            }
            c if c.is_ascii_alphanumeric() || c == '#' => *name.get_mut(length)? = c as u8,
            _ => return None,
        }
    }
    None
}

fn named(entity: &str) -> Option<char> {
    let number = match entity.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => digits.parse(),
        },
        None => {
            return Some(match entity {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "shy" => '\u{AD}',
                "zwnj" => '\u{200C}',
                "zwj" => '\u{200D}',
                "lrm" => '\u{200E}',
                "rlm" => '\u{200F}',
                _ => return None,
            });
        }
    };
    char::from_u32(number.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Character> {
        readings(text.as_bytes(), 2).collect()
    }

    #[test]
    fn a_character_is_read_in_every_form() {
        for text in [
            "k",
            r"\u006b",
            "%6B",
            "&#107;",
            "&#x6b;",
            r"\\u006b",
            "%256b",
            r"\u0025\u0036b",
            "&amp;#107;",
            r"\u0026#x6b;",
        ] {
            let found = all(text).contains(&(Some('k'), text.len()));
            assert!(found, "{text}: {:?}", all(text));
        }
        assert_eq!(all("é"), [(Some('é'), 2)]);
        assert!(all(r"\ud83d\ude00!").contains(&(Some('😀'), 12)));
        for (text, length) in [
            (&br"\ud83d\ude00!"[..], 12),
            (br"\ud83d\u006b", 6),
            (br"\u006b", 6),
            (br"\u00", 2),
            (br"\n", 2),
            (br"\", 1),
            (b"\xff\xff", 1),
            ("é".as_bytes(), 2),
        ] {
            assert_eq!(length_in_json(text), length, "{text:?}");
        }
    }

    #[test]
    fn what_a_reader_does_not_see_is_known_in_every_form() {
        for text in [
            "\u{200B}",
            "\u{E0041}",
            "\u{AD}",
            "\u{301}",
            "\u{7}",
            r"\u200b",
            r"\udb40\udc41",
            "%E2%80%8B",
            "&shy;",
            "&#8203;",
            r"\\u200b",
            r"\b",
        ] {
            assert_eq!(unseen(text.as_bytes(), 2), Some(text.len()), "{text:?}");
        }
        for text in ["k", " ", "\n", "%", "%E2%80", "&", "\\", r"\n", "é", ""] {
            assert_eq!(unseen(text.as_bytes(), 2), None, "{text:?}");
        }
    }
}
