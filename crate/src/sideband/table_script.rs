//! The script of tables. The pages that the launcher writes let it run, and no other.

use std::sync::LazyLock;

/// The parts of the script, which share one scope.
const PARTS: [&str; 5] = [
    include_str!("../table/script/elements.js"),
    include_str!("../table/script/values.js"),
    include_str!("../table/script/filter.js"),
    include_str!("../table/script/export.js"),
    include_str!("../table/script/table.js"),
];

/// What stands between `<script>` and `</script>`: the script without comments and indentation.
pub fn table_script() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| {
        let parts = PARTS.map(without_comments).join("\n");
        format!("(() => {{\n\"use strict\";\n{parts}\n}})();")
    });
    &SCRIPT
}

/// Removes comments on their own lines, indentation and empty lines. Line breaks are kept, and the
/// indentation of our script and style has no meaning.
#[doc(hidden)]
pub fn without_comments(source: &str) -> String {
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
    fn the_script_only_ever_writes_text() {
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
            assert!(!table_script().contains(word), "{word}");
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
