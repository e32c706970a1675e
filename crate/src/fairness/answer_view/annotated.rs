//! One answer, prepared for view: where its words of the groups are, and its words to compare.

use std::ops::Range;

use crate::fairness::lexicon::{Lexicon, MASK};
use crate::fairness::text::Text;

/// A longer answer is cut, with a note.
const MAX_CHARACTERS: usize = 10_000;

/// An answer with its words.
#[derive(Debug)]
pub(super) struct Annotated {
    pub(super) text: String,
    /// How many characters were cut off.
    pub(super) left_out: usize,
    /// The words of the groups, in order, each with its group.
    pub(super) marks: Vec<(Range<usize>, usize)>,
    /// All words, separated by whitespace, with the form in which they are compared.
    pub(super) words: Vec<(Range<usize>, String)>,
}

impl Annotated {
    pub(super) fn new(answer: &str, lexicon: &Lexicon) -> Self {
        let end = answer.char_indices().nth(MAX_CHARACTERS);
        let end = end.map_or(answer.len(), |(end, _)| end);
        let (kept, rest) = answer.split_at(end);
        let text = Text::new(kept);
        let marks: Vec<_> = text
            .tokens()
            .zip(text.starts())
            .filter_map(|(token, start)| {
                let group = lexicon.group_of(token)?;
                Some((start..start + token.written.len(), group))
            })
            .collect();
        let text = text.answer().to_owned();
        Self {
            words: words(&text, &marks),
            text,
            left_out: rest.chars().count(),
            marks,
        }
    }

    /// How many words of each group there are.
    pub(super) fn counts(&self, groups: usize) -> Vec<usize> {
        let mut counts = vec![0; groups];
        for (_, group) in &self.marks {
            if let Some(count) = counts.get_mut(*group) {
                *count += 1;
            }
        }
        counts
    }
}

/// The words between whitespace, and each letter of a script that writes none.
fn words(text: &str, marks: &[(Range<usize>, usize)]) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    let end_of = |at: usize, character: char| at + character.len_utf8();
    for (at, character) in text.char_indices() {
        let alone = is_written_without_spaces(character);
        if character.is_whitespace() || alone {
            words.extend(start.take().map(|start| start..at));
            if alone {
                words.push(at..end_of(at, character));
            }
        } else {
            start.get_or_insert(at);
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
        .into_iter()
        .map(|word| (word.clone(), compared(text, word, marks)))
        .collect()
}

/// A word as it is compared: in lower case, without the punctuation around it, and with the words
/// of all groups replaced by the same one.
fn compared(text: &str, word: Range<usize>, marks: &[(Range<usize>, usize)]) -> String {
    let first = marks.partition_point(|(mark, _)| mark.end <= word.start);
    let inside = marks[first..]
        .iter()
        .take_while(|(mark, _)| mark.start < word.end);
    let mut form = String::new();
    let mut from = word.start;
    for (mark, _) in inside {
        form.push_str(text.get(from..mark.start).unwrap_or_default());
        form.push_str(MASK);
        from = mark.end;
    }
    form.push_str(text.get(from..word.end).unwrap_or_default());
    let bare = form.trim_matches(|character: char| !character.is_alphanumeric());
    let bare = if bare.is_empty() { &form } else { bare };
    bare.to_lowercase()
}

/// Chinese characters and Japanese syllables.
fn is_written_without_spaces(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}')
}
