//! What lies outside of the strings of a JSON text: nesting and white space.

/// The maximum nesting depth, as in other JSON parsers.
pub(super) const MAX_DEPTH: usize = 127;

/// Tracks which characters of a text are outside of strings.
#[derive(Default)]
pub(super) struct Outside {
    is_inside: bool,
    is_escaped: bool,
}

impl Outside {
    /// Whether the next character is outside of a string. An opening quote is outside, a closing
    /// quote is not.
    pub(super) fn next(&mut self, c: char) -> bool {
        let was_inside = self.is_inside;
        match c {
            '"' if !self.is_escaped => self.is_inside = !was_inside,
            _ => {}
        }
        self.is_escaped = was_inside && c == '\\' && !self.is_escaped;
        !was_inside
    }
}

/// What lies outside of the strings of a text.
#[derive(Default)]
pub(super) struct Outline {
    /// Whether the text is nested deeper than [`MAX_DEPTH`]. The rest of such a text is not read.
    pub(super) is_too_deep: bool,
    pub(super) has_white_space: bool,
}

impl Outline {
    /// Reads bytes instead of characters: each answer passes here, and JSON's own characters are ASCII.
    pub(super) fn from_text(text: &str) -> Self {
        let mut outline = Self::default();
        let mut depth = 0_usize;
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => skip_string(&mut bytes),
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b' ' | b'\t' | b'\n' | b'\r' => outline.has_white_space = true,
                _ => {}
            }
            if depth > MAX_DEPTH {
                outline.is_too_deep = true;
                break;
            }
        }
        outline
    }
}

/// Skips a string, of which the opening quote was read, and its closing quote.
fn skip_string(bytes: &mut impl Iterator<Item = u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

/// The text without the white space between its tokens.
pub(super) fn compact(mut text: String) -> String {
    let mut outside = Outside::default();
    text.retain(|c| !(outside.next(c) && matches!(c, ' ' | '\t' | '\n' | '\r')));
    text
}
