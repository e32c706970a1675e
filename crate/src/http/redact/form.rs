//! The forms in which a key is looked for: as it is, and in Base64.

use super::characters::{readings, unseen};
use crate::base64_encoding::base64;
use crate::secret::Secret;

/// One form of a key.
pub(super) struct Form {
    text: Secret,
    is_base64: bool,
}

/// A place in a text whose escapes may have this depth.
struct Found<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Form {
    pub(super) fn key(key: &Secret) -> Self {
        Self {
            text: key.clone(),
            is_base64: false,
        }
    }

    /// The key in Base64, without the characters that depend on what is before or after it. There
    /// may be any number of bytes before it, which makes three forms.
    pub(super) fn base64(key: &Secret) -> impl Iterator<Item = Self> {
        (0..3).map(|before| {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(key.expose().as_bytes());
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            let letters = base64(&bytes).get(own).unwrap_or_default().to_owned();
            Self {
                text: Secret::new(letters),
                is_base64: true,
            }
        })
    }

    /// The bytes that it may have at this place, if nothing is escaped.
    pub(super) fn bytes_at(&self, place: usize) -> impl Iterator<Item = u8> {
        let byte = self.text.expose().as_bytes().get(place).copied();
        let both = byte.map(|byte| {
            if self.is_base64 {
                [byte, for_url(byte)]
            } else {
                [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
            }
        });
        both.into_iter().flatten()
    }

    /// The length of this form at the beginning of the text, if it is there.
    pub(super) fn at_the_beginning_of(&self, text: &[u8], depth: usize) -> Option<usize> {
        // The places at which the characters so far may end. There are several if the key itself
        // contains what looks like an escape.
        let mut ends = vec![0];
        for expected in self.text.expose().chars() {
            let mut next = Vec::new();
            for end in ends {
                let found = Found {
                    text,
                    at: end,
                    depth,
                };
                self.follow(found, expected, &mut next);
            }
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        ends.into_iter().max()
    }

    /// Adds the places at which this character ends if it stands here, maybe after others that a
    /// reader does not see.
    fn follow(&self, here: Found<'_>, expected: char, ends: &mut Vec<usize>) {
        let Found {
            text,
            mut at,
            depth,
        } = here;
        let is_first = at == 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            for (character, length) in readings(rest, depth) {
                let is_same = character.is_some_and(|found| self.is_same(expected, found));
                if is_same && !ends.contains(&(at + length)) {
                    ends.push(at + length);
                }
            }
            match unseen(rest, depth) {
                Some(length) if !is_first => at += length,
                _ => return,
            }
        }
    }

    fn is_same(&self, expected: char, found: char) -> bool {
        if self.is_base64 {
            let of_url = u8::try_from(expected).map(|letter| char::from(for_url(letter)));
            found == expected || of_url == Ok(found)
        } else {
            found.eq_ignore_ascii_case(&expected)
        }
    }
}

/// The letter in the alphabet for URLs, which has `-` and `_` for the last two.
fn for_url(letter: u8) -> u8 {
    match letter {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}
