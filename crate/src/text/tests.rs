//! Tests of the rule for everything that is shown: legible text is kept, and characters that are
//! invisible or would be interpreted are marked.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::invisible::is_invisible;
use super::mark::{MARK, mark_invisible};
use super::terminal::{sanitize, sanitize_styled};
use super::{escape_invisible_in_json, sanitize_line};

/// Texts as people and models write them.
const LEGIBLE: [&str; 17] = [
    "fiancé, fiance\u{301}, Łódź, ½ €",
    "\tlet a = 1;\n",
    "👩‍🔬 👨‍👩‍👧‍👦 🏳️‍🌈 ❤️ 👍🏽 🇩🇪 ☎︎ 1️⃣ #️⃣ ©️",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿",
    "護士和工程師、看護師、간호사",
    "葛\u{E0100}城市 \u{FA19}\u{FE00}",
    "מהנדסת ורופא",
    "مهندسة وطبيب",
    "می\u{200C}خواهم",
    "क्\u{200D}ष नर्\u{200C}स",
    "ශ්\u{200D}රී ලංකා",
    "ន\u{17B6}ង\u{200B}ខ\u{17D2}ញ\u{17BB}\u{17C6}",
    "ᠮᠣᠩᠭᠣᠯ\u{180B}",
    "Zürich—\u{A0}naïve\u{2009}…\u{3000}全角",
    "x̂ ≠ ∑ ∞ → ⇒ ①",
    "🧑🏿‍🦽‍➡️",
    "⠓⠑⠇⠇⠕\u{2800}⠺⠕⠗⠇⠙",
];

#[test]
fn what_people_write_stays_as_it_is() {
    for text in LEGIBLE {
        assert_eq!(mark_invisible(text), text);
        assert_eq!(sanitize_styled(text, true), text);
        assert_eq!(escape_invisible_in_json(text), text);
    }
}

#[test]
fn what_a_terminal_would_obey_is_shown() {
    let shown = |text: &str| sanitize(text).replace(MARK, "?");
    assert_eq!(shown("\u{1b}[31mred\u{1b}[0m"), "?[31mred?[0m");
    assert_eq!(shown("\u{1b}]0;title\u{7}"), "?]0;title?");
    assert_eq!(shown("\u{9d}52;c;cHduZWQ=\u{9c}"), "?52;c;cHduZWQ=?");
    assert_eq!(shown("\u{9b}2J\u{90}q\u{7f}"), "?2J?q?");
    assert_eq!(shown("error\rfine  \u{8}\u{8}!"), "error?fine  ??!");
    assert_eq!(shown("two\r\nlines\r"), "two\nlines?");
    assert_eq!(shown("a\0b\u{b}c\u{c}d\u{85}e"), "a?b?c?d?e");
    assert_eq!(shown("\u{202E}txt.exe\u{2069}\u{200F}"), "?txt.exe??");
}

#[test]
fn nothing_can_be_hidden_between_letters() {
    let shown = |text: &str| mark_invisible(text).replace(MARK, "?");
    assert_eq!(shown("pass\u{200B}word"), "pass?word");
    assert_eq!(
        shown("a\u{AD}b\u{2060}c\u{FEFF}d\u{34F}e\u{180E}f"),
        "a?b?c?d?e?f"
    );
    assert_eq!(
        shown("x\u{3164}\u{FFA0}\u{115F}\u{1160}\u{17B4}y"),
        "x?????y"
    );
    assert_eq!(shown("a\u{FFF9}b\u{FFFA}c\u{FFFB}"), "a?b?c?");
    assert_eq!(shown("a\u{2062}b\u{2028}c\u{2029}d"), "a?b?c?d");
    assert_eq!(shown("a\u{FFFE}\u{FDD0}\u{10FFFF}"), "a???");
    // Letters as tags, and bytes as variation selectors.
    let tags = |text: &str| -> String {
        let tag = |letter: char| char::from_u32(0xE0000 + u32::from(letter));
        text.chars().filter_map(tag).collect()
    };
    assert_eq!(shown(&format!("hi{}", tags("obey"))), "hi????");
    assert_eq!(shown(&format!("🏴{}\u{E007F}", tags("obey"))), "🏴?????");
    assert_eq!(
        shown("😀\u{FE0F}\u{FE01}\u{E0110}\u{E0120}"),
        "😀\u{FE0F}???"
    );
    assert_eq!(shown("a\u{FE0F}1\u{FE0F}\u{E0100}"), "a?1??");
    assert_eq!(shown("葛\u{E0100}\u{E0101}"), "葛\u{E0100}?");
    // Joiners that join nothing.
    assert_eq!(shown("a\u{200D}b 👩\u{200D}x \u{200D}👩"), "a?b 👩?x ?👩");
    assert_eq!(shown("می\u{200C}\u{200C}\u{200D}"), "می\u{200C}??");
}

