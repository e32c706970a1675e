//! Words in context.

use crate::fairness::text::{Text, Token};

/// An occurrence of a word with its context. All text comes from a model: escape it before display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit<'t> {
    /// The index of the text.
    pub text: usize,
    /// The text before the word.
    pub before: &'t str,
    /// The word as written in the text.
    pub word: &'t str,
    /// The text after the word.
    pub after: &'t str,
}

/// All occurrences of a word, with up to `width` tokens before and after it.
///
/// The word is given in lower case and matched in any case. The iterator is lazy: texts after the
/// last item taken are not searched.
pub fn in_context<'t>(
    texts: impl IntoIterator<Item = &'t Text>,
    word: &str,
    width: usize,
) -> impl Iterator<Item = Hit<'t>> {
    texts
        .into_iter()
        .enumerate()
        .flat_map(move |(text, in_text)| {
            let tokens: Vec<_> = in_text.tokens().zip(in_text.starts()).collect();
            let found = |&(_, (token, _)): &(usize, &(Token<'_>, usize))| token.lower == word;
            let places = tokens.iter().enumerate().filter(found).map(|(at, _)| at);
            let hits: Vec<_> = places
                .filter_map(|at| {
                    let &(token, start) = tokens.get(at)?;
                    let &(_, from) = tokens.get(at.saturating_sub(width))?;
                    let last = tokens.len().checked_sub(1)?.min(at + width);
                    let &(end, end_start) = tokens.get(last)?;
                    let answer = in_text.answer();
                    Some(Hit {
                        text,
                        before: answer.get(from..start)?,
                        word: token.written,
                        after: answer
                            .get(start + token.written.len()..end_start + end.written.len())?,
                    })
                })
                .collect();
            hits
        })
}
