//! A number that is known to lie between two others.

use serde::Serialize;

/// low … high, both 0 or above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// The least it can be.
    pub low: f64,
    /// The most it can be.
    pub high: f64,
}

impl Interval {
    /// A number that is known.
    #[must_use]
    pub fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// Both ends times a number, 0 or above.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }

    /// factor/low … of it: both ends turn over.
    #[must_use]
    pub fn dividing(self, factor: f64) -> Self {
        Self { low: factor / self.high, high: factor / self.low }
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }
}

impl std::ops::Add for Interval {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }
}

impl std::iter::Sum for Interval {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| sum + part)
    }
}
