//! Whom a text is about: which mentions refer to its subject, and which to other people.
//!
//! The text is read in one pass from left to right. A mention either counts for its group or
//! introduces another person, to whom later pronouns of that group may refer; these pronouns then
//! no longer count, unless the subject is known to belong to that group.

use super::Lexicon;
use super::roles::{Class, Role};
use super::sentence::{Word, words};
use crate::fairness::text::{Kind, Text};

/// The weight of a mention.
const CLEAR: u32 = 2;
/// The weight of a mention that is clear only from earlier text.
const WEAK: u32 = 1;

/// The largest distance to the left at which the article of a noun is searched.
const LONGEST_PHRASE: usize = 6;

/// The index of the group that a text is about.
pub(super) fn of(lexicon: &Lexicon, text: &Text) -> Option<usize> {
    let counts = lexicon.count(text);
    let named = counts.iter().sum::<usize>() > 0;
    if !named {
        return None;
    }
    let mut reading = Reading::new(words(lexicon, text), lexicon.groups.len());
    reading.read();
    if reading.mentioned {
        return clear(&reading.evidence);
    }
    let apart = lexicon.groups.iter().zip(counts);
    let apart = apart.map(|(group, count)| match group.apart {
        true => u32::try_from(count).unwrap_or(u32::MAX),
        false => 0,
    });
    clear(&apart.collect::<Vec<_>>())
}

/// The group with the most evidence, if no other has more than half as much.
fn clear(evidence: &[u32]) -> Option<usize> {
    let (place, most) = evidence
        .iter()
        .enumerate()
        .max_by_key(|(_, count)| **count)?;
    let mut others = evidence.iter().enumerate().filter(|(at, _)| *at != place);
    let clear = others.all(|(_, count)| count.saturating_mul(2) <= *most);
    (*most > 0 && clear).then_some(place)
}

/// The position of a noun or a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the start of its sentence, or in apposition to the subject.
    Start,
    /// A predicate, which describes a person.
    Predicate,
    /// Another person.
    Other,
}

struct Reading<'t> {
    words: Vec<Word<'t>>,
    /// The evidence for each group.
    evidence: Vec<u32>,
    /// Whether another person of the group was mentioned.
    others: Vec<bool>,
    /// Whether any group was mentioned.
    mentioned: bool,
    /// The start of the current sentence, and the number of sentences so far.
    sentence: usize,
    sentences: usize,
    /// Whether a first-person narrator describes themselves.
    narrator: bool,
    /// The number of the sentence in which another person of unknown group was last mentioned.
    counterpart: Option<usize>,
    /// The last word of the last mention of another person, and of the last name.
    last_other: Option<usize>,
    name_end: Option<usize>,
}

impl<'t> Reading<'t> {
    fn new(words: Vec<Word<'t>>, groups: usize) -> Self {
        Self {
            words,
            evidence: vec![0; groups],
            others: vec![false; groups],
            mentioned: false,
            sentence: 0,
            sentences: 0,
            narrator: false,
            counterpart: None,
            last_other: None,
            name_end: None,
        }
    }

    fn read(&mut self) {
        for at in 0..self.words.len() {
            let Some(word) = self.words.get(at) else {
                break;
            };
            if word.starts_sentence {
                self.sentence = at;
                self.sentences += 1;
            }
            if word.quoted || word.figure {
                continue;
            }
            let narrates = word.lower == "i" && self.is(at + 1, Class::Copula);
            let counterpart = word.is(Class::Counterpart);
            let mention = word.named();
            let coordinated = word.coordinated;
            self.narrator |= narrates;
            if counterpart && self.position(at) == Position::Other {
                self.counterpart = Some(self.sentences);
            }
            if let Some((group, role)) = mention {
                self.mentioned = true;
                match coordinated {
                    true => self.pair(at, group, role),
                    false => self.mention(at, group, role),
                }
            }
        }
    }

