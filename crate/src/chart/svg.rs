//! A chart as an SVG document.

use plotters::prelude::SVGBackend;

use super::figure::Chart;
use super::scene::paint;
use crate::display::escaped;
use crate::error::{Error, ErrorKind, Result};

/// The document, with a title and a description for those who can't see it.
///
/// # Errors
/// plotters could not draw it.
pub(super) fn svg(chart: &Chart) -> Result<String> {
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
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#FFFFFF\"/>{rest}",
        escaped(&chart.name()),
        escaped(&chart.description()),
    ))
}

pub(super) fn not_drawn(cause: super::scene::Failure) -> Error {
    Error::new(ErrorKind::Display, "the chart could not be drawn").with_source(cause)
}
