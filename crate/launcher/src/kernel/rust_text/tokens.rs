//! Tokens: enough of Rust's lexical structure to tell code from strings and comments.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Space,
    Comment,
    /// A string or a character, with its quotes.
    Literal,
    /// A name, a keyword, or a number.
    Word,
    Open,
    Close,
    Other,
    /// A string or a comment that does not end.
    Unfinished,
}

/// A part of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// The offset of its first byte.
    pub start: usize,
}

impl Token<'_> {
    /// The offset of the first byte behind it.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of the source. Together they are the source.
pub fn tokens(source: &str) -> impl Iterator<Item = Token<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = source.get(start..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = first(rest);
        let token = Token {
            kind,
            text: &rest[..length],
            start,
        };
        start += length;
        Some(token)
    })
}

fn first(rest: &str) -> (Kind, usize) {
    let Some(first) = rest.chars().next() else {
        return (Kind::Space, 0);
    };
    let closed = |kind, length: Option<usize>| match length {
        Some(length) => (kind, length),
        None => (Kind::Unfinished, rest.len()),
    };
    match first {
        '/' if rest.starts_with("//") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => closed(Kind::Comment, comment(rest)),
        '"' => closed(Kind::Literal, text(rest)),
        '\'' => match character(rest) {
            1 => (Kind::Other, 1),
            length => (Kind::Literal, length),
        },
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        _ if first.is_whitespace() => {
            let end = rest.find(|next: char| !next.is_whitespace());
            (Kind::Space, end.unwrap_or(rest.len()))
        }
        _ if is_of_word(first) => match raw(rest) {
            Raw::Closed(length) => (Kind::Literal, length),
            Raw::Open => (Kind::Unfinished, rest.len()),
            Raw::None => {
                let end = rest.find(|next| !is_of_word(next)).unwrap_or(rest.len());
                // `b"` and `c"`: the prefix is a word of its own.
                (Kind::Word, end)
            }
        },
        other => (Kind::Other, other.len_utf8()),
    }
}

fn is_of_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_comments_and_lifetimes_are_told_apart() {
        let kinds: Vec<_> = tokens("f<'a>(b\"{\", 'x', r#\"}\"#) // {")
            .filter(|token| token.kind != Kind::Space)
            .map(|token| (token.kind, token.text))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Word, "f"),
                (Kind::Other, "<"),
                (Kind::Other, "'"),
                (Kind::Word, "a"),
                (Kind::Other, ">"),
                (Kind::Open, "("),
                (Kind::Word, "b"),
                (Kind::Literal, "\"{\""),
                (Kind::Other, ","),
                (Kind::Literal, "'x'"),
                (Kind::Other, ","),
                (Kind::Literal, "r#\"}\"#"),
                (Kind::Close, ")"),
                (Kind::Comment, "// {"),
            ]
        );
    }

    proptest! {
        #[test]
        fn the_tokens_are_the_source(source in r#"[{}()'"r#/*\\a-cé\n ]{0,40}"#) {
            let joined: String = tokens(&source).map(|token| token.text).collect();
            prop_assert_eq!(joined, source);
        }
    }
}
