//! Parsing and validation of word lists.

use std::collections::{HashMap, HashSet};

use super::Group;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::text::Text;
use crate::text::sanitize_line;

/// Parsed lists: the groups, and the words that are masked but not counted.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) groups: Vec<Group>,
    pub(super) masked: Vec<String>,
}

/// Parses lists. Words before the first `[name]` are ignored.
pub(super) fn lists(text: &str) -> Lists {
    let mut lists = Lists::default();
    let mut masked = false;
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with('#')) {
        let title = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(title) = title {
            let (name, kind) = title.split_once(',').unwrap_or((title, ""));
            masked = kind.trim() == "masked";
            if !masked {
                lists.groups.push(Group {
                    name: name.trim().to_owned(),
                    words: Vec::new(),
                    apart: kind.trim() == "apart",
                });
            }
            continue;
        }
        let words = line.split_whitespace().map(str::to_owned);
        match (masked, lists.groups.last_mut()) {
            (true, _) => lists.masked.extend(words),
            (false, Some(group)) => group.words.extend(words),
            (false, None) => {}
        }
    }
    lists
}

pub(super) fn check(lists: &Lists) -> Result<()> {
    let mut names = HashSet::new();
    let mut owners = HashMap::new();
    let groups = &lists.groups;
    for group in groups {
        if !names.insert(&group.name) {
            return Err(invalid_argument(format!(
                "the group {:?} occurs twice in the lexicon",
                shown(&group.name)
            )));
        }
        if group.words.is_empty() {
            return Err(invalid_argument(format!(
                "the group {:?} has no words",
                shown(&group.name)
            )));
        }
        for word in &group.words {
            one_word(word)?;
            if let Some(owner) = owners.insert(key(word), &group.name) {
                return Err(invalid_argument(format!(
                    "{:?} is in the groups {:?} and {:?}",
                    shown(word),
                    shown(owner),
                    shown(&group.name)
                ))
                .with_hint("a word can name only one group, and must be listed once"));
            }
        }
    }
    for word in &lists.masked {
        one_word(word)?;
        if let Some(owner) = owners.get(&key(word)) {
            return Err(invalid_argument(format!(
                "{:?} is a word of {:?} and is also listed as masked",
                shown(word),
                shown(owner)
            ))
            .with_hint("the words of a group are always masked"));
        }
    }
    Ok(())
}

/// A word in the form in which texts are searched for it: in lower case with straight apostrophes.
pub(super) fn key(word: &str) -> String {
    Text::new(word).lower().to_owned()
}

/// Checks that the word is a single token, which can be found in a text.
fn one_word(word: &str) -> Result<()> {
    let text = Text::new(word);
    let mut tokens = text.tokens();
    let whole = tokens
        .next()
        .is_some_and(|token| token.written == text.answer());
    if whole && tokens.next().is_none() {
        return Ok(());
    }
    Err(
        invalid_argument(format!("{:?} is not one word", shown(word)))
            .with_hint("texts are searched word by word: list single words only"),
    )
}

fn shown(text: &str) -> String {
    sanitize_line(text, 40)
}

fn invalid_argument(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
