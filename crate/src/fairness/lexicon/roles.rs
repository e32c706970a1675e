//! The roles of words in a sentence, and expressions that refer to nobody. Both are data.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::fairness::text::Phrases;

/// The role of a word of a group in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Subject,
    Object,
    Possessive,
    ObjectOrPossessive,
    Reflexive,
    /// Precedes a name.
    Title,
    /// Describes the group of a person: *a female nurse*.
    Modifier,
    Noun,
    Relative,
    /// Several people.
    Plural,
    /// A quality or a state, which refers to nobody.
    Trait,
    Name,
    /// The role is unknown.
    Any,
}

const ROLES: [(&str, Role); 11] = [
    ("subject pronoun", Role::Subject),
    ("object pronoun", Role::Object),
    ("possessive pronoun", Role::Possessive),
    ("object or possessive pronoun", Role::ObjectOrPossessive),
    ("reflexive pronoun", Role::Reflexive),
    ("title", Role::Title),
    ("modifier", Role::Modifier),
    ("noun", Role::Noun),
    ("relative", Role::Relative),
    ("plural", Role::Plural),
    ("trait", Role::Trait),
];

/// The class of any other word; a word may have several classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Class {
    Determiner = 1,
    Indefinite = 1 << 1,
    FirstPerson = 1 << 2,
    /// Precedes a description of a person.
    Copula = 1 << 3,
    /// Introduces a person.
    Introducer = 1 << 4,
    /// Introduces a person if it follows a noun with an indefinite article.
    IntroducerAfterNoun = 1 << 5,
    /// Precedes the topic of a text: *the story of* a person.
    Topic = 1 << 6,
    Coordinator = 1 << 7,
    Conjunction = 1 << 8,
    Preposition = 1 << 9,
    /// A verb that can't be recognized by its form.
    Verb = 1 << 10,
    /// A title that precedes a family name.
    SurnameTitle = 1 << 11,
    /// Several people, none of whom can be *her*.
    Generic = 1 << 12,
    /// A person with whom the subject interacts.
    Counterpart = 1 << 13,
    /// The first word of a place that is named after a person.
    Place = 1 << 14,
    /// The last word of the name of an institution.
    Institution = 1 << 15,
    InstitutionOrFamilyName = 1 << 16,
    /// A person by occupation or office.
    Person = 1 << 17,
    /// Starts a subordinate clause.
    Subordinator = 1 << 18,
}

const CLASSES: [(&str, Class); 19] = [
    ("determiner", Class::Determiner),
    ("indefinite", Class::Indefinite),
    ("first person", Class::FirstPerson),
    ("copula", Class::Copula),
    ("introducer", Class::Introducer),
    ("introducer after a noun", Class::IntroducerAfterNoun),
    ("topic", Class::Topic),
    ("coordinator", Class::Coordinator),
    ("conjunction", Class::Conjunction),
    ("preposition", Class::Preposition),
    ("verb", Class::Verb),
    ("surname title", Class::SurnameTitle),
    ("generic", Class::Generic),
    ("counterpart", Class::Counterpart),
    ("place", Class::Place),
    ("institution", Class::Institution),
    ("institution or family name", Class::InstitutionOrFamilyName),
    ("person", Class::Person),
    ("subordinator", Class::Subordinator),
];

/// The classes of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Classes(u32);

impl Classes {
    pub(super) fn is(self, class: Class) -> bool {
        self.0 & class as u32 != 0
    }

    pub(super) fn is_any(self, classes: &[Class]) -> bool {
        classes.iter().any(|class| self.is(*class))
    }
}

/// The roles and classes of words.
pub(super) struct Roles {
    roles: HashMap<&'static str, Role>,
    classes: HashMap<&'static str, Classes>,
    figures: Phrases,
}

impl Roles {
    /// The built-in English roles, parsed once.
    pub(super) fn english() -> &'static Self {
        static ROLES: OnceLock<Roles> = OnceLock::new();
        ROLES.get_or_init(|| Self::parse(include_str!("roles.txt"), include_str!("figures.txt")))
    }

    fn parse(text: &'static str, figures: &str) -> Self {
        let mut parsed = Self {
            roles: HashMap::new(),
            classes: HashMap::new(),
            figures: Phrases::parse(figures),
        };
        let (mut role, mut class) = (None, None);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(title) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                role = find_titled(&ROLES, title);
                class = find_titled(&CLASSES, title);
                continue;
            }
            for word in line.split_whitespace() {
                if let Some(role) = role {
                    parsed.roles.insert(word, role);
                }
                if let Some(class) = class {
                    parsed.classes.entry(word).or_default().0 |= class as u32;
                }
            }
        }
        parsed
    }

    /// The role of a word of a group, in lower case.
    pub(super) fn role(&self, lower: &str) -> Option<Role> {
        self.roles.get(lower).copied()
    }

    pub(super) fn classes(&self, lower: &str) -> Classes {
        self.classes.get(lower).copied().unwrap_or_default()
    }

    pub(super) fn figures(&self) -> &Phrases {
        &self.figures
    }
}

fn find_titled<T: Copy>(list: &[(&str, T)], title: &str) -> Option<T> {
    let mut list = list.iter();
    list.find(|(name, _)| *name == title).map(|(_, it)| *it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::lexicon::Lexicon;

    #[test]
    fn every_section_of_the_file_is_known() {
        let titles = include_str!("roles.txt").lines();
        let titles = titles.filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        let mut count = 0;
        for title in titles {
            assert!(
                find_titled(&ROLES, title).is_some() || find_titled(&CLASSES, title).is_some(),
                "{title}"
            );
            count += 1;
        }
        assert_eq!(count, ROLES.len() + CLASSES.len());
    }

    #[test]
    fn every_word_of_the_shipped_list_has_a_role() {
        let (roles, lexicon) = (Roles::english(), Lexicon::gender());
        for (_, group) in lexicon.compared() {
            for word in &group.words {
                assert!(roles.role(&word.to_lowercase()).is_some(), "{word}");
            }
        }
    }
}
