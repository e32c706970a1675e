//! The Porter stemmer, as ROUGE uses it.
//!
//! M. F. Porter (1980), An algorithm for suffix stripping, with the departures that NLTK
//! makes by default (`skies` is `sky`, `dies` is `die`, a final `y` after a consonant only).

use std::borrow::Cow;

/// Words with irregular stems.
const IRREGULAR: [(&str, &str); 16] = [
    ("skies", "sky"),
    ("sky", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// The condition on the part before a suffix for the suffix to be replaced.
type Condition = fn(&[u8]) -> bool;
type Rule = (&'static str, &'static str, Condition);

/// Longer strings are not words, and checking their `y`s would take quadratic time.
const MAX_LENGTH: usize = 48;

/// The stem of a word in lower case. A word of at most three letters, or with characters other than
/// a to z, is its own stem.
pub(super) fn stem_of(word: &str) -> Cow<'_, str> {
    if !(4..=MAX_LENGTH).contains(&word.len()) || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return Cow::Borrowed(word);
    }
    if let Some((_, stem)) = IRREGULAR.iter().find(|(whole, _)| *whole == word) {
        return Cow::Borrowed(stem);
    }
    let mut stem = word.to_owned();
    for step in [
        plural,
        past,
        final_y,
        double_suffix,
        suffix,
        last_suffix,
        final_e,
        final_l,
    ] {
        step(&mut stem);
    }
    Cow::Owned(stem)
}

fn plural(word: &mut String) {
    let short = word.len() == 4;
    let ies = if short { "ie" } else { "i" };
    apply(
        word,
        &[
            ("sses", "ss", any),
            ("ies", ies, any),
            ("ss", "ss", any),
            ("s", "", any),
        ],
    );
}

fn past(word: &mut String) {
    if word.ends_with("ied") {
        let ied = if word.len() == 4 { "ie" } else { "i" };
        apply(word, &[("ied", ied, any)]);
    } else if word.ends_with("eed") {
        apply(word, &[("eed", "ee", m_above_0)]);
    } else if apply(word, &[("ed", "", has_vowel)]) || apply(word, &[("ing", "", has_vowel)]) {
        mend(word);
    }
}

/// Restores a valid stem after `ed` or `ing` was removed.
fn mend(word: &mut String) {
    let bytes = word.as_bytes();
    if ["at", "bl", "iz"].iter().any(|end| word.ends_with(end)) {
        word.push('e');
    } else if double_consonant(bytes) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(bytes) == 1 && ends_cvc(bytes) {
        word.push('e');
    }
}

fn final_y(word: &mut String) {
    apply(
        word,
        &[("y", "i", |stem| {
            stem.len() > 1 && consonant(stem, stem.len() - 1)
        })],
    );
}

fn double_suffix(word: &mut String) {
    if apply(word, &[("alli", "al", m_above_0)]) {
        return double_suffix(word);
    }
    apply(
        word,
        &[
            ("ational", "ate", m_above_0),
            ("tional", "tion", m_above_0),
            ("enci", "ence", m_above_0),
            ("anci", "ance", m_above_0),
            ("izer", "ize", m_above_0),
            ("bli", "ble", m_above_0),
            ("alli", "al", m_above_0),
            ("entli", "ent", m_above_0),
            ("eli", "e", m_above_0),
            ("ousli", "ous", m_above_0),
            ("ization", "ize", m_above_0),
            ("ation", "ate", m_above_0),
            ("ator", "ate", m_above_0),
            ("alism", "al", m_above_0),
            ("iveness", "ive", m_above_0),
            ("fulness", "ful", m_above_0),
            ("ousness", "ous", m_above_0),
            ("aliti", "al", m_above_0),
            ("iviti", "ive", m_above_0),
            ("biliti", "ble", m_above_0),
            ("fulli", "ful", m_above_0),
        ],
    );
    // The l of `logi` counts as part of the stem.
    if word
        .strip_suffix("ogi")
        .is_some_and(|stem| stem.ends_with('l') && m_above_0(stem.as_bytes()))
    {
        word.pop();
    }
}

