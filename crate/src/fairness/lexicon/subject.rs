//! Whom a text is about: which mentions refer to its subject, and which to other people.
//!
//! The text is read in one pass from left to right. A mention either counts for its group or
//! introduces another person, to whom later pronouns of that group may refer; these pronouns then
//! no longer count, unless the subject is known to belong to that group.

mod position;

use super::Lexicon;
use super::roles::{Class, Role};
use super::sentence::{Word, words};
use crate::fairness::text::{Text, TokenKind};
use position::{Position, is_plural};

/// The weight of a mention.
const CLEAR: u32 = 2;
/// The weight of a mention that is clear only from earlier text.
const WEAK: u32 = 1;

/// The index of the group that a text is about.
pub(super) fn subject_group(lexicon: &Lexicon, text: &Text) -> Option<usize> {
    let counts = lexicon.count(text);
    let named = counts.iter().sum::<usize>() > 0;
    if !named {
        return None;
    }
    let mut reading = Reading::new(words(lexicon, text), lexicon.groups.len());
    reading.read_tokens();
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

/// The ends of nouns for people of an occupation.
const PEOPLE: [&str; 9] = [
    "keeper", "maker", "worker", "smith", "wright", "ologist", "ician", "grapher", "operator",
];

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
    /// The first noun for a person of unknown group.
    person: Option<&'t str>,
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
            person: None,
            counterpart: None,
            last_other: None,
            name_end: None,
        }
    }

    fn read_tokens(&mut self) {
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
            let (mention, coordinated) = (word.named(), word.coordinated);
            self.narrator |= word.lower == "i" && self.is(at + 1, Class::Copula);
            self.somebody(at);
            if let Some((group, role)) = mention {
                self.mentioned = true;
                match coordinated {
                    true => self.pair(at, group, role),
                    false => self.mention(at, group, role),
                }
            }
        }
    }

    /// Whether the word introduces another person of unknown group, or the first one.
    fn somebody(&mut self, at: usize) {
        let Some(word) = self.words.get(at) else {
            return;
        };
        let (lower, interacts) = (word.lower, word.is(Class::Counterpart));
        let person =
            interacts || word.is(Class::Person) || PEOPLE.iter().any(|end| lower.ends_with(end));
        let second = self.person.is_some_and(|first| first != lower);
        let other = match person {
            true if interacts || second && !self.is_apposition(at) => {
                self.is_owned(at) || self.position(at) == Position::Other
            }
            true => false,
            false => self.person.is_some() && self.names_somebody_new(at),
        };
        if other {
            self.counterpart = Some(self.sentences);
        }
        if person {
            self.person.get_or_insert(lower);
        }
    }

    /// Whether the word before is a possessive: `her boss`, `your editor`.
    fn is_owned(&self, at: usize) -> bool {
        let owner = at.checked_sub(1).and_then(|at| self.words.get(at));
        owner.is_some_and(|owner| {
            let role = owner.mention.map(|(_, role)| role);
            matches!(role, Some(Role::Possessive | Role::ObjectOrPossessive))
                || matches!(owner.lower, "your" | "their")
        })
    }

    /// Whether a later sentence starts with a name of unknown group: `Private Collins nodded`.
    fn names_somebody_new(&self, at: usize) -> bool {
        let unknown = |at: usize| {
            let word = self.words.get(at);
            word.filter(|word| {
                word.capital && word.kind == TokenKind::Word && word.mention.is_none()
            })
        };
        let earlier = self.words.get(..at).unwrap_or_default();
        self.sentences > 1
            && at == self.sentence
            && unknown(at).is_some()
            && unknown(at + 1).is_some_and(|name| {
                name.lower != "i" && earlier.iter().all(|word| word.lower != name.lower)
            })
    }

    fn mention(&mut self, at: usize, group: usize, role: Role) {
        match role {
            Role::Any => self.count(group, CLEAR),
            Role::Plural | Role::Trait => {}
            Role::Reflexive if self.emphasizes(at) => {
                if self.opens_clause(at - 2) {
                    self.count(group, CLEAR);
                }
            }
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
    /// something since: it may refer to them, as in `She waved to the farmer, who raised his hat`.
    fn pronoun(&mut self, at: usize, group: usize) {
        if self.ambiguous(group) {
            return;
        }
        let contradicts = self.subject().is_some_and(|subject| subject != group);
        let known = self.sentence..at;
        let known = known.rev().find(|at| {
            let mention = self.words.get(*at).and_then(Word::named);
            mention
                .is_some_and(|(group, role)| role == Role::Subject && Some(group) == self.subject())
        });
        let mut since = known.unwrap_or(self.sentence)..at;
        let mentioned = since.any(|at| self.is(at, Class::Determiner));
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
            noun.kind == TokenKind::Word && noun.mention.is_none() && !noun.is(Class::Counterpart)
        });
        definite && noun && at > self.sentence
    }

    /// Whether a clause starts with this word.
    fn opens_clause(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        at == self.sentence || before.is_some_and(|word| word.kind == TokenKind::Mark)
    }

    fn possessive(&mut self, at: usize, group: usize) {
        // `His mother is a nurse` is about the mother; `Her boss is an engineer` is about nobody of
        // known group.
        let first = at == self.sentence && self.subject().is_none();
        let owned = |next: &Word<'_>| {
            next.is(Class::Counterpart) || matches!(next.mention, Some((_, Role::Relative)))
        };
        let presented = first
            && self.sentences <= 1
            && self.words.get(at + 1).is_some_and(owned)
            && self.is(at + 2, Class::Copula);
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
            .is_some_and(|next| next.kind == TokenKind::Word && !next.classes.is_any(&AFTER_OBJECT))
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
                    && before.kind == TokenKind::Word
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
        let more = more.take_while(|word| word.capital && word.kind == TokenKind::Word);
        self.name_end = Some(at + more.count());
    }

    /// A person mentioned by the words from `at` to `end`.
    fn person(&mut self, at: usize, end: usize, group: usize) {
        let subject = self.subject();
        let known = subject == Some(group);
        // `The nurse lost his keys. The patient was a woman`
        let another = subject.is_some()
            && !known
            && (self.sentence..at).any(|at| self.is(at, Class::Counterpart));
        match self.position(at) {
            Position::Predicate if !another && self.last_other < Some(self.sentence) => {
                self.count(group, CLEAR);
            }
            Position::Start if known || subject.is_none() => self.count(group, CLEAR),
            _ => self.other(end, group),
        }
    }

    fn relative(&mut self, at: usize, group: usize) {
        let owner = (1..=3).map_while(|back| {
            let word = self.words.get(at.checked_sub(back)?)?;
            (word.kind != TokenKind::Mark && !word.starts_sentence || back == 1).then_some(word)
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
            (pronoun || theirs || mine || word.kind == TokenKind::Clitic).then_some(mine)
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
}
