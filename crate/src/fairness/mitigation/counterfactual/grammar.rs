//! Disambiguation of a word by its context. `grammar.tsv` holds the word classes; there is no
//! parser, and the classes are closed, so they fit in a list.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lexicon::{Lexicon, When};
use super::text::Word;
use crate::fairness::mitigation::tsv;

/// The class of a word in `grammar.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Can't begin a noun phrase after its possessive: *to, and, is, the, yesterday*.
    Other,
    /// May precede an adjective or end a sentence: *very, more, best*.
    Degree,
    /// *her/his*: a possessive, as in 'his or her job'.
    Owner,
    /// *her*: may be an object.
    Object,
    /// *best*, a noun after a pronoun that is not an object: *did his best*.
    Finest,
    /// *and, or*: may join two possessives.
    Joint,
    /// *last, next*: may precede a time.
    Before,
    /// *week, year*.
    Time,
    /// *let, saw*: its object may do something.
    Cause,
    /// *go, be*: what the object does.
    Verb,
    /// *happy, busy*: describes the object if no noun follows.
    Mood,
    /// *give*: its first object may be a person.
    Giver,
    /// *time, advice*: something that is given to a person, but rarely owned.
    Gift,
    /// *great, new*: may precede such a gift.
    Quality,
    /// *took, cost*: its first object may be the person who needs the time.
    Lasting,
    /// *three*: may precede *years*.
    Number,
    /// *years*.
    Times,
    /// Ends in *ly*, but is a noun or an adjective.
    Family,
    /// *Mr, Dr*: followed by a surname, unlike *Sir*.
    Rank,
}

static CLASSES: LazyLock<HashMap<&str, Vec<Class>>> = LazyLock::new(|| {
    let mut classes: HashMap<&str, Vec<Class>> = HashMap::new();
    for [name, words] in tsv::split_fields(include_str!("grammar.tsv")) {
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
        "object" => Class::Object,
        "finest" => Class::Finest,
        "joint" => Class::Joint,
        "before" => Class::Before,
        "time" => Class::Time,
        "cause" => Class::Cause,
        "verb" => Class::Verb,
        "mood" => Class::Mood,
        "giver" => Class::Giver,
        "gift" => Class::Gift,
        "quality" => Class::Quality,
        "lasting" => Class::Lasting,
        "number" => Class::Number,
        "times" => Class::Times,
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

/// Whether the pronoun at this index is possessive, as in *her job*, or alone, as in *saw
/// her yesterday*.
pub(super) fn noun_follows(words: &[Word<'_>], lower: &[String], at: usize) -> bool {
    let pronoun = Pronoun { words, lower, at };
    if pronoun.is_quoted() {
        return false;
    }
    if pronoun.begins_a_sentence() {
        return true;
    }
    let mut here = at;
    loop {
        match pronoun.read_behind(here) {
            Reading::Noun(follows) => return follows,
            Reading::Further(by) => here += by,
        }
    }
}

/// What a word after a pronoun indicates.
enum Reading {
    /// Whether a noun follows.
    Noun(bool),
    /// Undecided: continue this many words further.
    Further(usize),
}

struct Pronoun<'a> {
    words: &'a [Word<'a>],
    lower: &'a [String],
    at: usize,
}

impl Pronoun<'_> {
    /// Whether the pronoun is only mentioned, as in 'she/her', and not used, as in 'his/her job'.
    fn is_quoted(&self) -> bool {
        self.at
            .checked_sub(1)
            .is_some_and(|before| self.slash_behind(before) && !is(self.word(before), Class::Owner))
    }

    /// Whether the pronoun begins a sentence: an object does not come first, so *Her* is a
    /// possessive.
    fn begins_a_sentence(&self) -> bool {
        let capital = self.words.get(self.at).is_some_and(Word::is_capital);
        let follows = !self
            .at
            .checked_sub(1)
            .is_some_and(|before| self.runs_on(before));
        capital && follows && self.runs_on(self.at) && is(self.word(self.at), Class::Object)
    }

    fn read_behind(&self, here: usize) -> Reading {
        let slash = self.slash_behind(here);
        if !slash && !self.runs_on(here) {
            return Reading::Noun(false);
        }
        let (next, after) = (self.word(here + 1), self.word(here + 2));
        let joint = is(next, Class::Joint);
        let owner = if joint { after } else { next };
        if (joint || slash) && is(owner, Class::Owner) {
            return match owner == self.word(self.at) {
                // In 'proud of her and her work', the first pronoun is not possessive.
                true => Reading::Noun(false),
                false => Reading::Further(if joint { 2 } else { 1 }),
            };
        }
        let gift = is(next, Class::Gift) || (is(next, Class::Quality) && is(after, Class::Gift));
        let lasts = is(next, Class::Number) && is(after, Class::Times);
        let named = is(next, Class::Rank) && self.words.get(here + 1).is_some_and(Word::is_capital);
        if named || (gift && self.follows(Class::Giver)) || (lasts && self.follows(Class::Lasting))
        {
            return Reading::Noun(false);
        }
        if is(next, Class::Finest) && !is(self.word(self.at), Class::Object) {
            return Reading::Noun(true);
        }
        if is(next, Class::Degree) || (next.ends_with("ly") && !is(next, Class::Family)) {
            return Reading::Further(1);
        }
        Reading::Noun(if is(next, Class::Before) && is(after, Class::Time) {
            self.runs_on(here + 2)
        } else if is(next, Class::Mood) {
            self.runs_on(here + 1) && !is(after, Class::Other) && !is(after, Class::Before)
        } else {
            let acts = is(next, Class::Verb) || next.ends_with("ing");
            let one_of = next == "one" && after == "of";
            !(is(next, Class::Other) || one_of || (acts && self.follows(Class::Cause)))
        })
    }

    /// Whether the pronoun directly follows a word of this class.
    fn follows(&self, class: Class) -> bool {
        let before = self.at.checked_sub(1);
        before.is_some_and(|before| self.runs_on(before) && is(self.word(before), class))
    }

    /// The word at an index, or an empty string past the end.
    fn word(&self, at: usize) -> &str {
        self.lower.get(at).map(String::as_str).unwrap_or_default()
    }

    fn runs_on(&self, at: usize) -> bool {
        at + 1 < self.words.len() && self.words.get(at).is_some_and(Word::runs_on)
    }

    fn slash_behind(&self, at: usize) -> bool {
        self.words.get(at).is_some_and(|word| word.gap == "/")
    }
}

/// Whether the word at this index is used as a title: a name or another title follows (*Mr. and
/// Mrs. Smith*).
pub(super) fn is_title(lexicon: &Lexicon, words: &[Word<'_>], lower: &[String], at: usize) -> bool {
    let Some(word) = words.get(at).filter(|word| word.is_capital()) else {
        return false;
    };
    let Some(next) = words.get(at + 1) else {
        return false;
    };
    let titled = |at: usize| {
        lower
            .get(at)
            .is_some_and(|word| lexicon.has(word, When::Title))
    };
    let ranked = lower.get(at).is_some_and(|word| is(word, Class::Rank));
    let joint = lower.get(at + 1).is_some_and(|word| is(word, Class::Joint));
    match word.gap.trim_start_matches('.') {
        // MS in capitals is a title only if the name is also in capitals.
        " " | "\u{a0}" if next.is_capital() => !word.is_upper() || next.is_upper(),
        " " if joint => ranked && titled(at + 2),
        " & " => ranked && titled(at + 1),
        _ => false,
    }
}

/// Whether the name at this index is a given name. After another name, or after a title and with no
/// name following, it is a family name.
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
