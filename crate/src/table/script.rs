//! The script and its style, which an output contains once, however many tables it has.

use std::sync::LazyLock;

use crate::display::SHARED_BLOCK;

/// The parts of the script, which share one scope.
const PARTS: [&str; 5] = [
    include_str!("script/elements.js"),
    include_str!("script/values.js"),
    include_str!("script/filter.js"),
    include_str!("script/export.js"),
    include_str!("script/table.js"),
];

/// The style and the script, without comments and indentation.
pub(super) fn block() -> &'static str {
    static BLOCK: LazyLock<String> = LazyLock::new(|| {
        let style = without_comments(include_str!("style.css"));
        let script = PARTS.map(without_comments).join("\n");
        format!(
            "{SHARED_BLOCK}{style}</style><script>(() => {{\n\"use strict\";\n{script}\n}})();</script>"
        )
    });
    &BLOCK
}

/// Removes comments on their own lines, indentation and empty lines. Line breaks are kept, and the
/// indentation of our script and style has no meaning.
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
        assert!(block().len() < 25_500, "{}", block().len());
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
        // A template literal over several lines would lose its indentation.
        let mut lines = PARTS.iter().flat_map(|part| part.lines());
        assert!(lines.all(|line| line.matches('`').count() % 2 == 0));
    }

    #[test]
    fn comments_go_and_code_stays() {
        assert_eq!(
            without_comments("// a\n  const b = 1; // c\n\n/* d */\n    e();\n"),
            "const b = 1; // c\ne();"
        );
    }
}
