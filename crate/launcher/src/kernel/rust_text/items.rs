//! Top-level items: types, functions, implementations and the like.

use super::tokens::{Kind, Token, tokens};

/// An item of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its keyword, such as `struct`, or nothing for a macro call or a statement.
    pub kind: &'a str,
    /// Its name. An implementation has none.
    pub name: &'a str,
    /// Its source, without documentation before it.
    pub text: &'a str,
    /// The offset of its first byte.
    pub start: usize,
}

const KINDS: [&str; 12] = [
    "struct",
    "enum",
    "union",
    "trait",
    "fn",
    "impl",
    "mod",
    "macro_rules",
    "type",
    "static",
    "const",
    "use",
];
/// Words that may precede the keyword.
const QUALIFIERS: [&str; 8] = [
    "pub", "crate", "unsafe", "async", "extern", "default", "safe", "const",
];

/// The items of a source; statements between them appear as items without a kind.
pub fn items(source: &str) -> Vec<Item<'_>> {
    let mut rest = tokens(source).peekable();
    let mut found = Vec::new();
    while let Some(first) = rest.next() {
        if matches!(first.kind, Kind::Space | Kind::Comment) {
            continue;
        }
        let (mut kind, mut name) = ("", "");
        let (mut depth, mut is_head) = (0_usize, true);
        let mut end = first.end();
        let mut next = Some(first);
        while let Some(token) = next {
            end = token.end();
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => {
                    depth = depth.saturating_sub(1);
                    let closes = depth == 0 && token.text == "}";
                    let goes_on = ["const", "static", "type", "use"].contains(&kind);
                    if closes && !goes_on {
                        break;
                    }
                    // An attribute of the whole file.
                    if depth == 0 && source[first.start..].starts_with("#!") && kind.is_empty() {
                        break;
                    }
                }
                Kind::Other if token.text == ";" && depth == 0 => break,
                Kind::Word if depth == 0 && kind.is_empty() && is_head => {
                    let is_qualifier = token.text == "const" && is_function(source, token);
                    if KINDS.contains(&token.text) && !is_qualifier {
                        kind = token.text;
                    } else if !QUALIFIERS.contains(&token.text) {
                        is_head = false;
                    }
                }
                Kind::Word
                    if depth == 0
                        && name.is_empty()
                        && !["", "impl", "use"].contains(&kind)
                        && !["mut", "ref"].contains(&token.text) =>
                {
                    name = token.text;
                }
                _ => {}
            }
            next = rest.next();
        }
        found.push(Item {
            kind,
            name,
            text: &source[first.start..end],
            start: first.start,
        });
    }
    found
}

/// Whether `const` begins a function.
fn is_function(source: &str, constant: Token<'_>) -> bool {
    let mut words = tokens(&source[constant.end()..]).filter(|token| token.kind != Kind::Space);
    words
        .next()
        .is_some_and(|next| ["fn", "unsafe", "async", "extern"].contains(&next.text))
}

/// The items in the braces of an item: the members of an implementation.
pub fn members<'a>(item: &Item<'a>) -> Vec<Item<'a>> {
    let inside = |text: &'a str| {
        let open = text.find('{')?;
        text.get(open + 1..text.rfind('}')?)
    };
    inside(item.text).map(items).unwrap_or_default()
}

impl Item<'_> {
    /// What precedes its body.
    pub fn head(&self) -> String {
        normalized(self.text.split('{').next().unwrap_or_default())
    }
}

/// The source without comments and with single spaces: equal for sources that differ in layout only.
pub fn normalized(source: &str) -> String {
    let words: Vec<_> = tokens(source)
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
        .map(|token| token.text)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_with_their_names_and_ends() {
        let source = "#![allow(a)]\n/// {\n#[derive(Debug)]\npub struct P { x: i32 }\nstruct Q(u8);\n\
            const fn f() -> u8 { 1 }\nconst N: P = P { x: 1 };\nimpl From<Q> for P { fn from(q: Q) -> P { N } }\n\
            static mut S: u8 = 0;\nmacro_rules! m { () => {} }\nunsafe extern \"C\" { fn g(); }\nlet a = { 1 };\na";
        let found: Vec<_> = items(source)
            .iter()
            .map(|item| (item.kind, item.name))
            .collect();
        assert_eq!(
            found,
            [
                ("", ""),
                ("struct", "P"),
                ("struct", "Q"),
                ("fn", "f"),
                ("const", "N"),
                ("impl", ""),
                ("static", "S"),
                ("macro_rules", "m"),
                ("", ""),
                ("", ""),
                ("", ""),
                ("", ""),
            ]
        );
        let implementation = items(source)[5];
        assert_eq!(implementation.head(), "impl From < Q > for P");
        assert_eq!(members(&implementation)[0].name, "from");
    }

    #[test]
    fn layout_does_not_matter() {
        assert_eq!(
            normalized("struct  P {\n    x: i32, // a\n}"),
            normalized("struct P { x: i32, }")
        );
    }
}
