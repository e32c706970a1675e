//! The words of a text, with their positions.

/// A word with its position and the text up to the next word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    pub(super) text: &'t str,
    /// The start of the word in the text, in bytes.
    pub(super) start: usize,
    /// The text between the word and the next one, or the end of the text.
    pub(super) gap: &'t str,
}

impl Word<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn lower(&self) -> String {
        let lower = self.text.to_lowercase();
        lower.replace('’', "'").replace(['‐', '‑'], "-")
    }

    /// Whether the word is capitalized like a name.
    pub(super) fn is_capital(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    pub(super) fn is_upper(&self) -> bool {
        self.text.chars().any(char::is_uppercase) && !self.text.chars().any(char::is_lowercase)
    }

    /// Whether the next word is in the same phrase. Emphasis and quotation marks do not end a
    /// phrase.
    pub(super) fn runs_on(&self) -> bool {
        !self.gap.is_empty()
            && !self.gap.contains("\n\n")
            && self
                .gap
                .chars()
                .all(|c| c.is_whitespace() || matches!(c, '*' | '_' | '"' | '“' | '”' | '‘'))
    }
}

/// Endings after an apostrophe that are not part of the word: `he's` is *he* with an ending.
const ENDINGS: [&str; 7] = ["s", "d", "ll", "ve", "re", "m", "t"];

/// A word consists of letters and digits, hyphens between them, and apostrophes that no ending
/// follows (*o'clock*).
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_letter(text, at) {
        at = end_of_word(text, start);
        words.push(Word {
            text: text.get(start..at).unwrap_or_default(),
            start,
            gap: "",
        });
    }
    let starts: Vec<usize> = words.iter().skip(1).map(|word| word.start).collect();
    let until = starts.into_iter().chain([text.len()]);
    for (word, until) in words.iter_mut().zip(until) {
        word.gap = text.get(word.end()..until).unwrap_or_default();
    }
    // An ending is not a separate word.
    merge_endings(text, words)
}

fn merge_endings<'t>(text: &'t str, words: Vec<Word<'t>>) -> Vec<Word<'t>> {
    let mut merged: Vec<Word<'t>> = Vec::with_capacity(words.len());
    for word in words {
        match merged.last_mut() {
            Some(before) if is_apostrophe(before.gap) && is_ending(word.text) => {
                let until = word.end() + word.gap.len();
                before.gap = text.get(before.end()..until).unwrap_or_default();
            }
            _ => merged.push(word),
        }
    }
    merged
}

fn is_apostrophe(gap: &str) -> bool {
    matches!(gap, "'" | "’")
}

fn is_ending(word: &str) -> bool {
    ENDINGS
        .iter()
        .any(|ending| word.eq_ignore_ascii_case(ending))
}

fn next_letter(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.find(char::is_alphanumeric).map(|at| from + at)
}

fn end_of_word(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_alphanumeric() || is_mark(c) {
            continue;
        }
        let joins = match c {
            '-' | '‐' | '‑' => chars.peek().is_some_and(|(_, next)| next.is_alphanumeric()),
            '\'' | '’' => {
                let tail = rest.get(at + c.len_utf8()..).unwrap_or_default();
                let end = tail
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(tail.len());
                end > 0 && !is_ending(tail.get(..end).unwrap_or_default())
            }
            _ => false,
        };
        if !joins {
            return start + at;
        }
    }
    text.len()
}

/// A combining mark belongs to the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}
