//! Everything of a chart but the data: title, axes, grid, reference lines and legend, with room for all of them.

use plotters::style::Color;

use super::axis::{Axis, Resolved};
use super::canvas::{Anchor, Canvas, Font, Point, Stroke};
use super::legend::{Legend, Look};
use super::text::{width, wrap};
use super::{FAINT_GRID, GRID, LINES, Mark, PlotError, SOFT_TEXT, TEXT};

const WIDTH: f64 = 860.0;
const PLOT_HEIGHT: f64 = 310.0;
const OUTER: f64 = 16.0;
const TITLE: f64 = 17.0;
const TITLE_LINE: f64 = 23.0;
const AXIS: f64 = 13.5;
const AXIS_LINE: f64 = 18.0;
const TICK: f64 = 12.0;
const NOTE: f64 = 12.0;
const NOTE_LINE: f64 = 15.0;
/// Most room for the labels of reference lines, right of the plot.
const NOTE_ROOM: f64 = 130.0;
/// Gap between the plot and what is written around it.
const GAP: f64 = 9.0;
const MAX_X_LABELS: usize = 9;
const MAX_Y_LABELS: usize = 7;

/// What a frame is made for. The axes must have checked all values.
pub(super) struct Content<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
    pub(super) xs: Vec<f64>,
    pub(super) ys: Vec<f64>,
    /// Vertical lines, labelled above the plot.
    pub(super) marks: &'a [Mark],
    /// Horizontal lines, labelled right of the plot.
    pub(super) references: &'a [Mark],
    pub(super) legend: Vec<(&'a str, Look)>,
}

impl Content<'_> {
    /// Refuses reference lines and included values that have no place on their axis.
    pub(super) fn check_lines(&self) -> Result<(), PlotError> {
        for (axis, marks, name) in [(self.x, self.marks, "x"), (self.y, self.references, "y")] {
            for mark in marks {
                axis.check(self.title, &format!("the {name} of line \"{}\"", mark.label), mark.at)?;
            }
            for value in axis.include.into_iter().flat_map(|(lo, hi)| [lo, hi]) {
                axis.check(self.title, &format!("a value to include on the {name} axis"), value)?;
            }
        }
        Ok(())
    }
}

/// A label of several lines with the height of its middle.
struct Note {
    lines: Vec<String>,
    /// Height of the line it belongs to.
    target: f64,
    /// Height of its middle once notes make room for each other.
    middle: f64,
}

/// A chart laid out.
pub(super) struct Frame<'a> {
    content: Content<'a>,
    x: Resolved,
    y: Resolved,
    left: f64,
    right: f64,
    top: f64,
    height: f64,
    title: Vec<String>,
    x_title: Vec<String>,
    y_title: Vec<String>,
    /// Middle and row (0 next to the plot) of the label of every vertical mark.
    mark_labels: Vec<Point>,
    notes: Vec<Note>,
    legend: Legend,
}

impl<'a> Frame<'a> {
    /// Finds room for everything.
    pub(super) fn layout(content: Content<'a>) -> Self {
        let marked = |marks: &[Mark]| marks.iter().map(|mark| mark.at).collect::<Vec<_>>();
        let (xs, ys) = (content.xs.iter().copied(), content.ys.iter().copied());
        let x = content.x.resolve(xs.chain(marked(content.marks)), MAX_X_LABELS);
        let y = content.y.resolve(ys.chain(marked(content.references)), MAX_Y_LABELS);
        let title = wrap(content.title, TITLE, WIDTH - 2.0 * OUTER);
        let y_title = wrap(&y.title, AXIS, PLOT_HEIGHT);
        let widest =
            |labels: &mut dyn Iterator<Item = &str>| labels.map(|l| width(l, TICK)).fold(0.0, f64::max);
        let y_ticks = widest(&mut y.ticks.iter().filter_map(|tick| tick.label.as_deref()));
        let left = OUTER + y_title.len() as f64 * AXIS_LINE + GAP + y_ticks + GAP;
        let notes: Vec<Vec<String>> =
            content.references.iter().map(|mark| wrap(&mark.label, NOTE, NOTE_ROOM)).collect();
        let note_width = widest(&mut notes.iter().flatten().map(String::as_str));
        let right =
            if notes.is_empty() { WIDTH - 2.0 * OUTER } else { WIDTH - OUTER - note_width - 2.0 * GAP };
        let x_title = wrap(&x.title, AXIS, right - left);
        let legend = Legend::layout(&content.legend, WIDTH - OUTER - left);
        let mut frame = Self {
            content,
            x,
            y,
            left,
            right,
            top: 0.0,
            height: 0.0,
            title,
            x_title,
            y_title,
            mark_labels: Vec::new(),
            notes: Vec::new(),
            legend,
        };
        frame.place_marks();
        frame.place_heights();
        frame.place_notes(notes);
        frame
    }

