//! Which words of two answers differ: those outside of their longest common subsequence, and the few
//! between them, so that unlike sentences are not in shreds.

use std::collections::HashMap;

/// Only this many words of an answer are compared, so that no pair takes longer than a million
/// steps.
pub(super) const MAX_WORDS: usize = 1_000;

/// So many words that both answers have are no common ground if as many differ on either side of them.
const FEW_WORDS: usize = 2;

/// For each word of both answers, whether the other answer says something else at that place. Words beyond the
/// first [`MAX_WORDS`] are not compared, and count as equal.
pub(super) fn differing<'w>(
    first: impl Iterator<Item = &'w str>,
    second: impl Iterator<Item = &'w str>,
) -> [Vec<bool>; 2] {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut number = |word: &'w str| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(word).or_insert(next)
    };
    let first: Vec<u32> = first.take(MAX_WORDS).map(&mut number).collect();
    let second: Vec<u32> = second.take(MAX_WORDS).map(&mut number).collect();
    let mut same = first.iter().zip(&second);
    let before = same
        .by_ref()
        .take_while(|(one, other)| one == other)
        .count();
    let ends = first.iter().rev().zip(second.iter().rev());
    let most = first.len().min(second.len()) - before;
    let after = ends
        .take(most)
        .take_while(|(one, other)| one == other)
        .count();
    let middle = [&first, &second].map(|words| &words[before..words.len() - after]);
    let mut differ = [vec![false; first.len()], vec![false; second.len()]];
    for (differ, middle) in differ.iter_mut().zip(unmatched(middle)) {
        differ[before..before + middle.len()].copy_from_slice(&middle);
    }
    bridge(&mut differ);
    differ
}

/// Joins differences that are a few words apart.
fn bridge(differ: &mut [Vec<bool>; 2]) {
    let run = |differ: &[bool], from: usize, differs: bool| {
        let rest = differ[from..].iter();
        rest.take_while(|differ| **differ == differs).count()
    };
    let mut at = [0, 0];
    // Where the last words that both have begin, how many they are, and how many differ before them.
    let mut last: Option<([usize; 2], usize, usize)> = None;
    loop {
        let changed = [0, 1].map(|side| run(&differ[side], at[side], true));
        let most = changed[0].max(changed[1]);
        if let Some((starts, length, before)) = last
            && length <= FEW_WORDS.min(before).min(most)
        {
            for (differ, start) in differ.iter_mut().zip(starts) {
                differ[start..start + length].fill(true);
            }
        }
        at = [at[0] + changed[0], at[1] + changed[1]];
        let same = [0, 1].map(|side| run(&differ[side], at[side], false));
        let same = same[0].min(same[1]);
        if same == 0 {
            return;
        }
        last = Some((at, same, most));
        at = at.map(|at| at + same);
    }
}

/// Dynamic programming over the lengths of common subsequences of the ends.
fn unmatched([first, second]: [&[u32]; 2]) -> [Vec<bool>; 2] {
    let width = second.len() + 1;
    // A length is at most `MAX_WORDS`.
    let mut longest = vec![0_u16; (first.len() + 1) * width];
    for (row, one) in first.iter().enumerate().rev() {
        for (column, other) in second.iter().enumerate().rev() {
            let here = row * width + column;
            longest[here] = match one == other {
                true => longest[here + width + 1] + 1,
                false => longest[here + width].max(longest[here + 1]),
            };
        }
    }
    let mut differ = [vec![true; first.len()], vec![true; second.len()]];
    let (mut row, mut column) = (0, 0);
    while row < first.len() && column < second.len() {
        let here = row * width + column;
        if first[row] == second[column] {
            differ[0][row] = false;
            differ[1][column] = false;
            (row, column) = (row + 1, column + 1);
        } else if longest[here + width] >= longest[here + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    differ
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(first: &str, second: &str) -> [String; 2] {
        let differ = differing(first.split(' '), second.split(' '));
        let show = |text: &str, differ: &[bool]| {
            let words = text.split(' ').zip(differ);
            let words = words.map(|(word, differs)| match differs {
                true => word.to_uppercase(),
                false => word.to_owned(),
            });
            words.collect::<Vec<_>>().join(" ")
        };
        [show(first, &differ[0]), show(second, &differ[1])]
    }

    #[test]
    fn what_the_other_lacks_differs() {
        assert_eq!(
            marked(
                "a nurse cares for people",
                "a good nurse cares for sick people"
            ),
            [
                "a nurse cares for people",
                "a GOOD nurse cares for SICK people"
            ]
        );
        assert_eq!(marked("x", "x"), ["x", "x"]);
        assert_eq!(marked("x y", "z"), ["X Y", "Z"]);
    }

    #[test]
    fn a_few_words_between_differences_belong_to_them() {
        assert_eq!(
            marked("i like cats and dogs", "i like birds and fish"),
            ["i like CATS AND DOGS", "i like BIRDS AND FISH"]
        );
        assert_eq!(
            marked("one of the two dies", "one or more of the others dies"),
            ["one of the TWO dies", "one OR MORE of the OTHERS dies"]
        );
        assert_eq!(
            marked("a b same to you c d", "e same to you f"),
            ["A B same to you C D", "E same to you F"]
        );
    }

    #[test]
    fn long_answers_are_compared_as_far_as_the_limit() {
        let long = "a b ".repeat(50_000);
        let other = "b a ".repeat(50_000);
        let differ = differing(long.split(' '), other.split(' '));
        assert_eq!(differ.map(|words| words.len()), [MAX_WORDS; 2]);
    }

    proptest! {
        #[test]
        fn the_equal_words_of_both_are_the_same_text(
            first in prop::collection::vec("[abc]", 0..30),
            second in prop::collection::vec("[abc]", 0..30),
        ) {
            let sides = [&first, &second];
            let differ = differing(first.iter().map(|x| &**x), second.iter().map(|x| &**x));
            let [one, other] = [0, 1].map(|side| {
                let words = sides[side].iter().zip(&differ[side]);
                words.filter(|(_, differs)| !**differs).map(|(word, _)| word).collect::<Vec<_>>()
            });
            prop_assert_eq!(one, other);
            if first == second {
                prop_assert!(!differ[0].contains(&true));
            }
        }
    }
}