    fn mention(&mut self, at: usize, group: usize, role: Role) {
        match role {
            Role::Any => self.count(group, CLEAR),
            Role::Plural | Role::Trait => {}
            Role::Reflexive if self.emphasizes(at) => self.count(group, CLEAR),
            Role::Subject | Role::Reflexive => self.pronoun(at, group),
            Role::Possessive => self.possessive(at, group),
            Role::ObjectOrPossessive if self.owns(at) => self.possessive(at, group),
            Role::ObjectOrPossessive | Role::Object => self.object(at, group),
            Role::Title => self.title(at, group),
            Role::Name => self.name(at, group),
            Role::Noun => self.person(at, at, group),
            Role::Modifier => {
                let several = self.lower(at + 1).is_some_and(is_plural);
                if !several && self.position(at) != Position::Other {
                    self.count(group, CLEAR);
                }
            }
            Role::Relative => self.relative(at, group),
        }
    }

    /// Two coordinated mentions of different groups: they count for neither group, but nouns and
    /// names introduce other people.
    fn pair(&mut self, at: usize, group: usize, role: Role) {
        if matches!(role, Role::Noun | Role::Name | Role::Title | Role::Relative) {
            self.other(at, group);
        }
    }

    fn count(&mut self, group: usize, weight: u32) {
        if let Some(evidence) = self.evidence.get_mut(group) {
            *evidence = evidence.saturating_add(weight);
        }
    }

    fn other(&mut self, at: usize, group: usize) {
        if let Some(other) = self.others.get_mut(group) {
            *other = true;
        }
        self.last_other = Some(at);
    }

    /// The group with the most evidence so far, if it is unique.
    fn subject(&self) -> Option<usize> {
        let most = *self.evidence.iter().max()?;
        let mut first = self.evidence.iter().enumerate();
        let (place, _) = first.find(|(_, count)| **count == most)?;
        (most > 0 && first.all(|(_, count)| *count < most)).then_some(place)
    }

    /// Whether a pronoun of the group may refer to another person.
    fn ambiguous(&mut self, group: usize) -> bool {
        if self.subject() == Some(group) {
            return false;
        }
        // `The nurse saw a patient. He was pale`: as long as nothing is known about the nurse.
        let earlier = usize::from(self.subject().is_none());
        let counterpart = self
            .counterpart
            .is_some_and(|sentence| sentence + earlier >= self.sentences);
        let other = self.others.get_mut(group);
        other.is_none_or(|other| {
            *other |= counterpart;
            *other
        })
    }

    /// A pronoun says less if it contradicts what is known and its sentence has mentioned somebody or
    /// something: it may refer to them, as in `She waved to the farmer, who raised his hat`.
    fn pronoun(&mut self, at: usize, group: usize) {
        if self.ambiguous(group) {
            return;
        }
        let contradicts = self.subject().is_some_and(|subject| subject != group);
        let mentioned = (self.sentence..at).any(|at| self.is(at, Class::Determiner));
        let weight = match contradicts && mentioned {
            true => WEAK,
            false => CLEAR,
        };
        self.count(group, weight);
    }

    /// Whether a reflexive pronoun belongs to the noun before it: `the dentist himself`.
    fn emphasizes(&self, at: usize) -> bool {
        let back = |n: usize| at.checked_sub(n).and_then(|at| self.words.get(at));
        let definite = back(2).is_some_and(|word| word.is(Class::Determiner));
        let noun = back(1).is_some_and(|noun| {
            noun.kind == Kind::Word && noun.mention.is_none() && !noun.is(Class::Counterpart)
        });
        definite && noun && at > self.sentence
    }

