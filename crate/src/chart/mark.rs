//! The interface of every kind of chart.

use std::fmt::Debug;
use std::sync::Arc;

use super::omitted::Omitted;
use super::scene::{Area, Scene};
use super::text_metrics::clean;

/// A kind of chart with its data.
pub(super) trait Mark: Debug + Send + Sync {
    /// The kind, as in 'Bar chart'.
    fn kind(&self) -> &'static str;

    /// The axis labels, taken from the names of the columns.
    fn labels(&self) -> Labels;

    /// Which label gets the unit.
    fn valued(&self) -> Valued {
        Valued::X
    }

    /// What the chart is about, in place of a title.
    fn about(&self, labels: &Labels) -> String {
        let Labels { x, y, shade } = labels;
        match self.valued() {
            Valued::X => format!("{x} by {y}"),
            Valued::Y => format!("{y} by {x}"),
            Valued::Shade => format!("{shade} by {x} and {y}"),
        }
    }

    /// The same data in this many ranges, if it is divided into ranges.
    fn with_bins(&self, _count: usize) -> Option<Arc<dyn Mark>> {
        None
    }

    /// The natural height in pixels, including the axes.
    fn height(&self) -> f64;

    /// Whether there is nothing to draw.
    fn is_empty(&self) -> bool;

    /// The parts of the data that are not drawn.
    fn left_out(&self) -> &Omitted;

    /// The legend of the groups, if there are any.
    fn legend(&self) -> Option<Legend<'_>> {
        None
    }

    /// Draws the shapes and axes inside this area.
    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels);

    /// The data in sentences.
    fn description(&self, labels: &Labels) -> String;

    /// The chart as text, without a title.
    fn plain(&self, labels: &Labels) -> String;
}

/// The labels of the axes.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    /// Below the horizontal axis.
    pub(super) x: String,
    /// At the vertical axis.
    pub(super) y: String,
    /// At the shades, if there are any.
    pub(super) shade: String,
}

impl Labels {
    /// The labels of two axes, without shades.
    pub(super) fn of_axes(x: &str, y: &str) -> Self {
        Self {
            x: clean(x),
            y: clean(y),
            shade: String::new(),
        }
    }
}

/// Where the values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Valued {
    X,
    Y,
    Shade,
}

/// The names of the groups, and the function that draws the key of each.
pub(super) struct Legend<'a> {
    pub(super) title: &'a str,
    pub(super) names: &'a [String],
    pub(super) key: fn(&mut Scene, Area, usize),
}
