//! Texts in a picture: sanitized, measured, shortened, wrapped.
//!
//! Texts are measured in DejaVu Sans, which is included. It is wider than most fonts, so a text
//! that fits in it also fits in a browser's own font.

use std::collections::HashMap;
use std::sync::OnceLock;

use ttf_parser::Face;

use crate::text::invisible::is_invisible;
use crate::text::mark::mark_invisible;

/// The Latin, Greek and Cyrillic letters of DejaVu Sans. The license is in the same folder.
const FONT: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");

/// Only the beginning of a longer text is used.
const MAX_LENGTH: usize = 200;
/// Of a longer text, so many characters at the end are kept.
const LAST: usize = 60;

/// The included font. It is never `None`, since a test reads it.
pub(super) fn font() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(FONT, 0).ok()).as_ref()
}

/// The text on one line, with characters that are invalid in XML or invisible marked. Of one that
/// is longer than 200 characters, the beginning and the end are kept, since long names often differ
/// only at their ends.
pub(super) fn clean(text: &str) -> String {
    let is_long = text.chars().nth(MAX_LENGTH).is_some();
    let first = if is_long {
        MAX_LENGTH - LAST
    } else {
        MAX_LENGTH
    };
    let mut kept: String = text.chars().take(first).map(on_one_line).collect();
    if is_long {
        kept.push('…');
        let mut end: Vec<char> = text.chars().rev().take(LAST).map(on_one_line).collect();
        end.reverse();
        kept.extend(end);
    }
    mark_invisible(&kept).into_owned()
}

fn on_one_line(character: char) -> char {
    match character {
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        other => other,
    }
}

/// The width of a text, in pixels, at a font size of `size` pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The advance width of a character, as a fraction of the font size.
fn advance(character: char) -> f64 {
    match character {
        '\u{300}'..='\u{36F}' => 0.0,
        joiner if is_invisible(joiner) => 0.0,
        _ => known(character).unwrap_or(1.0),
    }
}

/// The same for a letter that the font contains; otherwise `None`.
fn known(character: char) -> Option<f64> {
    let font = font()?;
    let glyph = font.glyph_index(character)?;
    let units = font.glyph_hor_advance(glyph)?;
    Some(f64::from(units) / f64::from(font.units_per_em()))
}

/// The text if it is not wider than `room`, otherwise its beginning and an ellipsis.
pub(super) fn shortened(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut rest = room / size - advance('…');
    let fits = text.chars().take_while(|character| {
        rest -= advance(*character);
        rest >= 0.0
    });
    let beginning: String = fits.collect();
    // A joiner at the end would be joined to the ellipsis.
    let beginning = beginning.trim_end_matches([' ', '\u{200D}']);
    format!("{beginning}…")
}

/// The same for each of these names, but those that would then look like another one are shortened
/// in the middle.
pub(super) fn shortened_apart(names: &[String], size: f64, room: f64) -> Vec<String> {
    apart(
        names,
        |name| shortened(name, size, room),
        |name| shortened_in_middle(name, size, room),
    )
}

/// Shortens names in the usual way, or, those that would then look like another name, in the other.
pub(super) fn apart(
    names: &[String],
    usual: impl Fn(&str) -> String,
    other: impl Fn(&str) -> String,
) -> Vec<String> {
    let short: Vec<_> = names.iter().map(|name| usual(name)).collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for name in &short {
        *count.entry(name).or_default() += 1;
    }
    let both = names.iter().zip(&short);
    both.map(|(name, short)| match count.get(&**short) {
        Some(2..) if short != name => other(name),
        _ => short.clone(),
    })
    .collect()
}

/// The beginning and the end of a text, with an ellipsis between them.
fn shortened_in_middle(text: &str, size: f64, room: f64) -> String {
    let half = (room / size - advance('…')) / 2.0;
    let fits = |characters: &mut dyn Iterator<Item = char>| {
        let mut rest = half;
        let fits = characters.take_while(|character| {
            rest -= advance(*character);
            rest >= 0.0
        });
        fits.collect::<Vec<_>>()
    };
    let beginning: String = fits(&mut text.chars()).into_iter().collect();
    let mut end = fits(&mut text.chars().rev());
    end.reverse();
    let end: String = end.into_iter().collect();
    let beginning = beginning.trim_end_matches([' ', '\u{200D}']);
    format!("{beginning}…{end}")
}

/// The text on at most three lines that are not wider than `room`; the last one may end in an
/// ellipsis.
pub(super) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    const LINES: usize = 3;
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let full = lines.len() == LINES;
        let Some(line) = lines.last_mut() else { break };
        let longer = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        if line.is_empty() || full || width(&longer, size) <= room {
            *line = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
        .iter()
        .map(|line| shortened(line, size, room))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_font_has_the_letters_of_europe() {
        for letter in "Aß ñ Łódź Ελλάδα Україна – … − ≥ €".chars() {
            assert!(known(letter).is_some(), "{letter}");
        }
        assert_eq!(known('護'), None);
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("electrician", 12.0, 200.0), "electrician");
        assert_eq!(shortened("electrician", 12.0, 50.0), "electri…");
        assert_eq!(shortened("electrician", 12.0, 0.0), "…");
    }

    #[test]
    fn names_that_differ_only_at_their_ends_stay_apart() {
        let names = [
            "electrician in year one",
            "electrician in year two",
            "clerk",
        ];
        let names = names.map(str::to_owned);
        let [one, two, clerk]: [String; 3] =
            shortened_apart(&names, 12.0, 90.0).try_into().unwrap();
        assert!(one.starts_with("electri") && one.ends_with(" one"), "{one}");
        assert!(two.starts_with("electri") && two.ends_with(" two"), "{two}");
        assert_eq!(clerk, "clerk");
        let alone = shortened_apart(&names[1..], 12.0, 90.0);
        assert_eq!(alone[0], shortened(&names[1], 12.0, 90.0));
    }

    #[test]
    fn a_title_is_wrapped_at_words() {
        assert_eq!(
            wrapped("Share of women by occupation", 16.0, 150.0),
            ["Share of women", "by occupation"]
        );
        assert_eq!(wrapped("a ".repeat(500).as_str(), 16.0, 100.0).len(), 3);
        assert_eq!(wrapped("", 16.0, 100.0), [""]);
    }

    #[test]
    fn what_can_not_be_seen_is_made_visible() {
        assert_eq!(
            clean("a\0b\nc\u{202E}d\u{FFFF}e"),
            "a\u{FFFD}b c\u{FFFD}d\u{FFFD}e"
        );
        assert_eq!(clean("a\u{E0041}b\u{200B}👩‍🔬"), "a\u{FFFD}b\u{FFFD}👩‍🔬");
        assert_eq!(
            clean(&"é".repeat(1_000_000)).chars().count(),
            MAX_LENGTH + 1
        );
    }

    proptest! {
        #[test]
        fn a_shortened_text_fits(text in any::<String>(), room in 20.0..300.0_f64) {
            let text = shortened(&clean(&text), 12.0, room);
            prop_assert!(width(&text, 12.0) <= room + 1e-9);
        }
    }
}
