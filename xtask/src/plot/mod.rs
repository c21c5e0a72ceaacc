//! Charts as SVG text, made to be read: labelled axes with units, colours that colour-blind readers can tell apart,
//! a legend below the data, and room for every label.
//!
//! Drawing goes through `plotters`; layout is our own ([`frame`]), because without a font engine `plotters` cannot
//! know how wide a text will be, and charts with clipped labels are worse than none.

mod axis;
mod canvas;
mod frame;
mod histogram;
mod legend;
mod line_chart;
mod text;

pub(crate) use axis::Axis;
pub(crate) use histogram::{Group, Histogram};
pub(crate) use line_chart::{LineChart, Series, SeriesStyle};

use plotters::style::RGBColor;
use thiserror::Error;

/// Why a chart cannot be drawn.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum PlotError {
    /// Nothing to draw.
    #[error("chart \"{chart}\" has no series; give at least one")]
    NoSeries {
        /// Title of the chart.
        chart: String,
    },
    /// A series without points.
    #[error("chart \"{chart}\": {what} is empty; give at least one value")]
    Empty {
        /// Title of the chart.
        chart: String,
        /// Which part of it.
        what: String,
    },
    /// NaN or infinity.
    #[error("chart \"{chart}\": {what} is {value}; only finite numbers can be drawn")]
    NotFinite {
        /// Title of the chart.
        chart: String,
        /// Which value.
        what: String,
        /// The value.
        value: f64,
    },
    /// Zero or less on a logarithmic axis.
    #[error("chart \"{chart}\": {what} is {value}; a logarithmic axis needs numbers above 0")]
    NotPositive {
        /// Title of the chart.
        chart: String,
        /// Which value.
        what: String,
        /// The value.
        value: f64,
    },
    /// A number too large or too close to zero to compute ticks with.
    #[error(
        "chart \"{chart}\": {what} is {value:e}; sizes from 1e-290 to 1e290 can be drawn, so choose another unit"
    )]
    Extreme {
        /// Title of the chart.
        chart: String,
        /// Which value.
        what: String,
        /// The value.
        value: f64,
    },
    /// A band with another number of entries than points.
    #[error(
        "chart \"{chart}\": series \"{series}\" has {points} points but a band of {band}; give one per point"
    )]
    BandLength {
        /// Title of the chart.
        chart: String,
        /// Name of the series.
        series: String,
        /// Number of points.
        points: usize,
        /// Entries of the band.
        band: usize,
    },
    /// A band whose lower edge is above its upper one.
    #[error(
        "chart \"{chart}\": series \"{series}\", band {index} runs from {lo} to {hi}; put the lower edge first"
    )]
    BandOrder {
        /// Title of the chart.
        chart: String,
        /// Name of the series.
        series: String,
        /// Index of the entry.
        index: usize,
        /// Lower edge.
        lo: f64,
        /// Upper edge.
        hi: f64,
    },
    /// A number of bins that makes no histogram.
    #[error("chart \"{chart}\": {bins} bins; a histogram has 1 to 1000")]
    Bins {
        /// Title of the chart.
        chart: String,
        /// Bins asked for.
        bins: usize,
    },
    /// The drawing library refused.
    #[error("chart cannot be drawn: {0}")]
    Draw(String),
}

/// A line across the chart at a value of interest, with a label beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// Where, in the unit of the axis.
    pub(crate) at: f64,
    /// What it means.
    pub(crate) label: String,
}

impl Mark {
    /// A mark at a value.
    pub(crate) fn new(at: f64, label: impl Into<String>) -> Self {
        Self { at, label: label.into() }
    }
}

/// Okabe and Ito's palette, strongest first; without yellow, which is too pale on white.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];
const TEXT: RGBColor = RGBColor(34, 34, 34);
const SOFT_TEXT: RGBColor = RGBColor(85, 85, 85);
const LINES: RGBColor = RGBColor(120, 120, 120);
const GRID: RGBColor = RGBColor(228, 228, 228);
const FAINT_GRID: RGBColor = RGBColor(243, 243, 243);

fn colour(index: usize) -> RGBColor {
    PALETTE[index % PALETTE.len()]
}

#[cfg(test)]
pub(crate) mod testing;
