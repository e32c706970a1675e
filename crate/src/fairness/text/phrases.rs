//! Fixed sequences of words, matched in one pass.

use std::collections::HashMap;

use super::Text;

/// Phrases as a prefix tree of their words.
#[derive(Debug)]
pub(in crate::fairness) struct Phrases {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    next: HashMap<String, usize>,
    ends: bool,
}

impl Phrases {
    /// Builds the tree from phrases, given as words in lower case.
    pub(in crate::fairness) fn new<P: IntoIterator<Item = String>>(
        phrases: impl IntoIterator<Item = P>,
    ) -> Self {
        let mut tree = Self {
            nodes: vec![Node::default()],
        };
        for phrase in phrases {
            let mut at = 0;
            for word in phrase {
                let next = tree.nodes.len();
                let Some(node) = tree.nodes.get_mut(at) else {
                    break;
                };
                at = *node.next.entry(word).or_insert(next);
                if at == next {
                    tree.nodes.push(Node::default());
                }
            }
            if let Some(node) = tree.nodes.get_mut(at) {
                node.ends = true;
            }
        }
        tree
    }

    /// Builds the tree from a text with one phrase per line; lines that start with `#` are
    /// comments.
    pub(in crate::fairness) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self::new(lines.map(|line| {
            let line = Text::new(line);
            line.tokens()
                .map(|token| token.lower.to_owned())
                .collect::<Vec<_>>()
        }))
    }

    /// The number of words, starting with the first, that the longest matching phrase covers. Words
    /// for which `skip` holds may occur anywhere inside the phrase.
    pub(in crate::fairness) fn longest<'w>(
        &self,
        words: impl IntoIterator<Item = &'w str>,
        skip: impl Fn(&str) -> bool,
    ) -> Option<usize> {
        let mut longest = None;
        let mut reached: Vec<usize> = vec![0];
        for (count, word) in words.into_iter().enumerate() {
            let skips = count > 0 && skip(word);
            let mut next: Vec<usize> = Vec::new();
            for at in reached {
                next.extend(
                    self.nodes
                        .get(at)
                        .and_then(|node| node.next.get(word).copied()),
                );
                next.extend(skips.then_some(at));
            }
            let ends = |at: &usize| self.nodes.get(*at).is_some_and(|node| node.ends);
            if next.is_empty() {
                break;
            }
            if next.iter().any(ends) {
                longest = Some(count + 1);
            }
            reached = next;
        }
        longest
    }
}
