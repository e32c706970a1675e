//! The single way to standard output and standard error.
//!
//! evcxr reads its protocol from the same standard output that a cell prints to. It matches the
//! begin marker anywhere in a line, treats a line that equals another token as a command, and
//! waits forever if the last line is not terminated. So everything that is printed here has its
//! tokens broken up and ends in a newline, and each block is a single write, so that threads can't
//! interleave with it. Plain text may reach a terminal, so it is sanitized by `text::terminal`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::mime_bundle::MimeBundle;
use crate::sideband::{FAILED, SHOW, TOKEN_VARIABLE};
use crate::text::sanitize_line;
use crate::text::terminal::sanitize;

/// The prefix of all tokens of the protocol.
const TOKEN: &str = "EVCXR_";

/// The longest note, in characters.
const MAX_NOTE: usize = 2_000;

/// How a result appears in the notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output<'a> {
    /// The value of a cell.
    Result,
    /// A result shown while the cell runs. One with an id can be replaced later.
    Display(Option<&'a str>),
    /// Replaces what was shown with this id.
    Update(&'a str),
}

/// Whether the kernel's wrapper is listening, so that a result is shown immediately and in place.
pub(super) fn is_live() -> bool {
    token().is_some()
}

/// Shows a result immediately, if the wrapper is listening.
pub(super) fn send(output: Output<'_>, bundle: &MimeBundle) {
    if let Some(token) = token() {
        write(&mut io::stdout().lock(), &mark(token, output, bundle));
    }
}

/// Ends the cell with an error, if the wrapper is listening.
pub(super) fn fail(message: &str) {
    if let Some(token) = token() {
        let line = sanitize(message)
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\r', "\\r");
        let line = defuse(&line, "EVCXR\u{2060}_").into_owned();
        write(
            &mut io::stdout().lock(),
            &format!("{token}{FAILED}{line}\n"),
        );
    }
}

fn token() -> Option<&'static str> {
    static WORD: OnceLock<Option<String>> = OnceLock::new();
    WORD.get_or_init(|| {
        std::env::var(TOKEN_VARIABLE)
            .ok()
            .filter(|token| !token.is_empty())
    })
    .as_deref()
}

fn mark(token: &str, output: Output<'_>, bundle: &MimeBundle) -> String {
    let mut data = json!({ "text/plain": sanitize(&bundle.text) });
    if !bundle.html.is_empty() {
        data["text/html"] = Value::from(&*bundle.html);
    }
    let (kind, id) = match output {
        Output::Result => ("execute_result", None),
        Output::Display(id) => ("display_data", id),
        Output::Update(id) => ("update_display_data", Some(id)),
    };
    let mut content = json!({"data": data, "metadata": {}});
    if let Some(id) = id {
        content["transient"] = json!({ "display_id": id });
    }
    let message = json!({"msg_type": kind, "content": content}).to_string();
    // In JSON, the escape sequence decodes to the underscore that it replaces.
    format!("{token}{SHOW}{}\n", defuse(&message, "EVCXR\\u005f"))
}

/// One result as output: a block for each form, which the kernel combines into one output.
pub(super) fn encode(bundle: &MimeBundle) -> String {
    let mut block = String::with_capacity(bundle.html.len() + bundle.text.len() + 128);
    if !bundle.html.is_empty() {
        // In HTML, the entity renders as the underscore that it replaces.
        push_content(&mut block, "text/html", &defuse(&bundle.html, "EVCXR&#95;"));
    }
    push_content(&mut block, "text/plain", &plain(&bundle.text));
    block
}

/// Shows a result in the running cell.
pub(super) fn show(bundle: &MimeBundle) {
    write(&mut io::stdout().lock(), &encode(bundle));
}

/// Prints plain text for a terminal, if no kernel is listening.
pub(super) fn print(text: &str) {
    write(&mut io::stdout().lock(), &format!("{}\n", plain(text)));
}

/// Prints a message for the user while work continues: one line on standard error.
pub(crate) fn log_line(line: &str) {
    let line = sanitize_line(line, MAX_NOTE);
    write(&mut io::stderr().lock(), &format!("{}\n", plain(&line)));
}

