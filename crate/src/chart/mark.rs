//! What every kind of chart can do.

use std::fmt::Debug;

use super::omitted::Omitted;
use super::scene::{Area, Scene};
use super::text_metrics::clean;

/// A kind of chart with its data.
pub(super) trait Mark: Debug + Send + Sync {
    /// The kind, as in 'Bar chart'.
    fn kind(&self) -> &'static str;

    /// What it shows, from the names of the columns.
    fn labels(&self) -> Labels;

    /// Which label takes the unit.
    fn valued(&self) -> Valued {
        Valued::X
    }

    /// What it is about, for a chart without a title.
    fn about(&self, labels: &Labels) -> String {
        let Labels { x, y, shade } = labels;
        match self.valued() {
            Valued::X => format!("{x} by {y}"),
            Valued::Y => format!("{y} by {x}"),
            Valued::Shade => format!("{shade} by {x} and {y}"),
        }
    }

    /// How high it is by itself, in pixels, with its axes.
    fn height(&self) -> f64;

    /// Is there nothing to draw?
    fn is_empty(&self) -> bool;

    /// What is not drawn.
    fn left_out(&self) -> &Omitted;

    /// What the groups are, where there are some.
    fn legend(&self) -> Option<Legend<'_>> {
        None
    }

    /// Its shapes, with axes, inside of that area.
    fn draw(&self, scene: &mut Scene, area: Area, labels: &Labels);

    /// The data in sentences.
    fn said(&self, labels: &Labels) -> String;

    /// The chart in text, without title.
    fn plain(&self, labels: &Labels) -> String;
}

/// What stands at the axes.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    /// Below the horizontal axis.
    pub(super) x: String,
    /// At the vertical axis.
    pub(super) y: String,
    /// At the shades, where there are some.
    pub(super) shade: String,
}

impl Labels {
    /// Of two axes, without shades.
    pub(super) fn of(x: &str, y: &str) -> Self {
        Self {
            x: clean(x),
            y: clean(y),
            shade: String::new(),
        }
    }
}

/// Where the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Valued {
    X,
    Y,
    Shade,
}

/// The names of the groups, and what stands for each.
pub(super) struct Legend<'a> {
    pub(super) title: &'a str,
    pub(super) names: &'a [String],
    pub(super) key: fn(&mut Scene, Area, usize),
}
