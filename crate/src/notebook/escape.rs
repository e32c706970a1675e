//! Makes text from a model, a file or a server harmless in HTML.

/// Appends the text so that a browser shows it and never obeys it: its [`readable`]
/// characters, escaped.
pub(crate) fn push_escaped(html: &mut String, text: &str) {
    for character in text.chars().filter_map(readable) {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '`' => html.push_str("&#96;"),
            harmless => html.push(harmless),
        }
    }
}

/// What a reader is shown of a character. Those that nobody can see and that change what is
/// read (NUL, other controls, direction overrides) are shown as `�`; line breaks and tabs
/// stay, carriage returns go.
pub(super) fn readable(character: char) -> Option<char> {
    match character {
        '\n' | '\t' => Some(character),
        '\r' => None,
        unseen if unseen.is_control() || overrides_direction(unseen) => Some('\u{FFFD}'),
        harmless => Some(harmless),
    }
}

/// The text, escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    push_escaped(&mut html, text);
    html
}

fn overrides_direction(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_script_is_text() {
        assert_eq!(
            escaped("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;"
        );
    }

    #[test]
    fn unseen_characters_are_made_visible() {
        assert_eq!(
            escaped("a\0b\u{202E}c\u{7}d\r\ne\tf"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\ne\tf"
        );
    }

    proptest! {
        #[test]
        fn nothing_can_open_a_tag_or_an_attribute(text in any::<String>()) {
            prop_assert!(!escaped(&text).contains(['<', '>', '"', '\'', '`']));
        }
    }
}
