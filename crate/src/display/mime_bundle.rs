//! The representation of one result in a notebook: HTML with a plain text alternative.

use std::borrow::Cow;

use super::escape::escaped;
use super::shared_script::dedupe_script;
use crate::text::terminal::sanitize;

/// One result in both forms. A viewer that can't show HTML, or must not, uses the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MimeBundle {
    /// The HTML form. Its creator must escape all text from other sources. It may be empty if the
    /// plain form is sufficient.
    pub html: String,
    /// The plain form, for terminals and for viewers without HTML. Characters that a terminal
    /// would interpret are shown as `�`: see [`sanitize`](crate::text::terminal::sanitize).
    pub text: String,
}

impl MimeBundle {
    /// A result in plain form only.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            html: String::new(),
            text: text.into(),
        }
    }

    /// The same result with this HTML form, in which all text from other sources is escaped.
    #[must_use]
    pub fn with_html(self, html: impl Into<String>) -> Self {
        Self {
            html: html.into(),
            ..self
        }
    }
}

/// A type that can be shown in a notebook. Implement it for your own types to use them with
/// [`display`](super::display) and as the last expression of a cell.
///
/// Showing can't fail: if a part can't be drawn, the bundle contains a message in its place. Only a
/// `LazyFrame`, a table or an answer view that can't be made at all fails the cell whose last expression it is.
///
/// ```
/// use evenhand::display::{MimeBundle, Show};
///
/// struct Share(f64);
///
/// impl Show for Share {
///     fn mime_bundle(&self) -> MimeBundle {
///         let percent = format!("{:.0} %", 100.0 * self.0);
///         MimeBundle::from_text(&percent).with_html(format!("<b>{percent}</b>"))
///     }
/// }
/// assert_eq!(Share(0.9).mime_bundle().text, "90 %");
/// ```
pub trait Show {
    /// The value in both forms.
    fn mime_bundle(&self) -> MimeBundle;

    /// The value in both forms, or why there is nothing of it to show.
    #[doc(hidden)]
    fn try_mime_bundle(&self) -> std::result::Result<MimeBundle, String> {
        Ok(self.mime_bundle())
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn mime_bundle(&self) -> MimeBundle {
        (**self).mime_bundle()
    }

    fn try_mime_bundle(&self) -> std::result::Result<MimeBundle, String> {
        (**self).try_mime_bundle()
    }
}

/// A message in the place of what can't be shown.
pub(crate) fn error_card(text: &str) -> MimeBundle {
    MimeBundle {
        html: format!(
            "<pre class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"white-space:pre-wrap\">{}</pre>",
            escaped(text)
        ),
        text: sanitize(text).into_owned(),
    }
}

/// Stacks the bundles into one result, because the kernel keeps one result per cell.
pub(crate) fn stack(bundles: &[MimeBundle]) -> MimeBundle {
    let html: Vec<_> = match bundles.iter().all(|bundle| bundle.html.is_empty()) {
        true => Vec::new(),
        false => bundles.iter().map(html_of).collect(),
    };
    MimeBundle {
        html: dedupe_script(html.join("\n")),
        text: text_of(bundles),
    }
}

/// The HTML form, or the plain text as HTML, which it needs next to results that have an HTML form.
pub(crate) fn html_of(bundle: &MimeBundle) -> Cow<'_, str> {
    if bundle.html.is_empty() {
        Cow::Owned(format!(
            "<pre class=\"tex2jax_ignore mathjax_ignore\">{}</pre>",
            escaped(&bundle.text)
        ))
    } else {
        Cow::Borrowed(&bundle.html)
    }
}

/// The plain forms, one below the other.
pub(crate) fn text_of(bundles: &[MimeBundle]) -> String {
    let texts: Vec<_> = bundles.iter().map(|bundle| &*bundle.text).collect();
    texts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(html: &str, text: &str) -> MimeBundle {
        MimeBundle {
            html: html.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn plain_text_stays_plain_unless_it_stands_below_html() {
        let plain = bundle("", "a < b");
        assert_eq!(stack(&[plain.clone(), plain.clone()]).html, "");
        assert_eq!(
            stack(&[bundle("<p>t</p>", "t"), plain]).html,
            "<p>t</p>\n<pre class=\"tex2jax_ignore mathjax_ignore\">a &lt; b</pre>"
        );
    }
}
