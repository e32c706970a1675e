//! Splitting a text into sentences.

use super::{Text, TokenKind};

/// The sentences of a text: each ends after its period, question mark or exclamation mark and any
/// closing quotation marks and brackets, or at the end of its line.
pub(super) fn split_sentences(text: &Text) -> impl Iterator<Item = &str> {
    let mut from = 0;
    let mut places = text.places.iter().peekable();
    std::iter::from_fn(move || {
        let mut ended = false;
        while let Some(place) = places.next() {
            ended |= place.kind == TokenKind::Mark && ends(text.answer.get(place.raw.clone())?);
            let Some(next) = places.peek() else {
                break;
            };
            let gap = text.answer.get(place.raw.end..next.raw.start)?;
            let closes = gap.is_empty() && next.kind == TokenKind::Mark;
            if gap.contains('\n') || ended && !closes {
                let sentence = text.answer.get(from..place.raw.end)?;
                from = next.raw.start;
                return Some(sentence.trim_start());
            }
        }
        let last = text.answer.get(from..)?.trim();
        from = text.answer.len();
        (!last.is_empty()).then_some(last)
    })
}

fn ends(mark: &str) -> bool {
    matches!(
        mark.chars().next(),
        Some('.' | '?' | '!' | '…' | '。' | '？' | '！')
    )
}
