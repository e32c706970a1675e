//! The one table of characters that nobody can see, or that change the direction of others.

use std::borrow::Cow;

use super::sequences;

/// What is shown in the place of an invisible character.
pub(crate) const MARK: char = '\u{FFFD}';

/// Can nobody see the character, or does it change how others are read?
///
/// These are the controls but for the line break and the tab, which are seen as what they do;
/// Unicode's `Default_Ignorable_Code_Point`, with `Bidi_Control`, the variation selectors and the
/// tags among them; the line and paragraph separators; the formats that stand for nothing visible
/// (interlinear annotations, shorthand, music, hieroglyphs); letters and signs that are blank; and
/// the noncharacters, which XML forbids. The source is `DerivedCoreProperties.txt` and `UnicodeData.txt` of Unicode 16.
pub(crate) fn is_invisible(character: char) -> bool {
    match character {
        '\n' | '\t' | ' '..='~' => false,
        // C0, delete, C1.
        '\0'..='\u{9F}' => true,
        // Soft hyphen, grapheme joiner, Arabic letter mark.
        '\u{AD}' | '\u{34F}' | '\u{61C}' => true,
        // Hangul fillers.
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' => true,
        // Khmer inherent vowels; Mongolian variation selectors and vowel separator.
        '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' => true,
        // Zero-width spaces and joiners, direction marks.
        '\u{200B}'..='\u{200F}' => true,
        // Line and paragraph separators, embeddings and overrides of direction.
        '\u{2028}'..='\u{202E}' => true,
        // Word joiner, invisible operators, isolates of direction, deprecated formats.
        '\u{2060}'..='\u{206F}' => true,
        // Variation selectors, byte order mark, interlinear annotations.
        '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' => true,
        // The blank of Braille, and a note without a head.
        '\u{2800}' | '\u{1D159}' => true,
        // Formats of hieroglyphs, shorthand and music.
        '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' => true,
        // Tags, and the other variation selectors.
        '\u{E0000}'..='\u{E0FFF}' => true,
        other => is_noncharacter(other),
    }
}

fn is_noncharacter(character: char) -> bool {
    matches!(character, '\u{FDD0}'..='\u{FDEF}') || u32::from(character) & 0xFFFE == 0xFFFE
}

/// The text with [`MARK`] for each invisible character that is no part of what is written. Of a
/// line's end in two characters one is left.
///
/// The result has at most as many characters as the text, and is left as it is by a second pass.
pub(crate) fn mark_invisible(text: &str) -> Cow<'_, str> {
    replace_invisible(text, |marked, _| marked.push(MARK))
}

/// The same with what `replace` appends in the place of a mark.
pub(super) fn replace_invisible(
    text: &str,
    mut replace: impl FnMut(&mut String, char),
) -> Cow<'_, str> {
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        if !is_invisible(character) {
            shown.push(character);
        } else if !rest.starts_with("\r\n") {
            match sequences::written(shown.chars().next_back(), rest) {
                0 => replace(&mut shown, character),
                written => {
                    length = written;
                    shown.push_str(&rest[..length]);
                }
            }
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}
