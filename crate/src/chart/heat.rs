//! A heat map: a shade for each pair of names.

use polars::prelude::DataFrame;

use super::axes::{ABOVE, BELOW, GAP, names_width};
use super::groups::Grid;
use super::mark::{Labels, Mark, Valued};
use super::numbers::{format_number, precise};
use super::omitted::Omitted;
use super::palette::{INK, on_shade, shade};
use super::plain;
use super::scale::{Scale, part, span};
use super::scene::{Area, Lettering, QUIET, SMALL, Scene, Side};
use super::text_metrics::{self, clean};
use crate::error::Result;
use crate::text::counted;

/// The natural height of a row.
const ROW: f64 = 26.0;
/// The key of the shades at the right: its number of steps, and its width.
const STEPS: usize = 60;
const KEY: f64 = 16.0;
/// The number of columns that fit into the text form.
const TOLD: usize = 8;

#[derive(Debug)]
pub(super) struct HeatMap {
    labels: Labels,
    /// Its `names` are those of the rows, its `others` those of the columns.
    grid: Grid,
}

impl HeatMap {
    pub(super) fn from_frame(frame: &DataFrame, x: &str, y: &str, value: &str) -> Result<Self> {
        Ok(Self {
            labels: Labels {
                x: clean(x),
                y: clean(y),
                shade: clean(value),
            },
            grid: Grid::from_frame(frame, y, x, value)?,
        })
    }

    fn domain(&self) -> [f64; 2] {
        span(self.grid.all())
    }
}

impl Mark for HeatMap {
    fn kind(&self) -> &'static str {
        "Heat map"
    }

    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn valued(&self) -> Valued {
        Valued::Shade
    }

    fn height(&self) -> f64 {
        ABOVE + BELOW + ROW * (self.grid.names.len() as f64).max(4.0)
    }

    fn is_empty(&self) -> bool {
        self.grid.names.is_empty()
    }

    fn left_out(&self) -> &Omitted {
        &self.grid.left_out
    }

    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels) {
        let grid = &self.grid;
        let names_end = area.left + names_width(&grid.names, &labels.y, area.width() * 0.3);
        let key = key_width(self.domain(), &labels.shade).min(area.width() * 0.3);
        let inner = Area {
            left: names_end + GAP,
            top: area.top + ABOVE,
            right: area.right - key - 2.0 * GAP,
            bottom: area.bottom - BELOW,
        };
        self.names(scene, inner, labels, area);
        let domain = self.domain();
        for row in 0..grid.names.len() {
            let [top, bottom] = [row, row + 1].map(|place| down(inner, place, grid.names.len()));
            for column in 0..grid.others.len() {
                let [left, right] =
                    [column, column + 1].map(|place| along(inner, place, grid.others.len()));
                let cell = Area {
                    left,
                    top,
                    right,
                    bottom,
                };
                draw_cell(scene, cell, grid.value(row, column), domain);
                let name = format!("{}, {}", grid.names[row], grid.others[column]);
                let value = grid
                    .value(row, column)
                    .map_or("no value".to_owned(), precise);
                scene.add_note(cell, &name, &value);
            }
        }
        draw_key(
            scene,
            self.domain(),
            &labels.shade,
            Area {
                left: area.right - key,
                right: area.right,
                ..inner
            },
        );
    }

    fn description(&self, labels: &Labels) -> String {
        let (names, values) = self.grid.each();
        let labels = Labels::of_axes(&labels.shade, &format!("{} and {}", labels.y, labels.x));
        plain::describe_rows(&names, &values, &labels)
    }

    fn plain(&self, labels: &Labels) -> String {
        let grid = &self.grid;
        let cells_of = |row: usize| {
            let values = (0..grid.others.len().min(TOLD)).map(|column| grid.value(row, column));
            values
                .map(|value| value.map_or("–".to_owned(), format_number))
                .collect::<Vec<_>>()
        };
        let heads = grid.others.iter().take(TOLD).map(|name| plain::short(name));
        let mut table = vec![[vec![plain::short(&labels.y)], heads.collect()].concat()];
        for (row, name) in grid.names.iter().enumerate() {
            table.push([vec![plain::short(name)], cells_of(row)].concat());
        }
        let more = match grid.others.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!("\n… and {} more", counted(more, "column")),
        };
        let head = format!("{} by {}", labels.shade, labels.x);
        format!("{head}\n{}{more}", aligned(&table))
    }
}

