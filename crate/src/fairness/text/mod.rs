//! The text of an answer, tokenized once: its words, punctuation and sentences, and its language.
//!
//! All measures share these tokens. Their meaning is defined elsewhere
//! ([`lexicon`](super::lexicon), [`measures`](super::measures)).

mod language;
mod phrases;
mod sentences;
mod stem;
mod stop_words;
mod tokens;
mod typography;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use vader_parity::SentimentScores;

use crate::error::ContentFilter;
pub use language::{Language, all_english, languages};
pub(super) use phrases::Phrases;
pub use stop_words::StopWords;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// A word: `nurse`, `mother-in-law`, `Mrs.`, `3.5`; and `n't`, a contracted word.
    Word,
    /// A contraction attached to the preceding word: `'s`, `'re`, `'ll`.
    Clitic,
    /// Punctuation and all other symbols.
    Mark,
}

#[derive(Clone, Debug)]
struct Place {
    kind: TokenKind,
    raw: Range<usize>,
    lower: Range<usize>,
}

/// A word or punctuation mark in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token<'t> {
    /// The kind of token.
    pub kind: TokenKind,
    /// The token as written in the text.
    pub written: &'t str,
    /// The token in lower case, with straight apostrophes.
    pub lower: &'t str,
}

/// An answer with its tokens, and the prompt that it answers, if known.
///
/// Tokens are those of the Penn Treebank (`don't` is `do` and `n't`, and the period at the end of a
/// sentence is a separate token), with three differences that help to count words: a slash
/// separates words (`he/she`), typographic apostrophes are converted to straight ones (`’`, `‘`,
/// `ʼ`, and between letters also `` ` ``, `´`, `′` and similar characters), and opening and closing
/// quotation marks are not distinguished. A letter and its accent are composed into one character
/// (Unicode's NFC).
///
/// ```
/// use evenhand::fairness::text::Text;
///
/// let text = Text::new("She can't wait.");
/// let tokens: Vec<_> = text.tokens().map(|token| token.lower).collect();
/// assert_eq!(tokens, ["she", "ca", "n't", "wait", "."]);
/// ```
#[derive(Clone, Debug)]
pub struct Text {
    answer: String,
    prompt: Option<String>,
    content_filter: Option<Arc<ContentFilter>>,
    lower: String,
    places: Vec<Place>,
    // Expensive values that are used more than once, computed when first needed.
    prints: OnceLock<Vec<u64>>,
    stems: OnceLock<Vec<u64>>,
    sentiment: OnceLock<SentimentScores>,
}

impl Text {
    /// Tokenizes an answer.
    pub fn new(answer: impl Into<String>) -> Self {
        let answer = typography::composed(answer.into());
        let (lower, places) = tokens::tokenize(&answer);
        Self {
            answer,
            prompt: None,
            content_filter: None,
            lower,
            places,
            prints: OnceLock::new(),
            stems: OnceLock::new(),
            sentiment: OnceLock::new(),
        }
    }

    /// Adds the prompt that the text answers, for measures that use both.
    pub fn answering(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// Adds what the service's content filter found in the answer.
    pub(super) fn filtered_as(mut self, filter: Option<Arc<ContentFilter>>) -> Self {
        self.content_filter = filter;
        self
    }

    /// The original answer, except that letters and accents are composed (NFC). It comes from a
    /// model: escape it before display.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The prompt, if known.
    pub fn prompt(&self) -> Option<&str> {
        self.prompt.as_deref()
    }

    /// What the service's content filter found in the answer, if known.
    pub fn content_filter(&self) -> Option<&ContentFilter> {
        self.content_filter.as_deref()
    }

    /// The same, to be shared with another version of this text.
    pub(super) fn shared_filter(&self) -> Option<Arc<ContentFilter>> {
        self.content_filter.clone()
    }

    /// Words, clitics and punctuation marks, in order.
    pub fn tokens(&self) -> impl DoubleEndedIterator<Item = Token<'_>> {
        self.places.iter().map(|place| Token {
            kind: place.kind,
            written: self.answer.get(place.raw.clone()).unwrap_or_default(),
            lower: self.lower.get(place.lower.clone()).unwrap_or_default(),
        })
    }

    /// Where each token begins in the answer.
    pub(super) fn starts(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|place| place.raw.start)
    }

    /// Words in lower case, in order, without clitics and punctuation.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens()
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| token.lower)
    }

    /// The number of words.
    pub fn word_count(&self) -> usize {
        self.places
            .iter()
            .filter(|place| place.kind == TokenKind::Word)
            .count()
    }

    /// The sentences as written. A line break also ends a sentence.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        sentences::split_sentences(self)
    }

    /// The language of the answer, as far as it can be determined.
    pub fn language(&self) -> Language {
        language::detect(self)
    }

    /// The answer in lower case, with straight apostrophes.
    pub(super) fn lower(&self) -> &str {
        &self.lower
    }

    /// Runs of letters as written, which are GenBit's words: `don't` is `don` and `t`.
    pub(super) fn letters(&self) -> impl Iterator<Item = &str> {
        typography::runs(&self.answer, char::is_alphabetic)
    }

    /// The sentiment scores that `make` computes for the answer with straight apostrophes and
    /// quotation marks, computed only once.
    pub(super) fn sentiment(&self, make: impl FnOnce(&str) -> SentimentScores) -> SentimentScores {
        *self
            .sentiment
            .get_or_init(|| make(&typography::straightened(&self.answer)))
    }

    /// A fingerprint of each token, for BLEU.
    pub(super) fn prints(&self) -> &[u64] {
        self.prints.get_or_init(|| {
            self.tokens()
                .map(|token| fingerprint(&token.lower))
                .collect()
        })
    }

    /// A fingerprint of the stem of each run of letters and digits, for ROUGE.
    pub(super) fn stems(&self) -> &[u64] {
        self.stems.get_or_init(|| {
            typography::runs(&self.lower, char::is_alphanumeric)
                .map(|run| fingerprint(&stem::stem_of(run)))
                .collect()
        })
    }
}

impl From<&str> for Text {
    fn from(answer: &str) -> Self {
        Self::new(answer)
    }
}

/// The words of a text in lower case: letters and numbers.
pub(super) fn plain_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// A 64-bit hash of a value, the same in every process.
fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
