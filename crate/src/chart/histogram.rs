//! A histogram: the number of rows in each range of values.

use std::sync::Arc;

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, axis_below, axis_left};
use super::axis_domain::AxisDomain;
use super::columns;
use super::mark::{Labels, Mark};
use super::numbers::{format_number, precise};
use super::omitted::Omitted;
use super::palette::{self, INK};
use super::plain;
use super::scale::{Scale, multiple, roomy, span, span_from_zero, step};
use super::scene::{Area, Lettering, SMALL, Scene, Side};
use super::text_metrics::{self, clean};
use crate::error::Result;
use crate::text::counted;

const HEIGHT: f64 = 300.0;
/// The maximum number of ranges to aim for.
const RANGES: f64 = 40.0;

#[derive(Debug)]
pub(super) struct Histogram {
    value: String,
    /// The edges of the ranges, one more than there are ranges.
    edges: Vec<f64>,
    counts: Vec<usize>,
    /// All values, from the smallest to the largest.
    values: Arc<[f64]>,
    left_out: Omitted,
}

impl Histogram {
    pub(super) fn from_frame(frame: &DataFrame, value: &str) -> Result<Self> {
        let numbers = columns::numbers(frame, value)?;
        let (left_out, _) = Omitted::of_values(value, &numbers);
        let mut values: Vec<f64> = numbers.into_iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        let edges = edges(&values);
        Ok(Self {
            value: clean(value),
            counts: counts(&values, &edges),
            values: values.into(),
            edges,
            left_out,
        })
    }

    fn domain(&self) -> [f64; 2] {
        span(self.edges.iter().copied())
    }

    fn most(&self) -> usize {
        self.counts.iter().copied().max().unwrap_or(0)
    }
}

/// How many of the sorted values are in each range.
fn counts(sorted: &[f64], edges: &[f64]) -> Vec<usize> {
    let inner = edges
        .get(1..edges.len().saturating_sub(1))
        .unwrap_or_default();
    let below = |edge: &f64| sorted.partition_point(|value| value < edge);
    let ends: Vec<usize> = inner.iter().map(below).chain([sorted.len()]).collect();
    let starts = [0].into_iter().chain(ends.iter().copied());
    let ranges = edges.len().saturating_sub(1);
    let counts = ends.iter().zip(starts).map(|(end, start)| end - start);
    counts.take(ranges).collect()
}

/// The edges of this many ranges of equal width, from the smallest value to the largest.
fn even_edges(sorted: &[f64], count: usize) -> Vec<f64> {
    let [Some(first), Some(last)] = [sorted.first(), sorted.last()] else {
        return Vec::new();
    };
    let [low, high] = span([*first, *last]);
    let part = |place: usize| place as f64 / count as f64;
    let edge = |place: usize| low * (1.0 - part(place)) + high * part(place);
    let mut edges: Vec<f64> = (0..=count).map(edge).collect();
    edges.dedup();
    edges
}

/// The value with this fraction of the sorted values below it; 0 if there are none.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(0.0);
    at(place.floor()) / 2.0 + at(place.ceil()) / 2.0
}

/// Round edges that cover all values, spaced by the rule of Freedman and Diaconis, or by Sturges'
/// rule if half of the values are equal.
fn edges(sorted: &[f64]) -> Vec<f64> {
    if sorted.is_empty() {
        return Vec::new();
    }
    let domain = span([sorted[0], sorted[sorted.len() - 1]]);
    let count = sorted.len() as f64;
    let half = |part: f64| quantile(sorted, part) / 2.0;
    let (middle, whole) = (half(0.75) - half(0.25), domain[1] / 2.0 - domain[0] / 2.0);
    let ranges = whole / (2.0 * middle / count.cbrt());
    let ranges = match ranges.is_finite() {
        true => ranges,
        false => count.log2() + 1.0,
    };
    let step = step(domain, ranges.clamp(1.0, RANGES));
    let (first, last) = ((domain[0] / step).floor(), (domain[1] / step).ceil());
    let mut edges: Vec<f64> = (0..=4 * RANGES as usize)
        .map(|place| first + place as f64)
        .take_while(|place| *place <= last)
        .map(|place| multiple(place, step).clamp(-f64::MAX, f64::MAX))
        .collect();
    edges.dedup();
    if edges.len() < 2 {
        return domain.to_vec();
    }
    edges
}

