//! The surroundings of the data: names at the left, values below or at the left, guide lines.

use super::axis_domain::{AxisDomain, MAX_WIDTH};
use super::mark::Labels;
use super::palette::{FAINT, INK, ZERO};
use super::scale::Scale;
use super::scene::{Area, Lettering, QUIET, SMALL, Scene, Side};
use super::text_metrics;

/// The height of the vertical axis's label, above the data.
pub(super) const ABOVE: f64 = 24.0;
/// The height of the horizontal axis and its label.
pub(super) const BELOW: f64 = 44.0;
/// The gap between a name and the data.
pub(super) const GAP: f64 = 8.0;
/// Rows with names at the left, and their values on an axis below.
pub(super) struct Rows {
    pub(super) scale: Scale,
    area: Area,
    pub(super) height: f64,
}

impl Rows {
    /// Draws the surroundings of the rows. `sides` is the room for the numbers on both sides of the
    /// values, in pixels.
    pub(super) fn around(
        scene: &mut Scene,
        area: Area,
        labels: &Labels,
        names: &[String],
        domain: [f64; 2],
        sides: [f64; 2],
    ) -> Self {
        let names_end = area.left + names_width(names, &labels.y, area.width() * 0.4);
        let inner = Area {
            left: names_end + GAP,
            top: area.top + ABOVE,
            right: area.right,
            bottom: area.bottom - BELOW,
        };
        let scale = Scale::new(domain, inner.left + sides[0], inner.right - sides[1]);
        let rows = Self {
            scale,
            area: inner,
            height: inner.height() / names.len().max(1) as f64,
        };
        let room = area.width() * 0.4;
        scene.words(
            &labels.y,
            Lettering::small(Side::Start),
            [area.left, area.top + 8.0],
            room,
        );
        axis_below(scene, inner, &scale, &AxisDomain::Numbers, &labels.x);
        rows.names(scene, names, names_end, names_end - area.left);
        rows
    }

    /// The vertical position of a row's middle.
    pub(super) fn middle(&self, row: usize) -> f64 {
        self.area.top + (row as f64 + 0.5) * self.height
    }

    /// The part of the picture that a row takes, without its name.
    pub(super) fn band(&self, row: usize) -> Area {
        let middle = self.middle(row);
        Area {
            top: middle - self.height / 2.0,
            bottom: middle + self.height / 2.0,
            ..self.area
        }
    }

    /// Draws a line at zero through all rows.
    pub(super) fn zero(&self, scene: &mut Scene) {
        if self.scale.low <= 0.0 && 0.0 <= self.scale.high {
            let x = self.scale.at(0.0);
            scene.path(vec![[x, self.area.top], [x, self.area.bottom]], ZERO, 1.0);
        }
    }

    /// Draws a thin line that leads from a name to its value.
    pub(super) fn guide(&self, scene: &mut Scene, row: usize) {
        let y = self.middle(row);
        let end = self.scale.at(self.scale.high);
        scene.path(vec![[self.area.left, y], [end, y]], FAINT, 1.0);
    }

    /// Whether each row has room for its number.
    pub(super) fn legible(&self) -> bool {
        self.height >= 11.0
    }

    /// Draws the names; if rows are lower than letters, only every n-th one.
    fn names(&self, scene: &mut Scene, names: &[String], end: f64, room: f64) {
        let every = (13.0 / self.height.max(0.1)).ceil().max(1.0) as usize;
        let names = text_metrics::shortened_apart(names, SMALL, room);
        for (row, name) in names.iter().enumerate().step_by(every) {
            let style = Lettering {
                size: SMALL,
                side: Side::End,
                ink: INK,
            };
            scene.words(name, style, [end, self.middle(row)], f64::INFINITY);
        }
    }
}

/// The width of the names or their label, whichever is larger, but at most `most`.
pub(super) fn names_width(names: &[String], label: &str, most: f64) -> f64 {
    names
        .iter()
        .map(String::as_str)
        .chain([label])
        .map(|name| text_metrics::width(name, SMALL))
        .fold(0.0, f64::max)
        .min(most)
}

/// Draws the values below the data, a vertical line for each, and their label.
pub(super) fn axis_below(
    scene: &mut Scene,
    inner: Area,
    scale: &Scale,
    along: &AxisDomain,
    label: &str,
) {
    let room = inner.width();
    for tick in along.fitting(scale, room) {
        let x = scale.at(tick.value);
        scene.path(vec![[x, inner.top], [x, inner.bottom]], FAINT, 1.0);
        let style = Lettering::small(Side::Middle);
        let at = [x, inner.bottom + 14.0];
        scene.words(&tick.name, style, at, room.min(MAX_WIDTH));
    }
    let style = Lettering {
        size: 13.0,
        side: Side::Middle,
        ink: INK,
    };
    let middle = (inner.left + inner.right) / 2.0;
    scene.words(label, style, [middle, inner.bottom + 34.0], room);
}

/// Draws the values at the left of the data, a horizontal line for each, and their label above.
/// Returns the remaining area for the data.
pub(super) fn axis_left(scene: &mut Scene, area: Area, scale: [f64; 2], label: &str) -> Area {
    let mut inner = Area {
        top: area.top + ABOVE,
        bottom: area.bottom - BELOW,
        ..area
    };
    let ticks = Scale::new(scale, inner.bottom, inner.top).ticks((inner.height() / 45.0) as usize);
    let names: Vec<_> = ticks.iter().map(|tick| tick.name.clone()).collect();
    inner.left += names_width(&names, "", area.width() * 0.4) + GAP;
    // The labels of the axis below are centered and may extend beyond the data.
    inner.right -= 16.0;
    let scale = Scale::new(scale, inner.bottom, inner.top);
    for tick in ticks {
        let y = scale.at(tick.value);
        let ink = if tick.value == 0.0 { ZERO } else { FAINT };
        scene.path(vec![[inner.left, y], [inner.right, y]], ink, 1.0);
        let style = Lettering::small(Side::End);
        scene.words(&tick.name, style, [inner.left - GAP, y], area.width());
    }
    let style = Lettering {
        size: 13.0,
        side: Side::Start,
        ink: QUIET,
    };
    scene.words(label, style, [area.left, area.top + 8.0], area.width());
    inner
}
