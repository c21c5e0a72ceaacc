//! Linear step: the step changes linearly with the weight, at most weakly, between hard bounds.
//!
//! ```text
//! up:    w ← w + (a⁺ + s⁺w)(1 + σ_c ξ)            s⁺ = -γ⁺a⁺/ω⁺        (mult_noise; else + a⁺σ_c ξ added)
//! down:  w ← w - (a⁻ + s⁻w)(1 + σ_c ξ)            s⁻ = -γ⁻a⁻/ω⁻
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep) | |
//! | γ± share of the step that is lost on the way from 0 to ω± | `gamma_up`, `gamma_down` | 0.1 to 0.5 |
//! | std of γ± from device to device (absolute) | `gamma_up_dtod`, `gamma_down_dtod` | 0.05 |
//! | ω± weight at which γ± is reached | w_max, w_min; the device's own b± unless `mean_bound_reference` | ±1 |
//!
//! γ± is folded to |γ±| unless `allow_increasing`, which lets steps grow towards their bound. `reverse_up`
//! puts ω⁺ at w_min - `reverse_offset`, so that up steps grow with the weight; `reverse_down` likewise.
//! n noise-free up pulses give wₙ = w∞ + (w₀ - w∞)(1 + s⁺)ⁿ, w∞ = ω⁺/γ⁺; up and down steps cancel at
//! (a⁺ - a⁻)/(s⁻ - s⁺).
//!
//! γ = 0 is `ConstantStep`; γ = 1 without spread and with the device's own bounds is `SoftBounds`. With
//! `write_noise_std`, what is read after a pulse is the persistent weight plus `write_noise_std`·`dw_min`·ξ.
//! Not modelled: curvature of the response.
//!
//! Reference: T. Gokmen & W. Haensch 2020, *Algorithm for Training Neural Networks on Resistive Device
//! Arrays*, Front. Neurosci. 14:103, doi:10.3389/fnins.2020.00103.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::affine::{self, Slopes, slope};
use crate::pulsed::common::pulsed_device;
use crate::pulsed::{Cell, Common, PulsedDevice, Way, WriteNoise};
use crate::rng::Stream;