    fn place_heights(&mut self) {
        let rows = self.mark_labels.iter().map(|&(_, row)| row + 1.0).fold(0.0, f64::max);
        let marks = if rows > 0.0 { rows * NOTE_LINE + 4.0 } else { 0.0 };
        self.top = OUTER + self.title.len() as f64 * TITLE_LINE + 6.0 + marks;
        let legend = if self.legend.height() > 0.0 { self.legend.height() + 10.0 } else { 0.0 };
        self.height = self.legend_top() + legend + OUTER - 6.0;
    }

    fn bottom(&self) -> f64 {
        self.top + PLOT_HEIGHT
    }

    fn x_title_top(&self) -> f64 {
        self.bottom() + GAP + TICK + 8.0
    }

    fn legend_top(&self) -> f64 {
        self.x_title_top() + self.x_title.len() as f64 * AXIS_LINE + 10.0
    }

    /// Labels of vertical marks move up a row where they would touch.
    fn place_marks(&mut self) {
        let wide = |label: &str| width(label, NOTE).min(WIDTH - 2.0 * OUTER);
        let mut order: Vec<usize> = (0..self.content.marks.len()).collect();
        order.sort_by(|&a, &b| self.content.marks[a].at.total_cmp(&self.content.marks[b].at));
        let mut row_ends: Vec<f64> = Vec::new();
        self.mark_labels = vec![(0.0, 0.0); order.len()];
        for index in order {
            let mark = &self.content.marks[index];
            let half = wide(&mark.label) / 2.0;
            let middle = self.x_pixel(mark.at).clamp(OUTER + half, WIDTH - OUTER - half);
            let row = row_ends.iter().position(|&end| end <= middle - half).unwrap_or(row_ends.len());
            if row == row_ends.len() {
                row_ends.push(0.0);
            }
            row_ends[row] = middle + half + GAP;
            self.mark_labels[index] = (middle, row as f64);
        }
    }

    /// Labels of horizontal lines slide apart where they would touch.
    fn place_notes(&mut self, labels: Vec<Vec<String>>) {
        let mut notes: Vec<Note> = labels
            .into_iter()
            .zip(self.content.references)
            .map(|(lines, mark)| {
                let target = self.y_pixel(mark.at);
                Note { lines, target, middle: target }
            })
            .collect();
        notes.sort_by(|a, b| a.target.total_cmp(&b.target));
        let half = |note: &Note| note.lines.len() as f64 * NOTE_LINE / 2.0;
        let mut free = f64::NEG_INFINITY;
        for note in &mut notes {
            note.middle = note.middle.max(free + half(note));
            free = note.middle + half(note) + 3.0;
        }
        // What was pushed beyond the bottom comes back up.
        let mut limit = self.bottom() + NOTE_LINE;
        for note in notes.iter_mut().rev() {
            note.middle = note.middle.min(limit - half(note));
            limit = note.middle - half(note) - 3.0;
        }
        self.notes = notes;
    }

    /// Width and height of the whole chart.
    pub(super) fn size(&self) -> Point {
        (WIDTH, self.height.ceil())
    }

    pub(super) fn x_at(&self, place: f64) -> f64 {
        self.left + self.x.share(place) * (self.right - self.left)
    }

    fn y_at(&self, place: f64) -> f64 {
        self.bottom() - self.y.share(place) * PLOT_HEIGHT
    }

    pub(super) fn x_pixel(&self, value: f64) -> f64 {
        self.x_at(self.content.x.place(value))
    }

    pub(super) fn y_pixel(&self, value: f64) -> f64 {
        self.y_at(self.content.y.place(value))
    }

    /// Pixel of a data point.
    pub(super) fn point(&self, (x, y): (f64, f64)) -> Point {
        (self.x_pixel(x), self.y_pixel(y))
    }

