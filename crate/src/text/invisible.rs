//! The one table of characters that are invisible or change the text direction.

use std::borrow::Cow;

use super::sequences;

/// The character that is shown in place of an invisible one.
pub(crate) const MARK: char = '\u{FFFD}';

/// Whether the character is invisible, or changes how others are read.
///
/// These are the control characters except the line break and the tab, whose effect is visible;
/// Unicode's `Default_Ignorable_Code_Point`, which includes `Bidi_Control`, the variation selectors
/// and the tags; the line and paragraph separators; format characters without a visible form
/// (interlinear annotations, shorthand, music, hieroglyphs); blank letters and signs; and the
/// noncharacters, which XML forbids. The sources are `DerivedCoreProperties.txt` and
/// `UnicodeData.txt` of Unicode 16.
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

/// The text with [`MARK`] in place of each invisible character that is not part of the writing. A
/// line ending of two characters becomes one.
///
/// The result has at most as many characters as the text, and a second pass leaves it unchanged.
pub(crate) fn mark_invisible(text: &str) -> Cow<'_, str> {
    replace_invisible(text, |marked, _| marked.push(MARK))
}

/// Like [`mark_invisible`], but `replace` appends the replacement instead of a mark.
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
