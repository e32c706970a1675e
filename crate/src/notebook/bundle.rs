//! What one thing looks like in a notebook: HTML, and plain text beside it.

/// One result in both forms. A viewer that can't show HTML, or must not, has the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The HTML form. Whoever makes it has escaped every text that is not its own.
    pub html: String,
    /// The plain form, for terminals and for viewers without HTML.
    pub text: String,
}

/// What a notebook can show. Implement it for your own types to use them with
/// [`display`](super::display) and as the last expression of a cell.
///
/// Showing can't fail: where a part can't be drawn, the bundle says so in its place.
pub trait Show {
    /// The thing in both forms.
    fn bundle(&self) -> Bundle;
}

impl<T: Show + ?Sized> Show for &T {
    fn bundle(&self) -> Bundle {
        (**self).bundle()
    }
}

/// The things one below the other, as one result: the kernel keeps one result a cell.
pub(super) fn stack(bundles: &[Bundle]) -> Bundle {
    let join = |part: fn(&Bundle) -> &str, between: &str| {
        bundles.iter().map(part).collect::<Vec<_>>().join(between)
    };
    Bundle {
        html: join(|bundle| &bundle.html, "\n"),
        text: join(|bundle| &bundle.text, "\n\n"),
    }
}
