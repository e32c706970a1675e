//! A chart as an SVG document.

use plotters::prelude::SVGBackend;

use super::figure::Chart;
use super::palette::{DARK_PAPER, ON_DARK_PAPER};
use super::scene::paint;
use crate::display::escaped;
use crate::error::{Error, ErrorKind, Result};

/// The document, with a title and a description for those who can't see it. If it `follows` the page
/// that shows it, its paper is dark on a dark screen.
///
/// # Errors
/// plotters could not draw it.
pub(super) fn document(chart: &Chart, follows: bool) -> Result<String> {
    let scene = chart.scene();
    let mut drawn = String::new();
    let backend = SVGBackend::with_string(&mut drawn, (scene.width, scene.height));
    paint(&scene, backend, 1.0).map_err(not_drawn)?;
    // plotters writes the opening tag; the attributes and elements that it does not support are
    // inserted there.
    let Some((opening, rest)) = drawn.split_once('>') else {
        return Err(not_drawn("the document has no beginning".into()));
    };
    Ok(format!(
        "{opening} role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n\
         {}<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#FFFFFF\"/>{rest}",
        escaped(&chart.name()),
        escaped(&chart.description()),
        if follows { dark_style() } else { String::new() },
    ))
}

/// The document as it is saved: it looks the same everywhere.
///
/// # Errors
/// As [`document`].
pub(super) fn svg(chart: &Chart) -> Result<String> {
    document(chart, false)
}

/// The colors on a dark screen. plotters writes colors as attributes, which any rule overrides.
fn dark_style() -> String {
    let rules = ON_DARK_PAPER.map(|(color, dark)| {
        let color = format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
        format!("[fill=\"{color}\"]{{fill:{dark}}}[stroke=\"{color}\"]{{stroke:{dark}}}")
    });
    format!(
        "<style>@media screen and (prefers-color-scheme:dark){{.paper{{fill:{DARK_PAPER}}}{}}}</style>\n",
        rules.concat()
    )
}

pub(super) fn not_drawn(cause: super::scene::Failure) -> Error {
    Error::new(ErrorKind::Display, "the chart could not be drawn").with_source(cause)
}
