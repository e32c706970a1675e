//! The domain of a horizontal axis: numbers, times, or names in their order.

use super::calendar;
use super::numbers;
use super::omitted::{MAX_COUNT, Omitted};
use super::scale::{Scale, Tick, roomy, span};
use super::scene::{Point, SMALL};
use super::text_metrics;

/// The maximum width of a name below the data.
pub(super) const MAX_WIDTH: f64 = 160.0;

/// The kind of values on an axis. Each value is represented by a number: a time by its milliseconds
/// since 1970, a name by its position.
#[derive(Debug)]
pub(super) enum AxisDomain {
    Numbers,
    Times,
    Names(Vec<String>),
}

impl AxisDomain {
    /// Keeps the first hundred names, and the rows that have one of them.
    pub(super) fn cut(
        &mut self,
        rows: &mut Vec<usize>,
        points: &[Option<Point>],
        left_out: &mut Omitted,
    ) {
        if let Self::Names(names) = self {
            names.truncate(MAX_COUNT);
            let before = rows.len();
            rows.retain(|row| points[*row].is_some_and(|[place, _]| place < MAX_COUNT as f64));
            left_out.beyond = before - rows.len();
        }
    }

    /// The range from the first of these values, or of all names, to the last.
    pub(super) fn span(&self, values: impl IntoIterator<Item = f64>) -> [f64; 2] {
        match self {
            Self::Numbers | Self::Times => span(values),
            Self::Names(names) => [0.0, names.len().saturating_sub(1) as f64],
        }
    }

    /// The range with room at both ends: names are centered in their intervals.
    pub(super) fn roomy(&self, [low, high]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Numbers | Self::Times => roomy([low, high]),
            Self::Names(_) => [low - 0.5, high + 0.5],
        }
    }

    /// The text of a value in a sentence.
    pub(super) fn format_value(&self, value: f64) -> String {
        match self {
            Self::Numbers => numbers::format_number(value),
            Self::Times => calendar::format_time(value),
            Self::Names(names) => names.get(value as usize).cloned().unwrap_or_default(),
        }
    }

    /// As many values to label as fit next to each other below the axis.
    pub(super) fn fitting(&self, scale: &Scale, room: f64) -> Vec<Tick> {
        let width = |ticks: &[Tick]| {
            let names = ticks
                .iter()
                .map(|tick| text_metrics::width(&tick.name, SMALL));
            names.fold(0.0, f64::max).min(MAX_WIDTH) + 12.0
        };
        let most = match self {
            Self::Numbers | Self::Times => 8,
            Self::Names(names) => names.len(),
        };
        let tried = (1..=most).rev().map(|about| self.ticks(scale, about));
        let mut fits = tried.filter(|ticks| width(ticks) * ticks.len() as f64 <= room);
        fits.next().unwrap_or_default()
    }

    fn ticks(&self, scale: &Scale, about: usize) -> Vec<Tick> {
        match self {
            Self::Numbers => scale.ticks(about),
            Self::Times => calendar::ticks([scale.low, scale.high], about),
            Self::Names(names) => {
                let every = names.len().div_ceil(about);
                let named = names.iter().enumerate().skip(every / 2).step_by(every);
                named
                    .map(|(place, name)| Tick {
                        value: place as f64,
                        name: name.clone(),
                    })
                    .collect()
            }
        }
    }
}
