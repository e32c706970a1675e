//! What a page tells where the pointer rests: invisible parts over the image, which grow and shrink with
//! it. They need no script, and are nothing where a page takes their style away.

use std::fmt::Write;

use super::scene::Scene;
use crate::display::escaped;

/// With more parts than this, none is told: they would be larger than the picture, and too small to point
/// at.
const MAX_COUNT: usize = 500;

/// The parts as elements of the page. The image's own description tells their values to those who can't
/// point at them.
pub(super) fn html(scene: &Scene) -> String {
    let mut html = String::new();
    if scene.notes.len() > MAX_COUNT {
        return html;
    }
    let across = |pixels: f64| 100.0 * pixels / f64::from(scene.width.max(1));
    let down = |pixels: f64| 100.0 * pixels / f64::from(scene.height.max(1));
    for (area, text) in &scene.notes {
        let _ = write!(
            html,
            "<span aria-hidden=\"true\" title=\"{}\" style=\"position:absolute;left:{:.2}%;top:{:.2}%;\
             width:{:.2}%;height:{:.2}%\"></span>",
            escaped(text),
            across(area.left),
            down(area.top),
            across(area.width()),
            down(area.height()),
        );
    }
    html
}
