//! With which probability each line of a vector pair fires in a slot: its value times a scale, in bins where there is a width.

use std::ops::ControlFlow;

use crate::periphery::quantiser::quantise;
use crate::signals::visit_signals;

/// The lines of one vector.
pub(crate) struct Probabilities<'a> {
    pub(crate) values: &'a [f32],
    /// Probability per unit of size.
    pub(crate) scale: f64,
    /// Width of the bins; 0 for none.
    pub(crate) bin: f32,
    /// One number in [0, 1) for each line if bins are chosen at random.
    pub(crate) dithers: Option<Vec<f32>>,
}

impl Probabilities<'_> {
    /// Visits the lines that may fire, in order: number and signed probability.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(usize, f64)) {
        visit_signals(self.values, |line, v| {
            let p = f64::from(v) * self.scale;
            let p = if self.bin > 0.0 { self.binned(line, p) } else { p };
            if p != 0.0 {
                visit(line, p);
            }
            ControlFlow::Continue(())
        });
    }

    fn binned(&self, line: usize, p: f64) -> f64 {
        let dither = self.dithers.as_ref().map_or(0.5, |dithers| dithers[line]);
        f64::from(quantise(p.abs() as f32, self.bin, dither - 0.5)).copysign(p)
    }

    /// Number of lines.
    pub(crate) fn lines(&self) -> usize {
        self.values.len()
    }

    /// The signed probabilities of all lines in single precision.
    pub(crate) fn singles(&self) -> Vec<f32> {
        let mut all = vec![0.0; self.lines()];
        self.each(|line, p| all[line] = p as f32);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_hand() {
        let mut values = [0.0; 40];
        (values[3], values[20], values[39]) = (0.5, -0.25, 0.01);
        let plain = Probabilities { values: &values, scale: 2.0, bin: 0.0, dithers: None };
        let mut found = Vec::new();
        plain.each(|line, p| found.push((line, p)));
        assert_eq!(found, [(3, 1.0), (20, -0.5), (39, f64::from(0.01_f32) * 2.0)]);
        // Bins of 0.4: 1.0 lies between 2 and 3 of them, 0.02 below the middle of the first.
        let binned = Probabilities { bin: 0.4, ..plain };
        assert_eq!(binned.singles().into_iter().filter(|p| *p != 0.0).collect::<Vec<_>>(), [0.8, -0.4]);
        let up = Probabilities { dithers: Some(vec![0.99; 40]), ..binned };
        assert_eq!(up.singles()[3], 3.0 * 0.4);
    }
}
