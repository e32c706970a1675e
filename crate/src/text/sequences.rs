//! Determines where an invisible character is part of the writing.
//!
//! An emoji may be several characters with joiners between them (UTS #51), Persian and the
//! scripts of India need joiners between letters (UAX #31, `Join_Control`), and an ideograph may
//! specify its variant (UTS #37). Each such character must directly follow a visible one of the
//! right kind, so that no message can be hidden in a sequence of them.

use super::invisible::is_invisible;

/// The tags that follow the black flag in the flags of England, Scotland and Wales: the only tag
/// sequences that Unicode recommends (`RGI_Emoji_Tag_Sequence`).
const FLAGS: [&str; 3] = [
    "\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
];

const KEYCAP: char = '\u{20E3}';

/// Follows a sign that is to be shown as a picture.
const PICTURE: char = '\u{FE0F}';

/// How many bytes of invisible characters at the beginning of `rest` are part of the writing, given
/// that `before` was shown before them.
pub(super) fn written(before: Option<char>, rest: &str) -> usize {
    let mut characters = rest.chars();
    let (Some(before), Some(character)) = (before, characters.next()) else {
        return 0;
    };
    let after = characters.next().unwrap_or_default();
    if is_invisible(before) && before != PICTURE {
        return 0;
    }
    let is_written = match character {
        // Select the text or the picture form.
        '\u{FE0E}' | '\u{FE0F}' => {
            is_pictograph(before) || (matches!(before, '#' | '*' | '0'..='9') && after == KEYCAP)
        }
        '\u{FE00}'..='\u{FE02}' | '\u{E0100}'..='\u{E01EF}' => is_ideograph(before),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => matches!(before, '\u{1820}'..='\u{18AA}'),
        '\u{200B}' => is_without_spaces(before) && is_without_spaces(after),
        '\u{200D}' if is_pictograph(before) || before == PICTURE => is_pictograph(after),
        '\u{200C}' | '\u{200D}' => joins_letters(before),
        '\u{2800}' => matches!(before, '\u{2801}'..='\u{28FF}'),
        '\u{E0067}' if before == '\u{1F3F4}' => {
            let flag = FLAGS.iter().find(|flag| rest.starts_with(**flag));
            return flag.map_or(0, |flag| flag.len());
        }
        _ => false,
    };
    match is_written {
        true => character.len_utf8(),
        false => 0,
    }
}

/// Whether the character may be part of an emoji.
fn is_pictograph(character: char) -> bool {
    matches!(
        character,
        '©' | '®' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
            | '\u{2190}'..='\u{21FF}'
            | '\u{2300}'..='\u{23FF}'
            | '\u{24C2}'
            | '\u{25A0}'..='\u{27BF}'
            | '\u{2900}'..='\u{297F}'
            | '\u{2B00}'..='\u{2BFF}'
            | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}'
            | '\u{1F000}'..='\u{1FAFF}'
    )
}

/// Whether the character is an ideograph of China, Japan, Korea or Vietnam.
fn is_ideograph(character: char) -> bool {
    matches!(
        character,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{323AF}'
    )
}

/// Whether the script joins its letters, so that a joiner or a non-joiner changes their form.
fn joins_letters(character: char) -> bool {
    matches!(
        character,
        // Arabic, Syriac, N'Ko and their neighbors.
        '\u{620}'..='\u{8FF}' | '\u{FB50}'..='\u{FDCF}' | '\u{FE70}'..='\u{FEFC}'
            // The scripts of India, Sri Lanka and Tibet, and Myanmar's.
            | '\u{900}'..='\u{DFF}' | '\u{F00}'..='\u{109F}'
            // Khmer and Mongolian; Balinese and its neighbors.
            | '\u{1780}'..='\u{18AF}' | '\u{1A00}'..='\u{1CFF}'
            | '\u{A800}'..='\u{A8FF}' | '\u{A980}'..='\u{ABFF}'
            | '\u{10A00}'..='\u{10A5F}' | '\u{11000}'..='\u{11DFF}' | '\u{1E900}'..='\u{1E95F}'
    )
}

/// Whether the script is written without spaces, so that a zero-width space marks where a line may
/// end. These are Thai, Lao, Myanmar's script and Khmer.
fn is_without_spaces(character: char) -> bool {
    matches!(
        character,
        '\u{E01}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
    )
}
