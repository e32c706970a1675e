//! Where a key may begin, seen from two bytes.

use super::characters::{is_escape, may_be_escaped, readings};
use super::form::Form;

/// For each byte, which forms may have it as their first and as their second: a bit for each form.
pub(super) struct Beginnings {
    first: [u32; 256],
    second: [u32; 256],
    depth: usize,
}

/// An escape, or what is not seen, may follow anything.
const AFTER_ANY: [u32; 256] = {
    let mut after = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        if is_escape(byte as u8) || byte < b' ' as usize || byte > b'~' as usize {
            after[byte] = u32::MAX;
        }
        byte += 1;
    }
    after
};

/// The bits of the forms, in their order. Many forms share bits.
pub(super) fn bits() -> impl Iterator<Item = u32> {
    (0..u32::BITS).cycle().map(|place| 1 << place)
}

impl Beginnings {
    pub(super) fn from_forms(forms: &[&Form], depth: usize) -> Self {
        let mut first = [0; 256];
        let mut second = AFTER_ANY;
        for (form, bit) in forms.iter().zip(bits()) {
            for byte in form.bytes_at(0) {
                first[usize::from(byte)] |= bit;
            }
            for byte in form.bytes_at(1) {
                second[usize::from(byte)] |= bit;
            }
        }
        Self {
            first,
            second,
            depth,
        }
    }

    /// The next place from `at` on at which a form or an escape may begin.
    pub(super) fn next(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let begins = |pair: &[u8]| match pair {
            [first, second] => {
                let begun = self.first[usize::from(*first)] & self.second[usize::from(*second)];
                // A key that follows a backslash is replaced together with it.
                let is_after_one = *first == b'\\' && self.first[usize::from(*second)] != 0;
                begun != 0 || is_after_one || may_be_escaped(pair)
            }
            _ => false,
        };
        let next = rest.windows(2).position(begins);
        next.map(|next| at + next)
    }

    /// Which forms may begin at the beginning of the text.
    pub(super) fn at(&self, text: &[u8]) -> u32 {
        let Some(first) = text.first() else {
            return 0;
        };
        let second = text
            .get(1)
            .map_or(u32::MAX, |byte| self.second[usize::from(*byte)]);
        let mut begun = self.first[usize::from(*first)] & second;
        if may_be_escaped(text) {
            for (character, _) in readings(text, self.depth).skip(1) {
                let mut buffer = [0; 4];
                let bytes = character.map(|c| c.encode_utf8(&mut buffer).as_bytes());
                let first = bytes.and_then(<[u8]>::first);
                begun |= first.map_or(0, |byte| self.first[usize::from(*byte)]);
            }
        }
        begun
    }
}
