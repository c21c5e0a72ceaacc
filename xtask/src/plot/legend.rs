//! The legend below a chart, in as many rows as it needs, and the shapes that tell series apart without colour.

use plotters::style::{Color, RGBColor};

use super::canvas::{Anchor, Canvas, Font, Point, Stroke};
use super::text::{width, wrap};
use super::{PlotError, TEXT};

const SIZE: f64 = 13.0;
const LINE: f64 = 17.0;
/// Width of the sample before a name, and the room around it.
const SAMPLE: f64 = 28.0;
const AFTER_SAMPLE: f64 = 8.0;
const BETWEEN: f64 = 26.0;
const ROW_GAP: f64 = 5.0;

/// A sign for a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    /// The sign of a series: another one where the colours begin anew.
    pub(super) fn of(index: usize) -> Self {
        let shapes = [Self::Circle, Self::Square, Self::Triangle, Self::Diamond];
        shapes[(index + index / super::PALETTE.len()) % shapes.len()]
    }

    pub(super) fn draw(
        self,
        canvas: &Canvas<'_>,
        (x, y): Point,
        r: f64,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let colour = colour.to_rgba();
        // Sized to look equally heavy.
        match self {
            Self::Circle => canvas.circle((x, y), r, colour),
            Self::Square => {
                let h = 0.88 * r;
                canvas.rectangle([(x - h, y - h), (x + h, y + h)], colour)
            }
            Self::Triangle => {
                let h = 1.15 * r;
                canvas.polygon(&[(x, y - h), (x + h, y + 0.8 * h), (x - h, y + 0.8 * h)], colour)
            }
            Self::Diamond => {
                let h = 1.25 * r;
                canvas.polygon(&[(x, y - h), (x + h, y), (x, y + h), (x - h, y)], colour)
            }
        }
    }
}

/// What a series looks like, for its sample in the legend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) colour: RGBColor,
    /// None for points without a line.
    pub(super) stroke: Option<Stroke>,
    /// None for a line without points.
    pub(super) shape: Option<Shape>,
    /// Opacity of the band or filling; 0 for none.
    pub(super) fill: f64,
}

/// Names with samples, laid out in rows.
pub(super) struct Legend {
    placed: Vec<(Point, Vec<String>, Look)>,
    height: f64,
}

impl Legend {
    /// Lays entries out from left to right within `room`; entries without a name are left out.
    pub(super) fn layout(entries: &[(&str, Look)], room: f64) -> Self {
        let mut placed = Vec::new();
        let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
        for &(name, look) in entries {
            let lines = wrap(name, SIZE, room - SAMPLE - AFTER_SAMPLE);
            if lines.is_empty() {
                continue;
            }
            let text = lines.iter().map(|line| width(line, SIZE)).fold(0.0, f64::max);
            let wide = SAMPLE + AFTER_SAMPLE + text;
            if x > 0.0 && x + wide > room {
                (x, y, row) = (0.0, y + row + ROW_GAP, 0.0);
            }
            row = row.max(lines.len() as f64 * LINE);
            placed.push(((x, y), lines, look));
            x += wide + BETWEEN;
        }
        Self { placed, height: y + row }
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    /// Draws with the top left corner at a point.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, (left, top): Point) -> Result<(), PlotError> {
        let font = Font { size: SIZE, bold: false, colour: TEXT, anchor: Anchor::Start };
        for ((x, y), lines, look) in &self.placed {
            let (x, middle) = (left + x, top + y + LINE / 2.0);
            draw_sample(canvas, (x, middle), look)?;
            for (k, line) in lines.iter().enumerate() {
                canvas.text(line, (x + SAMPLE + AFTER_SAMPLE, middle + k as f64 * LINE), font)?;
            }
        }
        Ok(())
    }
}

fn draw_sample(canvas: &Canvas<'_>, (x, y): Point, look: &Look) -> Result<(), PlotError> {
    if look.fill > 0.0 {
        canvas.rectangle([(x, y - 6.0), (x + SAMPLE, y + 6.0)], look.colour.mix(look.fill))?;
    }
    if let Some(stroke) = look.stroke {
        canvas.line(&[(x, y), (x + SAMPLE, y)], stroke)?;
    }
    if let Some(shape) = look.shape {
        shape.draw(canvas, (x + SAMPLE / 2.0, y), 4.0, look.colour)?;
    }
    Ok(())
}
