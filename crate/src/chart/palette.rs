//! Colors that color-blind readers can distinguish, and ways to distinguish things without color.

use plotters::prelude::RGBAColor;

use super::scene::{Area, Point, Scene};

/// The background. Every picture has its own, so that it looks the same on a dark page: an image
/// can't know the theme of the notebook that shows it.
pub(super) const PAPER: RGBAColor = RGBAColor(255, 255, 255, 1.0);
/// Primary text.
pub(super) const INK: RGBAColor = RGBAColor(30, 30, 30, 1.0);
/// Guide lines.
pub(super) const FAINT: RGBAColor = RGBAColor(225, 225, 225, 1.0);
/// The line at zero.
pub(super) const ZERO: RGBAColor = RGBAColor(60, 60, 60, 1.0);
/// Individual values behind a summary.
pub(super) const BEHIND: RGBAColor = RGBAColor(110, 110, 110, 0.45);

/// The number of groups that can be distinguished.
pub(super) const GROUPS: usize = 7;

/// The colors of Okabe and Ito (2008), Color Universal Design, without the yellow, which is not
/// visible on white.
const OKABE_ITO: [RGBAColor; GROUPS] = [
    RGBAColor(0, 114, 178, 1.0),
    RGBAColor(230, 159, 0, 1.0),
    RGBAColor(0, 158, 115, 1.0),
    RGBAColor(204, 121, 167, 1.0),
    RGBAColor(86, 180, 233, 1.0),
    RGBAColor(213, 94, 0, 1.0),
    RGBAColor(60, 60, 60, 1.0),
];

/// The color of a group.
pub(super) fn color(group: usize) -> RGBAColor {
    OKABE_ITO[group % GROUPS]
}

/// The colors of cividis from low to high (Nuñez, Anderton and Renslow 2018). Its lightness
/// increases evenly, also for color-blind readers and in print.
const CIVIDIS: [[f64; 3]; 9] = [
    [0.0, 34.0, 78.0],
    [18.0, 53.0, 112.0],
    [59.0, 73.0, 108.0],
    [87.0, 93.0, 109.0],
    [112.0, 113.0, 115.0],
    [138.0, 134.0, 120.0],
    [165.0, 156.0, 116.0],
    [195.0, 179.0, 105.0],
    [254.0, 232.0, 56.0],
];

/// The color of a fraction from 0 to 1.
pub(super) fn shade(part: f64) -> RGBAColor {
    let last = (CIVIDIS.len() - 1) as f64;
    let place = part.clamp(0.0, 1.0) * last;
    let from = CIVIDIS[place.floor() as usize];
    let to = CIVIDIS[place.ceil() as usize];
    let mixed = |at: usize| (from[at] + (to[at] - from[at]) * place.fract()).round() as u8;
    RGBAColor(mixed(0), mixed(1), mixed(2), 1.0)
}

/// The text color that is legible on that shade.
pub(super) fn on_shade(part: f64) -> RGBAColor {
    if part < 0.55 { PAPER } else { INK }
}

/// A bar thinner than this has no outline, which would cover it.
const THIN: f64 = 5.0;

/// Draws a bar of a group: its color, an outline that keeps light colors visible, and hatching that
/// distinguishes groups without color.
pub(super) fn bar(scene: &mut Scene, area: Area, group: usize) {
    scene.block(area, color(group));
    for [slope, gap] in hatching(group) {
        hatch(scene, area, *slope, *gap);
    }
    if area.height() < THIN {
        return;
    }
    let Area {
        left,
        top,
        right,
        bottom,
    } = area;
    let rim = vec![
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
        [left, top],
    ];
    scene.path(rim, ZERO, 1.0);
}

/// The hatching lines of a group: each with its slope, in pixels down per pixel to the right, and
/// the gap between two lines.
fn hatching(group: usize) -> &'static [[f64; 2]] {
    match group % GROUPS {
        0 => &[],
        1 => &[[-1.0, 7.0]],
        2 => &[[1.0, 7.0]],
        3 => &[[-1.0, 8.0], [1.0, 8.0]],
        4 => &[[-3.0, 14.0]],
        5 => &[[3.0, 14.0]],
        _ => &[],
    }
}

const HATCH: RGBAColor = RGBAColor(30, 30, 30, 0.75);

/// Draws parallel lines, cut at the rectangle's sides.
fn hatch(scene: &mut Scene, area: Area, slope: f64, gap: f64) {
    let run = area.height() / slope.abs();
    let reach = area.width() + run;
    let lines = (reach / gap).ceil().min(1_000.0) as usize;
    for line in 1..lines {
        let lower = area.left + line as f64 * gap;
        let at_bottom = if slope < 0.0 { lower - run } else { lower };
        let at_top = if slope < 0.0 { lower } else { lower - run };
        if let Some(points) = cut(area, [at_bottom, area.bottom], [at_top, area.top]) {
            scene.path(points, HATCH, 1.0);
        }
    }
}

/// The part of a line between a rectangle's left and right sides.
fn cut(area: Area, from: Point, to: Point) -> Option<Vec<Point>> {
    let along = |x: f64| {
        let part = ((x - from[0]) / (to[0] - from[0])).clamp(0.0, 1.0);
        [
            from[0] + (to[0] - from[0]) * part,
            from[1] + (to[1] - from[1]) * part,
        ]
    };
    let clamped = [from, to].map(|[x, _]| along(x.clamp(area.left, area.right)));
    (clamped[0] != clamped[1]).then(|| clamped.to_vec())
}

/// Draws a point of a group. Each group has its own shape.
pub(super) fn marker(scene: &mut Scene, [x, y]: Point, group: usize) {
    let ink = color(group);
    let around = |places: &[Point]| {
        places
            .iter()
            .map(|[dx, dy]| [x + dx * 5.0, y + dy * 5.0])
            .collect::<Vec<_>>()
    };
    match group % GROUPS {
        0 => scene.disc([x, y], 4.0, ink),
        1 => scene.outline(
            around(&[[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]]),
            ink,
        ),
        2 => scene.outline(around(&[[0.0, -1.0], [1.0, 0.8], [-1.0, 0.8]]), ink),
        3 => scene.outline(
            around(&[[0.0, -1.1], [1.1, 0.0], [0.0, 1.1], [-1.1, 0.0]]),
            ink,
        ),
        4 => scene.outline(around(&[[0.0, 1.0], [1.0, -0.8], [-1.0, -0.8]]), ink),
        5 => {
            scene.path(around(&[[-0.9, -0.9], [0.9, 0.9]]), ink, 2.0);
            scene.path(around(&[[-0.9, 0.9], [0.9, -0.9]]), ink, 2.0);
        }
        _ => {
            scene.path(around(&[[-1.0, 0.0], [1.0, 0.0]]), ink, 2.0);
            scene.path(around(&[[0.0, -1.0], [0.0, 1.0]]), ink, 2.0);
        }
    }
}

/// The lengths of the dashes and gaps of a group's line, in pixels; empty for a solid line.
pub(super) fn dashes(group: usize) -> &'static [f64] {
    match group % GROUPS {
        0 => &[],
        1 => &[8.0, 4.0],
        2 => &[2.0, 3.0],
        3 => &[10.0, 3.0, 2.0, 3.0],
        4 => &[14.0, 5.0],
        5 => &[5.0, 5.0],
        _ => &[1.0, 5.0],
    }
}
