//! Exponential step: constant at first, then cut down exponentially as the weight nears its bound.
//!
//! ```text
//! z = 2a·w/(b⁺ - b⁻) + b      y⁺ = max(1 - A⁺exp(γ⁺z), 0)      y⁻ = max(1 - A⁻exp(-γ⁻z), 0)
//! up:    Δ = +a⁺y⁺,   down:   Δ = -a⁻y⁻
//! w ← w + Δ(1 + σ_c ξ)                                                    simple noise
//! w ← w + Δ + σ_c(|Δ| + dw_min_std_add + dw_min_std_slope·|w|)ξ           complex noise
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep) | |
//! | A± share of the step that is lost at z = 0; negative: steps are larger there | `A_up`, `A_down` | 0.0008, 0.37 |
//! | γ± decay per unit of z | `gamma_up`, `gamma_down` | 12.4, 12.8 |
//! | a, b scale and shift of the weight, normalised to ±1 at the bounds | `a`, `b` | 0.24, 0.24 |
//! | noise besides that of the step, in weights and per weight | `dw_min_std_add`, `dw_min_std_slope` | 0 |
//!
//! Complex noise acts where one of its fields is not 0. Up and down steps cancel at the root of
//! a⁺y⁺ = a⁻y⁻. A = 0 is `ConstantStep`; a device without range (b⁺ = b⁻) never moves. The shape (A, γ, a, b)
//! is the same for all devices. Write noise as for [`LinearStep`](super::LinearStep).
//!
//! The unit in which pulses are planned is the mean of the up and the down step of the mean device at
//! w = 0, so that updates of both signs together have the intended size. AIHWKit 1.1 takes the down step
//! alone; `granularity = "DownStep"` does the same, and the presets ask for it. The two differ where steps are
//! lopsided: by a factor of 5 for the preset of phase-change devices.
//!
//! Reference: N. Gong et al. 2018, *Signal and noise extraction from analog memory elements for
//! neuromorphic computing*, Nat. Commun. 9:2102, doi:10.1038/s41467-018-04485-1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::{Cell, Common, Direction, PulsedDevice, Way, WriteNoise};
use crate::rng::Stream;

/// Which step at w = 0 is the unit of pulse planning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Granularity {
    /// The mean of the up and the down step.
    #[default]
    Mean,
    /// The down step alone, as in AIHWKit 1.1.
    DownStep,
}

