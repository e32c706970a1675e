//! JSON with what is no character in it. It may hold halves of surrogate pairs (`\ud800`): a
//! model's answer that was cut between two halves does, and Python writes them.

/// The same, with U+FFFD for each of them and for bytes that are no text.
pub(crate) fn mended(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    let mut mended = String::with_capacity(json.len());
    let mut rest = &*json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (taken, meant) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
            (Some(_), _) => (6, None),
            // A backslash and what it stands before, of which only ASCII is legal.
            (None, _) => (2, None),
        };
        let (escape, after) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        mended.push_str(meant.unwrap_or(escape));
        rest = after;
    }
    mended.push_str(rest);
    mended
}

/// The UTF-16 unit that the text begins with, written as `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
