//! A statistic of consecutive windows of vectors, averaged over the windows.

use super::Observer;

/// Σ n·s/Σ n over windows of n vectors with the statistic s. All but the last hold `size` vectors.
pub(super) struct Windows {
    size: usize,
    statistic: Box<dyn Fn(Vec<f64>) -> f64 + Send>,
    /// Values and vectors of the open window.
    open: (Vec<f64>, usize),
    /// Σ n·s and Σ n of the closed ones.
    sums: (f64, usize),
}

impl std::fmt::Debug for Windows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Windows").field("size", &self.size).field("sums", &self.sums).finish_non_exhaustive()
    }
}

impl Windows {
    pub(super) fn new(size: usize, statistic: impl Fn(Vec<f64>) -> f64 + Send + 'static) -> Self {
        Self { size, statistic: Box::new(statistic), open: (Vec::new(), 0), sums: (0.0, 0) }
    }
}

impl Observer for Windows {
    fn observe(&mut self, vector: &[f32]) {
        self.open.0.extend(vector.iter().map(|x| f64::from(*x)));
        self.open.1 += 1;
        if self.open.1 == self.size {
            let (values, vectors) = std::mem::take(&mut self.open);
            self.sums.0 += vectors as f64 * (self.statistic)(values);
            self.sums.1 += vectors;
        }
    }

    fn range(&self) -> Option<f64> {
        let (values, vectors) = &self.open;
        let last = if *vectors > 0 { *vectors as f64 * (self.statistic)(values.clone()) } else { 0.0 };
        let all = self.sums.1 + vectors;
        (all > 0).then(|| (self.sums.0 + last) / all as f64)
    }
}
