//! Charts of data frames, and of a report's results.
//!
//! [`chart`] takes a frame, and a method for each kind of chart takes its columns. The data is
//! checked there, so that a [`Chart`] can always be shown. Each kind is a *mark*, in its own file;
//! it makes shapes in pixels, a text form, and a description for screen readers.
//!
//! - `columns` reads the frame, `omitted` counts what can't be drawn.
//! - `bars`, `groups`, `dots`, `histogram`, `lines`, `heat` are the marks.
//! - `axes` and `scale` draw the axes, `axis_domain` defines what a horizontal axis shows;
//!   `text_metrics`, `numbers` and `calendar` format and measure text.
//! - `palette` and `polyline` make groups distinguishable.
//! - `figure` assembles a chart; `scene` passes it to plotters, and `svg`, `png` and `plain` are
//!   the output formats. `hover` is what a page tells of the values next to the picture.
//!
//! plotters only draws: its own axes loop or panic near the limits of a float, and do not handle
//! labels well.

mod axes;
mod axis_domain;
mod bars;
mod calendar;
mod columns;
mod dots;
mod figure;
mod forest_plot;
mod groups;
mod heat;
mod histogram;
mod hover;
mod lines;
mod mark;
mod numbers;
mod omitted;
mod palette;
mod plain;
mod png;
mod polyline;
mod save;
mod scale;
mod scene;
mod svg;
#[cfg(test)]
mod tests;
mod text_metrics;

use std::sync::Arc;

use polars::prelude::DataFrame;

pub use figure::Chart;
pub(crate) use forest_plot::{Effect, forest_plot};

use crate::error::Result;

/// Draws a data frame. The next method call selects the kind of chart.
///
/// ```
/// use evenhand::prelude::*;
///
/// let df = df!["occupation" => ["nurse", "engineer"], "women" => [0.90, 0.11]]?;
/// let bars = chart(&df).bar("occupation", "women")?.titled("Who works there");
/// display(&bars);
/// bars.save(std::env::temp_dir().join("women.svg"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A row whose value is null, not a number or infinite is left out, and the chart states how many
/// are. Rows keep the order of the frame.
pub fn chart(frame: &DataFrame) -> ChartOf<'_> {
    ChartOf { frame }
}

/// A data frame to be drawn, created by [`chart`].
#[derive(Clone, Copy, Debug)]
#[must_use = "choose how it is drawn, such as `.bars(..)`"]
pub struct ChartOf<'a> {
    frame: &'a DataFrame,
}

impl ChartOf<'_> {
    /// A bar from zero for each row, with its number, for the first 100 rows.
    ///
    /// # Errors
    /// A column does not exist, or `value` is not numeric: `ErrorKind::Argument`, with the columns
    /// that would work. The same applies to all kinds of charts.
    pub fn bar(&self, name: &str, value: &str) -> Result<Chart> {
        Ok(Chart::from_mark(Arc::new(bars::Bars::from_frame(
            self.frame, name, value,
        )?)))
    }

    /// For each name, a bar for each group, side by side. Groups differ in color and hatching. Up
    /// to 100 names and 7 groups.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); also if two rows have the same name and group, or if there are more
    /// groups than can be distinguished.
    pub fn grouped_bar(&self, name: &str, value: &str, group: &str) -> Result<Chart> {
        let groups = groups::Groups::from_frame(self.frame, name, value, group)?;
        Ok(Chart::from_mark(Arc::new(groups)))
    }

    /// A dot for each row, with its number, for the first 100 rows. Unlike with bars, the axis need
    /// not begin at zero.
    ///
    /// # Errors
    /// As [`bar`](Self::bar).
    pub fn dot(&self, name: &str, value: &str) -> Result<Chart> {
        let dots = dots::Dots::from_frame(self.frame, name, value, None)?;
        Ok(Chart::from_mark(Arc::new(dots)))
    }

    /// A dot for each row and its interval from `low` to `high`, such as effects with their
    /// confidence intervals, for the first 100 rows. Zero is always on the axis.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); also if an interval ends before it begins.
    pub fn interval(&self, name: &str, value: &str, low: &str, high: &str) -> Result<Chart> {
        let dots = dots::Dots::from_frame(self.frame, name, value, Some([low, high]))?;
        Ok(Chart::from_mark(Arc::new(dots)))
    }

    /// The distribution of a column: a bar for the number of rows in each of several ranges of
    /// equal width. A value on the edge of two ranges belongs to the upper one. The width follows
    /// Freedman and Diaconis (1981), adjusted to a round number.
    ///
    /// # Errors
    /// As [`bar`](Self::bar).
    pub fn histogram(&self, value: &str) -> Result<Chart> {
        let histogram = histogram::Histogram::from_frame(self.frame, value)?;
        Ok(Chart::from_mark(Arc::new(histogram)))
    }

    /// A line through the rows in the order of `x`: numbers, dates, times (those with a zone in
    /// UTC), or names, which keep the order of their first occurrence, up to the first 100.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); also if `x` is none of these, such as a list.
    pub fn line(&self, x: &str, y: &str) -> Result<Chart> {
        Ok(Chart::from_mark(Arc::new(lines::Lines::from_frame(
            self.frame, x, y, None,
        )?)))
    }

    /// A line for each of up to 7 groups, which differ in color, dashes and markers.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); also if there are more groups than can be distinguished.
    pub fn lines(&self, x: &str, y: &str, group: &str) -> Result<Chart> {
        let lines = lines::Lines::from_frame(self.frame, x, y, Some(group))?;
        Ok(Chart::from_mark(Arc::new(lines)))
    }

    /// A shade for each pair of names, with its number if there is room, for up to 100 names on
    /// each axis. Dark is low.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); also if two rows have the same pair of names.
    pub fn heat_map(&self, x: &str, y: &str, value: &str) -> Result<Chart> {
        Ok(Chart::from_mark(Arc::new(heat::HeatMap::from_frame(
            self.frame, x, y, value,
        )?)))
    }
}
