//! Hints for readers who come from Python: what a habit is in Rust.

use crate::kernel::rust_text::{Kind, tokens};

/// What the compiler's message contains, what the cell contains, and the hint.
const SLIPS: [(&str, &str, &str); 25] = [
    (
        "cannot find function `print`",
        "",
        "printing is `println!(\"{}\", x);`, and the last line of a cell is shown automatically",
    ),
    (
        "expected function, found macro `print`",
        "",
        "printing is `println!(\"{}\", x);`, and the last line of a cell is shown automatically",
    ),
    (
        "cannot find function `len`",
        "",
        "the length is a method: `x.len()`, or `df.height()` for a data frame",
    ),
    ("cannot find function `range`", "", "a range is `0..10`"),
    (
        "cannot find function `str`",
        "",
        "a string is made with `x.to_string()`",
    ),
    (
        "cannot find function `int`",
        "",
        "a string becomes a number with `\"5\".parse::<i64>()?`; a number becomes another with `x \
         as i64`",
    ),
    (
        "cannot find function `float`",
        "",
        "a string becomes a number with `\"5\".parse::<f64>()?`; a number becomes another with `x \
         as f64`",
    ),
    (
        "cannot find function `sum`",
        "",
        "a sum is `x.iter().sum::<f64>()`",
    ),
    (
        "cannot find function `sorted`",
        "",
        "a list is sorted in place with `x.sort();`",
    ),
    (
        "cannot find function `type`",
        "",
        "`:vars` lists the variables with their types",
    ),
    (
        "cannot find function `help`",
        "",
        "Shift-Tab shows the documentation of what the cursor is at",
    ),
    (
        "cannot find value `None`",
        "",
        "no value is `None`, and a value is `Some(x)`",
    ),
    ("cannot find value `True`", "", "it is `true`"),
    ("cannot find value `False`", "", "it is `false`"),
    (
        "character literal",
        "'",
        "text goes in double quotes: \"text\"",
    ),
    (
        "unterminated character literal",
        "",
        "text goes in double quotes: \"text\"",
    ),
    (
        "",
        "import ",
        "a crate is added with `:dep name = \"1\"`, and names are brought in with `use name::thing;`",
    ),
    (
        "",
        "def ",
        "a function is `fn name(x: f64) -> f64 { x + 1.0 }`",
    ),
    ("", "elif ", "it is `else if`"),
    ("", "lambda ", "an anonymous function is `|x| x + 1`"),
    (
        "prefix `f` is unknown",
        "",
        "values go into a string with `format!(\"{x}\")`",
    ),
    ("", " and ", "`and` is `&&`"),
    ("", " or ", "`or` is `||`"),
    (
        "no method named `append`",
        "",
        "an element is added with `.push(x)`",
    ),
    (
        "takes 1 argument but 0 arguments were supplied",
        ".head()",
        "give the number of rows: `.head(Some(5))`",
    ),
];

/// Habits that are recognized by the start of a line.
const STARTS: [&str; 6] = ["import ", "def ", "elif ", "lambda ", "from ", "class "];

/// A hint, if the cell looks like Python where the compiler stumbled.
pub fn hint(message: &str, code: &str) -> Option<String> {
    let is_comment = |line: &str| {
        let behind = line.trim_start().strip_prefix('#');
        behind.is_some_and(|behind| !behind.starts_with(['[', '!']))
    };
    if message.contains("`[`") && code.lines().any(is_comment) {
        return Some("  hint: a comment begins with `//`".to_owned());
    }
    let bare = without_texts(code);
    let is_meant = |(phrase, written, _): &&(&str, &str, &str)| {
        if !phrase.is_empty() {
            return message.contains(phrase) && code.contains(written);
        }
        // Without a message that tells, only the message of a parser counts.
        is_about_syntax(message)
            && match STARTS.contains(written) {
                true => bare
                    .lines()
                    .any(|line| line.trim_start().starts_with(written)),
                false => bare.contains(written),
            }
    };
    if let Some((_, _, hint)) = SLIPS.iter().find(is_meant) {
        return Some(format!("  hint: {hint}"));
    }
    unknown_variable(message, code)
}

/// The code without what strings and comments say.
fn without_texts(code: &str) -> String {
    tokens(code)
        .filter(|token| ![Kind::Literal, Kind::Comment, Kind::Unfinished].contains(&token.kind))
        .map(|token| token.text)
        .collect()
}

fn is_about_syntax(message: &str) -> bool {
    [
        "expected ",
        "unknown prefix",
        "prefix `f`",
        "missing `",
        "unexpected",
        "semicolon",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// `x = 5` where `x` was never defined.
fn unknown_variable(message: &str, code: &str) -> Option<String> {
    let name = message
        .strip_prefix("cannot find value `")?
        .split('`')
        .next()?;
    let assigns = |line: &str| {
        let behind = line.trim_start().strip_prefix(name).map(str::trim_start);
        behind.is_some_and(|behind| behind.starts_with('=') && !behind.starts_with("=="))
    };
    let assigned = code.lines().any(assigns);
    assigned.then(|| format!("  hint: a variable is defined with `let {name} = …;`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_in_the_words_of_python() {
        for (message, code, told) in [
            (
                "cannot find function `print` in this scope",
                "print(x)",
                "println!",
            ),
            (
                "cannot find function `len` in this scope",
                "len(x)",
                "x.len()",
            ),
            ("expected `[`, found `a`", "# a comment\nlet x = 1;", "`//`"),
            (
                "character literal may only contain one codepoint",
                "let a = 'text';",
                "double quotes",
            ),
            (
                "cannot find value `x` in this scope",
                "x = 5\nx",
                "let x = …;",
            ),
            (
                "expected one of `!` or `::`, found `numpy`",
                "import numpy",
                ":dep",
            ),
            (
                "expected one of `!` or `::`, found `f`",
                "def f(x):\n    return x",
                "fn name",
            ),
            (
                "this method takes 1 argument but 0 arguments were supplied",
                "df.head()",
                "Some(5)",
            ),
        ] {
            let hint = hint(message, code).unwrap_or_default();
            assert!(hint.contains(told), "{message}: {hint}");
        }
    }

    #[test]
    fn rust_is_not_taken_for_python() {
        for (message, code) in [
            ("mismatched types", "let a: u8 = \"this and that\";"),
            ("expected one of `,`", "f(\"this and that\" 1)"),
            ("expected one of `,`", "let a = \"\n# Title\n\" 1;"),
            ("cannot find value `x` in this scope", "let y = x == 5;"),
            (
                "expected expression",
                "#[derive(Debug)]\nstruct A { import_: u8 }",
            ),
            ("cannot find function `f` in this scope", "f('a')"),
        ] {
            assert_eq!(hint(message, code), None, "{message}");
        }
    }
}
