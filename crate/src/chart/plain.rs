//! Charts as text, for terminals and for viewers that show nothing else, and as sentences.

use super::mark::Labels;
use super::numbers::format_number;
use super::scale::{part, span_from_zero};
use super::text_metrics::{apart, clean};
use crate::text::counted;

/// The width of the bars, in characters.
pub(super) const WIDTH: usize = 40;
/// A longer name ends in an ellipsis.
const NAME: usize = 28;
/// The number of rows that are listed in sentences.
const READ: usize = 30;

/// Names, bars and numbers in three columns, with headings for the names and the numbers.
pub(super) fn bars([name, value]: [&str; 2], names: &[String], values: &[f64]) -> String {
    let numbers: Vec<_> = values.iter().map(|value| format_number(*value)).collect();
    rows(&[name, "", value], names, &pictures(values), &numbers)
}

/// A bar for each value, from zero to the left or to the right.
fn pictures(values: &[f64]) -> Vec<String> {
    let domain = span_from_zero(values.iter().copied());
    let place = |value: f64| part(value, domain) * WIDTH as f64;
    let zero = place(0.0);
    values
        .iter()
        .map(|value| match *value < 0.0 {
            true => {
                let from = place(*value).round();
                let bar = "█".repeat((zero.round() - from) as usize);
                format!("{}{bar}", " ".repeat(from as usize))
            }
            false => format!(
                "{}{}",
                " ".repeat(zero.round() as usize),
                blocks(place(*value) - zero)
            ),
        })
        .collect()
}

/// A bar of this many characters, rounded to an eighth.
pub(super) fn blocks(length: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (length * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Names, pictures and numbers in three columns. The heading of the pictures is not shortened.
pub(super) fn rows(
    head: &[&str; 3],
    names: &[String],
    pictures: &[String],
    numbers: &[String],
) -> String {
    let [name, picture, number] = head;
    let head = [short(name), (*picture).to_owned(), short(number)];
    let names = apart(names, short, short_in_middle);
    let widest = |texts: &[String], head: &str| {
        let widths = texts.iter().map(|text| text.chars().count());
        widths.chain([head.chars().count()]).max().unwrap_or(0)
    };
    let widths = [widest(&names, &head[0]), widest(pictures, &head[1])];
    let line = |name: &str, picture: &str, number: &str| {
        let [name_width, picture_width] = widths;
        let line = format!("{name:name_width$}  {picture:picture_width$}  {number}");
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&head[0], &head[1], &head[2])];
    for ((name, picture), number) in names.iter().zip(pictures).zip(numbers) {
        lines.push(line(name, picture, number));
    }
    lines.join("\n")
}

/// The name, shortened to 28 characters.
pub(super) fn short(name: &str) -> String {
    let mut short: String = name.chars().take(NAME).collect();
    if name.chars().nth(NAME).is_some() {
        short.pop();
        short.push('…');
    }
    clean(&short)
}

/// The beginning and the end of a name, 28 characters together.
fn short_in_middle(name: &str) -> String {
    let half = NAME / 2;
    let beginning: String = name.chars().take(half).collect();
    let mut end: Vec<char> = name.chars().rev().take(NAME - half - 1).collect();
    end.reverse();
    clean(&format!(
        "{beginning}…{}",
        end.into_iter().collect::<String>()
    ))
}

/// Named rows in sentences: their number, the extremes, and each of the first thirty.
pub(super) fn describe_rows(names: &[String], values: &[f64], labels: &Labels) -> String {
    let read: Vec<_> = names
        .iter()
        .zip(values)
        .take(READ)
        .map(|(name, value)| format!("{name}: {}", format_number(*value)))
        .collect();
    let more = match values.len().saturating_sub(READ) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!(
        "{} by {}, {}. {} {}{more}.",
        labels.x,
        labels.y,
        counted(values.len(), "row"),
        ends(names, values),
        read.join("; "),
    )
}

/// The smallest and the largest value, with their names.
fn ends(names: &[String], values: &[f64]) -> String {
    let named = || values.iter().zip(names);
    let least = named().min_by(|one, other| one.0.total_cmp(other.0));
    let most = named().max_by(|one, other| one.0.total_cmp(other.0));
    match (least, most) {
        (Some((least, first)), Some((most, last))) => format!(
            "The smallest is {} ({first}), the largest {} ({last}).",
            format_number(*least),
            format_number(*most)
        ),
        _ => String::new(),
    }
}
