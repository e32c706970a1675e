//! An answer view as plain text: the answers of a row below each other, `she[F]` for a word of a group,
//! and stars around what differs.

use super::AnswerView;
use super::pieces::Piece;
use super::show::{Answer, Selection, Tally, cells, ending, letters, shared_prompt};
use crate::text::counted;
use crate::text::sanitize_line;
use crate::text::terminal::sanitize;

/// At this size no further rows and samples are written.
const MAX_BYTES: usize = 100_000;
/// The longest name, in characters.
const NAME: usize = 200;

pub(super) fn plain(view: &AnswerView, selection: &Selection<'_>) -> String {
    let letters = letters(&view.lexicon);
    let headings: Vec<_> = selection
        .columns
        .iter()
        .map(|at| view.headings.get(*at).map_or("", String::as_str))
        .map(|heading| sanitize_line(heading, NAME))
        .collect();
    let mut tallies = vec![Tally::new(letters.len()); headings.len()];
    let mut body = String::new();
    let mut shown = 0;
    for row in &selection.rows {
        if body.len() >= MAX_BYTES {
            break;
        }
        shown += 1;
        let cells = cells(row, &selection.columns, view);
        let shared = shared_prompt(&cells);
        let prompt = shared.map_or(String::new(), |prompt| {
            format!("  {}", sanitize_line(prompt, NAME))
        });
        body.push_str(&format!("\n{}{prompt}\n", sanitize_line(&row.name, NAME)));
        for ((cell, heading), tally) in cells.iter().zip(&headings).zip(&mut tallies) {
            let Some(cell) = cell else {
                body.push_str(&format!("  {heading}: nothing was asked here\n"));
                continue;
            };
            tally.add_all(&cell.answers);
            let prompt = match shared {
                Some(_) => String::new(),
                None => format!(" {}", sanitize_line(cell.prompt, NAME)),
            };
            body.push_str(&format!("  {heading}:{prompt}\n"));
            for (place, answer) in cell.answers.iter().enumerate() {
                if place > 0 && body.len() >= MAX_BYTES {
                    let samples = counted(cell.answers.len() - place, "more sample");
                    body.push_str(&format!("    … and {samples}\n"));
                    break;
                }
                body.push_str(&indented(&text(answer, &letters)));
            }
        }
    }
    let mut lines: Vec<String> = view
        .title
        .iter()
        .map(|title| sanitize_line(title, NAME))
        .collect();
    for (heading, tally) in headings.iter().zip(&tallies) {
        lines.push(format!("{heading}: {}", numbers(view, tally, &letters)));
    }
    lines.push(sanitize(&body).into_owned());
    if selection.equal > 0 {
        let equal = counted(selection.equal, "row");
        lines.push(format!("{equal} without a difference left out"));
    }
    if shown < selection.rows.len() {
        let left = counted(selection.rows.len() - shown, "row");
        lines.push(format!("… and {left} more"));
    }
    lines.join("\n")
}

/// `5 answers; female [F] 3 in 2 answers, male [M] 0 in 0 answers`.
fn numbers(view: &AnswerView, tally: &Tally, letters: &[String]) -> String {
    let groups = view.lexicon.groups().iter().zip(letters).enumerate();
    let groups: Vec<_> = groups
        .map(|(place, (group, letter))| {
            let name = sanitize_line(&group.name, NAME);
            format!("{name} [{letter}] {}", tally.of_group(place))
        })
        .collect();
    format!("{}; {}", tally.counted(), groups.join(", "))
}

fn text(answer: &Answer<'_>, letters: &[String]) -> String {
    let (answer, pieces, cut) = match answer {
        Answer::Missing(reason) => return format!("[no answer: {}]", sanitize_line(reason, NAME)),
        Answer::Pieces {
            answer,
            pieces,
            cut,
        } => (answer, pieces, *cut),
    };
    let mut text = String::new();
    let mut is_open = false;
    for piece in pieces {
        match piece {
            Piece::Omitted(words) => {
                text.push_str(&format!(" [… {} the same …] ", counted(*words, "word")));
            }
            Piece::Text {
                range,
                group,
                differs,
            } => {
                if *differs != is_open {
                    text.push('*');
                    is_open = *differs;
                }
                text.push_str(answer.text.get(range.clone()).unwrap_or_default());
                if let Some(letter) = group.and_then(|group| letters.get(group)) {
                    text.push_str(&format!("[{letter}]"));
                }
            }
        }
    }
    if is_open {
        text.push('*');
    }
    for note in ending(answer, cut) {
        text.push_str(&format!(" [{note}]"));
    }
    text
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("    {line}\n")).collect();
    match lines.is_empty() {
        true => "    \n".to_owned(),
        false => lines.concat(),
    }
}
