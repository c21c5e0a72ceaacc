//! Shapes and text in pixels, on top of `plotters`.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, FontTransform, IntoFont, RGBAColor, ShapeStyle, TextStyle, WHITE,
};

use super::PlotError;

/// The backend draws at whole numbers; finer than a pixel, or slopes would turn into stairs.
const FINE: f64 = 10.0;
/// What every system has; no quotes, so that it stands in an attribute as it is.
const FONTS: &str = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";

/// A point in pixels from the top left.
pub(super) type Point = (f64, f64);

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The text begins at the point, vertically centred.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point, vertically centred.
    End,
    /// Centred, reading upwards.
    Upwards,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: plotters::style::RGBColor,
    pub(super) anchor: Anchor,
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) colour: RGBAColor,
    pub(super) width: f64,
    /// Lengths of dash and gap; none for a solid line.
    pub(super) dash: Option<(f64, f64)>,
}

impl Stroke {
    pub(super) fn solid(colour: plotters::style::RGBColor, width: f64) -> Self {
        Self { colour: colour.to_rgba(), width, dash: None }
    }

    pub(super) fn dashed(self, dash: f64, gap: f64) -> Self {
        Self { dash: Some((dash, gap)), ..self }
    }
}

/// A drawing in progress.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws on a white canvas and returns the SVG: as wide as its surroundings, with an accessible name.
pub(super) fn draw(
    size: Point,
    name: &str,
    paint: impl FnOnce(&Canvas<'_>) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (fine(size.0) as u32, fine(size.1) as u32));
        let canvas = Canvas { area: area.into_drawing_area() };
        canvas.area.fill(&WHITE).map_err(failed)?;
        paint(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    // The backend can only write a fixed size in its own fine units; its first and last tag make way for ours.
    let inner = svg
        .split_once('>')
        .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
        .map(|(inner, _)| inner)
        .ok_or_else(|| PlotError::Draw("the drawing library wrote no SVG".to_owned()))?;
    let (width, height) = size;
    let (name, scale) = (crate::report::escape(name), 1.0 / FINE);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"100%\" role=\"img\" \
         aria-label=\"{name}\"><g transform=\"scale({scale})\" stroke-linejoin=\"round\">{inner}</g></svg>\n"
    ))
}

impl Canvas<'_> {
    /// An open line through points.
    pub(super) fn line(&self, points: &[Point], stroke: Stroke) -> Result<(), PlotError> {
        let style = ShapeStyle {
            color: stroke.colour,
            filled: false,
            stroke_width: fine(stroke.width).max(1) as u32,
        };
        let points: Vec<_> = points.iter().copied().map(fine_point).collect();
        match stroke.dash {
            None => self.area.draw(&PathElement::new(points, style)).map_err(failed),
            Some((dash, gap)) => {
                self.area.draw(&DashedPathElement::new(points, fine(dash), fine(gap), style)).map_err(failed)
            }
        }
    }

    /// A filled shape.
    pub(super) fn polygon(&self, points: &[Point], colour: RGBAColor) -> Result<(), PlotError> {
        let points: Vec<_> = points.iter().copied().map(fine_point).collect();
        self.area.draw(&Polygon::new(points, colour.filled())).map_err(failed)
    }

    /// A filled rectangle between two corners.
    pub(super) fn rectangle(&self, corners: [Point; 2], colour: RGBAColor) -> Result<(), PlotError> {
        self.area.draw(&Rectangle::new(corners.map(fine_point), colour.filled())).map_err(failed)
    }

    /// A filled circle.
    pub(super) fn circle(&self, centre: Point, radius: f64, colour: RGBAColor) -> Result<(), PlotError> {
        let circle = Circle::new(fine_point(centre), fine(radius), colour.filled());
        self.area.draw(&circle).map_err(failed)
    }

    /// A line of text.
    pub(super) fn text(&self, text: &str, at: Point, font: Font) -> Result<(), PlotError> {
        // The backend divides sizes by 1.24.
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let face = (FontFamily::Name(FONTS), font.size * FINE * 1.24, style).into_font();
        let (face, h_pos) = match font.anchor {
            Anchor::Start => (face, HPos::Left),
            Anchor::Middle => (face, HPos::Center),
            Anchor::End => (face, HPos::Right),
            Anchor::Upwards => (face.transform(FontTransform::Rotate270), HPos::Center),
        };
        let style = TextStyle::from(face).color(&font.colour).pos(Pos::new(h_pos, VPos::Center));
        // The backend escapes markup, but XML has no place at all for control characters.
        let text = text.replace(char::is_control, " ");
        self.area.draw(&Text::new(text, fine_point(at), style)).map_err(failed)
    }
}

fn fine(pixels: f64) -> i32 {
    (pixels * FINE).round() as i32
}

fn fine_point((x, y): Point) -> (i32, i32) {
    (fine(x), fine(y))
}

fn failed(error: impl Display) -> PlotError {
    PlotError::Draw(error.to_string())
}
