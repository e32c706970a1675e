//! What a page may do: show itself, and run the script of our tables.
//!
//! The page contains what the notebook contains, and so scripts of its author. A browser runs a
//! script only if the page's policy names its hash.

use std::sync::LazyLock;

use evenhand::base64_encoding::base64;
use evenhand::sideband::table_script;
use ring::digest::{SHA256, digest};

/// The policy. Nothing is fetched, so that the page looks the same without a network and does not
/// report that it is read; and nothing is sent.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = digest(&SHA256, table_script().as_bytes());
    let hash = base64(hash.as_ref());
    format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data: 'self'; \
         media-src data:; font-src data:; base-uri 'none'; form-action 'none'\">"
    )
});

const HEAD: &[u8] = b"<head>";
const END_OF_HEAD: &[u8] = b"</head>";

/// The head begins this early, before anything of the notebook's.
const HEAD_WITHIN: usize = 200;

/// Elements that a policy does not cover: they lead to another page, or look up another host.
const LEADING_AWAY: [&[u8]; 2] = [b"<meta", b"<link"];

/// The page with its policy. `None` if it is not built as expected, and so might not be covered.
pub(super) fn applied(page: &[u8]) -> Option<Vec<u8>> {
    let after = found(page, HEAD).filter(|at| *at < HEAD_WITHIN)? + HEAD.len();
    let end = found(page, END_OF_HEAD)?;
    let mut safe = page.get(..after)?.to_vec();
    safe.extend_from_slice(POLICY.as_bytes());
    safe.extend_from_slice(page.get(after..end)?);
    push_without_leading_away(&mut safe, page.get(end..)?);
    Some(safe)
}

fn found(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Appends the text, with other names for these elements: a browser ignores elements that it does
/// not know.
fn push_without_leading_away(safe: &mut Vec<u8>, text: &[u8]) {
    for (at, byte) in text.iter().enumerate() {
        safe.push(*byte);
        let rest = text.get(at..).unwrap_or_default();
        let leads_away = LEADING_AWAY.iter().any(|element| {
            let (name, after) = rest.split_at(element.len().min(rest.len()));
            let ends = after
                .first()
                .is_none_or(|byte| b"\t\n\x0C\r />".contains(byte));
            name.eq_ignore_ascii_case(element) && ends
        });
        if *byte == b'<' && leads_away {
            safe.extend_from_slice(b"x-");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(page: &str) -> String {
        String::from_utf8(applied(page.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_policy_comes_first_and_nothing_leads_away() {
        let page = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"/></head><body>\
            <META\thttp-equiv=refresh content='0;url=//x'><metadata></metadata><link\nhref=x>\
            <meta/><linked>&lt;meta&gt;</body></html>";
        let safe = safe(page);
        assert!(safe.contains(
            "<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        ));
        assert!(safe.contains("form-action 'none'\"><meta charset=\"utf-8\"/></head>"));
        assert!(safe.ends_with(
            "<body><x-META\thttp-equiv=refresh content='0;url=//x'><metadata></metadata>\
             <x-link\nhref=x><x-meta/><linked>&lt;meta&gt;</body></html>"
        ));
    }

    #[test]
    fn a_page_that_is_built_in_another_way_is_refused() {
        for page in [
            "",
            "<html>",
            "<head>",
            &format!("{}<head></head>", " ".repeat(300)),
        ] {
            assert_eq!(applied(page.as_bytes()), None, "{page}");
        }
    }
}
