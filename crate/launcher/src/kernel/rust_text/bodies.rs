//! Rust source without the bodies of its functions, for whoever only needs signatures.

use super::tokens::{Kind, Token, tokens};

/// What replaces a body. It has every type.
const EMPTY: &str = "{loop{}}";

/// The source with the bodies of its functions emptied. A body stays where a type follows from it, as
/// with `impl Trait` in the result, and where it is evaluated for a type, as with a `const fn`. Macros
/// stay as they are. Invalid source is left as it is.
pub fn without_bodies(source: &str) -> String {
    let code: Vec<Token<'_>> = tokens(source)
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
        .collect();
    let mut reduced = String::with_capacity(source.len());
    let (mut copied, mut at) = (0, 0);
    while at < code.len() {
        if let Some(end) = end_of_macro(&code, at) {
            at = end;
        } else if let Some(function) = function(&code, at) {
            if let Some((open, close)) = function.body {
                reduced.push_str(&source[copied..code[open].start]);
                reduced.push_str(EMPTY);
                copied = code[close].end();
            }
            at = function.end;
        } else {
            at += 1;
        }
    }
    reduced.push_str(&source[copied..]);
    reduced
}

/// A function's place among the tokens.
struct Function {
    /// The braces of a body that can be emptied.
    body: Option<(usize, usize)>,
    /// The first token behind the function.
    end: usize,
}

/// The function whose keyword is here.
fn function(code: &[Token<'_>], at: usize) -> Option<Function> {
    let is_named = code.get(at + 1)?.kind == Kind::Word;
    if code[at].kind != Kind::Word || code[at].text != "fn" || !is_named {
        return None;
    }
    let mut returns = false;
    let mut stays = is_const(&code[..at]);
    let mut next = at + 2;
    loop {
        let token = code.get(next)?;
        match token.text {
            ";" if token.kind == Kind::Other => {
                return Some(Function {
                    body: None,
                    end: next + 1,
                });
            }
            "{" if token.kind == Kind::Open => break,
            ">" if code[next - 1].text == "-" => returns = true,
            "impl" if returns => stays = true,
            _ => {}
        }
        next = match token.kind {
            Kind::Open => {
                let close = closing(code, next)?;
                let inside = code[next..close].iter();
                stays |= returns && inside.clone().any(|token| token.text == "impl");
                close + 1
            }
            _ => next + 1,
        };
    }
    let close = closing(code, next)?;
    Some(Function {
        body: (!stays).then_some((next, close)),
        end: close + 1,
    })
}

/// Whether the words before `fn` include `const`.
fn is_const(before: &[Token<'_>]) -> bool {
    const QUALIFIERS: [&str; 7] = [
        "const", "unsafe", "async", "extern", "default", "safe", "gen",
    ];
    before
        .iter()
        .rev()
        .take_while(|token| token.kind == Kind::Literal || QUALIFIERS.contains(&token.text))
        .any(|token| token.text == "const")
}

/// The end of a macro's call or definition, or of an attribute, that begins here.
fn end_of_macro(code: &[Token<'_>], at: usize) -> Option<usize> {
    let text = |at: usize| code.get(at).map_or("", |token| token.text);
    let is_word = |at: usize| code.get(at).is_some_and(|token| token.kind == Kind::Word);
    let opens = |at: usize| code.get(at).is_some_and(|token| token.kind == Kind::Open);
    let open = match text(at) {
        // `path!(..)` and `macro_rules! name {..}`
        "!" if at > 0 && is_word(at - 1) && opens(at + 1) => at + 1,
        "!" if at > 0 && is_word(at - 1) && is_word(at + 1) && opens(at + 2) => at + 2,
        "#" if text(at + 1) == "[" => at + 1,
        "#" if text(at + 1) == "!" && text(at + 2) == "[" => at + 2,
        // `macro name {..}` and `macro name(..) {..}`
        "macro" if is_word(at) && is_word(at + 1) && opens(at + 2) => {
            let first = closing(code, at + 2)?;
            return match text(at + 2) {
                "(" if text(first + 1) == "{" => Some(closing(code, first + 1)? + 1),
                _ => Some(first + 1),
            };
        }
        _ => return None,
    };
    Some(closing(code, open)? + 1)
}

/// The bracket that closes the one here.
fn closing(code: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies_are_emptied() {
        for (source, reduced) in [
            (
                "fn a() { 1 + { 2 } }\nfn b() {}",
                "fn a() {loop{}}\nfn b() {loop{}}",
            ),
            (
                "impl X { /// Doc {\n #[inline]\n pub unsafe fn a<'a>(&'a self) -> [u8; 2] where u8: Copy { \"}\"; '}' } }",
                "impl X { /// Doc {\n #[inline]\n pub unsafe fn a<'a>(&'a self) -> [u8; 2] where u8: Copy {loop{}} }",
            ),
            (
                "trait T { fn a(); fn b(f: impl Fn() -> u8) { f() } }",
                "trait T { fn a(); fn b(f: impl Fn() -> u8) {loop{}} }",
            ),
            ("async fn a() -> u8 { 1 }", "async fn a() -> u8 {loop{}}"),
        ] {
            assert_eq!(without_bodies(source), reduced);
        }
    }

    #[test]
    fn what_has_a_type_or_a_value_of_its_own_stays() {
        for source in [
            "fn a() -> impl Iterator<Item = u8> { [1].into_iter() }",
            "fn a() -> Option<(u8, impl Copy)> { Some((1, 2)) }",
            "pub const fn a() -> usize { 3 }",
            "const unsafe extern \"C\" fn a() -> usize { 3 }",
            "macro_rules! m { () => { fn a() { 1 } } }",
            "m! { fn a() { 1 } }",
            "pub macro m($x:expr) { fn a() { 1 } }",
            "#[doc = fn a() { 1 }] struct X;",
            "type F = fn(u8) -> u8; const N: usize = { 1 };",
            "fn a() { unclosed",
            "fn",
        ] {
            assert_eq!(without_bodies(source), source);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text: String, source in "(fn a|\\(\\)|\\{|\\}|!|m| impl|->|;|#\\[|\\]|\"|const ){0,20}") {
            without_bodies(&text);
            without_bodies(&source);
        }

        #[test]
        fn reducing_twice_changes_nothing_more(source in "(fn a\\(\\) |\\{|\\}|m!|;|let b = 1|pub |mod x){0,12}") {
            let once = without_bodies(&source);
            prop_assert_eq!(without_bodies(&once), once);
        }
    }
}
