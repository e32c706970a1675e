//! A progress bar that is updated in place, if the kernel's wrapper listens.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::escape::escaped;
use super::mime_bundle::MimeBundle;
use super::writer::{self, Output};

/// A progress bar in the running cell. It appears the first time that it is shown.
pub(crate) struct ProgressBar {
    id: String,
    is_shown: bool,
}

impl ProgressBar {
    /// A new bar, or `None` in plain evcxr and in a terminal, where it could not be updated.
    pub(crate) fn new() -> Option<Self> {
        static BARS: AtomicUsize = AtomicUsize::new(0);
        writer::is_live().then(|| Self {
            id: format!(
                "evenhand-bar-{}-{}",
                std::process::id(),
                BARS.fetch_add(1, Ordering::Relaxed)
            ),
            is_shown: false,
        })
    }

    /// Whether the bar has been shown.
    pub(crate) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// Shows the progress, with this text next to the bar.
    pub(crate) fn show(&mut self, done: usize, total: Option<usize>, words: &str) {
        let output = match self.is_shown {
            true => Output::Update(&self.id),
            false => Output::Display(Some(&self.id)),
        };
        writer::send(output, &drawn(done, total, words));
        self.is_shown = true;
    }
}

/// The bar as HTML and text. An untrusted notebook keeps few elements; `progress` is one of them.
fn drawn(done: usize, total: Option<usize>, words: &str) -> MimeBundle {
    let reach = total.map_or(String::new(), |total| {
        format!(" max=\"{}\" value=\"{done}\"", total.max(1))
    });
    MimeBundle {
        html: format!(
            "<div class=\"evenhand tex2jax_ignore mathjax_ignore\"><progress aria-label=\"progress\" style=\"width:20em;max-width:100%;vertical-align:middle\"{reach}></progress> {}</div>",
            escaped(words)
        ),
        text: words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_its_reach_if_there_is_one() {
        let some = drawn(3, Some(8), "3 of 8, <b>");
        assert!(some.html.contains("max=\"8\" value=\"3\""));
        assert!(some.html.contains("3 of 8, &lt;b&gt;"));
        assert_eq!(some.text, "3 of 8, <b>");
        assert!(!drawn(3, None, "").html.contains("max="));
        assert!(drawn(0, Some(0), "").html.contains("max=\"1\""));
    }
}
