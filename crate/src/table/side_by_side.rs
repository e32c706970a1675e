//! Several things side by side.

use crate::display::{MimeBundle, Show, dedupe_script, html_of, text_of};

/// Things side by side, as [`side_by_side`] makes them.
#[derive(Clone, Debug)]
#[must_use = "things side by side are visible only when they are displayed"]
pub struct SideBySide(Vec<MimeBundle>);

/// Puts things side by side, such as two data frames, or a table and a chart. If the page is too
/// narrow, they appear below each other, as they do in plain text.
///
/// ```
/// use evenhand::prelude::*;
///
/// let before = polars::df!["gap" => [0.4, 0.2]]?;
/// let after = polars::df!["gap" => [0.1, 0.2]]?;
/// display(side_by_side([table(&before).titled("before"), table(&after).titled("after")]));
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
///
/// For things of different types, write `side_by_side([&frame as &dyn Show, &client])`.
pub fn side_by_side<T: Show>(things: impl IntoIterator<Item = T>) -> SideBySide {
    SideBySide(
        things
            .into_iter()
            .map(|thing| thing.mime_bundle())
            .collect(),
    )
}

impl Show for SideBySide {
    fn mime_bundle(&self) -> MimeBundle {
        let parts: Vec<_> = self
            .0
            .iter()
            .map(|bundle| {
                format!(
                    "<div style=\"flex:1 1 20em;min-width:0\">{}</div>",
                    html_of(bundle)
                )
            })
            .collect();
        MimeBundle {
            html: dedupe_script(format!(
                "<div style=\"display:flex;flex-wrap:wrap;gap:1em 2em\">{}</div>",
                parts.concat()
            )),
            text: text_of(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;
    use crate::table::{script, table};

    #[test]
    fn two_tables_share_one_script() {
        let frame = df!["n" => [1, 2]].unwrap();
        let shown =
            side_by_side([table(&frame).titled("a"), table(&frame).titled("b")]).mime_bundle();
        assert_eq!(shown.html.matches(script::block()).count(), 1);
        assert_eq!(shown.html.matches("<table").count(), 2);
        assert!(shown.text.starts_with("a\n") && shown.text.contains("\n\nb\n"));
    }

    #[test]
    fn things_of_different_types_stand_side_by_side() {
        struct Plain;
        impl Show for Plain {
            fn mime_bundle(&self) -> MimeBundle {
                MimeBundle {
                    html: String::new(),
                    text: "a < b".to_owned(),
                }
            }
        }
        let frame = df!["n" => [1]].unwrap();
        let shown = side_by_side([&frame as &dyn Show, &Plain]).mime_bundle();
        assert!(shown.html.contains("<table") && shown.html.contains("a &lt; b"));
    }
}