/// What Unicode calls ignorable, except the visible signs that precede a number.
#[test]
fn the_table_holds_what_unicode_calls_ignorable() {
    let ignorable = [
        (0xAD, 0xAD),
        (0x34F, 0x34F),
        (0x61C, 0x61C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    ];
    for code in ignorable.iter().flat_map(|(first, last)| *first..=*last) {
        assert!(is_invisible(char::from_u32(code).unwrap()), "{code:x}");
    }
    assert!(!LEGIBLE[13].chars().any(is_invisible));
}

#[test]
fn a_line_is_one_line() {
    assert_eq!(
        sanitize_line("a\u{1b}[31m\r\n b\u{202e}c\0", 99),
        "a�[31m b�c�"
    );
    assert_eq!(sanitize_line(" a\u{2028}!\u{b}a ", 5), "a ! a");
    assert_eq!(sanitize_line("A! a", 3), "A!…");
    assert_eq!(sanitize_line("A", 0), "…");
}

#[test]
fn styles_are_kept_or_left_out_and_hide_nothing() {
    let both = |text: &str| {
        let [plain, styled] = [false, true].map(|styled| sanitize_styled(text, styled));
        format!("{plain} | {styled}")
            .replace('\u{1b}', "ESC")
            .replace(MARK, "?")
    };
    assert_snapshot!(both("\u{1b}[31mred\u{1b}[0m"), @"red | ESC[31mredESC[0m");
    assert_snapshot!(both("\u{1b}[1;38;5;9mred"), @"red | ESC[1;38;5;9mredESC[0m");
    assert_snapshot!(both("\u{1b}[m\u{1b}[38;2;1;2;3mx\u{1b}[39m"), @"x | ESC[mESC[38;2;1;2;3mxESC[39mESC[0m");
    assert_snapshot!(both("\u{1b}[8mhid\u{1b}[41;30mden\u{1b}[7m\u{1b}[5m!"), @"hidden! | hidden!");
    assert_snapshot!(both("\u{1b}[?25lx\u{1b}\u{1b}[\u{1b}[3"), @"?[?25lx??[?[3 | ?[?25lx??[?[3");
    // Removing a style does not join the characters around it into a new one.
    assert_snapshot!(both("\u{1b}\u{1b}[8m[2J\u{1b}[\u{1b}[8m31m"), @"?[2J?[31m | ?[2J?[31m");
    assert_eq!(
        sanitize_styled("\u{1b}[31ma\r\nb\r", true),
        "\u{1b}[31ma\u{1b}[0m\nb�"
    );
}

/// Text with many characters that a terminal interprets or that are invisible.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        any::<char>().prop_map(String::from),
        (0_u8..0xA0).prop_map(|code| char::from(code).to_string()),
        (0x2000_u32..0x2070).prop_map(|code| char::from_u32(code).unwrap_or(' ').to_string()),
        (0xE0000_u32..0xE0200).prop_map(|code| char::from_u32(code).unwrap_or(' ').to_string()),
        (0xFE00_u32..0xFE10).prop_map(|code| char::from_u32(code).unwrap_or(' ').to_string()),
        proptest::sample::select(LEGIBLE.to_vec()).prop_map(str::to_owned),
        "\u{1b}\\[[0-9;]{0,9}[mJHK]",
        "[\u{1b}\\[m;0-9\r\n]{0,9}",
        Just("\u{1b}[31m".to_owned()),
        Just("\u{200D}".to_owned()),
        Just("👩".to_owned()),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Whether the text gives a terminal no command and hides nothing. Invisible characters are never
/// adjacent, except a joiner after an emoji's variation selector, and the tags of a flag.
fn is_safe(shown: &str) -> bool {
    let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let is_tag = |c: char| matches!(c, '\u{E0000}'..='\u{E007F}');
    let characters: Vec<_> = shown.chars().collect();
    let is_hidden = characters.windows(2).any(|pair| {
        pair.iter().all(|c| is_invisible(*c) && !is_tag(*c)) && pair != ['\u{FE0F}', '\u{200D}']
    });
    !is_hidden && !shown.contains(is_obeyed) && !shown.contains(turns)
}

proptest! {
    #[test]
    fn any_text_is_safe_in_a_terminal(text in hostile()) {
        let shown = sanitize(&text);
        prop_assert!(is_safe(&shown), "{shown:?}");
        prop_assert!(shown.chars().count() <= text.chars().count());
        prop_assert!(shown.len() <= 3 * text.len());
        prop_assert_eq!(&sanitize(&shown), &shown);
    }

    #[test]
    fn styles_alone_pass_any_terminal(text in hostile(), styled in any::<bool>()) {
        let shown = sanitize_styled(&text, styled);
        let mut plain = String::new();
        let mut rest = shown.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            let (numbers, after) = after.split_once('m').expect("a style ends");
            prop_assert!(styled && numbers.bytes().all(|b| b.is_ascii_digit() || b == b';'));
            plain.push_str(before);
            // Keeps the text on both sides of a style apart.
            plain.push('|');
            rest = after;
        }
        plain.push_str(rest);
        prop_assert!(is_safe(&plain), "{shown:?}");
        prop_assert!(shown.len() <= 3 * text.len());
        prop_assert_eq!(&sanitize_styled(&shown, styled), &shown);
    }

    #[test]
    fn any_text_is_a_line(text in hostile(), limit in 1_usize..400) {
        let line = sanitize_line(&text, limit);
        prop_assert!(line.chars().count() <= limit);
        prop_assert!(is_safe(&line) && !line.contains(['\n', '\t']), "{line:?}");
        prop_assert_eq!(sanitize_line(&line, limit), line);
    }

    #[test]
    fn json_reads_the_same_and_is_safe(text in hostile()) {
        let json = serde_json::json!({ "text": text }).to_string();
        let escaped = escape_invisible_in_json(&json);
        prop_assert!(is_safe(&escaped), "{escaped:?}");
        let read: serde_json::Value = serde_json::from_str(&escaped).unwrap();
        prop_assert_eq!(read["text"].as_str().unwrap(), text);
    }
}
