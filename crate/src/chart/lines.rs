//! Lines through points in the order of their `x`: numbers, times or names.

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, axis_below, axis_left};
use super::axis_domain::AxisDomain;
use super::columns;
use super::groups::too_many;
use super::mark::{Labels, Legend, Mark, Valued};
use super::numbers::{format_number, precise};
use super::omitted::Omitted;
use super::palette::{GROUPS, color, dashes, marker};
use super::plain;
use super::polyline::{dashed, thinned};
use super::scale::{Scale, part, roomy, span};
use super::scene::{Area, Point, Scene};
use super::text_metrics::clean;
use crate::error::Result;
use crate::text::counted;

const HEIGHT: f64 = 320.0;
/// With more points than this, the markers would cover the line.
const MARKED: usize = 40;
/// How far from its middle a marker is pointed at, in pixels.
const MARK: f64 = 7.0;

#[derive(Debug)]
pub(super) struct Lines {
    labels: Labels,
    along: AxisDomain,
    /// The column of the groups. It and `names` are empty if there is a single line.
    group: String,
    names: Vec<String>,
    /// The points of each group, sorted by `x`.
    lines: Vec<Vec<Point>>,
    left_out: Omitted,
}

impl Lines {
    pub(super) fn from_frame(
        frame: &DataFrame,
        x: &str,
        y: &str,
        group: Option<&str>,
    ) -> Result<Self> {
        let (mut along, across) = columns::along(frame, x)?;
        let up = columns::numbers(frame, y)?;
        let points: Vec<_> = across.into_iter().zip(up).map(both).collect();
        let up: Vec<_> = points.iter().map(|point| point.map(|[_, y]| y)).collect();
        let (mut left_out, mut rows) = Omitted::of_values(y, &up);
        along.cut(&mut rows, &points, &mut left_out);
        let (names, of_rows) = match group {
            Some(group) => groups(rows.iter().copied().map(columns::names(frame, group)?)),
            None => (Vec::new(), vec![0; rows.len()]),
        };
        if let Some(error) = too_many(group.unwrap_or_default(), names.len()) {
            return Err(error);
        }
        let mut lines = vec![Vec::new(); names.len().max(1)];
        for (row, group) in rows.iter().zip(of_rows) {
            lines[group].extend(points[*row]);
        }
        for line in &mut lines {
            line.sort_by(|one, other| one[0].total_cmp(&other[0]));
        }
        Ok(Self {
            labels: Labels::of_axes(&columns::label(frame, x), y),
            along,
            group: clean(group.unwrap_or_default()),
            names,
            lines,
            left_out,
        })
    }

    fn across(&self) -> [f64; 2] {
        let points = self.lines.iter().flatten();
        self.along.span(points.map(|[x, _]| *x))
    }

    fn up(&self) -> [f64; 2] {
        span(self.lines.iter().flatten().map(|[_, y]| *y))
    }
}

fn both((x, y): (Option<f64>, Option<f64>)) -> Option<Point> {
    Some([x?, y?])
}

/// The names in the order of their first occurrence, and for each row the position of its name. The
/// search for new names stops after one more than can be distinguished.
fn groups(of_rows: impl Iterator<Item = String>) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for name in of_rows {
        let place = names.iter().position(|there| *there == name);
        if place.is_none() && names.len() <= GROUPS {
            names.push(name);
        }
        places.push(place.unwrap_or(names.len() - 1));
    }
    (names, places)
}

impl Mark for Lines {
    fn kind(&self) -> &'static str {
        "Line chart"
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn valued(&self) -> Valued {
        Valued::Y
    }

    fn height(&self) -> f64 {
        ABOVE + BELOW + HEIGHT
    }

    fn is_empty(&self) -> bool {
        self.lines.iter().all(Vec::is_empty)
    }

    fn left_out(&self) -> &Omitted {
        &self.left_out
    }

