//! A dot for each row, with its interval if there is one.

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, GAP, Rows};
use super::columns;
use super::mark::{Labels, Mark};
use super::numbers::{format_number, precise};
use super::omitted::Omitted;
use super::palette::{BEHIND, INK, color};
use super::plain;
use super::scale::{part, roomy, span, span_from_zero};
use super::scene::{Area, Lettering, SMALL, Scene, Side};
use super::text_metrics;
use crate::error::{Error, ErrorKind, Result};

/// The natural height of a row.
const ROW: f64 = 26.0;

#[derive(Debug)]
pub(super) struct Dots {
    pub(super) labels: Labels,
    pub(super) names: Vec<String>,
    pub(super) dots: Vec<Dot>,
    /// The range of the axis.
    pub(super) domain: [f64; 2],
    pub(super) left_out: Omitted,
}

/// A value with its interval and details; all numbers are finite.
#[derive(Debug)]
pub(super) struct Dot {
    pub(super) value: f64,
    pub(super) interval: Option<[f64; 2]>,
    /// The individual values that it summarizes.
    pub(super) behind: Vec<f64>,
}

impl Dots {
    pub(super) fn from_frame(
        frame: &DataFrame,
        name: &str,
        value: &str,
        interval: Option<[&str; 2]>,
    ) -> Result<Self> {
        let values = columns::numbers(frame, value)?;
        let (mut left_out, mut rows) = Omitted::of_values(value, &values);
        left_out.cut(&mut rows);
        let names = columns::names(frame, name)?;
        let names: Vec<_> = rows.iter().copied().map(names).collect();
        let values: Vec<f64> = rows.iter().filter_map(|row| values[*row]).collect();
        let intervals = match interval {
            None => vec![None; rows.len()],
            Some(ends) => {
                let intervals = read_intervals(frame, ends, &rows, &names)?;
                left_out.open = intervals.iter().filter(|it| it.is_none()).count();
                intervals
            }
        };
        let reach = intervals.iter().flatten().flatten().chain(&values).copied();
        let domain = match interval {
            None => span(reach),
            Some(_) => span_from_zero(reach),
        };
        let dots = values.into_iter().zip(intervals);
        let dots = dots.map(|(value, interval)| Dot {
            value,
            interval,
            behind: Vec::new(),
        });
        Ok(Self {
            labels: Labels::of_axes(value, name),
            names,
            dots: dots.collect(),
            domain: roomy(domain),
            left_out,
        })
    }
}

fn read_intervals(
    frame: &DataFrame,
    [low, high]: [&str; 2],
    rows: &[usize],
    names: &[String],
) -> Result<Vec<Option<[f64; 2]>>> {
    let (lows, highs) = (
        columns::numbers(frame, low)?,
        columns::numbers(frame, high)?,
    );
    let mut intervals = Vec::with_capacity(rows.len());
    for (row, name) in rows.iter().zip(names) {
        let interval = lows[*row].zip(highs[*row]).map(|(low, high)| [low, high]);
        if let Some([low, high]) = interval.filter(|[low, high]| low > high) {
            let (low, high) = (format_number(low), format_number(high));
            let message =
                format!("the interval of `{name}` ends at {high} before it begins at {low}");
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("give the column of the lower ends first"));
        }
        intervals.push(interval);
    }
    Ok(intervals)
}

impl Dot {
    fn value_text(&self) -> String {
        self.value_text_by(format_number)
    }

    fn value_text_by(&self, number: fn(f64) -> String) -> String {
        let value = number(self.value);
        match self.interval {
            Some([low, high]) => format!("{value} [{}, {}]", number(low), number(high)),
            None => value,
        }
    }
}

impl Mark for Dots {
    fn kind(&self) -> &'static str {
        match self.dots.iter().any(|dot| dot.interval.is_some()) {
            true => "Dots with intervals",
            false => "Dot chart",
        }
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn height(&self) -> f64 {
        ABOVE + BELOW + ROW * self.dots.len() as f64
    }

    fn is_empty(&self) -> bool {
        self.dots.is_empty()
    }

    fn left_out(&self) -> &Omitted {
        &self.left_out
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let numbers: Vec<_> = self.dots.iter().map(Dot::value_text).collect();
        let widths = numbers
            .iter()
            .map(|number| text_metrics::width(number, SMALL));
        let room = widths.fold(0.0, f64::max) + 2.0 * GAP;
        let sides = [GAP, room.min(area.width() * 0.35)];
        let rows = Rows::around(scene, area, labels, &self.names, self.domain, sides);
        (0..self.dots.len()).for_each(|row| rows.guide(scene, row));
        rows.zero(scene);
        for (row, (dot, number)) in self.dots.iter().zip(&numbers).enumerate() {
            draw(scene, &rows, row, dot);
            scene.add_note(
                rows.band(row),
                &self.names[row],
                &dot.value_text_by(precise),
            );
            if rows.legible() {
                let style = Lettering {
                    size: SMALL,
                    side: Side::End,
                    ink: INK,
                };
                let at = [area.right, rows.middle(row)];
                scene.words(number, style, at, sides[1] - GAP);
            }
        }
    }

    fn description(&self, labels: &Labels) -> String {
        let values: Vec<_> = self.dots.iter().map(|dot| dot.value).collect();
        let description = plain::describe_rows(&self.names, &values, labels);
        let intervals: Vec<_> = self
            .names
            .iter()
            .zip(&self.dots)
            .filter_map(|(name, dot)| {
                let [low, high] = dot.interval?;
                Some(format!(
                    "{name}: {} to {}",
                    format_number(low),
                    format_number(high)
                ))
            })
            .collect();
        match intervals.is_empty() {
            true => description,
            false => format!("{description} Intervals: {}.", intervals.join("; ")),
        }
    }

    fn plain(&self, labels: &Labels) -> String {
        let pictures: Vec<_> = self.dots.iter().map(|dot| line(dot, self.domain)).collect();
        let numbers: Vec<_> = self.dots.iter().map(Dot::value_text).collect();
        plain::rows(
            &[&labels.y, "", &labels.x],
            &self.names,
            &pictures,
            &numbers,
        )
    }
}

fn draw(scene: &mut Scene, rows: &Rows, row: usize, dot: &Dot) {
    let (scale, middle) = (&rows.scale, rows.middle(row));
    for value in &dot.behind {
        scene.disc([scale.at(*value), middle], 3.0, BEHIND);
    }
    if let Some(interval) = dot.interval {
        let [low, high] = interval.map(|end| scale.at(end));
        scene.path(vec![[low, middle], [high, middle]], color(0), 3.0);
        let tick = (rows.height * 0.2).min(6.0);
        for end in [low, high] {
            scene.path(
                vec![[end, middle - tick], [end, middle + tick]],
                color(0),
                2.0,
            );
        }
    }
    let radius = (rows.height * 0.25).clamp(2.0, 6.0);
    scene.disc([scale.at(dot.value), middle], radius, color(0));
}

/// A line of characters with the dot, its interval, and zero.
fn line(dot: &Dot, domain: [f64; 2]) -> String {
    let place = |value: f64| (part(value, domain) * (plain::WIDTH - 1) as f64).round() as usize;
    let mut line = [' '; plain::WIDTH];
    if domain[0] <= 0.0 && 0.0 <= domain[1] {
        line[place(0.0)] = '┊';
    }
    if let Some([low, high]) = dot.interval {
        line[place(low)..=place(high)].fill('─');
        line[place(low)] = '├';
        line[place(high)] = '┤';
    }
    line[place(dot.value)] = '●';
    line.iter().collect()
}
