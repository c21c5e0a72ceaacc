//! Mean, variance, skewness and kurtosis in one pass.

/// Running central moments up to the fourth, in `f64`.
///
/// One-pass update and pairwise merge after Welford (1962) and Pébay (2008); no sum of squares is
/// formed, so a small spread around a large mean keeps its digits. Every query on too few samples
/// is NaN.
///
/// ```
/// use aimc_testkit::stats::Moments;
///
/// let m: Moments = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
/// assert_eq!(m.mean(), 5.0);
/// assert_eq!(m.variance(), 32.0 / 7.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sums of the second, third and fourth powers of the deviations from the mean.
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    /// An empty accumulator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moments of a slice of `f32`, `f64`, `u32`, ….
    #[must_use]
    pub fn of<T: Copy + Into<f64>>(samples: &[T]) -> Self {
        samples.iter().map(|&x| x.into()).collect()
    }

    /// Adds one sample.
    pub fn push(&mut self, x: f64) {
        let before = self.count as f64;
        self.count += 1;
        let n = self.count as f64;
        let delta = x - self.mean;
        let delta_n = delta / n;
        let delta_n2 = delta_n * delta_n;
        let term = delta * delta_n * before;
        self.mean += delta_n;
        self.m4 +=
            term * delta_n2 * (n * n - 3.0 * n + 3.0) + 6.0 * delta_n2 * self.m2 - 4.0 * delta_n * self.m3;
        self.m3 += term * delta_n * (n - 2.0) - 3.0 * delta_n * self.m2;
        self.m2 += term;
    }

    /// Moments of the union of two disjoint samples.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let d2 = delta * delta;
        let m3 = self.m3
            + other.m3
            + delta * d2 * a * b * (a - b) / (n * n)
            + 3.0 * delta * (a * other.m2 - b * self.m2) / n;
        let m4 = self.m4
            + other.m4
            + d2 * d2 * a * b * (a * a - a * b + b * b) / (n * n * n)
            + 6.0 * d2 * (a * a * other.m2 + b * b * self.m2) / (n * n)
            + 4.0 * delta * (a * other.m3 - b * self.m3) / n;
        Self {
            count: self.count + other.count,
            mean: self.mean + delta * b / n,
            m2: self.m2 + other.m2 + d2 * a * b / n,
            m3,
            m4,
        }
    }

    /// Number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// Unbiased variance, `Σ (x - mean)² / (n - 1)`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { self.m2 / (self.count - 1) as f64 }
    }

    /// Square root of [`Self::variance`].
    #[must_use]
    pub fn std(&self) -> f64 {
        self.variance().sqrt()
    }

    /// `m₃ / m₂^{3/2}` with `m_k = Σ (x - mean)^k / n`: 0 for a symmetric law.
    #[must_use]
    pub fn skewness(&self) -> f64 {
        (self.count as f64).sqrt() * self.m3 / self.m2.powf(1.5)
    }

    /// `m₄ / m₂²` with `m_k = Σ (x - mean)^k / n`: 3 for a normal law (*not* the excess).
    #[must_use]
    pub fn kurtosis(&self) -> f64 {
        self.count as f64 * self.m4 / (self.m2 * self.m2)
    }

    /// Standard error of the mean, `std / √n`.
    #[must_use]
    pub fn mean_se(&self) -> f64 {
        self.std() / (self.count as f64).sqrt()
    }

    /// Standard error of [`Self::std`] from the sample's own fourth moment,
    /// `se(s²) / (2 s)` with `se(s²)² = (m₄ - m₂² (n - 3)/(n - 1)) / n`. Zero for equal samples.
    #[must_use]
    pub fn std_se(&self) -> f64 {
        if self.m2 == 0.0 && self.count > 1 {
            return 0.0;
        }
        let n = self.count as f64;
        let relative = (self.kurtosis() - (n - 3.0) / (n - 1.0)) / n;
        self.std() * relative.sqrt() / 2.0
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, samples: I) {
        for x in samples {
            self.push(x);
        }
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Self {
        let mut moments = Self::new();
        moments.extend(samples);
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative rounding allowed to a handful of operations per sample: n ε is the classic bound.
    fn close(a: f64, b: f64, n: usize) -> bool {
        (a - b).abs() <= 16.0 * n as f64 * f64::EPSILON * b.abs().max(1.0)
    }

    #[test]
    fn exact_small_case() {
        // deviations from 4: -3, -2, 1, 4; squares 9, 4, 1, 16; cubes -27, -8, 1, 64; 4th 81, 16, 1, 256
        let m = Moments::of(&[1.0_f32, 2.0, 5.0, 8.0]);
        assert_eq!(m.mean(), 4.0);
        assert_eq!(m.variance(), 10.0);
        assert!(close(m.skewness(), (30.0 / 4.0) / 7.5_f64.powf(1.5), 4));
        assert!(close(m.kurtosis(), (354.0 / 4.0) / (7.5 * 7.5), 4));
        let relative: f64 = (m.kurtosis() - 1.0 / 3.0) / 4.0;
        assert!(close(m.std_se(), 10.0_f64.sqrt() * relative.sqrt() / 2.0, 4));
    }

    #[test]
    fn merging_equals_pushing() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * i % 37) - 0.1 * f64::from(i)).collect();
        let whole = Moments::of(&values);
        for cut in [0, 1, 50, 99, 100] {
            let merged = Moments::of(&values[..cut]).merge(&Moments::of(&values[cut..]));
            assert_eq!(merged.count(), 100);
            for (a, b) in [
                (merged.mean(), whole.mean()),
                (merged.variance(), whole.variance()),
                (merged.skewness(), whole.skewness()),
                (merged.kurtosis(), whole.kurtosis()),
            ] {
                assert!(close(a, b, 100), "cut {cut}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_large_mean_does_not_eat_the_variance() {
        let m: Moments = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
        assert_eq!(m.variance(), 30.0); // Welford's own example; a sum of squares gives garbage
    }

    #[test]
    fn too_few_samples_are_nan() {
        let mut m = Moments::new();
        assert!(m.mean().is_nan() && m.variance().is_nan());
        m.push(1.0);
        assert_eq!(m.mean(), 1.0);
        assert!(m.variance().is_nan() && m.kurtosis().is_nan() && m.std_se().is_nan());
    }
}