pulsed_device! {
    /// Linear-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_device::pulsed::{Cell, Direction, LinearStep, PulsedDevice};
    /// let device = LinearStep { w_max: 0.5, gamma_up: 0.4, gamma_up_dtod: 0.0, ..LinearStep::default() };
    /// let mut cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// let slopes = device.fabricate_extra(&mut cell, &mut RngKey::root(0).stream(0));
    /// // At half of w_max the step has lost half of 40 %: 0.25 + 0.01·(1 - 0.4·0.5) = 0.258.
    /// let w = device.step(cell, slopes, 0.25, Direction::Up, 0.0);
    /// assert!((w - 0.258).abs() < 1e-7);
    /// ```
    pub struct LinearStep {
        /// Share of the up step that is lost from weight 0 to the upper reference.
        gamma_up: f32 = 0.0,
        /// Share of the down step that is lost from weight 0 to the lower reference.
        gamma_down: f32 = 0.0,
        /// Device-to-device std of gamma_up (absolute).
        gamma_up_dtod: f32 = 0.05,
        /// Device-to-device std of gamma_down (absolute).
        gamma_down_dtod: f32 = 0.05,
        /// Let steps grow towards the bound (negative gamma); otherwise gamma is folded to its size.
        allow_increasing: bool = false,
        /// Refer gamma to w_max and w_min; otherwise to the bounds of the very device.
        mean_bound_reference: bool = true,
        /// Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
        mult_noise: bool = true,
        /// The up step grows towards the upper bound.
        reverse_up: bool = false,
        /// The down step grows towards the lower bound.
        reverse_down: bool = false,
        /// Distance of the reversed reference beyond the far bound.
        reverse_offset: f32 = 0.01,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

impl LinearStep {
    /// γ of one device.
    fn gamma(&self, mean: f32, dtod: f32, draws: &mut Stream) -> f32 {
        let gamma = mean + dtod * draws.normal();
        if self.allow_increasing { gamma } else { gamma.abs() }
    }
}

impl PulsedDevice for LinearStep {
    type Extra = Slopes;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        require::finite("gamma_up", self.gamma_up)?;
        require::finite("gamma_down", self.gamma_down)?;
        require::non_negative("gamma_up_dtod", self.gamma_up_dtod)?;
        require::non_negative("gamma_down_dtod", self.gamma_down_dtod)?;
        require::non_negative("write_noise_std", self.write_noise_std)?;
        require::non_negative("reverse_offset", self.reverse_offset)?;
        affine::mult_noise_if(self.reverse_up || self.reverse_down, self.mult_noise)
    }

    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Slopes {
        let gamma_up = self.gamma(self.gamma_up, self.gamma_up_dtod, draws);
        let gamma_down = self.gamma(self.gamma_down, self.gamma_down_dtod, draws);
        let mean = self.mean_bound_reference;
        let (high, low) = if mean { (self.w_max, self.w_min) } else { (cell.w_max, cell.w_min) };
        let up_reference = if self.reverse_up { low - self.reverse_offset } else { high };
        let down_reference = if self.reverse_down { high + self.reverse_offset } else { low };
        Slopes {
            up: slope(gamma_up * cell.up, up_reference),
            down: slope(gamma_down * cell.down, down_reference),
        }
    }

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, slopes: Slopes<L>, w: L, way: W, xi: L) -> L {
        affine::step(cell, slopes, w, way, xi, (self.dw_min_std, self.mult_noise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;

    const CELL: Cell = Cell { up: 0.5, down: 0.25, w_max: 1.0, w_min: -2.0 };

    fn slopes(device: &LinearStep) -> Slopes {
        device.fabricate_extra(&mut CELL.clone(), &mut RngKey::root(1).stream(0))
    }

    fn quiet() -> LinearStep {
        let (w_max, w_min) = (4.0, -8.0);
        LinearStep { w_max, w_min, gamma_up_dtod: 0.0, gamma_down_dtod: 0.0, ..LinearStep::default() }
    }

    /// s± = -γ±a±/ω±, ω± = w_max, w_min or the device's own b±.
    #[test]
    fn slopes_refer_to_mean_or_own_bounds() {
        let mean = LinearStep { gamma_up: 0.5, gamma_down: 0.25, ..quiet() };
        assert_eq!(slopes(&mean), Slopes { up: -0.0625, down: 0.007_812_5 });
        let own = LinearStep { mean_bound_reference: false, ..mean };
        assert_eq!(slopes(&own), Slopes { up: -0.25, down: 0.031_25 });
    }

    /// reverse_up: ω⁺ = w_min - reverse_offset; reverse_down: ω⁻ = w_max + reverse_offset.
    #[test]
    fn reversed_slopes_refer_beyond_the_far_bound() {
        let device = LinearStep { gamma_up: 1.0, gamma_down: 1.0, reverse_offset: 0.0, ..quiet() };
        let device = LinearStep { reverse_up: true, reverse_down: true, ..device };
        assert_eq!(slopes(&device), Slopes { up: 0.0625, down: -0.0625 });
    }

    /// γ = mean + dtod·ξ, one draw each: first up, then down.
    #[test]
    fn gammas_are_the_draws_of_the_stream() {
        let device = LinearStep { gamma_up: 2.0, gamma_up_dtod: 0.25, ..quiet() };
        let device = LinearStep { gamma_down: 2.0, gamma_down_dtod: 0.5, ..device };
        let mut draws = RngKey::root(1).stream(0);
        let (up, down) = (2.0 + 0.25 * draws.normal(), 2.0 + 0.5 * draws.normal());
        assert_eq!(slopes(&device), Slopes { up: slope(0.5 * up, 4.0), down: slope(0.25 * down, -8.0) });
    }

    /// γ = |mean + dtod·ξ|, with allow_increasing γ = mean + dtod·ξ.
    #[test]
    fn negative_gammas_are_folded_unless_allowed() {
        let folded = LinearStep { gamma_up: -0.5, ..quiet() };
        assert_eq!(slopes(&folded).up, -0.0625);
        assert_eq!(slopes(&LinearStep { allow_increasing: true, ..folded }).up, 0.0625);
    }
}
