//! A bar that moves in its place, where the kernel's wrapper listens.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::escape::escaped;
use super::mime_bundle::MimeBundle;
use super::writer::{self, Output};

/// A bar in the running cell. It is there from the first time that it is shown.
pub(crate) struct ProgressBar {
    id: String,
    is_shown: bool,
}

impl ProgressBar {
    /// A bar, where one can move: in plain evcxr and in a terminal there is none.
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

    /// Has the reader seen it?
    pub(crate) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// Shows how far it is, and these words beside it.
    pub(crate) fn show(&mut self, done: usize, total: Option<usize>, words: &str) {
        let output = match self.is_shown {
            true => Output::Update(&self.id),
            false => Output::Display(Some(&self.id)),
        };
        writer::send(output, &drawn(done, total, words));
        self.is_shown = true;
    }
}

/// `progress` is among the few elements that an untrusted notebook keeps.
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
