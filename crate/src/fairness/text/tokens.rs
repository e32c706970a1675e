//! From characters to tokens, in one pass.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::typography::{is_apostrophe, is_letter_or_digit, is_single_quote};
use super::{Place, TokenKind};

/// Abbreviations that keep their period, listed without it. A word with a period inside (`U.S.`)
/// always keeps it.
const ABBREVIATIONS: [&str; 19] = [
    "mr", "mrs", "ms", "mx", "dr", "prof", "rev", "hon", "st", "jr", "sr", "vs", "etc", "gen",
    "col", "lt", "sgt", "capt", "no",
];

/// Words that the Penn Treebank splits, with the length of the second part.
const CUT: [(&str, usize); 6] = [
    ("cannot", 3),
    ("gonna", 2),
    ("gotta", 2),
    ("wanna", 2),
    ("gimme", 2),
    ("lemme", 2),
];

/// Clitics, with their kind once they are split off.
const CLITICS: [(&str, TokenKind); 7] = [
    ("n't", TokenKind::Word),
    ("'re", TokenKind::Clitic),
    ("'ve", TokenKind::Clitic),
    ("'ll", TokenKind::Clitic),
    ("'s", TokenKind::Clitic),
    ("'m", TokenKind::Clitic),
    ("'d", TokenKind::Clitic),
];

/// The text in lower case, and the tokens with their positions in both versions.
pub(super) fn tokenize(text: &str) -> (String, Vec<Place>) {
    let mut reader = Reader {
        text,
        lower: String::with_capacity(text.len()),
        places: Vec::new(),
    };
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let end = if c.is_whitespace() {
            reader.lower(at..at + c.len_utf8(), is_single_quote);
            at + c.len_utf8()
        } else if in_word(c) {
            reader.word(at)
        } else {
            reader.mark(at, c)
        };
        at = end;
    }
    (reader.lower, reader.places)
}

struct Reader<'t> {
    text: &'t str,
    lower: String,
    places: Vec<Place>,
}

impl Reader<'_> {
    /// Appends a part of the text in lower case with straight apostrophes, and returns its
    /// position.
    fn lower(&mut self, raw: Range<usize>, straight: fn(char) -> bool) -> Range<usize> {
        let from = self.lower.len();
        for c in self.text.get(raw).unwrap_or_default().chars() {
            match c {
                c if straight(c) => self.lower.push('\''),
                c if c.is_ascii() => self.lower.push(c.to_ascii_lowercase()),
                c => self.lower.extend(c.to_lowercase()),
            }
        }
        from..self.lower.len()
    }

    fn push(&mut self, kind: TokenKind, raw: Range<usize>, lower: Range<usize>) {
        self.places.push(Place { kind, raw, lower });
    }

    fn word(&mut self, from: usize) -> usize {
        let mut end = word_end(self.text, from);
        let rest = self.text.get(end..).unwrap_or_default();
        if rest.starts_with('.') && keeps_stop(self.text.get(from..end).unwrap_or_default(), rest) {
            end += 1;
        }
        let lower = self.lower(from..end, is_apostrophe);
        match cut(self.lower.get(lower.clone()).unwrap_or_default()) {
            // The part that is split off is ASCII in lower case, so it has the same characters as
            // in the text; only an apostrophe may have been longer.
            Some((length, kind)) => {
                let written = self.text.get(from..end).unwrap_or_default();
                let back = written
                    .char_indices()
                    .rev()
                    .nth(length - 1)
                    .map_or(0, |(at, _)| at);
                let (raw, low) = (from + back, lower.end - length);
                self.push(TokenKind::Word, from..raw, lower.start..low);
                self.push(kind, raw..end, low..lower.end);
            }
            None => self.push(TokenKind::Word, from..end, lower),
        }
        end
    }

    /// A run of periods or hyphens is one token; every other mark is a token of its own.
    fn mark(&mut self, from: usize, c: char) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        let length = match c {
            '.' | '-' => rest.len() - rest.trim_start_matches(c).len(),
            c => c.len_utf8(),
        };
        let lower = self.lower(from..from + length, is_single_quote);
        self.push(TokenKind::Mark, from..from + length, lower);
        from + length
    }
}

fn in_word(c: char) -> bool {
    is_letter_or_digit(c) || c == '_'
}

/// An accent belongs to the letter before it.
fn goes_on(c: char) -> bool {
    in_word(c) || is_combining_mark(c)
}

fn word_end(text: &str, from: usize) -> usize {
    let mut end = from;
    let mut before = None;
    // The number of characters since the last period: `U.S.` is one word, `end.Next` is two.
    let mut run = 0;
    let mut chars = text
        .get(from..)
        .unwrap_or_default()
        .char_indices()
        .peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|&(_, c)| c);
        if !goes_on(c) && !joins(before, c, after, run) {
            break;
        }
        run = if c == '.' { 0 } else { run + 1 };
        before = Some(c);
        end = from + at + c.len_utf8();
    }
    end
}

/// Whether a character joins the characters before and after it into one word.
fn joins(before: Option<char>, c: char, after: Option<char>, run: usize) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let between = goes_on(before) && in_word(after);
    match c {
        '-' | '\u{2010}' | '\u{2011}' => between,
        c if is_apostrophe(c) => between,
        '.' => between && (after.is_numeric() || after.is_lowercase() || run == 1),
        ',' | ':' => before.is_numeric() && after.is_numeric(),
        _ => false,
    }
}

/// Whether the period belongs to the word. `rest` starts with the period.
fn keeps_stop(word: &str, rest: &str) -> bool {
    let initial = word.chars().count() == 1 && word != "I" && word.chars().all(char::is_uppercase);
    let dotted =
        word.split('.').count() > 1 && word.split('.').all(|part| part.chars().count() == 1);
    let listed = ABBREVIATIONS
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known));
    // `No.` is an answer, `No. 5` is a number.
    let number = !word.eq_ignore_ascii_case("no")
        || rest
            .trim_start_matches('.')
            .trim_start()
            .starts_with(|c: char| c.is_numeric());
    !rest.starts_with("..")
        && !word.chars().all(char::is_numeric)
        && (initial || dotted || listed && number)
}

/// The length of the end of a word that is split off, in (ASCII) bytes, and its kind.
fn cut(lower: &str) -> Option<(usize, TokenKind)> {
    if let Some(&(_, length)) = CUT.iter().find(|(word, _)| *word == lower) {
        return Some((length, TokenKind::Word));
    }
    let &(clitic, kind) = CLITICS
        .iter()
        .find(|(clitic, _)| lower.len() > clitic.len() && lower.ends_with(clitic))?;
    Some((clitic.len(), kind))
}
