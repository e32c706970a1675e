//! Pasted values: what copying puts around them and nobody means.

/// The value without the white space, quotes and invisible characters around it.
pub(crate) fn clean(value: &str) -> &str {
    value.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')
            || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
    })
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn drops_what_copying_adds() {
        assert_eq!(clean("  \"key\"\r\n"), "key");
        assert_eq!(clean("\u{feff}“key”\u{200b}"), "key");
        assert_eq!(clean("it's"), "it's");
        assert_eq!(clean("\" \""), "");
    }
}
