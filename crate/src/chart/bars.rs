//! A bar for each row.

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, GAP, Rows};
use super::columns;
use super::mark::{Labels, Mark};
use super::numbers::{format_number, precise};
use super::omitted::Omitted;
use super::palette::{self, INK};
use super::plain;
use super::scale::{Scale, beyond, span_from_zero};
use super::scene::{Area, Lettering, SMALL, Scene, Side};
use super::text_metrics;
use crate::error::Result;

/// The natural height of a row, and that of one among many, so that a chart fits on a screen.
const ROW: f64 = 22.0;
const LOW_ROW: f64 = 14.0;
/// From this number of rows on, they are low.
const MANY: usize = 30;

#[derive(Debug)]
pub(super) struct Bars {
    labels: Labels,
    names: Vec<String>,
    values: Vec<f64>,
    left_out: Omitted,
}

impl Bars {
    pub(super) fn from_frame(frame: &DataFrame, name: &str, value: &str) -> Result<Self> {
        let numbers = columns::numbers(frame, value)?;
        let (mut left_out, mut rows) = Omitted::of_values(value, &numbers);
        left_out.cut(&mut rows);
        let names = columns::names(frame, name)?;
        Ok(Self {
            labels: Labels::of_axes(value, name),
            names: rows.iter().copied().map(names).collect(),
            values: rows.iter().filter_map(|row| numbers[*row]).collect(),
            left_out,
        })
    }
}

impl Mark for Bars {
    fn kind(&self) -> &'static str {
        "Bar chart"
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn height(&self) -> f64 {
        let row = if self.values.len() < MANY {
            ROW
        } else {
            LOW_ROW
        };
        ABOVE + BELOW + row * self.values.len() as f64
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn left_out(&self) -> &Omitted {
        &self.left_out
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let domain = beyond(span_from_zero(self.values.iter().copied()));
        let sides = number_room(&self.values);
        let rows = Rows::around(scene, area, labels, &self.names, domain, sides);
        for (row, value) in self.values.iter().enumerate() {
            let half = rows.height * 0.36;
            let middle = rows.middle(row);
            bar(
                scene,
                &rows.scale,
                *value,
                [middle - half, middle + half],
                0,
            );
            if rows.legible() {
                number(scene, &rows.scale, *value, middle);
            }
            scene.add_note(rows.band(row), &self.names[row], &precise(*value));
        }
        rows.zero(scene);
    }

    fn description(&self, labels: &Labels) -> String {
        plain::describe_rows(&self.names, &self.values, labels)
    }

    fn plain(&self, labels: &Labels) -> String {
        plain::bars([&labels.y, &labels.x], &self.names, &self.values)
    }
}

/// The room that the numbers at the ends of bars need, left and right.
pub(super) fn number_room(values: &[f64]) -> [f64; 2] {
    let widest = |negative: bool| {
        values
            .iter()
            .filter(|value| (**value < 0.0) == negative)
            .map(|value| text_metrics::width(&format_number(*value), SMALL) + GAP)
            .fold(0.0, f64::max)
    };
    [widest(true), widest(false)]
}

/// Draws a bar from zero to the value, between two vertical positions.
pub(super) fn bar(
    scene: &mut Scene,
    scale: &Scale,
    value: f64,
    [top, bottom]: [f64; 2],
    group: usize,
) {
    let (zero, end) = (scale.at(0.0), scale.at(value));
    let area = Area {
        left: zero.min(end),
        right: zero.max(end),
        top,
        bottom,
    };
    if value != 0.0 {
        palette::bar(scene, area, group);
    }
}

/// Draws the value beyond the end of its bar.
pub(super) fn number(scene: &mut Scene, scale: &Scale, value: f64, middle: f64) {
    let (side, away) = match value < 0.0 {
        true => (Side::End, -5.0),
        false => (Side::Start, 5.0),
    };
    let style = Lettering {
        size: SMALL,
        side,
        ink: INK,
    };
    let at = [scale.at(value) + away, middle];
    scene.words(&format_number(value), style, at, f64::INFINITY);
}
