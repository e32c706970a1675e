//! Implementations that a later cell replaces.
//!
//! evcxr replaces a type, a function and the like by their names. An implementation has none, so a
//! cell that holds nothing else adds it once more each time it runs, and the compiler refuses both.
//! All but the newest are therefore blanked in the generated code, without moving a line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernel::rust_text::{Item, items, members, normalized};

/// What the last cell's code held, to tell which implementation is the newest.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Implementations {
    /// How often each text occurred.
    counts: HashMap<u64, usize>,
    /// The newest text for each head.
    newest: BTreeMap<String, u64>,
}

impl Implementations {
    /// The source without implementations that later ones replace.
    pub(super) fn without_replaced(&mut self, source: &str) -> String {
        let all = items(source);
        let implementations: Vec<_> = all.iter().filter(|item| item.kind == "impl").collect();
        let mut by_head: BTreeMap<String, Vec<(&Item<'_>, u64)>> = BTreeMap::new();
        let mut counts = HashMap::new();
        for item in implementations {
            let text = fingerprint(item.text);
            *counts.entry(text).or_default() += 1;
            by_head.entry(item.head()).or_default().push((item, text));
        }
        let mut blanked = Vec::new();
        for (head, group) in by_head {
            let is_new = |text: &u64| counts.get(text) > self.counts.get(text);
            let texts = || group.iter().map(|(_, text)| *text);
            let newest = texts()
                .rfind(is_new)
                .or_else(|| texts().find(|text| self.newest.get(&head) == Some(text)))
                .or_else(|| texts().next_back());
            let Some(newest) = newest else { continue };
            let kept = group.iter().rposition(|(_, text)| *text == newest);
            if let Some(kept) = kept {
                blanked.extend(replaced(&group, kept, &head));
            }
            self.newest.insert(head, newest);
        }
        self.counts = counts;
        let mut bytes = source.as_bytes().to_vec();
        for range in blanked {
            for byte in bytes[range].iter_mut().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| source.to_owned())
    }
}

/// Those that the one at `kept` replaces. A type may have several implementations of its own, so one of
/// these is replaced only if all that it holds is there anew.
fn replaced(group: &[(&Item<'_>, u64)], kept: usize, head: &str) -> Vec<Range<usize>> {
    let is_of_a_trait = head.split(' ').any(|word| word == "for");
    let names = |item: &Item<'_>| -> BTreeSet<String> {
        let members = members(item);
        members
            .iter()
            .map(|member| member.name.to_owned())
            .collect()
    };
    let anew = names(group[kept].0);
    group
        .iter()
        .enumerate()
        .filter(|(at, (item, _))| *at != kept && (is_of_a_trait || names(item).is_subset(&anew)))
        .map(|(_, (item, _))| item.start..item.start + item.text.len())
        .collect()
}

fn fingerprint(text: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    normalized(text).hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(known: &mut Implementations, source: &str) -> String {
        let left = known.without_replaced(source);
        assert_eq!(left.lines().count(), source.lines().count());
        normalized(&left)
    }

    #[test]
    fn the_newest_stays_wherever_it_stands() {
        let (one, two) = (
            "impl A for P { fn a() { 1 } }",
            "impl A for P { fn a() { 2 } }",
        );
        let mut known = Implementations::default();
        assert_eq!(kept(&mut known, one), normalized(one));
        assert_eq!(kept(&mut known, &format!("{one}\n{two}")), normalized(two));
        assert_eq!(
            kept(&mut known, &format!("{one}\n{two}")),
            normalized(two),
            "in a later cell"
        );
        // The first cell runs again.
        assert_eq!(
            kept(&mut known, &format!("{one}\n{two}\n{one}")),
            normalized(one)
        );
        assert_eq!(
            kept(&mut known, &format!("{one}\n{two}\n{one}")),
            normalized(one)
        );
        // It is defined with its type, which comes before.
        let three = "impl A for P { fn a() { 3 } }";
        assert_eq!(
            kept(&mut known, &format!("{three}\n{one}\n{two}\n{one}")),
            normalized(three)
        );
    }

    #[test]
    fn a_type_may_have_several_of_its_own() {
        let (a, b) = ("impl P { fn a() {} }", "impl P { fn b() {} }");
        let mut known = Implementations::default();
        let both = format!("{a}\n{b}");
        assert_eq!(kept(&mut known, &both), normalized(&both));
        let again = format!("{a}\n{b}\n{a}");
        assert_eq!(kept(&mut known, &again), normalized(&format!("{b}\n{a}")));
        let other = "impl<T> B for Q<T> {}\nimpl B for P {}";
        assert_eq!(kept(&mut known, other), normalized(other));
    }
}
