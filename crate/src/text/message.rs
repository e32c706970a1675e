//! What messages quote: the content of a page, and numbers.

/// The content of a page: its title, or its text without the tags.
pub(crate) fn of_html(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let from = at + lower.get(at..)?.find('>')? + 1;
        let to = from + lower.get(from..)?.find("</title")?;
        page.get(from..to)
    });
    if let Some(title) = title.filter(|title| !title.trim().is_empty()) {
        return title.to_owned();
    }
    let mut inside = false;
    page.chars()
        .filter_map(|c| match c {
            '<' => {
                inside = true;
                None
            }
            '>' if inside => {
                inside = false;
                Some(' ')
            }
            _ => (!inside).then_some(c),
        })
        .collect()
}

/// The number with a comma as the thousands separator.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 row`, `1,234 rows`.
pub(crate) fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sanitize_line;
    use proptest::prelude::*;

    #[test]
    fn a_page_is_known_by_its_title() {
        assert_eq!(
            of_html("<html><TITLE>502 Bad Gateway</TITLE><p>x"),
            "502 Bad Gateway"
        );
        assert_eq!(
            sanitize_line(&of_html("<p>Gone <b>away</b></p>"), 99),
            "Gone away"
        );
    }

    proptest! {
        #[test]
        fn any_page_is_read(page in any::<String>()) {
            of_html(&page);
        }
    }

    #[test]
    fn digits_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
