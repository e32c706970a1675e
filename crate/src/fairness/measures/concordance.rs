//! A word where it stands.

use crate::fairness::text::{Text, Token};

/// A word in its context. All parts are a model's, and hostile until escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit<'t> {
    /// Which of the texts it is in.
    pub text: usize,
    /// What stands before it.
    pub before: &'t str,
    /// The word as it was written.
    pub word: &'t str,
    /// What stands after it.
    pub after: &'t str,
}

/// Every place where a word stands, with up to `width` tokens before and after it.
///
/// The word is in lower case, and found in any. Take the first few: the rest is not looked for.
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
