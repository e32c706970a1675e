//! Whether what was typed is a complete cell: a console asks this to decide whether Enter runs it.
//!
//! This only counts brackets outside strings and comments. A cell may mix Rust with evcxr
//! commands, which no Rust parser accepts.

use crate::kernel::rust_text::{Kind, tokens};

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
const MAX_DEPTH: usize = 32;

/// Examines brackets, strings and comments.
pub fn complete(code: &str) -> Complete {
    let mut open = Vec::new();
    for token in tokens(code) {
        match token.kind {
            Kind::Open => open.push(token.text),
            Kind::Close => {
                let opened = match token.text {
                    ")" => "(",
                    "]" => "[",
                    _ => "{",
                };
                if open.pop() != Some(opened) {
                    return Complete::Wrong;
                }
            }
            // A string or a comment continues without indentation.
            Kind::Unfinished => return Complete::Open { indent: 0 },
            _ => {}
        }
    }
    match open.len() {
        0 => Complete::Whole,
        depth => Complete::Open {
            indent: 4 * depth.min(MAX_DEPTH),
        },
    }
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
                prop_assert!(indent <= 4 * MAX_DEPTH);
            }
        }
    }
}
