//! A chart: its mark, the text around it, and its size.

use std::sync::Arc;

use super::mark::{Labels, Legend, Mark, Valued};
use super::palette::INK;
use super::scene::{Area, Lettering, Scene, Side};
use super::text_metrics::{self, clean, wrapped};

/// The default width of a chart, in pixels.
const WIDTH: u32 = 760;
const MARGIN: f64 = 16.0;
/// The font size of the title, and the height of its lines.
const TITLE: f64 = 17.0;
const TITLE_LINE: f64 = 22.0;
/// The height of a line of the legend, or of the note about omitted data.
const LINE: f64 = 20.0;

/// A chart that can be shown and saved.
///
/// # Default
/// No title; the axes are labeled with the names of their columns, without a unit; 760 pixels
/// wide, and as high as its rows require.
///
/// In a notebook, a chart is shown as an image embedded in the page, even if the notebook is
/// untrusted. It has its own background, which is dark on a page with a dark color scheme and, in a
/// trusted notebook, in JupyterLab's dark theme. There, hovering over a mark also shows its value,
/// unless there are more than 500. The chart's description gives the data in words. In a terminal,
/// it is shown as text.
///
/// A setter leaves its chart unchanged and returns another one of the same data, so that a chart in
/// a variable can be shown in several ways. A clone is cheap.
#[derive(Clone, Debug)]
#[must_use = "a chart is visible only when it is displayed or saved"]
pub struct Chart {
    mark: Arc<dyn Mark>,
    title: Option<String>,
    x: Option<String>,
    y: Option<String>,
    unit: Option<String>,
    size: Option<(u32, u32)>,
}

impl Chart {
    pub(super) fn from_mark(mark: Arc<dyn Mark>) -> Self {
        Self {
            mark,
            title: None,
            x: None,
            y: None,
            unit: None,
            size: None,
        }
    }

    /// Sets the title above the chart. A good title says what the chart shows.
    pub fn titled(&self, title: &str) -> Self {
        Self {
            title: Some(clean(title)),
            ..self.clone()
        }
    }

    /// Sets the label of the horizontal axis, instead of the column's name.
    pub fn x_label(&self, label: &str) -> Self {
        Self {
            x: Some(clean(label)),
            ..self.clone()
        }
    }

    /// Sets the label of the vertical axis, instead of the column's name.
    pub fn y_label(&self, label: &str) -> Self {
        Self {
            y: Some(clean(label)),
            ..self.clone()
        }
    }

    /// Sets the unit of the values, such as `hours`. It is added to the label of their axis; the
    /// values are not changed.
    pub fn unit(&self, unit: &str) -> Self {
        Self {
            unit: Some(clean(unit)),
            ..self.clone()
        }
    }

    /// Sets the width and the height in pixels: from 240 to 4,000, and from 160 to 8,000. Values
    /// outside these ranges are clamped.
    pub fn size(&self, width: u32, height: u32) -> Self {
        Self {
            size: Some((width.clamp(240, 4_000), height.clamp(160, 8_000))),
            ..self.clone()
        }
    }

    /// Divides a histogram into this many ranges of equal width, from 1 to 200, from the smallest
    /// value to the largest. Another kind of chart is not changed.
    ///
    /// ```
    /// use evenhand::prelude::*;
    ///
    /// let histogram = chart(&occupations::frame()?).histogram("women")?;
    /// display(side_by_side([histogram.bins(3), histogram.bins(12)]));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Default
    /// As many as [`histogram`](super::ChartOf::histogram) finds useful, with round edges.
    pub fn bins(&self, count: usize) -> Self {
        let mark = self.mark.with_bins(count.clamp(1, 200));
        Self {
            mark: mark.unwrap_or_else(|| Arc::clone(&self.mark)),
            ..self.clone()
        }
    }

    /// The title, or what the chart is about.
    pub(super) fn name(&self) -> String {
        let title = self.title.clone();
        title.unwrap_or_else(|| self.mark.about(&self.labels()))
    }

    /// The data in words, for readers who can't see the picture.
    pub(super) fn description(&self) -> String {
        let description = match self.mark.is_empty() {
            true => self.mark.left_out().nothing(),
            false => self.mark.description(&self.labels()),
        };
        let note = self.note().map(|note| format!(" {note}."));
        format!(
            "{}: {description}{}",
            self.mark.kind(),
            note.unwrap_or_default()
        )
    }

