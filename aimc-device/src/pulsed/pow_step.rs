//! Power step: the step is a power of the distance to the bound it moves towards.
//!
//! ```text
//! up:    w ← w + a⁺((b⁺ - w)/R)^γ⁺ (1 + σ_c ξ)        R = b⁺ - b⁻
//! down:  w ← w - a⁻((w - b⁻)/R)^γ⁻ (1 + σ_c ξ)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep); a± is the step at the far bound | |
//! | γ mean exponent | `pow_gamma` | 1 to 3 |
//! | relative device-to-device std of γ, common to both directions | `pow_gamma_dtod` | 0.1 |
//! | asymmetry of the exponents, mean and device-to-device std | `pow_up_down`, `pow_up_down_dtod` | 0 |
//!
//! With g = 1 + `pow_gamma_dtod`·ξ, r = `pow_up_down_dtod`·ξ and u = `pow_up_down`:
//! γ⁺ = γ(g + r + min(u, 0)), γ⁻ = γ(g - r - max(u, 0)), both folded under `enforce_consistency`.
//!
//! γ = 0 is `ConstantStep`; γ = 1 is `SoftBounds` with steps a±|b±|/R. Up and down steps cancel at the root
//! of a⁺((b⁺ - w)/R)^γ⁺ = a⁻((w - b⁻)/R)^γ⁻. A device without range never moves. Write noise as for
//! [`LinearStep`](super::LinearStep). Not modelled: steps that vanish before the bound.
//!
//! References: S. Fusi & L. Abbott 2007, Nat. Neurosci. 10:485, doi:10.1038/nn1859; J. Frascaroli et al.
//! 2018, Sci. Rep. 8:7178, doi:10.1038/s41598-018-25376-x.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::constants::device_constants;
use crate::pulsed::{Cell, Common, PulsedDevice, Way, WriteNoise};
use crate::rng::Stream;

