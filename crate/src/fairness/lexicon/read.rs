//! Lists of words: their format, and what makes them sound.

use std::collections::{HashMap, HashSet};

use super::Group;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::text::Text;
use crate::text::sanitize_line;

/// What stands in a text: the groups, and the words that are masked and not counted.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) groups: Vec<Group>,
    pub(super) masked: Vec<String>,
}

/// Reads lists. What stands before the first `[name]` is in none.
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
            return Err(wrong(format!(
                "the group {:?} stands twice in the lexicon",
                shown(&group.name)
            )));
        }
        if group.words.is_empty() {
            return Err(wrong(format!(
                "the group {:?} has no words",
                shown(&group.name)
            )));
        }
        for word in &group.words {
            one_word(word)?;
            if let Some(owner) = owners.insert(key(word), &group.name) {
                return Err(wrong(format!(
                    "{:?} stands in {:?} and in {:?}",
                    shown(word),
                    shown(owner),
                    shown(&group.name)
                ))
                .with_hint("a word names one group, and stands in the list once"));
            }
        }
    }
    for word in &lists.masked {
        one_word(word)?;
        if let Some(owner) = owners.get(&key(word)) {
            return Err(wrong(format!(
                "{:?} stands in {:?} and is only to be masked",
                shown(word),
                shown(owner)
            ))
            .with_hint("a word of a group is masked anyway"));
        }
    }
    Ok(())
}

/// A word as texts are searched for it: in lower case, its apostrophes straight.
pub(super) fn key(word: &str) -> String {
    Text::new(word).lower().to_owned()
}

/// Would this word be found in a text?
fn one_word(word: &str) -> Result<()> {
    let text = Text::new(word);
    let mut tokens = text.tokens();
    let whole = tokens
        .next()
        .is_some_and(|token| token.written == text.answer());
    if whole && tokens.next().is_none() {
        return Ok(());
    }
    Err(wrong(format!("{:?} is not one word", shown(word)))
        .with_hint("a text is looked through word by word: leave out what needs two"))
}

fn shown(text: &str) -> String {
    sanitize_line(text, 40)
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
