//! Lines, dashed lines and points over two axes, each with a band if wanted.

use plotters::style::Color;

use super::axis::Axis;
use super::canvas::{self, Canvas, Stroke};
use super::frame::{Content, Frame};
use super::legend::{Look, Shape};
use super::{Mark, PALETTE, PlotError, colour};

const LINE_WIDTH: f64 = 2.2;
const BAND_OPACITY: f64 = 0.18;
/// Up to so many points, a line shows where each of them is.
const DOTS_UP_TO: usize = 24;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesStyle {
    /// A line; with dots where points are few.
    Solid,
    /// A dashed line without dots, for theory or comparison.
    Dashed,
    /// Points without a line, for measurements; a band becomes error bars.
    Markers,
}

/// A named row of points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// Name in the legend; empty to leave it out there.
    pub(crate) name: String,
    /// Points, joined in this order.
    pub(crate) points: Vec<(f64, f64)>,
    /// Lower and upper edge at every point.
    pub(crate) band: Option<Vec<(f64, f64)>>,
    /// How it is drawn.
    pub(crate) style: SeriesStyle,
}

impl Series {
    /// A series without a band.
    pub(crate) fn new(name: impl Into<String>, points: Vec<(f64, f64)>, style: SeriesStyle) -> Self {
        Self { name: name.into(), points, band: None, style }
    }
}

/// A chart of one or more series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineChart {
    /// Stands above the chart, and is its accessible name.
    pub(crate) title: String,
    /// Horizontal axis.
    pub(crate) x: Axis,
    /// Vertical axis.
    pub(crate) y: Axis,
    /// What is shown; colours are given out in this order.
    pub(crate) series: Vec<Series>,
    /// Horizontal lines at values of interest.
    pub(crate) references: Vec<Mark>,
    /// Vertical lines at values of interest.
    pub(crate) marks: Vec<Mark>,
}

impl LineChart {
    /// A chart without series, to be filled.
    pub(crate) fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), references: Vec::new(), marks: Vec::new() }
    }

    /// The chart as SVG.
    pub(crate) fn render(&self) -> Result<String, PlotError> {
        self.check()?;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bands = self.series.iter().filter_map(|series| series.band.as_ref()).flatten();
        let content = Content {
            title: &self.title,
            x: &self.x,
            y: &self.y,
            xs: points().map(|point| point.0).collect(),
            ys: points().map(|point| point.1).chain(bands.flat_map(|&(lo, hi)| [lo, hi])).collect(),
            marks: &self.marks,
            references: &self.references,
            legend: self
                .series
                .iter()
                .enumerate()
                .map(|(k, series)| (series.name.as_str(), look(k, series)))
                .collect(),
        };
        content.check_lines()?;
        let frame = Frame::layout(content);
        canvas::draw(frame.size(), &self.title, |canvas| {
            frame.draw_below(canvas)?;
            for (k, series) in self.series.iter().enumerate() {
                draw_band(canvas, &frame, series, &look(k, series))?;
            }
            // The first series is the most important one, so it comes on top.
            for (k, series) in self.series.iter().enumerate().rev() {
                draw_series(canvas, &frame, series, &look(k, series))?;
            }
            frame.draw_above(canvas)
        })
    }

    fn check(&self) -> Result<(), PlotError> {
        let chart = || self.title.clone();
        if self.series.is_empty() {
            return Err(PlotError::NoSeries { chart: chart() });
        }
        for Series { name, points, band, .. } in &self.series {
            if points.is_empty() {
                return Err(PlotError::Empty { chart: chart(), what: format!("series \"{name}\"") });
            }
            for (index, &(x, y)) in points.iter().enumerate() {
                self.x.check(&self.title, &format!("series \"{name}\", x of point {index}"), x)?;
                self.y.check(&self.title, &format!("series \"{name}\", y of point {index}"), y)?;
            }
            let Some(band) = band else { continue };
            if band.len() != points.len() {
                let (series, points, band) = (name.clone(), points.len(), band.len());
                return Err(PlotError::BandLength { chart: chart(), series, points, band });
            }
            for (index, &(lo, hi)) in band.iter().enumerate() {
                for edge in [lo, hi] {
                    self.y.check(
                        &self.title,
                        &format!("series \"{name}\", an edge of band {index}"),
                        edge,
                    )?;
                }
                if lo > hi {
                    return Err(PlotError::BandOrder { chart: chart(), series: name.clone(), index, lo, hi });
                }
            }
        }
        Ok(())
    }
}

fn look(index: usize, series: &Series) -> Look {
    let colour = colour(index);
    let solid = Stroke::solid(colour, LINE_WIDTH);
    // Where colours begin anew, gaps keep lines without dots apart.
    let line = if index < PALETTE.len() { solid } else { solid.dashed(18.0, 4.0) };
    let dots = series.points.len() <= DOTS_UP_TO;
    let (stroke, shape) = match series.style {
        SeriesStyle::Solid => (Some(line), dots.then(|| Shape::of(index))),
        SeriesStyle::Dashed => (Some(solid.dashed(7.0, 5.0)), None),
        SeriesStyle::Markers => (None, Some(Shape::of(index))),
    };
    let filled = series.band.is_some() && series.style != SeriesStyle::Markers;
    Look { colour, stroke, shape, fill: if filled { BAND_OPACITY } else { 0.0 } }
}

fn draw_band(canvas: &Canvas<'_>, frame: &Frame<'_>, series: &Series, look: &Look) -> Result<(), PlotError> {
    let Some(band) = &series.band else { return Ok(()) };
    let edges = series.points.iter().zip(band);
    if series.style == SeriesStyle::Markers {
        let stroke = Stroke::solid(look.colour, 1.4);
        for (&(x, _), &(lo, hi)) in edges {
            let (x, lo, hi) = (frame.x_pixel(x), frame.y_pixel(lo), frame.y_pixel(hi));
            canvas.line(&[(x, lo), (x, hi)], stroke)?;
            for y in [lo, hi] {
                canvas.line(&[(x - 4.0, y), (x + 4.0, y)], stroke)?;
            }
        }
        return Ok(());
    }
    let lower = edges.clone().map(|(&(x, _), &(lo, _))| frame.point((x, lo)));
    let upper = edges.map(|(&(x, _), &(_, hi))| frame.point((x, hi)));
    let outline: Vec<_> = lower.chain(upper.rev()).collect();
    canvas.polygon(&outline, look.colour.mix(look.fill))
}

fn draw_series(
    canvas: &Canvas<'_>,
    frame: &Frame<'_>,
    series: &Series,
    look: &Look,
) -> Result<(), PlotError> {
    let points: Vec<_> = series.points.iter().map(|&point| frame.point(point)).collect();
    if let Some(stroke) = look.stroke {
        canvas.line(&points, stroke)?;
    }
    if let Some(shape) = look.shape {
        let radius = if series.points.len() > 60 { 2.4 } else { 3.8 };
        for &point in &points {
            shape.draw(canvas, point, radius, look.colour)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "line_chart_tests.rs"]
mod tests;
