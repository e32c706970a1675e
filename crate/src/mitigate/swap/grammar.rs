//! What the words around a word tell of it. `grammar.tsv` holds the word classes; no parser
//! is behind this, and the classes are closed ones, which a list can hold.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lexicon::{Lexicon, When};
use super::text::Word;
use crate::mitigate::tsv;

/// The class of a word, as `grammar.tsv` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It begins no noun phrase whose owner was just named: *to, and, is, the, yesterday*.
    Other,
    /// It may stand before an adjective or close a sentence: *very, more, best*.
    Degree,
    /// *her/his*: the owner in 'his or her job'.
    Owner,
    /// *and, or*: may join two owners.
    Joint,
    /// *last, next*, before a time.
    Before,
    /// *week, year*.
    Time,
    /// *let, saw*: somebody does something.
    Cause,
    /// *go, be*: what somebody does.
    Verb,
    /// *happy, busy*: what somebody is, if no noun follows.
    Mood,
    /// Ends in *ly* and is a noun or an adjective all the same.
    Family,
    /// *Mr, Dr*: a surname follows, other than after *Sir*.
    Rank,
}

static CLASSES: LazyLock<HashMap<&str, Vec<Class>>> = LazyLock::new(|| {
    let mut classes: HashMap<&str, Vec<Class>> = HashMap::new();
    for [name, words] in tsv::lines(include_str!("grammar.tsv")) {
        let Some(class) = class(name) else { continue };
        for word in words.split(' ') {
            classes.entry(word).or_default().push(class);
        }
    }
    classes
});

fn class(name: &str) -> Option<Class> {
    Some(match name {
        "other" => Class::Other,
        "degree" => Class::Degree,
        "owner" => Class::Owner,
        "joint" => Class::Joint,
        "before" => Class::Before,
        "time" => Class::Time,
        "cause" => Class::Cause,
        "verb" => Class::Verb,
        "mood" => Class::Mood,
        "family" => Class::Family,
        "rank" => Class::Rank,
        _ => return None,
    })
}

fn is(word: &str, class: Class) -> bool {
    CLASSES
        .get(word)
        .is_some_and(|classes| classes.contains(&class))
}

/// Does the pronoun at this place own what follows, as in *her job*, or stand alone, as in
/// *saw her yesterday*?
pub(super) fn noun_follows(words: &[Word<'_>], lower: &[String], at: usize) -> bool {
    let caused = at
        .checked_sub(1)
        .filter(|before| words.get(*before).is_some_and(Word::runs_on))
        .and_then(|before| lower.get(before))
        .is_some_and(|word| is(word, Class::Cause));
    let mut here = at;
    loop {
        let slash = words.get(here).is_some_and(|word| word.gap == "/");
        let joined = slash || words.get(here).is_some_and(Word::runs_on);
        let Some(next) = lower.get(here + 1).filter(|_| joined) else {
            return false;
        };
        let after = lower.get(here + 2).map(String::as_str).unwrap_or_default();
        if is(next, Class::Joint) && is(after, Class::Owner) {
            // 'Proud of her and her work': the first owns nothing.
            if lower.get(at).is_some_and(|own| own == after) {
                return false;
            }
            here += 2;
        } else if is(next, Class::Degree) || (slash && is(next, Class::Owner)) {
            here += 1;
        } else if is(next, Class::Before) && is(after, Class::Time) {
            return words.get(here + 2).is_some_and(Word::runs_on);
        } else if is(next, Class::Mood) {
            let goes_on = words.get(here + 1).is_some_and(Word::runs_on);
            return goes_on && !is(after, Class::Other);
        } else if next.ends_with("ly") && !is(next, Class::Family) {
            here += 1;
        } else {
            let acts = caused && (is(next, Class::Verb) || next.ends_with("ing"));
            return !acts && !is(next, Class::Other);
        }
    }
}

/// Is the title at this place one? Then a name follows, or another title (*Mr. and Mrs. Smith*).
pub(super) fn is_title(lexicon: &Lexicon, words: &[Word<'_>], lower: &[String], at: usize) -> bool {
    let Some(word) = words.get(at).filter(|word| word.is_capital()) else {
        return false;
    };
    let close = |gap: &str| matches!(gap.trim_start_matches('.'), " " | "\u{a0}");
    let Some(next) = words.get(at + 1).filter(|_| close(word.gap)) else {
        return false;
    };
    let joint = lower.get(at + 1).is_some_and(|word| is(word, Class::Joint));
    let other = lower
        .get(at + 2)
        .is_some_and(|word| lexicon.has(word, When::Title));
    // MS in capitals is no title, unless the name has capitals too.
    let alike = !word.is_upper() || next.is_upper();
    (next.is_capital() && alike) || (joint && other)
}

/// Is the name at this place a given name? After another name, or after a title with nothing
/// behind, it is the name of a family.
pub(super) fn is_given_name(
    lexicon: &Lexicon,
    words: &[Word<'_>],
    lower: &[String],
    at: usize,
) -> bool {
    let Some(word) = words.get(at).filter(|word| word.is_capital()) else {
        return false;
    };
    let Some(before) = at.checked_sub(1) else {
        return true;
    };
    let (Some(previous), Some(its_lower)) = (words.get(before), lower.get(before)) else {
        return true;
    };
    if !previous.is_capital() {
        return true;
    }
    let follows = previous.gap == " ";
    if follows && lexicon.has(its_lower, When::Name) {
        return false;
    }
    let titled = matches!(previous.gap, " " | ". ") && is(its_lower, Class::Rank);
    let more = word.gap == " " && words.get(at + 1).is_some_and(Word::is_capital);
    !titled || more
}
