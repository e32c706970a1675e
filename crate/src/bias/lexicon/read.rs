//! Lists of words: their format, and what makes them sound.

use std::collections::{HashMap, HashSet};

use super::Group;
use crate::bias::text::Text;
use crate::client::text::one_line;
use crate::error::{Error, ErrorKind, Result};

/// The groups in a text. What stands before the first `[name]` is in no group.
pub(super) fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
    {
        let title = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match (title, groups.last_mut()) {
            (Some(title), _) => groups.push(titled(title)),
            (None, Some(group)) => group
                .words
                .extend(line.split_whitespace().map(str::to_owned)),
            (None, None) => {}
        }
    }
    groups
}

fn titled(title: &str) -> Group {
    let (name, apart) = match title.split_once(',') {
        Some((name, rest)) => (name, rest.trim() == "apart"),
        None => (title, false),
    };
    Group {
        name: name.trim().to_owned(),
        words: Vec::new(),
        apart,
    }
}

pub(super) fn check(groups: &[Group]) -> Result<()> {
    let mut names = HashSet::new();
    let mut owners = HashMap::new();
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
            if !is_word(word) {
                return Err(wrong(format!("{:?} is not one word", shown(word)))
                    .with_hint("a text is looked through word by word: leave out what needs two"));
            }
            if let Some(owner) = owners.insert(word.to_lowercase(), &group.name) {
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
    Ok(())
}

/// Would this word be found in a text?
fn is_word(word: &str) -> bool {
    let text = Text::new(word);
    let mut tokens = text.tokens();
    tokens.next().is_some_and(|token| token.written == word) && tokens.next().is_none()
}

fn shown(text: &str) -> String {
    one_line(text, 40)
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
