//! Cleans pasted values of the characters that copying puts around them.

use crate::text::invisible::is_invisible;

/// The value without the white space, quotes and invisible characters around it.
pub(crate) fn clean(value: &str) -> &str {
    value.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')
            || is_invisible(c)
    })
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn drops_what_copying_adds() {
        assert_eq!(clean("  \"key\"\r\n"), "key");
        assert_eq!(clean("\u{feff}“key”\u{200b}"), "key");
        assert_eq!(clean("\u{ad}\u{202c}key\u{3164}\u{e0020}\u{1b}"), "key");
        assert_eq!(clean("it's"), "it's");
        assert_eq!(clean("\" \""), "");
    }
}
