//! Tests of the whole table: its content, its limits, and that everything in a frame is shown as
//! text.

mod hostile;
mod lazy;
mod roundtrip;
mod types;
mod view;

use polars::prelude::DataFrame;

use super::{script, table};
use crate::display::Show;

/// The static table without the script and its data.
fn static_html(frame: &DataFrame) -> String {
    table(frame).static_only().mime_bundle().html
}

/// The HTML with one element per line and without styles, for people to read.
fn outline(html: &str) -> String {
    let html = html.replace("><", ">\n<");
    let parts: Vec<_> = html.split(" style=\"").collect();
    let plain = parts[1..]
        .iter()
        .map(|part| part.split_once('"').unwrap().1);
    [parts[0]].into_iter().chain(plain).collect()
}

/// The script's data, or `None` if there is no script.
fn payload(html: &str) -> Option<serde_json::Value> {
    let (_, rest) = html.split_once("<script type=\"application/json\">")?;
    let (json, _) = rest.split_once("</script>").unwrap();
    Some(serde_json::from_str(json).unwrap())
}

/// The texts of the body's cells, row by row, as a browser reads them.
fn cells(html: &str) -> Vec<Vec<String>> {
    let (_, body) = html.split_once("<tbody>").unwrap();
    let (body, _) = body.split_once("</tbody>").unwrap();
    let rows = body.split("<tr>").skip(1);
    rows.map(|row| {
        let cells = row.split("<td").skip(1);
        cells.map(|cell| text(&format!("<td{cell}"))).collect()
    })
    .collect()
}

/// The text of HTML that contains no tags but our own.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let (_, after) = part.split_once('>').unwrap_or(("", part));
        text.push_str(after);
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#96;", "`"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (entity, character)| {
        text.replace(entity, character)
    })
}

/// Asserts that the HTML contains only our own tags, properly nested and closed.
fn assert_is_well_formed(html: &str) {
    let html = html.replace(script::block(), "");
    let mut open = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
            None => open.push(tag.split(' ').next().unwrap()),
        }
        let known = [
            "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "em", "p", "details",
            "summary", "script", "pre",
        ];
        assert!(open.iter().all(|name| known.contains(name)), "{open:?}");
    }
    assert_eq!(open, Vec::<&str>::new());
}
