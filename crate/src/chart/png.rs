//! A chart as a PNG, drawn with the included font, so that no font of the machine is needed.

use std::convert::Infallible;

use ab_glyph_rasterizer::{Point as Place, Rasterizer, point};
use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::figure::Chart;
use super::scene::{POINTS, Scene, Shape, paint};
use super::svg::not_drawn;
use super::text_metrics::{font, width};
use crate::error::{Error, ErrorKind, Result};

/// A picture with more pixels than this is not drawn at double size.
const LARGE: u64 = 16_000_000;
/// Half the height of small letters, as a fraction of the font size.
const HALF_HEIGHT: f64 = 0.27;

/// The file's bytes, with twice the chart's pixels on each side, so that it is sharp in print and
/// on high-resolution screens.
///
/// # Errors
/// A letter is not in the font, or plotters could not draw the chart.
pub(super) fn png(chart: &Chart) -> Result<Vec<u8>> {
    let scene = chart.scene();
    if let Some(letter) = unknown(&scene) {
        let message =
            format!("a PNG can't show the letter `{letter}`, which is not in the included font");
        return Err(Error::new(ErrorKind::Display, message)
            .with_hint("save the chart as `.svg`, which uses the viewer's fonts"));
    }
    let zoom = match 4 * u64::from(scene.width) * u64::from(scene.height) > LARGE {
        true => 1,
        false => 2,
    };
    let size = (scene.width * zoom, scene.height * zoom);
    // White.
    let mut pixels = vec![255; 3 * size.0 as usize * size.1 as usize];
    let page = Page {
        pixels: &mut pixels,
        size,
    };
    paint(&scene, page, f64::from(zoom)).map_err(not_drawn)?;
    Ok(encoded(&pixels, size))
}

fn unknown(scene: &Scene) -> Option<char> {
    let texts = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Words { text, .. } => Some(text),
        _ => None,
    });
    let font = font();
    texts
        .flat_map(|text| text.chars())
        .find(|letter| font.and_then(|font| font.glyph_index(*letter)).is_none())
}

/// The backend that plotters draws on.
struct Page<'a> {
    /// Three bytes for each pixel, line by line.
    pixels: &'a mut Vec<u8>,
    size: (u32, u32),
}

type Drawn = std::result::Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Page<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.blend(x, y, color, color.alpha);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let Some(font) = font() else { return Ok(()) };
        let size = style.size() / POINTS;
        let start = f64::from(x)
            - match style.anchor().h_pos {
                HPos::Left => 0.0,
                HPos::Center => width(text, size) / 2.0,
                HPos::Right => width(text, size),
            };
        let line = Line {
            font,
            scale: size / f64::from(font.units_per_em()),
            base: f64::from(y) + size * HALF_HEIGHT,
        };
        let mut pen = start;
        for letter in text.chars() {
            if let Some(glyph) = font.glyph_index(letter) {
                self.letter(&line, glyph, pen, style.color());
            }
            pen += width(letter.encode_utf8(&mut [0; 4]), size);
        }
        Ok(())
    }
}

/// The properties that all letters of a text share.
struct Line<'a> {
    font: &'a Face<'static>,
    /// Pixels per font unit.
    scale: f64,
    /// The vertical position of the baseline.
    base: f64,
}

impl Page<'_> {
    fn letter(&mut self, line: &Line<'_>, glyph: GlyphId, pen: f64, color: BackendColor) {
        let Some(bounds) = line.font.glyph_bounding_box(glyph) else {
            return;
        };
        let [left, right] =
            [bounds.x_min, bounds.x_max].map(|units| pen + f64::from(units) * line.scale);
        let [top, bottom] =
            [bounds.y_max, bounds.y_min].map(|units| line.base - f64::from(units) * line.scale);
        // One more pixel on all sides, since the rasterizer must not draw outside its area.
        let (left, top) = (left.floor() - 1.0, top.floor() - 1.0);
        let (wide, high) = ((right - left).ceil() + 2.0, (bottom - top).ceil() + 2.0);
        let mut outline = Outline {
            rasterizer: Rasterizer::new(wide as usize, high as usize),
            scale: line.scale as f32,
            origin: point((pen - left) as f32, (line.base - top) as f32),
            start: point(0.0, 0.0),
            last: point(0.0, 0.0),
        };
        line.font.outline_glyph(glyph, &mut outline);
        outline.rasterizer.for_each_pixel_2d(|x, y, covered| {
            let (x, y) = (left as i32 + x as i32, top as i32 + y as i32);
            self.blend(
                x,
                y,
                color,
                color.alpha * f64::from(covered.clamp(0.0, 1.0)),
            );
        });
    }

    /// Blends the color over a pixel; does nothing outside the page.
    fn blend(&mut self, x: i32, y: i32, color: BackendColor, alpha: f64) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if x >= self.size.0 {
            return;
        }
        let at = 3 * (y as usize * self.size.0 as usize + x as usize);
        let Some(pixel) = self.pixels.get_mut(at..at + 3) else {
            return;
        };
        let (red, green, blue) = color.rgb;
        for (under, over) in pixel.iter_mut().zip([red, green, blue]) {
            let mixed = f64::from(*under) * (1.0 - alpha) + f64::from(over) * alpha;
            *under = mixed.round() as u8;
        }
    }
}

/// Converts a letter's outline from font units to pixels.
struct Outline {
    rasterizer: Rasterizer,
    scale: f32,
    origin: Place,
    start: Place,
    last: Place,
}

impl Outline {
    fn place(&self, x: f32, y: f32) -> Place {
        point(
            self.origin.x + x * self.scale,
            self.origin.y - y * self.scale,
        )
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = self.place(x, y);
        self.last = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.rasterizer.draw_line(self.last, to);
        self.last = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (control, to) = (self.place(x1, y1), self.place(x, y));
        self.rasterizer.draw_quad(self.last, control, to);
        self.last = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let controls = (self.place(x1, y1), self.place(x2, y2));
        let to = self.place(x, y);
        self.rasterizer
            .draw_cubic(self.last, controls.0, controls.1, to);
        self.last = to;
    }

    fn close(&mut self) {
        self.rasterizer.draw_line(self.last, self.start);
        self.last = self.start;
    }
}

/// The pixels as a PNG (ISO/IEC 15948): 8 bits for each of red, green and blue.
fn encoded(pixels: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut lines = Vec::with_capacity(pixels.len() + height as usize);
    for line in pixels.chunks_exact(3 * width as usize) {
        // Each line begins with its filter: none.
        lines.push(0);
        lines.extend_from_slice(line);
    }
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&lines, 6);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    push_chunk(&mut file, b"IHDR", &header);
    push_chunk(&mut file, b"IDAT", &packed);
    push_chunk(&mut file, b"IEND", &[]);
    file
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let from = file.len();
    file.extend(name);
    file.extend(data);
    let sum = crc(&file[from..]);
    file.extend(sum.to_be_bytes());
}

/// The checksum of a chunk, CRC-32.
fn crc(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| match sum & 1 {
            1 => (sum >> 1) ^ 0xEDB8_8320,
            _ => sum >> 1,
        })
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
    }
}