pulsed_device! {
    /// Exponential-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::{Cell, Direction, ExpStep, PulsedDevice};
    /// let device = ExpStep { a_up: 0.5, gamma_up: 2.0, a: 1.0, b: 0.0, ..ExpStep::default() };
    /// let cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// // z = 2·0.25/1 = ½ takes 0.5·e = 1.36 of the step away: none is left. At 0 half of it is left.
    /// assert_eq!(device.step(cell, (), 0.25, Direction::Up, 0.0), 0.25);
    /// assert_eq!(device.step(cell, (), 0.0, Direction::Up, 0.0), 0.005);
    /// ```
    pub struct ExpStep {
        /// Share of the up step that is lost at z = 0.
        #[serde(rename = "A_up")]
        a_up: f32 = 0.00081,
        /// Share of the down step that is lost at z = 0.
        #[serde(rename = "A_down")]
        a_down: f32 = 0.36833,
        /// Growth of that share per unit of z.
        gamma_up: f32 = 12.44625,
        /// Growth of that share per unit of -z.
        gamma_down: f32 = 12.78785,
        /// Scale of the weight in z.
        a: f32 = 0.244,
        /// Value of z at w = 0.
        b: f32 = 0.2425,
        /// Noise of a pulse besides that of the step, in units of the weight (times dw_min_std).
        dw_min_std_add: f32 = 0.0,
        /// Noise of a pulse per unit of weight (times dw_min_std).
        dw_min_std_slope: f32 = 0.0,
        /// The step that serves as unit of pulse planning.
        granularity: Granularity = Granularity::Mean,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

impl ExpStep {
    /// Factor y± of the step at z = scale·w + b.
    #[inline(always)]
    fn factor<L: Lane>(&self, w: L, scale: L, way: impl Way<L>) -> L {
        let pick = |up, down| way.pick(w.splat(up), w.splat(down));
        // What does not depend on w comes first: pulse waits for pulse.
        let gamma = pick(self.gamma_up, -self.gamma_down);
        let growth = w.mul_add(gamma * scale, gamma * self.b).exponential();
        growth.mul_add(pick(-self.a_up, -self.a_down), w.splat(1.0)).not_negative()
    }

    /// Factor y± of the step at w = 0.
    fn factor_at_0(&self, direction: Direction) -> f32 {
        self.factor(0.0, 0.0, direction)
    }
}

impl PulsedDevice for ExpStep {
    type Extra = ();

    const COSTLY: bool = true;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        for (field, value) in [
            ("A_up", self.a_up),
            ("A_down", self.a_down),
            ("gamma_up", self.gamma_up),
            ("gamma_down", self.gamma_down),
            ("a", self.a),
            ("b", self.b),
        ] {
            require::finite(field, value)?;
        }
        require::non_negative("dw_min_std_add", self.dw_min_std_add)?;
        require::non_negative("dw_min_std_slope", self.dw_min_std_slope)?;
        require::non_negative("write_noise_std", self.write_noise_std)?;
        let bounded = "must be such that A·exp(gamma·b) is finite";
        let finite = |direction| self.factor_at_0(direction).is_finite();
        require::that(finite(Direction::Up), "gamma_up", self.gamma_up, bounded)?;
        require::that(finite(Direction::Down), "gamma_down", self.gamma_down, bounded)
    }

    /// From mean steps at w = 0; where both vanish, `dw_min`.
    fn granularity(&self) -> f32 {
        let up = (1.0 + self.up_down.min(0.0)) * self.factor_at_0(Direction::Up);
        let down = (1.0 - self.up_down.max(0.0)) * self.factor_at_0(Direction::Down);
        let step = match self.granularity {
            Granularity::Mean => 0.5 * (up + down),
            Granularity::DownStep => down,
        };
        if step > 0.0 { self.dw_min * step } else { self.dw_min }
    }

    fn fabricate_extra(&self, _cell: &mut Cell, _draws: &mut Stream) {}

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, _extra: (), w: L, way: W, xi: L) -> L {
        let range = cell.w_max - cell.w_min;
        let y = self.factor(w, range.splat(2.0 * self.a) / range, way);
        let step = way.signed(cell.up, cell.down);
        let complex = self.dw_min_std_add != 0.0 || self.dw_min_std_slope != 0.0;
        let moved = if complex {
            let step = y * step;
            let spread = step.magnitude() + self.dw_min_std_add + w.magnitude() * self.dw_min_std_slope;
            w + step + xi * self.dw_min_std * spread
        } else {
            y.mul_add(step * noise_factor(xi, self.dw_min_std), w)
        };
        range.if_positive(cell.clip(moved), w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// The preset of phase-change devices: up step 0.01·(1 + 27.235), down step 0.01·(1 + 2.235) at w = 0.
    fn lopsided(granularity: Granularity) -> ExpStep {
        let device = ExpStep { dw_min: 0.01, a_up: -27.235, a_down: -2.235, ..ExpStep::default() };
        ExpStep { gamma_up: 2.5, gamma_down: 2.5, a: -1.0, b: 0.0, granularity, ..device }
    }

    /// dw_min·(y⁺ + y⁻)/2 or dw_min·y⁻ at z = b, y± = max(1 - A±exp(±γ±z), 0); dw_min where both vanish.
    #[test]
    fn granularity_is_the_mean_step_or_the_down_step() {
        let expect = |rule, step: f32| {
            let found = PulsedDevice::granularity(&lopsided(rule));
            assert_close!(found / step, 1.0, 4.0 * f32::EPSILON);
        };
        expect(Granularity::Mean, 0.157_35);
        expect(Granularity::DownStep, 0.032_35);
        let none = ExpStep { a_up: 2.0, a_down: 2.0, b: 0.0, ..ExpStep::default() };
        assert_eq!(PulsedDevice::granularity(&none), none.dw_min);
    }

    /// up_down = u: the mean up step is 1 + min(u, 0), the mean down step 1 - max(u, 0), in units of dw_min.
    #[test]
    fn granularity_follows_the_asymmetry() {
        let step = |up_down, granularity| {
            let even = ExpStep { dw_min: 0.5, a_up: 0.0, a_down: 0.0, ..ExpStep::default() };
            PulsedDevice::granularity(&ExpStep { up_down, granularity, ..even })
        };
        assert_eq!([step(0.5, Granularity::Mean), step(-0.5, Granularity::Mean)], [0.375, 0.375]);
        assert_eq!([step(0.5, Granularity::DownStep), step(-0.5, Granularity::DownStep)], [0.25, 0.5]);
    }

    /// One field of complex noise is enough: w + Δ + σ_c(|Δ| + add)ξ, w + Δ + σ_c(|Δ| + slope·|w|)ξ; without: w + Δ(1 + σ_c ξ).
    #[test]
    fn either_field_makes_noise_complex() {
        let cell = Cell { up: 0.25, down: 0.25, w_max: 8.0, w_min: -8.0 };
        let plain = ExpStep { a_up: 0.5, a_down: 0.5, b: 0.0, a: 0.0, dw_min_std: 0.5, ..ExpStep::default() };
        let moved = |add, slope, direction| {
            let device = ExpStep { dw_min_std_add: add, dw_min_std_slope: slope, ..plain.clone() };
            device.step(cell, (), -1.0, direction, 2.0) + 1.0
        };
        assert_eq!(moved(0.25, 0.0, Direction::Up), 0.125 + 0.375);
        assert_eq!(moved(0.0, 0.5, Direction::Up), 0.125 + 0.625);
        assert_eq!(moved(0.0, 0.0, Direction::Up), 0.25);
        // The noise of a down step has the sign of the draw where it is complex, otherwise that of the step.
        assert_eq!(moved(0.25, 0.0, Direction::Down), -0.125 + 0.375);
        assert_eq!(moved(0.0, 0.0, Direction::Down), -0.25);
    }

    /// w ← w + Δ + σ_c(|Δ| + dw_min_std_add + dw_min_std_slope·|w|)ξ.
    #[test]
    fn complex_noise_by_hand() {
        let device = ExpStep { a_up: 0.5, b: 0.0, a: 0.0, dw_min_std: 0.5, ..ExpStep::default() };
        let device = ExpStep { dw_min_std_add: 0.25, dw_min_std_slope: 0.5, ..device };
        let cell = Cell { up: 0.25, down: 0.25, w_max: 8.0, w_min: -8.0 };
        // Δ = 0.125 with a std of 0.5·(0.125 + 0.25 + 0.5·|-1|).
        assert_eq!(device.step(cell, (), -1.0, Direction::Up, 2.0), -1.0 + 0.125 + 0.875);
    }

    /// b⁺ = b⁻: w ← w.
    #[test]
    fn a_device_without_range_never_moves() {
        let stuck = Cell { up: 0.0, down: 0.0, w_max: 0.1, w_min: 0.1 };
        assert_eq!(ExpStep::default().step(stuck, (), 0.1, Direction::Down, 3.0), 0.1);
    }

    #[test]
    fn exponents_that_overflow_are_refused() {
        let device = ExpStep { a_up: -1.0, gamma_up: 1000.0, b: 1.0, ..ExpStep::default() };
        assert_eq!(device.validate().unwrap_err().field, "gamma_up");
    }
}
