//! Adapting the new word to the form of the old one: letter case, possessive and article.

use super::lexicon::{Rule, When};
use super::text::Word;
use crate::fairness::occupations::article_in_text;

/// How far back an opening quotation mark is searched for, in bytes.
const QUOTED: usize = 300;

/// Writes a text with some of its words replaced.
pub(super) struct Writer<'t> {
    text: &'t str,
    out: String,
    /// The position up to which the text has been written.
    done: usize,
}

impl<'t> Writer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            out: String::with_capacity(text.len() + 16),
            done: 0,
        }
    }

    /// Writes the replacement of the rule for the words from index `at` to `last`.
    pub(super) fn replace(&mut self, words: &[Word<'_>], at: usize, last: &Word<'_>, rule: &Rule) {
        let Some(first) = words.get(at) else {
            return;
        };
        let old = self.text.get(first.start..last.end()).unwrap_or_default();
        let new = in_case_of(old, &rule.to);
        let article = at.checked_sub(1).and_then(|before| words.get(before));
        if let Some(article) = article.filter(|word| word.runs_on())
            && let Some(mended) = mended_article(article.text, first.text, &new)
        {
            self.copy_until(article.start);
            self.out.push_str(mended);
            self.done = article.end();
        }
        self.copy_until(first.start);
        self.out.push_str(&new);
        self.done = last.end();
        if rule.when != When::Name {
            self.possessive(old, &new, last.gap);
        }
    }

    /// The possessive of the plural *ladies* is an apostrophe alone; *gentlemen* and *waiter* also
    /// take an s.
    fn possessive(&mut self, old: &str, new: &str, gap: &str) {
        let Some(mark) = gap.chars().next().filter(|c| matches!(c, '\'' | '’')) else {
            return;
        };
        let after = gap.get(mark.len_utf8()..).unwrap_or_default();
        let owns = after.starts_with(['s', 'S']);
        if owns && is_plural(new) && !is_plural(old) {
            self.out.push(mark);
            self.done += mark.len_utf8() + 1;
        } else if after.starts_with(' ')
            && ends_in_s(old)
            && !ends_in_s(new)
            && !self.in_quotes(mark)
        {
            self.out.push(mark);
            self.out.push('s');
            self.done += mark.len_utf8();
        }
    }

    /// Whether the mark closes a quotation, that is, whether a matching mark opened one shortly
    /// before.
    fn in_quotes(&self, mark: char) -> bool {
        let opening = if mark == '’' { '‘' } else { '\'' };
        let before = self.text.get(..self.done).unwrap_or_default();
        let near = (before.len().saturating_sub(QUOTED)..)
            .find_map(|from| before.get(from..))
            .unwrap_or_default();
        let mut previous = ' ';
        near.chars().any(|c| {
            let opens = c == opening && !previous.is_alphanumeric();
            previous = c;
            opens
        })
    }

    fn copy_until(&mut self, place: usize) {
        self.out
            .push_str(self.text.get(self.done..place).unwrap_or_default());
        self.done = place;
    }

    pub(super) fn finish(mut self) -> String {
        self.copy_until(self.text.len());
        self.out
    }
}

fn ends_in_s(word: &str) -> bool {
    word.ends_with(['s', 'S'])
}

fn is_plural(word: &str) -> bool {
    ends_in_s(word) && !word.to_lowercase().ends_with("ss")
}

/// The new word in the letter case of the old one. If both have the same number of parts, separated
/// by hyphens or spaces, each part takes the case of the corresponding part.
fn in_case_of(old: &str, new: &str) -> String {
    let parts = |text: &str| text.split([' ', '-']).count();
    if parts(old) < 2 || parts(old) != parts(new) {
        return part_in_case_of(old, new);
    }
    let mut olds = old.split([' ', '-']);
    new.split_inclusive([' ', '-'])
        .map(|part| part_in_case_of(olds.next().unwrap_or_default(), part))
        .collect()
}

fn part_in_case_of(old: &str, new: &str) -> String {
    let capitals = old.chars().filter(|c| c.is_uppercase()).count();
    if capitals == 0 {
        return new.to_owned();
    }
    if capitals > 1 && !old.chars().any(char::is_lowercase) {
        return new.to_uppercase();
    }
    let mut letters = new.chars();
    match letters
        .next()
        .filter(|_| old.starts_with(char::is_uppercase))
    {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => new.to_owned(),
    }
}

/// The new article, if the article was correct for the old word but is not for the new one.
fn mended_article(article: &str, old: &str, new: &str) -> Option<&'static str> {
    let (is_an, capital) = match article {
        "a" => (false, false),
        "an" => (true, false),
        "A" => (false, true),
        "An" | "AN" => (true, true),
        _ => return None,
    };
    let takes_an = |word| article_in_text(word) == "an";
    if takes_an(old) != is_an || takes_an(new) == is_an {
        return None;
    }
    Some(match (capital, is_an) {
        (false, true) => "a",
        (false, false) => "an",
        (true, true) => "A",
        (true, false) if new.chars().any(char::is_lowercase) => "An",
        (true, false) => "AN",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_follow_the_sound() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../fixtures/cda_swap.json")).unwrap();
        for case in golden["articles"].as_array().unwrap() {
            let noun = case["noun"].as_str().unwrap();
            assert_eq!(article_in_text(noun), case["article"], "{noun}");
        }
        for (word, an) in [
            ("actor", true),
            ("woman", false),
            ("heiress", true),
            ("uncle", true),
            ("MAN", false),
            ("UNCLE", true),
            ("unidentified", true),
            ("unimportant", true),
            ("user", false),
        ] {
            assert_eq!(article_in_text(word) == "an", an, "{word}");
        }
    }

    #[test]
    fn the_new_word_is_written_like_the_old() {
        for (old, new, written) in [
            ("she", "he", "he"),
            ("She", "he", "He"),
            ("SHE", "he", "HE"),
            ("Mother-in-Law", "father-in-law", "Father-in-Law"),
            ("sHe", "he", "he"),
            ("Young Woman", "old man", "Old Man"),
        ] {
            assert_eq!(in_case_of(old, new), written);
        }
    }
}
