//! A name or a message within a line.

use super::mark::mark_invisible;

/// The text on one line of at most `limit` characters: each run of white space becomes one space,
/// invisible and direction-changing characters are shown as `�`, and a longer text ends in an
/// ellipsis.
///
/// ```
/// use evenhand::text::sanitize_line;
///
/// assert_eq!(sanitize_line("gpt\r\n\u{1b}[2J  4o", 40), "gpt �[2J 4o");
/// assert_eq!(sanitize_line("Describe a nurse.", 9), "Describe…");
/// ```
pub fn sanitize_line(text: &str, limit: usize) -> String {
    let mut rest = text
        .split_whitespace()
        .flat_map(|word| [" ", word])
        .flat_map(str::chars)
        .skip(1);
    let mut line: String = rest.by_ref().take(limit).collect();
    if rest.next().is_some() {
        line.pop();
        line.push('…');
    }
    mark_invisible(&line).into_owned()
}
