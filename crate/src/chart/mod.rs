//! Charts of data frames, and of what a report found.
//!
//! [`chart`] takes a frame, and one method for each kind takes its columns: what is read is
//! checked there, so that a [`Chart`] can always be shown. Each kind is a *mark*, in a file of
//! its own; it makes shapes in pixels, its text form, and the words that a screen reader says.
//!
//! - `columns` reads the frame, `omitted` counts what can't be drawn.
//! - `bars`, `groups`, `dots`, `histogram`, `lines`, `heat` are the marks.
//! - `axes` and `scale` are what stands around them, `axis_domain` what a horizontal axis holds;
//!   `text_metrics`, `numbers` and `calendar` what is written.
//! - `palette` and `polyline` tell groups apart.
//! - `figure` puts a chart together; `scene` hands it to plotters, and `svg`, `png` and `plain`
//!   are what becomes of it.
//!
//! plotters draws, and no more: its own axes loop or panic on the ends of what a float can
//! hold, and don't know what a label needs.

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

/// Draws a data frame: the kind of chart is the next word.
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
/// A row whose value is null, not a number or infinite is left out, and the picture says how
/// many are. Rows keep the order of the frame.
pub fn chart(frame: &DataFrame) -> ChartOf<'_> {
    ChartOf { frame }
}

/// A data frame that is to be drawn; [`chart`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct ChartOf<'a> {
    frame: &'a DataFrame,
}

impl ChartOf<'_> {
    /// A bar from zero for each row, with its number; the first 100 rows.
    ///
    /// # Errors
    /// There is no such column, or `value` holds no numbers: `ErrorKind::Argument`, with the
    /// columns that would do. So it is with all kinds.
    pub fn bar(&self, name: &str, value: &str) -> Result<Chart> {
        Ok(Chart::of(Arc::new(bars::Bars::read(
            self.frame, name, value,
        )?)))
    }

    /// Bars beside each other: for each name one for each group. The groups have colours and
    /// hatches; up to 100 names and 7 groups.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); two rows for one name and group; more groups than can be told apart.
    pub fn grouped_bar(&self, name: &str, value: &str, group: &str) -> Result<Chart> {
        let groups = groups::Groups::read(self.frame, name, value, group)?;
        Ok(Chart::of(Arc::new(groups)))
    }

    /// A dot for each row, with its number; the first 100 rows. Unlike that of bars, the axis
    /// need not begin at zero.
    ///
    /// # Errors
    /// As [`bar`](Self::bar).
    pub fn dot(&self, name: &str, value: &str) -> Result<Chart> {
        let dots = dots::Dots::read(self.frame, name, value, None)?;
        Ok(Chart::of(Arc::new(dots)))
    }

    /// A dot for each row and its interval from `low` to `high`, as for effects and their
    /// confidence intervals; the first 100 rows. Zero is always on the axis.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); an interval that ends before it begins.
    pub fn interval(&self, name: &str, value: &str, low: &str, high: &str) -> Result<Chart> {
        let dots = dots::Dots::read(self.frame, name, value, Some([low, high]))?;
        Ok(Chart::of(Arc::new(dots)))
    }

    /// How many rows have which value: a bar for each of some ranges of one width. A value on
    /// the edge of two belongs to the upper one. The width follows Freedman and Diaconis (1981),
    /// made round.
    ///
    /// # Errors
    /// As [`bar`](Self::bar).
    pub fn histogram(&self, value: &str) -> Result<Chart> {
        let histogram = histogram::Histogram::read(self.frame, value)?;
        Ok(Chart::of(Arc::new(histogram)))
    }

    /// A line through the rows in the order of `x`: numbers, dates, times (those with a zone in
    /// UTC), or names, which keep the order in which they come; the first 100 names.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); an `x` that is none of these, such as a list.
    pub fn line(&self, x: &str, y: &str) -> Result<Chart> {
        Ok(Chart::of(Arc::new(lines::Lines::read(
            self.frame, x, y, None,
        )?)))
    }

    /// A line for each of up to 7 groups, told apart by colour, dashes and markers.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); more groups than can be told apart.
    pub fn lines(&self, x: &str, y: &str, group: &str) -> Result<Chart> {
        let lines = lines::Lines::read(self.frame, x, y, Some(group))?;
        Ok(Chart::of(Arc::new(lines)))
    }

    /// A shade for each pair of names, and its number where there is room; up to 100 names on
    /// each side. Dark is low.
    ///
    /// # Errors
    /// As [`bar`](Self::bar); two rows for one pair.
    pub fn heat_map(&self, x: &str, y: &str, value: &str) -> Result<Chart> {
        Ok(Chart::of(Arc::new(heat::HeatMap::read(
            self.frame, x, y, value,
        )?)))
    }
}
