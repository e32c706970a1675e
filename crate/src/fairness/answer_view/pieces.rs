//! An answer in pieces: each is in a group or in none, and differs from the answer next to it or
//! does not.

use std::ops::Range;

use super::annotated::Annotated;
use super::word_diff::differing;

/// Of a stretch without differences, this many words remain next to each difference.
const CONTEXT: usize = 4;

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text {
        range: Range<usize>,
        group: Option<usize>,
        differs: bool,
    },
    /// Words that both answers have, and that are left out.
    Omitted(usize),
}

/// The pieces of an answer, compared with another one if there is one. With `only_differences`,
/// long stretches that both share are left out.
pub(super) fn pieces(
    answer: &Annotated,
    other: Option<&Annotated>,
    only_differences: bool,
) -> Vec<Piece> {
    let Some(other) = other else {
        return cut(answer, &[], 0..answer.text.len());
    };
    let [own, others] = [answer, other].map(|one| one.words.iter().map(|(_, form)| &**form));
    let [mut differs, _] = differing(own, others);
    differs.resize(answer.words.len(), false);
    let runs = runs(answer, &differs);
    if !only_differences {
        return cut(answer, &runs, 0..answer.text.len());
    }
    let mut pieces = Vec::new();
    for stretch in stretches(&differs) {
        match stretch {
            Segment::Kept(words) => {
                let range = answer.words[words.start].0.start..answer.words[words.end - 1].0.end;
                pieces.extend(cut(answer, &runs, range));
            }
            Segment::Omitted(count) => pieces.push(Piece::Omitted(count)),
        }
    }
    pieces
}

/// The differing parts: words that follow each other, with what is between them.
fn runs(answer: &Annotated, differs: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut continues = false;
    for ((word, _), differs) in answer.words.iter().zip(differs) {
        if *differs {
            match runs.last_mut().filter(|_| continues) {
                Some(run) => run.end = word.end,
                None => runs.push(word.clone()),
            }
        }
        continues = *differs;
    }
    runs
}

enum Segment {
    /// These words.
    Kept(Range<usize>),
    Omitted(usize),
}

fn stretches(differs: &[bool]) -> Vec<Segment> {
    let near = |place: usize| {
        let from = place.saturating_sub(CONTEXT);
        let to = (place + CONTEXT + 1).min(differs.len());
        differs[from..to].contains(&true)
    };
    let mut stretches = Vec::new();
    let mut start = 0;
    while start < differs.len() {
        let is_kept = near(start);
        let length = (start..differs.len())
            .take_while(|place| near(*place) == is_kept)
            .count();
        stretches.push(match is_kept {
            true => Segment::Kept(start..start + length),
            false => Segment::Omitted(length),
        });
        start += length;
    }
    stretches
}

/// Cuts a part of an answer at the words of groups and at what differs.
fn cut(answer: &Annotated, runs: &[Range<usize>], part: Range<usize>) -> Vec<Piece> {
    let marks = answer.marks.iter().map(|(mark, _)| mark);
    let ends = marks.chain(runs).flat_map(|range| [range.start, range.end]);
    let mut ends: Vec<_> = ends
        .filter(|end| part.contains(end))
        .chain([part.start, part.end])
        .collect();
    ends.sort_unstable();
    ends.dedup();
    let in_order = ends.iter().zip(ends.iter().skip(1));
    in_order
        .map(|(start, end)| {
            let mark = answer.marks.partition_point(|(mark, _)| mark.end <= *start);
            let mark = answer
                .marks
                .get(mark)
                .filter(|(mark, _)| mark.start <= *start);
            let run = runs.partition_point(|run| run.end <= *start);
            Piece::Text {
                range: *start..*end,
                group: mark.map(|(_, group)| *group),
                differs: runs.get(run).is_some_and(|run| run.start <= *start),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fairness::lexicon::Lexicon;

    proptest! {
        #[test]
        fn the_pieces_of_an_answer_are_the_answer(
            parts in prop::collection::vec(prop_oneof![
                Just(" she ".to_owned()), Just("He's".to_owned()), Just("漢字".to_owned()),
                Just(" nurse ".to_owned()), any::<String>(),
            ], 0..8),
            other in any::<String>(),
        ) {
            let lexicon = Lexicon::gender();
            let answer = Annotated::new(&parts.concat(), &lexicon);
            let other = Annotated::new(&other, &lexicon);
            let joined: String = pieces(&answer, Some(&other), false)
                .iter()
                .map(|piece| match piece {
                    Piece::Text { range, .. } => &answer.text[range.clone()],
                    Piece::Omitted(_) => "",
                })
                .collect();
            prop_assert_eq!(&joined, &answer.text);
            // With what both share left out, the rest is still in order.
            let short = pieces(&answer, Some(&other), true);
            let mut end = 0;
            for piece in &short {
                if let Piece::Text { range, .. } = piece {
                    prop_assert!(end <= range.start && range.start < range.end);
                    end = range.end;
                }
            }
        }
    }
}
