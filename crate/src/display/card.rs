//! A card: a short list of names and values, used to display small results.

use super::escape::escaped;
use super::mime_bundle::MimeBundle;
use crate::text::terminal::sanitize;

/// A short list of names and values, as an HTML table and as aligned text.
pub(crate) fn card(title: &str, rows: &[(&str, String)]) -> MimeBundle {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut html = String::from("<div class=\"evenhand tex2jax_ignore mathjax_ignore\">");
    let mut text = Vec::new();
    if !title.is_empty() {
        html.push_str(&format!("<strong>{}</strong>", escaped(title)));
        text.push(title.to_owned());
    }
    html.push_str("<table><tbody>");
    for (name, value) in rows {
        html.push_str(&format!(
            "<tr><th scope=\"row\" style=\"text-align:left\">{}</th><td dir=\"auto\" style=\"text-align:left\">{}</td></tr>",
            escaped(name),
            escaped(value)
        ));
        text.push(format!("  {name:<width$}  {}", sanitize(value)));
    }
    html.push_str("</tbody></table></div>");
    MimeBundle {
        html,
        text: text.join("\n"),
    }
}
