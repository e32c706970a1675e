//! Text for a terminal: characters that it would interpret are made visible instead.
//!
//! A terminal takes commands from the text that it shows: an escape sequence moves the cursor,
//! sets the title or writes to the clipboard; a carriage return or a backspace overwrites existing
//! text. So all printed text that is not our own passes through [`sanitize`].

use std::borrow::Cow;

use super::mark::mark_invisible;

/// The text with `�` for each character that a terminal would interpret, or that is invisible:
/// controls (escape, backspace, a lone carriage return, C1), changes of direction, zero-width
/// characters, tags. Line breaks and tabs are kept, and so are the joiners of emoji and of scripts
/// that need them.
///
/// The result has at most as many characters as the text, and a second pass leaves it unchanged.
///
/// ```
/// use evenhand::text::terminal::sanitize;
///
/// assert_eq!(sanitize("\u{1b}]0;mine\u{7} a nurse"), "�]0;mine� a nurse");
/// assert_eq!(sanitize("une infirmière 👩‍⚕️"), "une infirmière 👩‍⚕️");
/// ```
pub fn sanitize(text: &str) -> Cow<'_, str> {
    mark_invisible(text)
}

/// Like [`sanitize`], but style sequences (colors and weights) are kept if `styled` is true, and
/// removed otherwise, instead of being made visible. A style ends with its line.
///
/// Foreground colors, bold, italics and underlines are kept, along with the sequences that end
/// them. Styles that could hide text (conceal, background, blinking, inversion) are removed.
///
/// ```
/// use evenhand::text::terminal::sanitize_styled;
///
/// let text = "\u{1b}[91merror\u{1b}[0m: \u{1b}[8mhidden\u{1b}[2J";
/// assert_eq!(sanitize_styled(text, false), "error: hidden�[2J");
/// assert_eq!(sanitize_styled(text, true), "\u{1b}[91merror\u{1b}[0m: hidden�[2J");
/// ```
pub fn sanitize_styled(text: &str, styled: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() {
            push_line(&mut shown, line, styled);
        } else {
            push_line(&mut shown, line.strip_suffix('\r').unwrap_or(line), styled);
            shown.push('\n');
        }
    }
    shown
}

const INTRODUCER: &str = "\u{1b}[";
const RESET: &str = "\u{1b}[0m";

fn push_line(shown: &mut String, line: &str, styled: bool) {
    let mut is_open = false;
    let mut rest = line;
    // The end of the text before the next style.
    let mut end = 0;
    while let Some(found) = rest.get(end..).and_then(|rest| rest.find(INTRODUCER)) {
        let start = end + found;
        let Some(parameters) = parameters(&rest[start..]) else {
            end = start + INTRODUCER.len();
            continue;
        };
        shown.push_str(&sanitize(&rest[..start]));
        if styled && is_harmless(parameters) {
            is_open = !matches!(parameters, "" | "0");
            shown.extend([INTRODUCER, parameters, "m"]);
        }
        rest = &rest[start + INTRODUCER.len() + parameters.len() + 1..];
        end = 0;
    }
    shown.push_str(&sanitize(rest));
    if is_open {
        shown.push_str(RESET);
    }
}

/// The parameters of the style that the text begins with, if they are no longer than any meaningful
/// ones.
fn parameters(text: &str) -> Option<&str> {
    const MAX_LENGTH: usize = 32;
    let text = text.strip_prefix(INTRODUCER)?;
    let is_parameter = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
    let length = text
        .bytes()
        .take(MAX_LENGTH)
        .take_while(|byte| is_parameter(byte))
        .count();
    text[length..].starts_with('m').then(|| &text[..length])
}

/// Whether a style changes only the look of letters and keeps them legible. The numbers are those
/// of ECMA-48, *select graphic rendition*.
fn is_harmless(parameters: &str) -> bool {
    let mut numbers = parameters.split(';');
    while let Some(number) = numbers.next() {
        let is_known = match number {
            "" | "0" | "1" | "3" | "4" | "22" | "23" | "24" | "39" => true,
            "38" => match numbers.next() {
                Some("5") => numbers.next().is_some(),
                Some("2") => numbers.by_ref().take(3).count() == 3,
                _ => false,
            },
            other => other
                .parse()
                .is_ok_and(|color: u8| matches!(color, 30..=37 | 90..=97)),
        };
        if !is_known {
            return false;
        }
    }
    true
}