/// Errors are ignored: a closed stream means that nobody is reading any more.
fn write(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn push_content(block: &mut String, mime: &str, content: &str) {
    block.push_str("EVCXR_BEGIN_CONTENT ");
    block.push_str(mime);
    block.push('\n');
    block.push_str(content);
    block.push_str("\nEVCXR_END_CONTENT\n");
}

/// Sanitized plain text without tokens: an invisible word joiner breaks each one up.
fn plain(text: &str) -> String {
    defuse(&sanitize(text), "EVCXR\u{2060}_").into_owned()
}

fn defuse<'a>(text: &'a str, instead: &str) -> Cow<'a, str> {
    if text.contains(TOKEN) {
        Cow::Owned(text.replace(TOKEN, instead))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The contents that the kernel extracts from the lines, parsed as evcxr 0.22 does.
    fn kernel_reads(output: &str) -> Vec<(String, String)> {
        let mut contents = Vec::new();
        let mut lines = output.lines();
        while let Some(line) = lines.next() {
            let (_, mime) = line
                .split_once("EVCXR_BEGIN_CONTENT ")
                .expect("only contents");
            let body: Vec<_> = lines
                .by_ref()
                .take_while(|line| *line != "EVCXR_END_CONTENT")
                .collect();
            contents.push((mime.to_owned(), body.join("\n")));
        }
        contents
    }

    proptest! {
        #[test]
        fn hostile_text_stays_one_result(parts in proptest::collection::vec(prop_oneof![
            Just("EVCXR_BEGIN_CONTENT text/html".to_owned()),
            Just("EVCXR_END_CONTENT".to_owned()),
            Just("EVCXR_EXECUTION_COMPLETE".to_owned()),
            Just("EVCXR_PANIC_NOTIFICATION".to_owned()),
            Just("EVCXR_".to_owned()),
            Just("\n".to_owned()),
            Just("\r\n".to_owned()),
            any::<String>(),
        ], 0..12)) {
            let hostile = parts.concat();
            let html = !hostile.is_empty();
            let output = encode(&MimeBundle { html: hostile.clone(), text: hostile });
            prop_assert!(output.ends_with('\n'));
            let seen = kernel_reads(&output);
            let forms: Vec<_> = seen.iter().map(|(form, _)| form.as_str()).collect();
            prop_assert_eq!(forms, if html { vec!["text/html", "text/plain"] } else { vec!["text/plain"] });
            for (_, body) in &seen {
                prop_assert!(!body.contains(TOKEN));
            }
            let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
            prop_assert!(!seen.last().unwrap().1.contains(is_obeyed));
        }
    }

    #[test]
    fn a_live_result_is_one_line_that_reads_as_it_was() {
        let bundle = MimeBundle {
            html: "<p>EVCXR_END\n</p>".to_owned(),
            text: "w:end\n\u{2713}".to_owned(),
        };
        let line = mark("w:", Output::Update("bar"), &bundle);
        assert_eq!(line.lines().count(), 1);
        assert!(!line.contains(TOKEN), "{line}");
        let message = line.strip_prefix("w:show ").unwrap();
        let message: Value = serde_json::from_str(message).unwrap();
        assert_eq!(message["msg_type"], "update_display_data");
        assert_eq!(message["content"]["data"]["text/html"], &*bundle.html);
        assert_eq!(message["content"]["data"]["text/plain"], &*bundle.text);
        assert_eq!(message["content"]["transient"]["display_id"], "bar");
        let plain = MimeBundle {
            html: String::new(),
            ..bundle
        };
        let line = mark("w:", Output::Result, &plain);
        assert!(
            !line.contains("text/html") && !line.contains("transient"),
            "{line}"
        );
    }

    #[test]
    fn tokens_look_unchanged_to_the_reader() {
        assert_eq!(defuse("a EVCXR_END b", "EVCXR&#95;"), "a EVCXR&#95;END b");
        assert_eq!(plain("nothing to do"), "nothing to do");
    }

    #[test]
    fn no_terminal_obeys_the_plain_form() {
        let bundle = MimeBundle {
            html: String::new(),
            text: "\u{1b}]0;mine\u{7}a\rb\u{9b}2J\u{202e}".to_owned(),
        };
        let shown = "\u{FFFD}]0;mine\u{FFFD}a\u{FFFD}b\u{FFFD}2J\u{FFFD}";
        let block = encode(&bundle);
        assert_eq!(
            block,
            format!("EVCXR_BEGIN_CONTENT text/plain\n{shown}\nEVCXR_END_CONTENT\n")
        );
        let line = mark("w:", Output::Result, &bundle);
        let message: Value = serde_json::from_str(line.strip_prefix("w:show ").unwrap()).unwrap();
        assert_eq!(message["content"]["data"]["text/plain"], shown);
    }
}