    fn possessive(&mut self, at: usize, group: usize) {
        // `His mother is a nurse` is about the mother; `Her boss is an engineer` is about nobody of
        // known group.
        let first = at == self.sentence && self.subject().is_none();
        let owned = |next: &Word<'_>| {
            next.is(Class::Counterpart) || matches!(next.mention, Some((_, Role::Relative)))
        };
        let presented =
            first && self.words.get(at + 1).is_some_and(owned) && self.is(at + 2, Class::Copula);
        if !presented {
            self.pronoun(at, group);
        }
    }

    /// Whether `her` is a possessive, followed by a noun.
    fn owns(&self, at: usize) -> bool {
        const AFTER_OBJECT: [Class; 6] = [
            Class::Preposition,
            Class::Conjunction,
            Class::Coordinator,
            Class::Determiner,
            Class::Copula,
            Class::FirstPerson,
        ];
        self.words
            .get(at + 1)
            .is_some_and(|next| next.kind == Kind::Word && !next.classes.is_any(&AFTER_OBJECT))
    }

    /// In `The doctor told him`, the pronoun is not the doctor; in `Patients love him`, it is the
    /// subject of the text.
    fn object(&mut self, at: usize, group: usize) {
        let subject = self.subject();
        let known = subject == Some(group);
        let someone = self.sentences <= 1 && !self.is(self.sentence, Class::Generic);
        if subject.is_some() && !known || subject.is_none() && someone {
            self.other(at, group);
        } else if !self.ambiguous(group) {
            self.count(group, if known { WEAK } else { CLEAR });
        }
    }

    fn title(&mut self, at: usize, group: usize) {
        if self.words.get(at + 1).is_some_and(|name| name.capital) {
            self.end_name(at);
            self.person(at, self.name_end.unwrap_or(at), group);
        }
    }

    fn name(&mut self, at: usize, group: usize) {
        let in_name = self.name_end.is_some_and(|end| at <= end);
        // `Dr. James` may be a family name; `Dr. Emily Chen` has a first name.
        let next_capital = self.words.get(at + 1).is_some_and(|next| next.capital);
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        let family_name = before.is_some_and(|before| {
            before.is(Class::SurnameTitle) && !next_capital
                || before.capital
                    && before.kind == Kind::Word
                    && !before.starts_sentence
                    && before.mention.is_none()
                    && !before.is(Class::SurnameTitle)
        });
        if in_name || family_name {
            return;
        }
        self.end_name(at);
        self.person(at, self.name_end.unwrap_or(at), group);
    }

    /// A name extends over all following capitalized words.
    fn end_name(&mut self, at: usize) {
        let more = self.words.iter().skip(at + 1);
        let more = more.take_while(|word| word.capital && word.kind == Kind::Word);
        self.name_end = Some(at + more.count());
    }

    /// A person mentioned by the words from `at` to `end`.
    fn person(&mut self, at: usize, end: usize, group: usize) {
        let subject = self.subject();
        let known = subject == Some(group);
        match self.position(at) {
            Position::Predicate if self.last_other < Some(self.sentence) => {
                self.count(group, CLEAR);
            }
            Position::Start if known || subject.is_none() => self.count(group, CLEAR),
            _ => self.other(end, group),
        }
    }

    fn relative(&mut self, at: usize, group: usize) {
        let owner = (1..=3).map_while(|back| {
            let word = self.words.get(at.checked_sub(back)?)?;
            (word.kind != Kind::Mark && !word.starts_sentence || back == 1).then_some(word)
        });
        let first = self.sentence;
        let mut owner = owner.chain(self.words.get(first).filter(|_| at - first <= 3));
        let owner = owner.find_map(|word| {
            let pronoun = matches!(
                word.mention,
                Some((_, Role::Possessive | Role::ObjectOrPossessive))
            );
            let theirs = matches!(word.lower, "their" | "your" | "its");
            let mine = matches!(word.lower, "my" | "our");
            (pronoun || theirs || mine || word.kind == Kind::Clitic).then_some(mine)
        });
        let presented = self.subject().is_none()
            && self
                .words
                .get(first)
                .is_some_and(|word| word.mention.is_some())
            && at == first + 1
            && self.is(at + 1, Class::Copula);
        match owner {
            Some(false) if presented => self.count(group, CLEAR),
            Some(false) => self.other(at, group),
            Some(true) if self.narrator => self.other(at, group),
            None if self.is_of_somebody(at) => self.other(at, group),
            Some(true) | None => self.person(at, at, group),
        }
    }

    /// Whether a relative belongs to another person: `the mother of the patient`, but not `a mother
    /// of two`.
    fn is_of_somebody(&self, at: usize) -> bool {
        self.lower(at + 1) == Some("of") && self.is(at + 2, Class::Determiner)
    }

    fn is(&self, at: usize, class: Class) -> bool {
        self.words.get(at).is_some_and(|word| word.is(class))
    }

    fn lower(&self, at: usize) -> Option<&'t str> {
        self.words.get(at).map(|word| word.lower)
    }

    /// The start of the noun phrase that ends with this word.
    fn phrase(&self, at: usize) -> usize {
        const ENDS: [Class; 7] = [
            Class::Preposition,
            Class::Conjunction,
            Class::Coordinator,
            Class::Copula,
            Class::Introducer,
            Class::IntroducerAfterNoun,
            Class::Verb,
        ];
        let named = matches!(
            self.words.get(at).and_then(|word| word.mention),
            Some((_, Role::Name | Role::Title))
        );
        let mut from = at;
        let mut bare = None;
        for place in (self.sentence..at).rev().take(LONGEST_PHRASE) {
            let Some(word) = self.words.get(place) else {
                break;
            };
            let owner = matches!(
                word.mention,
                Some((_, Role::Possessive | Role::ObjectOrPossessive))
            );
            if word.is(Class::Determiner) || owner {
                return bare.filter(|_| named).unwrap_or(place);
            }
            let comma = word.is_mark(",") && !named;
            let stops = word.kind != Kind::Word && !comma || word.classes.is_any(&ENDS);
            if stops {
                break;
            }
            if is_verb(word.lower) || comma || named && is_plural(word.lower) {
                bare = bare.or(Some(place + 1));
            }
            from = place;
        }
        bare.unwrap_or(from)
    }

    fn position(&self, at: usize) -> Position {
        let from = self.phrase(at);
        let alone = from == at && from == self.sentence;
        let noun = matches!(
            self.words.get(at).and_then(|word| word.mention),
            Some((_, Role::Noun | Role::Relative))
        );
        if alone
            && noun
            && self
                .words
                .get(at + 1)
                .is_none_or(|it| it.kind == Kind::Mark)
        {
            // `Man, what a day`
            return Position::Other;
        }
        let Some(before) = from.checked_sub(1).filter(|_| from > self.sentence) else {
            let someone_new = self.sentences > 1 && noun && self.is(from, Class::Indefinite);
            return match someone_new && self.subject().is_none() {
                true => Position::Other,
                false => Position::Start,
            };
        };
        self.after(before, from, noun)
    }

    /// The position of a phrase, determined by the word before it.
    fn after(&self, before: usize, from: usize, noun: bool) -> Position {
        let Some(word) = self.words.get(before) else {
            return Position::Other;
        };
        if word.kind == Kind::Mark {
            let list = before.checked_sub(1).is_some_and(|it| {
                self.last_other.is_some_and(|last| last >= it) || self.is(it, Class::Counterpart)
            });
            // `It serves all: the boy who counts his coins, the woman in a hurry`
            let listed = (self.sentence..=before)
                .any(|at| self.words.get(at).is_some_and(|it| it.is_mark(":")));
            return match list || listed {
                true => Position::Other,
                false => Position::Start,
            };
        }
        let topic = word.is(Class::Preposition)
            && before
                .checked_sub(1)
                .is_some_and(|it| self.is(it, Class::Topic));
        let called = word.is(Class::IntroducerAfterNoun)
            && self.is(self.phrase(before.saturating_sub(1)), Class::Indefinite);
        let narrated = self.is(self.sentence, Class::FirstPerson)
            && !self.narrator
            && from - self.sentence <= LONGEST_PHRASE
            && noun;
        let copula = word.is(Class::Copula) || word.lower == "'s" && self.clause_is(before);
        if copula || word.is(Class::Introducer) || topic || called || narrated {
            return Position::Predicate;
        }
        let second = word.is(Class::Coordinator) && noun;
        let first_part = (self.sentence..before).rev().take(LONGEST_PHRASE);
        let mut first_part = first_part.map_while(|it| self.words.get(it));
        if second && first_part.any(|it| it.is(Class::Copula)) {
            return Position::Predicate;
        }
        Position::Other
    }

    /// Whether this `'s` is a verb, as in `she's`.
    fn clause_is(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        before.is_some_and(|word| {
            matches!(word.mention, Some((_, Role::Subject)))
                || matches!(word.lower, "it" | "that" | "there" | "who" | "here")
        })
    }
}

fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss")
}

fn is_verb(word: &str) -> bool {
    word.len() > 3 && (word.ends_with("ed") || word.ends_with("ing"))
}
