//! Paired effects with their intervals: a row for each measure, a dot for each pair.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::error::{Error, ErrorKind, Result};

/// How wide the figure is, in pixels.
const WIDTH: u32 = 760;
/// How high a row is, and what stands above and below the rows.
const ROW: u32 = 44;
const AROUND: u32 = 70;
/// Where the names end.
const NAMES: u32 = 220;

const BLUE: RGBColor = RGBColor(31, 90, 160);
const GREY: RGBColor = RGBColor(120, 120, 120);

/// A row of the figure; all values on one scale.
pub(crate) struct Effect {
    pub(crate) name: String,
    pub(crate) pairs: Vec<f64>,
    pub(crate) mean: f64,
    /// The ends of its interval, where there is one.
    pub(crate) interval: Option<[f64; 2]>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The figure as an SVG document, on a white ground.
///
/// # Errors
/// It could not be drawn.
pub(crate) fn effects(rows: &[Effect], scale: &str) -> Result<String> {
    let mut svg = String::new();
    draw(rows, scale, &mut svg).map_err(|error| {
        Error::new(
            ErrorKind::Display,
            format!("the chart could not be drawn: {error}"),
        )
    })?;
    Ok(svg)
}

fn draw(
    rows: &[Effect],
    scale: &str,
    svg: &mut String,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let count = u32::try_from(rows.len())?;
    let root = SVGBackend::with_string(svg, (WIDTH, AROUND + ROW * count)).into_drawing_area();
    root.fill(&WHITE)?;
    let reach = reach(rows);
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .set_label_area_size(LabelAreaPosition::Left, NAMES)
        .set_label_area_size(LabelAreaPosition::Bottom, 45)
        .build_cartesian_2d(-reach..reach, f64::from(count)..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(9)
        .x_desc(scale)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.2))
        .draw()?;
    let zero = [(0.0, 0.0), (0.0, f64::from(count))];
    chart.draw_series([PathElement::new(zero, BLACK.stroke_width(1))])?;
    for (place, row) in rows.iter().enumerate() {
        draw_row(chart.plotting_area(), row, place as f64 + 0.5)?;
        let style = ("sans-serif", 14).into_font().color(&BLACK);
        let height = AROUND as f64 * 0.14 + ROW as f64 * (place as f64 + 0.38);
        root.draw_text(&row.name, &style, (12, height as i32))?;
    }
    root.present()?;
    Ok(())
}

fn draw_row(
    area: &Area<'_>,
    row: &Effect,
    middle: f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    for pair in &row.pairs {
        area.draw(&Circle::new((*pair, middle), 3, GREY.mix(0.45).filled()))?;
    }
    if let Some([low, high]) = row.interval {
        let bar = [(low, middle), (high, middle)];
        area.draw(&PathElement::new(bar, BLUE.stroke_width(3)))?;
        for end in [low, high] {
            let tick = [(end, middle - 0.15), (end, middle + 0.15)];
            area.draw(&PathElement::new(tick, BLUE.stroke_width(2)))?;
        }
    }
    area.draw(&Circle::new((row.mean, middle), 6, BLUE.filled()))?;
    Ok(())
}

/// How far the scale goes on both sides.
fn reach(rows: &[Effect]) -> f64 {
    let values = rows.iter().flat_map(|row| {
        let ends = row.interval.iter().flatten();
        row.pairs.iter().chain(ends).chain([&row.mean])
    });
    let most = values
        .filter(|value| value.is_finite())
        .fold(1.0_f64, |most, value| most.max(value.abs()));
    most * 1.08
}
