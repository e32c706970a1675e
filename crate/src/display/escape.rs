//! Makes text from a model, a file or a server harmless in HTML.

use crate::text::mark::mark_invisible;

/// Appends the text so that a browser displays it and never interprets it: characters that are
/// invisible or change the text direction are marked, as in a terminal, and the rest is escaped.
pub(crate) fn push_escaped(html: &mut String, text: &str) {
    for character in mark_invisible(text).chars() {
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

/// The text, escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    push_escaped(&mut html, text);
    html
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
        assert_eq!(
            escaped("nurse\u{200B}\u{E0041}\u{E007F} 👩‍⚕️"),
            "nurse\u{FFFD}\u{FFFD}\u{FFFD} 👩‍⚕️"
        );
    }

    proptest! {
        #[test]
        fn nothing_can_open_a_tag_or_an_attribute(text in any::<String>()) {
            let html = escaped(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'', '`']));
            let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
            prop_assert!(!html.contains(is_obeyed), "{html:?}");
            prop_assert!(html.len() <= 6 * text.len());
        }
    }
}