    /// What lies below the data: grid and ticks.
    pub(super) fn draw_below(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        let (left, right, top, bottom) = (self.left, self.right, self.top, self.bottom());
        // All faint lines first, so that none crosses a stronger one.
        for labelled in [false, true] {
            let stroke = Stroke::solid(if labelled { GRID } else { FAINT_GRID }, 1.0);
            for tick in self.x.ticks.iter().filter(|tick| tick.label.is_some() == labelled) {
                canvas.line(&[(self.x_at(tick.at), top), (self.x_at(tick.at), bottom)], stroke)?;
            }
            for tick in self.y.ticks.iter().filter(|tick| tick.label.is_some() == labelled) {
                canvas.line(&[(left, self.y_at(tick.at)), (right, self.y_at(tick.at))], stroke)?;
            }
        }
        self.draw_ticks(canvas)?;
        let stroke = Stroke { colour: LINES.mix(1.0), width: 1.4, dash: Some((2.0, 4.0)) };
        for mark in self.content.marks {
            let x = self.x_pixel(mark.at);
            canvas.line(&[(x, top - 3.0), (x, bottom)], stroke)?;
        }
        Ok(())
    }

    fn draw_ticks(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        let font = Font { size: TICK, bold: false, colour: SOFT_TEXT, anchor: Anchor::End };
        for tick in &self.y.ticks {
            if let Some(label) = &tick.label {
                canvas.text(label, (self.left - GAP, self.y_at(tick.at)), font)?;
            }
        }
        let font = Font { anchor: Anchor::Middle, ..font };
        let mut free = f64::NEG_INFINITY;
        for tick in &self.x.ticks {
            let Some(label) = &tick.label else { continue };
            let (x, half) = (self.x_at(tick.at), width(label, TICK) / 2.0);
            // A label that would touch its neighbour or the edge is left out; its grid line stays.
            if x - half < free || x + half > WIDTH - 2.0 {
                continue;
            }
            free = x + half + 6.0;
            canvas.text(label, (x, self.bottom() + GAP + TICK / 2.0), font)?;
        }
        Ok(())
    }

    /// What lies above the data: axis lines, reference lines, and all other text.
    pub(super) fn draw_above(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        let (left, right, bottom) = (self.left, self.right, self.bottom());
        let axis = Stroke::solid(LINES, 1.2);
        canvas.line(&[(left, self.top), (left, bottom), (right, bottom)], axis)?;
        self.draw_titles(canvas)?;
        let font = Font { size: NOTE, bold: false, colour: SOFT_TEXT, anchor: Anchor::Middle };
        for (mark, (x, row)) in self.content.marks.iter().zip(&self.mark_labels) {
            let y = self.top - 4.0 - (row + 0.5) * NOTE_LINE;
            canvas.text(&mark.label, (*x, y), font)?;
        }
        self.draw_notes(canvas)?;
        self.legend.draw(canvas, (left, self.legend_top() + 6.0))
    }

    fn draw_notes(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        let line = Stroke::solid(SOFT_TEXT, 1.4);
        let font = Font { size: NOTE, bold: false, colour: SOFT_TEXT, anchor: Anchor::Start };
        for note in &self.notes {
            let (y, end) = (note.target, self.right);
            canvas.line(&[(self.left, y), (end, y)], line.dashed(6.0, 4.0))?;
            canvas.line(&[(end, y), (end + 2.0 * GAP - 4.0, note.middle)], Stroke { width: 1.0, ..line })?;
            let first = note.middle - (note.lines.len() as f64 - 1.0) * NOTE_LINE / 2.0;
            for (k, text) in note.lines.iter().enumerate() {
                canvas.text(text, (end + 2.0 * GAP, first + k as f64 * NOTE_LINE), font)?;
            }
        }
        Ok(())
    }

    fn draw_titles(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        let font = Font { size: TITLE, bold: true, colour: TEXT, anchor: Anchor::Start };
        for (k, line) in self.title.iter().enumerate() {
            canvas.text(line, (OUTER, OUTER + (k as f64 + 0.5) * TITLE_LINE), font)?;
        }
        let font = Font { size: AXIS, bold: false, colour: TEXT, anchor: Anchor::Middle };
        let middle = (self.left + self.right) / 2.0;
        for (k, line) in self.x_title.iter().enumerate() {
            canvas.text(line, (middle, self.x_title_top() + (k as f64 + 0.5) * AXIS_LINE), font)?;
        }
        let font = Font { anchor: Anchor::Upwards, ..font };
        let middle = (self.top + self.bottom()) / 2.0;
        for (k, line) in self.y_title.iter().enumerate() {
            canvas.text(line, (OUTER + (k as f64 + 0.5) * AXIS_LINE, middle), font)?;
        }
        Ok(())
    }
}
