//! The one table of characters that are invisible or change the text direction.

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
