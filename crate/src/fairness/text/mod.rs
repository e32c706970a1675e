//! An answer, read once: its words, marks and sentences, the language it is in.
//!
//! All measures share these tokens. What a token counts for is said elsewhere
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
use std::sync::OnceLock;

use vader_parity::SentimentScores;

pub use language::{Language, all_english, languages};
pub(super) use phrases::Phrases;
pub use stop_words::StopWords;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: `nurse`, `mother-in-law`, `Mrs.`, `3.5`; and `n't`, which is a word cut short.
    Word,
    /// What is left of a word that leans on the one before: `'s`, `'re`, `'ll`.
    Clitic,
    /// Punctuation and all other signs.
    Mark,
}

#[derive(Clone, Debug)]
struct Place {
    kind: Kind,
    raw: Range<usize>,
    lower: Range<usize>,
}

/// A word or mark in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: Kind,
    /// As it was written.
    pub written: &'t str,
    /// In lower case, with straight apostrophes.
    pub lower: &'t str,
}

/// An answer with its tokens, and the prompt that it answers where that is known.
///
/// Tokens are those of the Penn Treebank (`don't` is `do` and `n't`, the full stop at the
/// end of a sentence stands alone), with three differences that serve the counting of
/// words: a slash parts words (`he/she`), typographic apostrophes are straight (`’`, `‘`, `ʼ`,
/// and between letters also `` ` ``, `´`, `′` and their like), and opening and closing quotes are
/// the same. A letter and its accent are one character, however they came (Unicode's NFC).
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
    lower: String,
    places: Vec<Place>,
    // What is dear, and asked for more than once: made when first needed.
    prints: OnceLock<Vec<u64>>,
    stems: OnceLock<Vec<u64>>,
    sentiment: OnceLock<SentimentScores>,
}

impl Text {
    /// Reads an answer.
    pub fn new(answer: impl Into<String>) -> Self {
        let answer = typography::composed(answer.into());
        let (lower, places) = tokens::read(&answer);
        Self {
            answer,
            prompt: None,
            lower,
            places,
            prints: OnceLock::new(),
            stems: OnceLock::new(),
            sentiment: OnceLock::new(),
        }
    }

    /// The same with the prompt that it answers, for measures that look at both.
    pub fn answering(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// The answer as it came, but for accents, which are one character with their letter
    /// (NFC). It is a model's, and hostile until escaped.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The prompt, where it is known.
    pub fn prompt(&self) -> Option<&str> {
        self.prompt.as_deref()
    }

    /// Words and marks, in order.
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

    /// Words in lower case, in order, without clitics and marks.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.lower)
    }

    /// How many words there are.
    pub fn word_count(&self) -> usize {
        self.places
            .iter()
            .filter(|place| place.kind == Kind::Word)
            .count()
    }

    /// The sentences as they were written. A line ends a sentence too.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        sentences::of(self)
    }

    /// The language of the answer, as far as that can be told.
    pub fn language(&self) -> Language {
        language::of(self)
    }

    /// The answer in lower case, with straight apostrophes.
    pub(super) fn lower(&self) -> &str {
        &self.lower
    }

    /// Runs of letters as they were written, which are GenBit's words: `don't` is `don` and `t`.
    pub(super) fn letters(&self) -> impl Iterator<Item = &str> {
        typography::runs(&self.answer, char::is_alphabetic)
    }

    /// The scores of the answer with straight apostrophes and quotes, from whoever makes them.
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
                .map(|run| fingerprint(&stem::of(run)))
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

/// 64 bits that stand for a value, the same in every process.
fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
