//! Analog-to-digital converter: from the current of a bit line to a number.
//!
//! Here the ideal converter, which rounds; [`bank`] knows real ones.

pub mod bank;
pub mod flash;
pub mod ramp;
pub mod sar;

use crate::periphery::io::IoConfig;
use crate::periphery::quantiser::{quantise, step};

pub use bank::{AdcBank, Architecture};

/// The converter of one output line, after validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adc {
    step: f32,
    bound: f32,
    stochastic: bool,
    asymmetry: f32,
    test_negative: bool,
    negative_cancels: bool,
}

/// What the converter gives: the number, and whether the quantised line was beyond the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The number, within the range.
    pub value: f32,
    /// The line was above the range.
    pub above: bool,
    /// The line was below the range.
    pub below: bool,
}

impl Adc {
    pub(crate) fn new(io: &IoConfig) -> Self {
        Self {
            step: step(io.out_res, io.out_bound),
            bound: if io.out_bound > 0.0 { io.out_bound } else { f32::INFINITY },
            stochastic: io.out_sto_round,
            asymmetry: io.out_asymmetry,
            test_negative: io.bm_test_negative_bound,
            negative_cancels: io.bm_negative_overflow_cancels && !io.bm_test_negative_bound,
        }
    }

    /// Largest number that the converter gives.
    #[must_use]
    pub fn bound(&self) -> f32 {
        self.bound
    }

    /// Whether conversion draws a dither for stochastic rounding.
    #[must_use]
    pub fn is_stochastic(&self) -> bool {
        self.stochastic && self.step > 0.0
    }

    /// What the converter sees of a line that carries `y`: weakened where negative, noisy; `noise` is a normal draw
    /// times the std of the line's noise.
    #[inline(always)]
    #[must_use]
    pub fn line(&self, y: f32, noise: f32) -> f32 {
        (if y < 0.0 { y * (1.0 - self.asymmetry) } else { y }) + noise
    }

    /// The number for what it sees: quantised, cut to the range; `uniform` in [0, 1) dithers stochastic rounding.
    #[inline(always)]
    #[must_use]
    pub fn number(&self, line: f32, uniform: f32) -> Reading {
        let dither = if self.stochastic { uniform - 0.5 } else { 0.0 };
        let level = quantise(line, self.step, dither);
        let (above, below) = (level > self.bound, level < -self.bound);
        Reading { value: level.clamp(-self.bound, self.bound), above, below }
    }

    /// Whether it matters to [`Adc::overflow`] which of two outputs comes first.
    #[inline(always)]
    #[must_use]
    pub fn order_matters(&self) -> bool {
        self.negative_cancels
    }

    /// Whether bound management sees an overflow, from what it saw in the outputs `before` and this one.
    #[inline(always)]
    #[must_use]
    pub fn overflow(&self, before: bool, reading: Reading) -> bool {
        let cancelled = self.negative_cancels && reading.below;
        reading.above || (self.test_negative && reading.below) || (before && !cancelled)
    }
}
