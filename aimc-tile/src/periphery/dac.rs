//! Digital-to-analog converter: from a number to the voltage on a word line.

use crate::periphery::io::IoConfig;
use crate::periphery::quantiser::{quantise, step};

/// The converter of one input line, after validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dac {
    /// Quantisation step in units of the full input, 0 without quantisation.
    pub step: f32,
    bound: f32,
    noise: f32,
    stochastic: bool,
    asymmetry: f32,
}

impl Dac {
    pub(crate) fn new(io: &IoConfig) -> Self {
        Self {
            step: step(io.inp_res, io.inp_bound),
            bound: if io.inp_bound > 0.0 { io.inp_bound } else { f32::INFINITY },
            noise: io.inp_noise,
            stochastic: io.inp_sto_round,
            asymmetry: io.inp_asymmetry,
        }
    }

    /// Whether conversion draws Gaussian noise.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        self.noise > 0.0
    }

    /// Whether conversion draws a dither for stochastic rounding.
    #[must_use]
    pub fn is_stochastic(&self) -> bool {
        self.stochastic && self.step > 0.0
    }

    /// The level for input `v`: quantised and cut to the range; `uniform` in [0, 1) dithers stochastic rounding.
    #[inline(always)]
    #[must_use]
    pub fn level(&self, v: f32, uniform: f32) -> f32 {
        let dither = if self.stochastic { uniform - 0.5 } else { 0.0 };
        quantise(v, self.step, dither).clamp(-self.bound, self.bound)
    }

    /// What a level becomes on the line: noisy, weakened where negative; `xi` is the normal draw of the noise.
    #[inline(always)]
    #[must_use]
    pub fn line(&self, level: f32, xi: f32) -> f32 {
        let line = level + self.noise * xi;
        if line < 0.0 { line * (1.0 - self.asymmetry) } else { line }
    }
}