    /// The chart as text.
    pub(super) fn text(&self) -> String {
        let body = match self.mark.is_empty() {
            true => self.mark.left_out().nothing(),
            false => self.mark.plain(&self.labels()),
        };
        let parts = [self.title.clone(), Some(body), self.note()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    fn labels(&self) -> Labels {
        let mut labels = self.mark.labels();
        if let Some(x) = &self.x {
            labels.x.clone_from(x);
        }
        if let Some(y) = &self.y {
            labels.y.clone_from(y);
        }
        if let Some(unit) = &self.unit {
            let label = match self.mark.valued() {
                Valued::X => &mut labels.x,
                Valued::Y => &mut labels.y,
                Valued::Shade => &mut labels.shade,
            };
            *label = format!("{label} ({unit})");
        }
        labels
    }

    /// The note about omitted data, if the picture is not empty.
    fn note(&self) -> Option<String> {
        let left_out = self.mark.left_out();
        left_out.description().filter(|_| !self.mark.is_empty())
    }

    /// The shapes of the picture.
    pub(super) fn scene(&self) -> Scene {
        let width = self.size.map_or(WIDTH, |(width, _)| width);
        let mut scene = Scene {
            width,
            height: 0,
            shapes: Vec::new(),
            notes: Vec::new(),
        };
        let top = self.head(&mut scene);
        let note = self.note();
        let below = MARGIN + note.as_ref().map_or(0.0, |_| LINE);
        let natural = (top + self.natural() + below).ceil().min(8_000.0) as u32;
        scene.height = self.size.map_or(natural, |(_, height)| height);
        let area = Area {
            left: MARGIN,
            top,
            right: f64::from(width) - MARGIN,
            bottom: f64::from(scene.height) - below,
        };
        self.body(&mut scene, area);
        if let Some(note) = note {
            let at = [MARGIN, f64::from(scene.height) - MARGIN];
            scene.words(&note, Lettering::small(Side::Start), at, area.width());
        }
        scene
    }

    fn natural(&self) -> f64 {
        match self.mark.is_empty() {
            true => 80.0,
            false => self.mark.height(),
        }
    }

    fn body(&self, scene: &mut Scene, area: Area) {
        if !self.mark.is_empty() {
            return self.mark.draw(scene, area, &self.labels());
        }
        let nothing = self.mark.left_out().nothing();
        for (line, text) in wrapped(&nothing, 14.0, area.width()).iter().enumerate() {
            let style = Lettering {
                size: 14.0,
                ..Lettering::small(Side::Start)
            };
            let at = [area.left, area.top + 20.0 + line as f64 * LINE];
            scene.words(text, style, at, area.width());
        }
    }

    /// Draws the title and the legend, and returns where they end.
    fn head(&self, scene: &mut Scene) -> f64 {
        let room = f64::from(scene.width) - 2.0 * MARGIN;
        let mut top = MARGIN;
        if let Some(title) = &self.title {
            for line in wrapped(title, TITLE, room) {
                let style = Lettering {
                    size: TITLE,
                    side: Side::Start,
                    ink: INK,
                };
                scene.words(&line, style, [MARGIN, top + 8.0], room);
                top += TITLE_LINE;
            }
            top += 6.0;
        }
        match self.mark.legend().filter(|_| !self.mark.is_empty()) {
            Some(legend) => draw_legend(scene, &legend, top, room) + 6.0,
            None => top,
        }
    }
}

/// Draws the groups next to each other, on as many lines as needed, and returns where they end.
fn draw_legend(scene: &mut Scene, legend: &Legend<'_>, top: f64, room: f64) -> f64 {
    const KEY: f64 = 28.0;
    const NAME: f64 = 180.0;
    let style = Lettering {
        ink: INK,
        ..Lettering::small(Side::Start)
    };
    let width = |text: &str| text_metrics::width(text, style.size).min(NAME);
    let mut top = top;
    let mut left = MARGIN;
    if !legend.title.is_empty() {
        scene.words(
            legend.title,
            Lettering::small(Side::Start),
            [left, top + 7.0],
            NAME,
        );
        left += width(legend.title) + 14.0;
    }
    let names = text_metrics::shortened_apart(legend.names, style.size, NAME);
    for (group, name) in names.iter().enumerate() {
        let wide = KEY + 6.0 + width(name);
        if left > MARGIN && left + wide > MARGIN + room {
            left = MARGIN;
            top += LINE;
        }
        let key = Area {
            left,
            top,
            right: left + KEY,
            bottom: top + 13.0,
        };
        (legend.key)(scene, key, group);
        scene.words(name, style, [left + KEY + 6.0, top + 7.0], NAME);
        left += wide + 16.0;
    }
    top + LINE
}
