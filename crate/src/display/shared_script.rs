//! The script and its style, which an output contains once, however many of its parts need it. The
//! data that the script works on is limited to the size of an output.

/// The beginning of the shared block, which holds the style, then the script. Nothing else on a
/// page has this mark.
pub(crate) const SHARED_BLOCK: &str = "<style data-evenhand>";

/// The maximum size of the data for the scripts of one output, in bytes.
pub(crate) const MAX_OUTPUT: usize = 1_900_000;

const DATA: &str = "<script type=\"application/json\">";
const END: &str = "</script>";

/// The parts of one output, with the shared block moved to its end, once, if any part has it. If
/// there are many large tables, the last ones are left static.
pub(crate) fn dedupe_script(html: String) -> String {
    let Some(block) = shared_block(&html).map(str::to_owned) else {
        return html;
    };
    let html = html.replace(&block, "");
    let mut parts = html.split(DATA);
    let mut output = parts.next().unwrap_or_default().to_owned();
    let mut room = MAX_OUTPUT;
    for part in parts {
        let (data, rest) = part.split_once(END).unwrap_or((part, ""));
        if let Some(left) = room.checked_sub(data.len()) {
            room = left;
            output.extend([DATA, data, END]);
        }
        output.push_str(rest);
    }
    output + &block
}

/// The first shared block. None of our scripts contains its own end tag.
fn shared_block(html: &str) -> Option<&str> {
    let from = html.get(html.find(SHARED_BLOCK)?..)?;
    from.get(..from.find(END)? + END.len())
}

/// Appends the data for the script as an element of the page that is never shown.
pub(crate) fn push_data(html: &mut String, json: &str) {
    html.extend([DATA, json, END]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> String {
        format!("{SHARED_BLOCK}p {{}}</style><script>work();</script>")
    }

    #[test]
    fn an_output_has_the_script_once_or_not_at_all() {
        let twice = format!("<p>a</p>{0}<p>b</p>{0}", block());
        assert_eq!(dedupe_script(twice), format!("<p>a</p><p>b</p>{}", block()));
        assert_eq!(dedupe_script("<p>c</p>".to_owned()), "<p>c</p>");
    }

    #[test]
    fn of_many_large_tables_the_last_are_static() {
        let mut table = String::from("<p>a</p>");
        push_data(&mut table, &"1".repeat(MAX_OUTPUT / 2 - 1));
        table.push_str(&block());
        let three = dedupe_script(table.repeat(3));
        assert_eq!(three.matches("<p>a</p>").count(), 3);
        assert_eq!(three.matches(DATA).count(), 2);
        assert!(three.len() < MAX_OUTPUT + block().len() + 200);
    }
}