impl HeatMap {
    /// Draws as many names as fit at the left and below, and the labels of the axes.
    fn names(&self, scene: &mut Scene, inner: Area, labels: &Labels, area: Area) {
        let (rows, columns) = (self.grid.names.len(), self.grid.others.len());
        let high = inner.height() / rows.max(1) as f64;
        let every = (13.0 / high.max(0.1)).ceil().max(1.0) as usize;
        for (row, name) in self.grid.names.iter().enumerate().step_by(every) {
            let style = Lettering {
                size: SMALL,
                side: Side::End,
                ink: INK,
            };
            let at = [inner.left - GAP, down(inner, row, rows) + high / 2.0];
            scene.words(name, style, at, inner.left - GAP - area.left);
        }
        let wide = inner.width() / columns.max(1) as f64;
        let every = (30.0 / wide.max(0.1)).ceil().max(1.0) as usize;
        for (column, name) in self.grid.others.iter().enumerate().step_by(every) {
            let style = Lettering {
                size: SMALL,
                side: Side::Middle,
                ink: INK,
            };
            let at = [
                along(inner, column, columns) + wide / 2.0,
                inner.bottom + 14.0,
            ];
            scene.words(name, style, at, wide * every as f64 - 4.0);
        }
        let middle = [(inner.left + inner.right) / 2.0, inner.bottom + 34.0];
        scene.words(
            &labels.x,
            Lettering::small(Side::Middle),
            middle,
            inner.width(),
        );
        let above = [area.left, area.top + 8.0];
        scene.words(
            &labels.y,
            Lettering::small(Side::Start),
            above,
            inner.width(),
        );
    }
}

/// Draws a shade with its number, or a dash if there is no value.
fn draw_cell(scene: &mut Scene, cell: Area, value: Option<f64>, domain: [f64; 2]) {
    let (number, ink) = match value {
        Some(value) => {
            let part = part(value, domain);
            scene.block(cell, shade(part));
            (format_number(value), on_shade(part))
        }
        None => ("–".to_owned(), QUIET),
    };
    if text_metrics::width(&number, SMALL) + 4.0 < cell.width() && cell.height() >= 12.0 {
        let style = Lettering {
            size: SMALL,
            side: Side::Middle,
            ink,
        };
        let middle = [
            (cell.left + cell.right) / 2.0,
            (cell.top + cell.bottom) / 2.0,
        ];
        scene.words(&number, style, middle, cell.width());
    }
}

fn along(area: Area, place: usize, count: usize) -> f64 {
    area.left + area.width() * place as f64 / count.max(1) as f64
}

fn down(area: Area, place: usize, count: usize) -> f64 {
    area.top + area.height() * place as f64 / count.max(1) as f64
}

/// The width of the key: its shades and the numbers next to them, or its label if that is wider.
fn key_width(domain: [f64; 2], label: &str) -> f64 {
    let ticks = Scale::new(domain, 0.0, 1.0).ticks(5);
    let numbers = ticks
        .iter()
        .map(|tick| text_metrics::width(&tick.name, SMALL));
    let numbers = numbers.fold(0.0, f64::max);
    (KEY + GAP + numbers).max(text_metrics::width(label, SMALL))
}

/// Draws the shades from low to high, with some of their values.
fn draw_key(scene: &mut Scene, domain: [f64; 2], label: &str, area: Area) {
    let scale = Scale::new(domain, area.bottom, area.top);
    for step in 0..STEPS {
        let block = Area {
            right: area.left + KEY,
            top: down(area, step, STEPS),
            bottom: down(area, step + 1, STEPS),
            ..area
        };
        scene.block(block, shade(1.0 - (step as f64 + 0.5) / STEPS as f64));
    }
    for tick in scale.ticks(((area.height() / 30.0) as usize).min(8)) {
        let at = [area.left + KEY + GAP, scale.at(tick.value)];
        scene.words(&tick.name, Lettering::small(Side::Start), at, area.width());
    }
    let style = Lettering {
        size: SMALL,
        side: Side::End,
        ink: QUIET,
    };
    scene.words(label, style, [area.right, area.top - 16.0], area.width());
}

/// Texts in columns, the first aligned to the left and the others to the right.
fn aligned(table: &[Vec<String>]) -> String {
    let columns = table.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}
