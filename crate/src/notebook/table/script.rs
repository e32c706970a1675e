//! The script and its style, which an output holds once however many tables it has.

use std::sync::LazyLock;

use super::limits::BYTES;

/// Both, without comments and indentation.
pub(super) fn block() -> &'static str {
    static BLOCK: LazyLock<String> = LazyLock::new(|| {
        let (style, script) = (include_str!("style.css"), include_str!("script.js"));
        format!(
            "<style>{}</style><script>{}</script>",
            without_comments(style),
            without_comments(script)
        )
    });
    &BLOCK
}

/// The tables of one output with the script at its end, once, if they have it at all. What
/// the script works on stays in the limit of an output: of many large tables the last ones are
/// static.
pub(in crate::notebook) fn once(html: String) -> String {
    if !html.contains(block()) {
        return html;
    }
    let html = html.replace(block(), "");
    let mut parts = html.split(DATA);
    let mut output = parts.next().unwrap_or_default().to_owned();
    let mut room = BYTES;
    for part in parts {
        let (data, rest) = part.split_once(END).unwrap_or((part, ""));
        if let Some(left) = room.checked_sub(data.len()) {
            room = left;
            output.extend([DATA, data, END]);
        }
        output.push_str(rest);
    }
    output + block()
}

/// What the script works on, as an element of the page that is never shown.
pub(super) fn push_data(html: &mut String, json: &str) {
    html.extend([DATA, json, END]);
}

const DATA: &str = "<script type=\"application/json\">";
const END: &str = "</script>";

/// Leaves out comments that have a line to themselves, indentation and empty lines. The line
/// breaks stay: a line of our script and of our style means the same wherever it begins.
fn without_comments(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let kept: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*"))
        .collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small_and_only_ever_writes_text() {
        let script = include_str!("script.js");
        assert!(without_comments(script).len() < 20_000);
        assert!(block().len() < 24_000, "{}", block().len());
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "setTimeout",
            "setInterval",
            "window.",
            "fetch(",
            "EVCXR_",
            "http",
        ] {
            assert!(!block().contains(word), "{word}");
        }
        // A text over several lines would lose its indentation.
        assert!(
            script
                .lines()
                .all(|line| line.matches('`').count() % 2 == 0)
        );
    }

    #[test]
    fn comments_go_and_code_stays() {
        assert_eq!(
            without_comments("// a\n  const b = 1; // c\n\n/* d */\n    e();\n"),
            "const b = 1; // c\ne();"
        );
    }

    #[test]
    fn an_output_has_the_script_once_or_not_at_all() {
        let twice = format!("<p>a</p>{0}<p>b</p>{0}", block());
        assert_eq!(once(twice), format!("<p>a</p><p>b</p>{}", block()));
        assert_eq!(once("<p>c</p>".to_owned()), "<p>c</p>");
    }

    #[test]
    fn of_many_large_tables_the_last_are_static() {
        let mut table = String::from("<p>a</p>");
        push_data(&mut table, &"1".repeat(BYTES / 2 - 1));
        table.push_str(block());
        let three = once(table.repeat(3));
        assert_eq!(three.matches("<p>a</p>").count(), 3);
        assert_eq!(three.matches(DATA).count(), 2);
        assert!(three.len() < BYTES + block().len() + 200);
    }
}
