//! How values spread: one histogram, or several over the same bins to be compared.

use plotters::style::Color;

use super::axis::{Axis, Resolved};
use super::canvas::{self, Canvas, Stroke};
use super::frame::{Content, Frame};
use super::legend::Look;
use super::{Mark, PlotError, colour};

const MAX_BINS: usize = 1000;

/// Values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// Name in the legend; empty to leave it out there.
    pub(crate) name: String,
    /// The values.
    pub(crate) values: Vec<f64>,
}

/// A histogram of one or more groups, as shares, so that groups of different sizes compare.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// Stands above the chart, and is its accessible name.
    pub(crate) title: String,
    /// Axis of the values; bins are equally wide on it, also if it is logarithmic.
    pub(crate) x: Axis,
    /// The groups, drawn over each other; up to three can be told apart well.
    pub(crate) groups: Vec<Group>,
    /// Number of bins; none to choose it from the data (Freedman-Diaconis).
    pub(crate) bins: Option<usize>,
    /// Vertical lines at values of interest.
    pub(crate) marks: Vec<Mark>,
}

impl Histogram {
    /// The chart as SVG.
    pub(crate) fn render(&self) -> Result<String, PlotError> {
        self.check()?;
        let (edges, heights) = self.bin();
        let (label, unit) = ("share of values", "%");
        let y = Axis::linear(label, unit).including(0.0, 0.0);
        let content = Content {
            title: &self.title,
            x: &self.x,
            y: &y,
            xs: self.values().collect(),
            ys: heights.iter().flatten().copied().collect(),
            marks: &self.marks,
            references: &[],
            legend: self
                .groups
                .iter()
                .enumerate()
                .map(|(k, group)| (group.name.as_str(), self.look(k)))
                .collect(),
        };
        content.check_lines()?;
        let frame = Frame::layout(content);
        canvas::draw(frame.size(), &self.title, |canvas| {
            frame.draw_below(canvas)?;
            for (k, heights) in heights.iter().enumerate() {
                draw_group(canvas, &frame, &edges, heights, &self.look(k))?;
            }
            frame.draw_above(canvas)
        })
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| group.values.iter().copied())
    }

    fn look(&self, index: usize) -> Look {
        let colour = colour(index);
        let fill = if self.groups.len() == 1 { 0.55 } else { 0.3 };
        Look { colour, stroke: None, shape: None, fill }
    }

    fn check(&self) -> Result<(), PlotError> {
        let chart = || self.title.clone();
        if self.groups.is_empty() {
            return Err(PlotError::NoSeries { chart: chart() });
        }
        if let Some(bins) = self.bins.filter(|bins| !(1..=MAX_BINS).contains(bins)) {
            return Err(PlotError::Bins { chart: chart(), bins });
        }
        for Group { name, values } in &self.groups {
            if values.is_empty() {
                return Err(PlotError::Empty { chart: chart(), what: format!("group \"{name}\"") });
            }
            for (index, &value) in values.iter().enumerate() {
                self.x.check(&self.title, &format!("group \"{name}\", value {index}"), value)?;
            }
        }
        Ok(())
    }

    /// Edges of the bins as positions on the axis, and for every group its percentage in every bin.
    fn bin(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut places: Vec<f64> = self.values().map(|value| self.x.place(value)).collect();
        places.sort_by(f64::total_cmp);
        let (first, last) = (places[0], places[places.len() - 1]);
        // All values alike: the axis gives them air, and the bins take it.
        let (lo, hi) = if last > first {
            (first, last)
        } else {
            let Resolved { lo, hi, .. } = self.x.resolve(self.values(), 2);
            (lo, hi)
        };
        let bins = self.bins.unwrap_or_else(|| choose_bins(&places));
        let edges = (0..=bins).map(|k| lo + (hi - lo) * k as f64 / bins as f64).collect();
        let heights = self.groups.iter().map(|group| {
            let one = 100.0 / group.values.len() as f64;
            let mut heights = vec![0.0; bins];
            for &value in &group.values {
                let share = (self.x.place(value) - lo) / (hi - lo);
                // The highest value belongs to the last bin.
                heights[((share * bins as f64) as usize).min(bins - 1)] += one;
            }
            heights
        });
        (edges, heights.collect())
    }
}

/// Freedman and Diaconis' rule; Sturges' where half of all values are alike.
fn choose_bins(sorted: &[f64]) -> usize {
    let count = sorted.len();
    let quartile = |k: usize| sorted[k * (count - 1) / 4];
    let (range, spread) = (sorted[count - 1] - sorted[0], quartile(3) - quartile(1));
    let sturges = (count as f64).log2().ceil() + 1.0;
    let width = 2.0 * spread / (count as f64).cbrt();
    let bins = if width > 0.0 { (range / width).ceil() } else { sturges };
    bins.clamp(5.0, 80.0) as usize
}

fn draw_group(
    canvas: &Canvas<'_>,
    frame: &Frame<'_>,
    edges: &[f64],
    heights: &[f64],
    look: &Look,
) -> Result<(), PlotError> {
    let mut outline = Vec::with_capacity(2 * edges.len() + 2);
    outline.push((frame.x_at(edges[0]), frame.y_pixel(0.0)));
    for (edge, &height) in edges.windows(2).zip(heights) {
        let y = frame.y_pixel(height);
        outline.extend([(frame.x_at(edge[0]), y), (frame.x_at(edge[1]), y)]);
    }
    outline.push((frame.x_at(edges[edges.len() - 1]), frame.y_pixel(0.0)));
    canvas.polygon(&outline, look.colour.mix(look.fill))?;
    canvas.line(&outline, Stroke::solid(look.colour, 1.8))
}

#[cfg(test)]
#[path = "histogram_tests.rs"]
mod tests;
