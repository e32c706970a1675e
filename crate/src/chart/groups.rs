//! Grouped bars: for each name, a bar for each group, side by side.

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, Rows};
use super::bars::{bar, number, number_room};
use super::columns;
use super::mark::{Labels, Legend, Mark};
use super::numbers::precise;
use super::omitted::{MAX_COUNT, Omitted};
use super::palette::{self, GROUPS};
use super::plain;
use super::scale::{beyond, span_from_zero};
use super::scene::{Area, Scene};
use super::text_metrics::clean;
use crate::error::{Error, ErrorKind, Result};

/// The natural height of a bar, and the gap between names.
const BAR: f64 = 14.0;
const BETWEEN: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Groups {
    labels: Labels,
    group: String,
    grid: Grid,
}

/// Values by two names, such as those of a row and of a group.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) names: Vec<String>,
    pub(super) others: Vec<String>,
    /// For each name, a value for each of the other names; `None` where the frame has none.
    pub(super) values: Vec<Vec<Option<f64>>>,
    pub(super) left_out: Omitted,
}

impl Grid {
    /// Reads rows with two names and a value.
    ///
    /// # Errors
    /// A column is missing or not numeric, or two rows have the same pair of names.
    pub(super) fn from_frame(
        frame: &DataFrame,
        name: &str,
        other: &str,
        value: &str,
    ) -> Result<Self> {
        let numbers = columns::numbers(frame, value)?;
        let (left_out, rows) = Omitted::of_values(value, &numbers);
        let (mut names, mut others) = (columns::names(frame, name)?, columns::names(frame, other)?);
        let mut grid = Self {
            names: Vec::new(),
            others: Vec::new(),
            values: Vec::new(),
            left_out,
        };
        for row in rows {
            grid.put(names(row), others(row), numbers[row])?;
        }
        Ok(grid)
    }

    fn put(&mut self, name: String, other: String, value: Option<f64>) -> Result<()> {
        let places = (
            place(&mut self.names, &name),
            place(&mut self.others, &other),
        );
        let (Some(row), Some(column)) = places else {
            self.left_out.beyond += 1;
            return Ok(());
        };
        self.values.resize_with(self.names.len(), Vec::new);
        let values = &mut self.values[row];
        if values.len() <= column {
            values.resize(column + 1, None);
        }
        if values[column].is_some() {
            let message = format!("two rows have the names `{name}` and `{other}`");
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("a chart can show only one of them: take their mean or sum first"));
        }
        values[column] = value;
        Ok(())
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Option<f64> {
        self.values.get(row)?.get(column).copied().flatten()
    }

    /// Each value with its two names.
    pub(super) fn each(&self) -> (Vec<String>, Vec<f64>) {
        let rows = self.names.iter().enumerate().flat_map(|(row, name)| {
            let columns = self.others.iter().enumerate();
            columns.filter_map(move |(column, other)| {
                Some((format!("{name}, {other}"), self.value(row, column)?))
            })
        });
        rows.unzip()
    }

    /// All values.
    pub(super) fn all(&self) -> impl Iterator<Item = f64> {
        self.values.iter().flatten().flatten().copied()
    }
}

/// The position of a name in a list of at most a hundred. A new name is added if there is room.
fn place(names: &mut Vec<String>, name: &str) -> Option<usize> {
    let found = names.iter().position(|there| there == name);
    if found.is_none() && names.len() < MAX_COUNT {
        names.push(name.to_owned());
        return Some(names.len() - 1);
    }
    found
}

/// The error if there are more groups than can be distinguished.
pub(super) fn too_many(column: &str, count: usize) -> Option<Error> {
    (count > GROUPS).then(|| {
        let message = format!(
            "the column `{}` has more than {GROUPS} groups, which can't be told apart in one chart",
            clean(column)
        );
        Error::new(ErrorKind::Argument, message)
            .with_hint("keep the groups that matter; `heat_map` shows many")
    })
}

impl Groups {
    pub(super) fn from_frame(
        frame: &DataFrame,
        name: &str,
        value: &str,
        group: &str,
    ) -> Result<Self> {
        let grid = Grid::from_frame(frame, name, group, value)?;
        if let Some(error) = too_many(group, grid.others.len()) {
            return Err(error);
        }
        Ok(Self {
            labels: Labels::of_axes(value, name),
            group: clean(group),
            grid,
        })
    }
}

impl Mark for Groups {
    fn kind(&self) -> &'static str {
        "Grouped bar chart"
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn height(&self) -> f64 {
        let row = BAR * self.grid.others.len() as f64 + BETWEEN;
        ABOVE + BELOW + row * self.grid.names.len() as f64
    }

    fn is_empty(&self) -> bool {
        self.grid.names.is_empty()
    }

    fn left_out(&self) -> &Omitted {
        &self.grid.left_out
    }

    fn legend(&self) -> Option<Legend<'_>> {
        Some(Legend {
            title: &self.group,
            names: &self.grid.others,
            key: palette::bar,
        })
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let grid = &self.grid;
        let values: Vec<_> = grid.all().collect();
        let domain = beyond(span_from_zero(values.iter().copied()));
        let sides = number_room(&values);
        let rows = Rows::around(scene, area, labels, &grid.names, domain, sides);
        let groups = grid.others.len() as f64;
        let thick = rows.height * (1.0 - BETWEEN / (BAR * groups + BETWEEN)) / groups;
        for row in 0..grid.names.len() {
            for group in 0..grid.others.len() {
                let Some(value) = grid.value(row, group) else {
                    continue;
                };
                let middle = rows.middle(row) + thick * (group as f64 + 0.5 - groups / 2.0);
                let ends = [middle - thick * 0.45, middle + thick * 0.45];
                bar(scene, &rows.scale, value, ends, group);
                let part = Area {
                    top: middle - thick / 2.0,
                    bottom: middle + thick / 2.0,
                    ..rows.band(row)
                };
                let name = format!("{}, {}", grid.names[row], grid.others[group]);
                scene.add_note(part, &name, &precise(value));
                if thick >= 11.0 {
                    number(scene, &rows.scale, value, middle);
                }
            }
        }
        rows.zero(scene);
    }

    fn description(&self, labels: &Labels) -> String {
        let (names, values) = self.grid.each();
        let y = format!("{} and {}", labels.y, self.group);
        let labels = Labels {
            y,
            ..labels.clone()
        };
        plain::describe_rows(&names, &values, &labels)
    }

    fn plain(&self, labels: &Labels) -> String {
        let (names, values) = self.grid.each();
        let head = format!("{}, {}", labels.y, self.group);
        plain::bars([&head, &labels.x], &names, &values)
    }
}
