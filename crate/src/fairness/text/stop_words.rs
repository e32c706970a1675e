//! Stop words.

use std::collections::HashSet;

/// Function words, which the co-occurrence measures ignore.
#[derive(Clone, Debug, Default)]
pub struct StopWords(HashSet<String>);

impl StopWords {
    /// NLTK's 179 English words, which LangFair uses too.
    pub fn english() -> Self {
        let lines = include_str!("stop_words.txt").lines();
        Self::new(
            lines
                .filter(|line| !line.starts_with('#'))
                .flat_map(str::split_whitespace),
        )
    }

    /// A custom list of words in lower case.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// Whether the word, given in lower case, is a stop word.
    pub fn contains(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}
