//! A picture before it is drawn: shapes in pixels, from the upper left corner.
//!
//! The marks make shapes and do not deal with files; [`paint`] passes the shapes to plotters and
//! does not deal with data.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, DrawingArea, DrawingBackend, IntoDrawingArea, IntoFont, PathElement, Polygon,
    RGBAColor, Rectangle, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text_metrics;

/// A position: the distance to the right, and down.
pub(super) type Point = [f64; 2];

/// A part of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        (self.right - self.left).max(0.0)
    }

    pub(super) fn height(&self) -> f64 {
        (self.bottom - self.top).max(0.0)
    }

    /// The square around a point.
    pub(super) fn around([x, y]: Point, reach: f64) -> Self {
        Self {
            left: x - reach,
            top: y - reach,
            right: x + reach,
            bottom: y + reach,
        }
    }
}

/// Which part of a text is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A filled rectangle.
    Block { area: Area, ink: RGBAColor },
    /// A line through points.
    Path {
        points: Vec<Point>,
        ink: RGBAColor,
        width: f64,
    },
    /// A filled outline.
    Outline { points: Vec<Point>, ink: RGBAColor },
    /// A filled circle.
    Disc {
        middle: Point,
        radius: f64,
        ink: RGBAColor,
    },
    /// A line of text. Its position is at half the height of its small letters.
    Words {
        text: String,
        size: f64,
        at: Point,
        side: Side,
        ink: RGBAColor,
    },
}

/// The shapes of a picture, each drawn over those before it, and what is told about its parts.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) shapes: Vec<Shape>,
    /// What a page tells where the pointer rests. It is not drawn.
    pub(super) notes: Vec<(Area, String)>,
}

impl Scene {
    /// Tells the value of a name where the pointer rests on this part.
    pub(super) fn add_note(&mut self, area: Area, name: &str, value: &str) {
        self.notes.push((area, format!("{name}: {value}")));
    }

    pub(super) fn block(&mut self, area: Area, ink: RGBAColor) {
        self.shapes.push(Shape::Block { area, ink });
    }

    pub(super) fn path(&mut self, points: Vec<Point>, ink: RGBAColor, width: f64) {
        self.shapes.push(Shape::Path { points, ink, width });
    }

    pub(super) fn outline(&mut self, points: Vec<Point>, ink: RGBAColor) {
        self.shapes.push(Shape::Outline { points, ink });
    }

    pub(super) fn disc(&mut self, middle: Point, radius: f64, ink: RGBAColor) {
        self.shapes.push(Shape::Disc {
            middle,
            radius,
            ink,
        });
    }

    /// A text that is not wider than `room`; a longer one ends in an ellipsis.
    pub(super) fn words(&mut self, text: &str, style: Lettering, at: Point, room: f64) {
        self.shapes.push(Shape::Words {
            text: text_metrics::shortened(text, style.size, room),
            size: style.size,
            at,
            side: style.side,
            ink: style.ink,
        });
    }
}

/// The font size of names.
pub(super) const SMALL: f64 = 12.0;

/// The color of secondary text; its contrast with the background is 5.7 : 1.
pub(super) const QUIET: RGBAColor = RGBAColor(95, 95, 95, 1.0);

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) size: f64,
    pub(super) side: Side,
    pub(super) ink: RGBAColor,
}

impl Lettering {
    /// Small secondary text, as next to an axis.
    pub(super) fn small(side: Side) -> Self {
        Self {
            size: SMALL,
            side,
            ink: QUIET,
        }
    }
}

/// An error from the backend.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Draws the shapes, `zoom` times as large.
pub(super) fn paint<B>(scene: &Scene, backend: B, zoom: f64) -> Result<(), Failure>
where
    B: DrawingBackend,
    B::ErrorType: 'static,
{
    let page = backend.into_drawing_area();
    for shape in &scene.shapes {
        draw(&page, shape, zoom)?;
    }
    page.present()?;
    Ok(())
}

fn draw<B>(page: &DrawingArea<B, Shift>, shape: &Shape, zoom: f64) -> Result<(), Failure>
where
    B: DrawingBackend,
    B::ErrorType: 'static,
{
    let pixel = |[x, y]: Point| ((x * zoom).round() as i32, (y * zoom).round() as i32);
    let pixels = |points: &[Point]| points.iter().map(|point| pixel(*point)).collect::<Vec<_>>();
    match shape {
        Shape::Block { area, ink } => {
            let corners = [
                pixel([area.left, area.top]),
                pixel([area.right, area.bottom]),
            ];
            page.draw(&Rectangle::new(corners, ink.filled()))?;
        }
        Shape::Path { points, ink, width } => {
            let style = ShapeStyle::from(ink).stroke_width((width * zoom).round().max(1.0) as u32);
            page.draw(&PathElement::new(pixels(points), style))?;
        }
        Shape::Outline { points, ink } => {
            page.draw(&Polygon::new(pixels(points), ink.filled()))?;
        }
        Shape::Disc {
            middle,
            radius,
            ink,
        } => {
            let radius = (radius * zoom).round() as i32;
            page.draw(&Circle::new(pixel(*middle), radius, ink.filled()))?;
        }
        Shape::Words {
            text,
            size,
            at,
            side,
            ink,
        } => {
            let side = match side {
                Side::Start => HPos::Left,
                Side::Middle => HPos::Center,
                Side::End => HPos::Right,
            };
            let style = ("sans-serif", size * zoom * POINTS)
                .into_font()
                .color(ink)
                .pos(Pos::new(side, VPos::Center));
            page.draw(&Text::new(text.as_str(), pixel(*at), style))?;
        }
    }
    Ok(())
}

/// The ratio of plotters' font size to the font's own pixels.
pub(super) const POINTS: f64 = 1.24;
