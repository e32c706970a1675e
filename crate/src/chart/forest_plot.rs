//! Paired effects with their intervals: a row for each measure, with a dot for each pair behind it.

use super::dots::{Dot, Dots};
use super::figure::Chart;
use super::mark::Labels;
use super::omitted::Omitted;
use super::scale::{roomy, span};
use super::text_metrics::clean;
use std::sync::Arc;

/// A row of the chart; all values are on the same scale.
pub(crate) struct Effect {
    pub(crate) name: String,
    pub(crate) pairs: Vec<f64>,
    pub(crate) mean: f64,
    /// The ends of its interval, if there is one.
    pub(crate) interval: Option<[f64; 2]>,
}

/// The effects on an axis with zero in its middle. Values that are not finite are not drawn, and
/// the chart says so.
pub(crate) fn forest_plot(rows: Vec<Effect>, scale: &str) -> Chart {
    let of_frame = rows.len();
    let mut rows = rows;
    rows.retain(|row| row.mean.is_finite());
    let values = rows.iter().flat_map(|row| {
        let ends = row.interval.iter().flatten();
        row.pairs.iter().chain(ends).chain([&row.mean])
    });
    let sizes = values
        .map(|value| value.abs())
        .filter(|size| size.is_finite());
    let [_, most] = span(sizes.chain([0.0, 1.0]));
    let (names, dots): (Vec<_>, Vec<_>) = rows.into_iter().map(dot).unzip();
    Chart::from_mark(Arc::new(Dots {
        labels: Labels::of_axes(scale, "measure"),
        domain: roomy([-most, most]),
        left_out: Omitted {
            rows: of_frame,
            column: scale.to_owned(),
            without: of_frame - dots.len(),
            open: dots.iter().filter(|dot| dot.interval.is_none()).count(),
            ..Omitted::default()
        },
        names,
        dots,
    }))
}

fn dot(mut row: Effect) -> (String, Dot) {
    row.pairs.retain(|pair| pair.is_finite());
    let dot = Dot {
        value: row.mean,
        interval: row
            .interval
            .filter(|ends| ends.iter().all(|end| end.is_finite()) && ends[0] <= ends[1]),
        behind: row.pairs,
    };
    (clean(&row.name), dot)
}