pulsed_device! {
    /// Power-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::pow_step::Exponents;
    /// use aimc_device::pulsed::{Cell, Direction, PowStep, PulsedDevice};
    /// let device = PowStep::default();
    /// let cell = Cell { up: 0.04, down: 0.04, w_max: 0.5, w_min: -0.5 };
    /// // Half of the range is left at 0: with γ = 2 a quarter of the step, 0.01.
    /// let w = device.step(cell, Exponents { up: 2.0, down: 2.0 }, 0.0, Direction::Up, 0.0);
    /// assert!((w - 0.01).abs() < 1e-8);
    /// ```
    pub struct PowStep {
        /// Mean exponent of the distance to the bound.
        pow_gamma: f32 = 1.0,
        /// Relative device-to-device std of the exponent, common to both directions.
        pow_gamma_dtod: f32 = 0.1,
        /// Systematic asymmetry: above 0 lowers the down exponent, below 0 the up exponent.
        pow_up_down: f32 = 0.0,
        /// Device-to-device std of the asymmetry, in units of pow_gamma.
        pow_up_down_dtod: f32 = 0.0,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

device_constants! {
    /// Exponents of one device.
    pub struct Exponents {
        /// Exponent of the up step.
        up: "gamma_up",
        /// Exponent of the down step.
        down: "gamma_down",
    }
    mirrored(exponents) { Exponents { up: exponents.down, down: exponents.up } }
}

/// The law of the exponents of a population.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExponentLaw {
    pub(crate) gamma: f32,
    pub(crate) dtod: f32,
    pub(crate) up_down: f32,
    pub(crate) up_down_dtod: f32,
    /// Fold exponents to positive ones.
    pub(crate) fold: bool,
}

impl ExponentLaw {
    /// Refuses values outside their range; the mean step at w = 0 must not underflow.
    pub(crate) fn validate(&self, dw_min: f32) -> Result<(), ConfigError> {
        require::non_negative("pow_gamma", self.gamma)?;
        let step = dw_min * 0.5_f32.powf(self.gamma);
        require::that(
            step > 0.0,
            "pow_gamma",
            self.gamma,
            "must leave a step at 0: dw_min/2^pow_gamma above 0",
        )?;
        require::non_negative("pow_gamma_dtod", self.dtod)?;
        require::within("pow_up_down", self.up_down, -1.0, 1.0)?;
        require::non_negative("pow_up_down_dtod", self.up_down_dtod)
    }

    pub(crate) fn draw(&self, draws: &mut Stream) -> Exponents {
        let gain = 1.0 + self.dtod * draws.normal();
        let asymmetry = self.up_down_dtod * draws.normal();
        let up = self.gamma * (gain + asymmetry + self.up_down.min(0.0));
        let down = self.gamma * (gain - asymmetry - self.up_down.max(0.0));
        if self.fold { Exponents { up: up.abs(), down: down.abs() } } else { Exponents { up, down } }
    }
}

/// One pulse with noise of `std`, hard bounds included.
#[inline(always)]
#[must_use]
pub fn pow_step<L: Lane, W: Way<L>>(
    cell: Cell<L>,
    exponents: Exponents<L>,
    w: L,
    way: W,
    (xi, std): (L, f32),
) -> L {
    let range = cell.w_max - cell.w_min;
    let full = way.signed(cell.up, cell.down);
    let distance = way.pick(cell.w_max - w, w - cell.w_min);
    let exponent = way.pick(exponents.up, exponents.down);
    let step = full * (distance / range).at_least(w.splat(0.0)).power(exponent);
    range.if_positive(cell.clip(step.mul_add(noise_factor(xi, std), w)), w)
}

impl PowStep {
    fn law(&self) -> ExponentLaw {
        ExponentLaw {
            gamma: self.pow_gamma,
            dtod: self.pow_gamma_dtod,
            up_down: self.pow_up_down,
            up_down_dtod: self.pow_up_down_dtod,
            fold: self.enforce_consistency,
        }
    }
}

impl PulsedDevice for PowStep {
    type Extra = Exponents;

    const COSTLY: bool = true;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        self.law().validate(self.dw_min)?;
        require::non_negative("write_noise_std", self.write_noise_std)
    }

    /// The step in the middle of the range: dw_min/2^γ.
    fn granularity(&self) -> f32 {
        self.dw_min * 0.5_f32.powf(self.pow_gamma)
    }

    fn fabricate_extra(&self, _cell: &mut Cell, draws: &mut Stream) -> Exponents {
        self.law().draw(draws)
    }

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, exponents: Exponents<L>, w: L, way: W, xi: L) -> L {
        pow_step(cell, exponents, w, way, (xi, self.dw_min_std))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;
    use crate::pulsed::Direction;

    /// γ⁺ = γ(1 + min(u, 0)), γ⁻ = γ(1 - max(u, 0)) without spread.
    #[test]
    fn asymmetry_lowers_one_exponent() {
        let draw = |pow_up_down| {
            let device = PowStep { pow_gamma: 2.0, pow_gamma_dtod: 0.0, pow_up_down, ..PowStep::default() };
            device.law().draw(&mut RngKey::root(1).stream(0))
        };
        assert_eq!(draw(0.25), Exponents { up: 2.0, down: 1.5 });
        assert_eq!(draw(-0.25), Exponents { up: 1.5, down: 2.0 });
    }

    /// γ⁺ = γ(g + r), γ⁻ = γ(g - r), g = 1 + pow_gamma_dtod·ξ, r = pow_up_down_dtod·ξ: the draws of the stream in this order.
    #[test]
    fn exponents_are_the_draws_of_the_stream() {
        let device =
            PowStep { pow_gamma: 2.0, pow_gamma_dtod: 0.25, pow_up_down_dtod: 0.125, ..PowStep::default() };
        let mut draws = RngKey::root(1).stream(0);
        let (gain, asymmetry) = (1.0 + 0.25 * draws.normal(), 0.125 * draws.normal());
        let expected = Exponents { up: 2.0 * (gain + asymmetry), down: 2.0 * (gain - asymmetry) };
        assert_eq!(device.law().draw(&mut RngKey::root(1).stream(0)), expected);
    }

    /// dw_min/2^γ: the step half way between the bounds.
    #[test]
    fn granularity_is_the_step_in_the_middle() {
        let device = PowStep { dw_min: 0.5, pow_gamma: 3.0, ..PowStep::default() };
        assert_eq!(PulsedDevice::granularity(&device), 0.062_5);
    }

    /// w > b⁺: the step is 0, and w is cut to b⁺.
    #[test]
    fn a_weight_beyond_its_bound_is_brought_back() {
        let cell = Cell { up: 0.1, down: 0.1, w_max: 0.5, w_min: -0.5 };
        let exponents = Exponents { up: 0.5, down: 0.5 };
        assert_eq!(pow_step(cell, exponents, 0.75, Direction::Up, (0.0, 0.0)), 0.5);
    }

    #[test]
    fn an_exponent_that_leaves_no_step_is_refused() {
        let device = PowStep { pow_gamma: 200.0, ..PowStep::default() };
        assert_eq!(device.validate().unwrap_err().field, "pow_gamma");
    }
}