    fn legend(&self) -> Option<Legend<'_>> {
        let key = |scene: &mut Scene, area: Area, group| {
            let middle = (area.top + area.bottom) / 2.0;
            stroke(scene, &[[area.left, middle], [area.right, middle]], group);
            marker(scene, [(area.left + area.right) / 2.0, middle], group);
        };
        (!self.names.is_empty()).then_some(Legend {
            title: &self.group,
            names: &self.names,
            key,
        })
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let up = roomy(self.up());
        let inner = axis_left(scene, area, up, &labels.y);
        let across = Scale::new(self.along.roomy(self.across()), inner.left, inner.right);
        let up = Scale::new(up, inner.bottom, inner.top);
        axis_below(scene, inner, &across, &self.along, &labels.x);
        for (group, line) in self.lines.iter().enumerate() {
            let places = line.iter().map(|[x, y]| [across.at(*x), up.at(*y)]);
            let places = thinned(places);
            stroke(scene, &places, group);
            if line.len() <= MARKED {
                places.iter().for_each(|place| marker(scene, *place, group));
                for [x, y] in line {
                    let part = Area::around([across.at(*x), up.at(*y)], MARK);
                    let group = self.names.get(group).map(|name| format!("{name}, "));
                    let name = group.unwrap_or_default() + &self.along.format_value(*x);
                    scene.add_note(part, &name, &precise(*y));
                }
            }
        }
    }

    fn description(&self, labels: &Labels) -> String {
        let line = |(group, line): (usize, &Vec<Point>)| {
            let (first, last) = (line.first()?, line.last()?);
            let [least, most] = ends(line);
            let name = self.names.get(group).map(|name| format!("{name}: "));
            Some(format!(
                "{}{} from {} at {} to {} at {}, the smallest {}, the largest {}.",
                name.unwrap_or_default(),
                counted(line.len(), "point"),
                format_number(first[1]),
                self.along.format_value(first[0]),
                format_number(last[1]),
                self.along.format_value(last[0]),
                format_number(least),
                format_number(most),
            ))
        };
        let lines: Vec<_> = self.lines.iter().enumerate().filter_map(line).collect();
        format!("{} by {}. {}", labels.y, labels.x, lines.join(" "))
    }

    fn plain(&self, labels: &Labels) -> String {
        let (across, up) = (self.across(), self.up());
        let pictures: Vec<_> = self
            .lines
            .iter()
            .map(|line| spark(line, across, up))
            .collect();
        let numbers: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                let [least, most] = ends(line);
                format!("{} to {}", format_number(least), format_number(most))
            })
            .collect();
        let names = match self.names.is_empty() {
            true => vec![labels.y.clone()],
            false => self.names.clone(),
        };
        let [from, to] = across.map(|end| plain::short(&self.along.format_value(end)));
        let x = format!("{} {from} to {to}", plain::short(&labels.x));
        plain::rows(&[&self.group, &x, &labels.y], &names, &pictures, &numbers)
    }
}

/// The smallest and the largest `y`; 0 and 1 if there are no points.
fn ends(line: &[Point]) -> [f64; 2] {
    let values = || line.iter().map(|point| point[1]);
    let least = values().min_by(f64::total_cmp);
    let most = values().max_by(f64::total_cmp);
    [least.unwrap_or(0.0), most.unwrap_or(1.0)]
}

/// The mean height of each interval along the line, as one of eight block characters.
fn spark(line: &[Point], across: [f64; 2], up: [f64; 2]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut sums = vec![(0.0, 0.0); plain::WIDTH];
    for [x, y] in line {
        let place = (part(*x, across) * (plain::WIDTH - 1) as f64).round() as usize;
        sums[place].0 += part(*y, up);
        sums[place].1 += 1.0;
    }
    let means = sums
        .iter()
        .enumerate()
        .filter(|(_, (_, count))| *count > 0.0);
    let means: Vec<Point> = means
        .map(|(place, (sum, count))| [place as f64, sum / count])
        .collect();
    let block = |place| match between(&means, place as f64) {
        Some(height) => BLOCKS[(height * 7.0).round() as usize],
        None => ' ',
    };
    (0..plain::WIDTH).map(block).collect()
}

/// The height of a line at a position; `None` before its beginning and after its end.
fn between(line: &[Point], place: f64) -> Option<f64> {
    let after = line.iter().position(|point| point[0] >= place)?;
    let [right, height] = line[after];
    if right == place {
        return Some(height);
    }
    let [left, before] = *line.get(after.checked_sub(1)?)?;
    Some(before + (height - before) * (place - left) / (right - left))
}

/// Draws a line in the color and the dashes of its group.
fn stroke(scene: &mut Scene, points: &[Point], group: usize) {
    for dash in dashed(points, dashes(group)) {
        scene.path(dash, color(group), 2.0);
    }
}