fn suffix(word: &mut String) {
    apply(
        word,
        &[
            ("icate", "ic", m_above_0),
            ("ative", "", m_above_0),
            ("alize", "al", m_above_0),
            ("iciti", "ic", m_above_0),
            ("ical", "ic", m_above_0),
            ("ful", "", m_above_0),
            ("ness", "", m_above_0),
        ],
    );
}

fn last_suffix(word: &mut String) {
    apply(
        word,
        &[
            ("al", "", m_above_1),
            ("ance", "", m_above_1),
            ("ence", "", m_above_1),
            ("er", "", m_above_1),
            ("ic", "", m_above_1),
            ("able", "", m_above_1),
            ("ible", "", m_above_1),
            ("ant", "", m_above_1),
            ("ement", "", m_above_1),
            ("ment", "", m_above_1),
            ("ent", "", m_above_1),
            ("ion", "", |stem| {
                m_above_1(stem) && matches!(stem.last(), Some(b's' | b't'))
            }),
            ("ou", "", m_above_1),
            ("ism", "", m_above_1),
            ("ate", "", m_above_1),
            ("iti", "", m_above_1),
            ("ous", "", m_above_1),
            ("ive", "", m_above_1),
            ("ize", "", m_above_1),
        ],
    );
}

fn final_e(word: &mut String) {
    apply(
        word,
        &[("e", "", |stem| {
            measure(stem) > 1 || measure(stem) == 1 && !ends_cvc(stem)
        })],
    );
}

fn final_l(word: &mut String) {
    apply(
        word,
        &[("ll", "l", |stem| measure(&[stem, b"l"].concat()) > 1)],
    );
}

/// Replaces the first suffix that the word has, if its condition holds; returns whether it did.
fn apply(word: &mut String, rules: &[Rule]) -> bool {
    let Some((suffix, to, condition)) = rules.iter().find(|(suffix, ..)| word.ends_with(suffix))
    else {
        return false;
    };
    let length = word.len() - suffix.len();
    let holds = word.as_bytes().get(..length).is_some_and(condition);
    if holds {
        word.truncate(length);
        word.push_str(to);
    }
    holds
}

fn any(_: &[u8]) -> bool {
    true
}

fn m_above_0(stem: &[u8]) -> bool {
    measure(stem) > 0
}

fn m_above_1(stem: &[u8]) -> bool {
    measure(stem) > 1
}

fn consonant(word: &[u8], at: usize) -> bool {
    match word.get(at) {
        Some(b'a' | b'e' | b'i' | b'o' | b'u') => false,
        Some(b'y') => at == 0 || !consonant(word, at - 1),
        _ => true,
    }
}

fn has_vowel(stem: &[u8]) -> bool {
    (0..stem.len()).any(|at| !consonant(stem, at))
}

/// Porter's m: the number of times that a consonant follows a vowel.
fn measure(stem: &[u8]) -> usize {
    (1..stem.len())
        .filter(|&at| consonant(stem, at) && !consonant(stem, at - 1))
        .count()
}

fn double_consonant(word: &[u8]) -> bool {
    match word {
        [.., a, b] => a == b && consonant(word, word.len() - 1),
        _ => false,
    }
}

/// Whether the word ends in consonant, vowel, consonant, where the last is not w, x or y. For two
/// letters: vowel, consonant.
fn ends_cvc(word: &[u8]) -> bool {
    let at = word.len();
    match word {
        [_, _] => !consonant(word, 0) && consonant(word, 1),
        [.., _, _, last] => {
            consonant(word, at - 3)
                && !consonant(word, at - 2)
                && consonant(word, at - 1)
                && !matches!(last, b'w' | b'x' | b'y')
        }
        _ => false,
    }
}
