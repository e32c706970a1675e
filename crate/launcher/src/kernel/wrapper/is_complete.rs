//! Whether what was typed is a complete cell: a console asks this to decide whether Enter runs it.
//!
//! This only counts brackets outside strings and comments. A cell may mix Rust with evcxr
//! commands, which no Rust parser accepts.

/// The state of a partly typed cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complete {
    Whole,
    /// More must follow; the next line is indented by this many spaces.
    Open {
        indent: usize,
    },
    /// No further text can make it complete.
    Wrong,
}

/// The largest number of levels of indentation.
const DEEPEST: usize = 32;

/// Examines brackets, strings and comments.
pub fn complete(code: &str) -> Complete {
    let mut open = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '/' if rest.starts_with("//") => rest.find('\n').or(Some(rest.len())),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => text(rest),
            'r' | 'b' | 'c' if !follows_a_name(code, rest) => match raw(rest) {
                Raw::None => Some(1),
                Raw::Closed(length) => Some(length),
                Raw::Open => None,
            },
            '\'' => Some(character(rest)),
            '(' | '[' | '{' => {
                open.push(first);
                Some(1)
            }
            ')' | ']' | '}' => {
                let opened = match first {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.pop() != Some(opened) {
                    return Complete::Wrong;
                }
                Some(1)
            }
            other => Some(other.len_utf8()),
        };
        match taken {
            Some(taken) => rest = &rest[taken..],
            // A string or a comment continues without indentation.
            None => return Complete::Open { indent: 0 },
        }
    }
    match open.len() {
        0 => Complete::Whole,
        depth => Complete::Open {
            indent: 4 * depth.min(DEEPEST),
        },
    }
}

/// The length of a block comment, which may contain others.
fn comment(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while let Some(part) = rest.get(at..).filter(|part| !part.is_empty()) {
        if part.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if part.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += part.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// The length of a string with its quotes.
fn text(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, next) in rest.char_indices().skip(1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

enum Raw {
    None,
    Closed(usize),
    Open,
}

/// A raw string: `r"`, `br#"` and the like, up to a quote with the same number of `#`.
fn raw(rest: &str) -> Raw {
    let prefix = rest.trim_start_matches(['b', 'c']);
    let Some(behind) = prefix.strip_prefix('r') else {
        return Raw::None;
    };
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let Some(body) = behind[hashes..].strip_prefix('"') else {
        return Raw::None;
    };
    let end = format!("\"{}", "#".repeat(hashes));
    match body.find(&end) {
        Some(at) => Raw::Closed(rest.len() - body.len() + at + end.len()),
        None => Raw::Open,
    }
}

/// The length of a character literal, or of the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut inner = rest.char_indices().skip(1);
    match inner.next() {
        Some((_, '\\')) => {
            let end = rest.get(3..).and_then(|behind| behind.find('\''));
            end.map_or(1, |end| 3 + end + 1)
        }
        Some(_) => match inner.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

fn follows_a_name(code: &str, rest: &str) -> bool {
    let before = &code[..code.len() - rest.len()];
    let last = before.chars().next_back();
    last.is_some_and(|last| last.is_alphanumeric() || last == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_cells_are_whole() {
        for code in [
            "",
            "let a = 1;",
            ":dep polars = { version = \"1\" }",
            "f(&[1], '{', \"}\", '\\'', '\\u{7d}')",
            "// {\nlet a: &'static str = \"x\"; /* { /* ( */ */",
            "r#\"{ \"# ; br\"(\"; bar\"\"",
            "fn f<'a>(x: &'a str) -> &'a str { x }",
        ] {
            assert_eq!(complete(code), Complete::Whole, "{code}");
        }
    }

    #[test]
    fn open_cells_want_more() {
        let open = |indent| Complete::Open { indent };
        assert_eq!(complete("fn f() {"), open(4));
        assert_eq!(complete("f(|| {\n    1"), open(8));
        assert_eq!(complete("let a = \"x"), open(0));
        assert_eq!(complete("/* a /* b */"), open(0));
        assert_eq!(complete("r#\"a\""), open(0));
    }

    #[test]
    fn what_closes_too_much_is_wrong() {
        for code in ["}", "f(]", "let a = (1});"] {
            assert_eq!(complete(code), Complete::Wrong, "{code}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(code in r#"[{}()'"r#/*\\a-cé\n ]{0,30}"#) {
            complete(&code);
        }

        #[test]
        fn any_bytes_have_a_bounded_answer(bytes: Vec<u8>, times in 1_usize..200) {
            let code = String::from_utf8_lossy(&bytes).repeat(times);
            if let Complete::Open { indent } = complete(&code) {
                prop_assert!(indent <= 4 * DEEPEST);
            }
        }
    }
}