impl Mark for Histogram {
    fn kind(&self) -> &'static str {
        "Histogram"
    }

    fn labels(&self) -> Labels {
        Labels::of_axes(&self.value, "rows")
    }

    fn about(&self, labels: &Labels) -> String {
        labels.x.clone()
    }

    fn with_bins(&self, count: usize) -> Option<Arc<dyn Mark>> {
        let edges = even_edges(&self.values, count);
        Some(Arc::new(Self {
            value: self.value.clone(),
            counts: counts(&self.values, &edges),
            values: Arc::clone(&self.values),
            edges,
            left_out: self.left_out.clone(),
        }))
    }

    fn height(&self) -> f64 {
        ABOVE + BELOW + HEIGHT
    }

    fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn left_out(&self) -> &Omitted {
        &self.left_out
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let [_, most] = roomy(span_from_zero([self.most() as f64]));
        let inner = axis_left(scene, area, [0.0, most], &labels.y);
        let across = Scale::new(self.domain(), inner.left, inner.right);
        let up = Scale::new([0.0, most], inner.bottom, inner.top);
        axis_below(scene, inner, &across, &AxisDomain::Numbers, &labels.x);
        // Either all bars have their numbers, or none.
        let numbers = self.counts.iter().map(|count| format_number(*count as f64));
        let room = numbers.map(|number| text_metrics::width(&number, SMALL));
        let room = room.fold(0.0, f64::max);
        for (range, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let bar = Area {
                left: across.at(self.edges[range]),
                top: up.at(*count as f64),
                right: across.at(self.edges[range + 1]),
                bottom: inner.bottom,
            };
            palette::bar(scene, bar, 0);
            let [from, to] = [range, range + 1].map(|edge| precise(self.edges[edge]));
            let column = Area {
                top: inner.top,
                ..bar
            };
            let rows = counted(*count, "row");
            scene.add_note(column, &format!("{from} to {to}"), &rows);
            if bar.width() > room {
                let style = Lettering {
                    size: SMALL,
                    side: Side::Middle,
                    ink: INK,
                };
                let at = [(bar.left + bar.right) / 2.0, bar.top - 8.0];
                scene.words(&format_number(*count as f64), style, at, bar.width());
            }
        }
    }

    fn description(&self, labels: &Labels) -> String {
        let ends = [0.0, 0.5, 1.0].map(|part| quantile(&self.values, part));
        let [least, middle, most] = ends.map(format_number);
        let rows = counted(self.counts.iter().sum::<usize>(), "row");
        let ranges: Vec<_> = self
            .counts
            .iter()
            .zip(self.edges.windows(2))
            .filter(|(count, _)| **count > 0)
            .map(|(count, ends)| {
                format!(
                    "{} to {}: {}",
                    format_number(ends[0]),
                    format_number(ends[1]),
                    format_number(*count as f64)
                )
            })
            .collect();
        format!(
            "{} of {rows}. The smallest is {least}, the median {middle}, the largest {most}. {}.",
            labels.x,
            ranges.join("; ")
        )
    }

    fn plain(&self, labels: &Labels) -> String {
        let names: Vec<_> = self
            .edges
            .windows(2)
            .map(|ends| format!("{} to {}", format_number(ends[0]), format_number(ends[1])))
            .collect();
        let counts: Vec<_> = self.counts.iter().map(|count| *count as f64).collect();
        plain::bars([&labels.x, &labels.y], &names, &counts)
    }
}
