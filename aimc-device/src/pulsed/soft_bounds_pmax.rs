//! Soft bounds given by a measurement: the weight range that a number of pulses sweeps.
//!
//! ```text
//! B = (range_max - range_min)/(1 - e^(-α·p_max))
//! after p up pulses from range_min:     w = range_min + B(1 - e^(-αp))
//! after p down pulses from range_max:   w = range_max - B(1 - e^(-αp))
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | p_max pulses from one end of the range to the other | `p_max` | 1000 |
//! | α saturation per pulse | `alpha` | 0.0005 |
//! | the range | `range_min`, `range_max` | ±1 |
//!
//! This is a [`SoftBounds`] device with b⁺ = range_min + B, b⁻ = range_max - B and steps
//! that close the share r = 1 - e^(-α) of the distance to the bound: a⁺ = r·b⁺, a⁻ = r·|b⁻|. All spreads,
//! noise and reversed slopes are those of `SoftBounds`, relative to these means; the unit of pulse planning
//! is the mean step at w = 0. For α·p_max → 0 it is a `ConstantStep`.
//!
//! AIHWKit 1.1 computes w_min = range_min, w_max = b⁺, dw_min = αB, up_down = 1 + 2 range_min/B. Since its
//! asymmetry weakens one side only, its rates are αB/w_max up and 2α down, and the curves above are not met
//! (100 up pulses of α = 0.02 sweep -0.5 to 0.83 instead of 0.7). `mapping = "Aihwkit"` does the same, to
//! compare results. Not modelled: what `SoftBounds` does not model.
//!
//! References: as for `SoftBounds`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::affine::Slopes;
use crate::pulsed::common::derived_pulsed_device;
use crate::pulsed::{Cell, Common, PulsedDevice, SoftBounds, Way, WriteNoise, affine};
use crate::rng::Stream;

/// How steps and bounds follow from the measured range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mapping {
    /// Such that the mean device follows the two curves.
    #[default]
    Exact,
    /// As in AIHWKit 1.1, for comparison.
    Aihwkit,
}

derived_pulsed_device! {
    /// Soft-bounds device given by the pulses that sweep its range, see the [module](self).
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_device::pulsed::{Cell, Direction, PulsedDevice, SoftBoundsPmax};
    /// let device = SoftBoundsPmax { p_max: 100.0, alpha: 0.02, range_min: -0.5, range_max: 0.7, ..Default::default() };
    /// let mean = device.common();
    /// let mut cell = Cell {
    ///     up: mean.dw_min * (1.0 + mean.up_down.min(0.0)),
    ///     down: mean.dw_min * (1.0 - mean.up_down.max(0.0)),
    ///     w_max: mean.w_max,
    ///     w_min: mean.w_min,
    /// };
    /// let slopes = device.fabricate_extra(&mut cell, &mut RngKey::root(0).stream(0));
    /// // 100 up pulses lead from one end of the range to the other.
    /// let w = (0..100).fold(-0.5, |w, _| device.step(cell, slopes, w, Direction::Up, 0.0));
    /// assert!((w - 0.7).abs() < 1e-5);
    /// ```
    pub struct SoftBoundsPmax {
        /// Number of pulses from one end of the range to the other.
        p_max: f32 = 1000.0,
        /// Saturation per pulse.
        alpha: f32 = 0.0005,
        /// Lower end of the range, at most 0.
        range_min: f32 = -1.0,
        /// Upper end of the range, at least 0.
        range_max: f32 = 1.0,
        /// How steps and bounds follow from the range.
        mapping: Mapping = Mapping::Exact,
        /// Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
        mult_noise: bool = true,
        /// The up step grows towards the upper bound.
        reverse_up: bool = false,
        /// The down step grows towards the lower bound.
        reverse_down: bool = false,
        /// Distance of the reversed step's zero beyond the far bound.
        reverse_offset: f32 = 0.01,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of the mean step.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

impl SoftBoundsPmax {
    /// Means of steps and bounds; the rest is the default.
    fn means(&self) -> Common {
        let [p_max, alpha, low, high] =
            [self.p_max, self.alpha, self.range_min, self.range_max].map(f64::from);
        let full = (high - low) / -(-alpha * p_max).exp_m1();
        let (w_max, w_min, dw_min, up_down) = match self.mapping {
            Mapping::Exact => {
                let rate = -(-alpha).exp_m1();
                let (w_max, w_min) = (low + full, high - full);
                let (up, down) = (rate * w_max, -rate * w_min);
                let up_down = if up > down { 1.0 - down / up } else { up / down - 1.0 };
                (w_max, w_min, up.max(down), up_down)
            }
            Mapping::Aihwkit => (low + full, low, alpha * full, 1.0 + 2.0 * low / full),
        };
        let [w_max, w_min, dw_min, up_down] = [w_max, w_min, dw_min, up_down].map(|value| value as f32);
        Common { w_max, w_min, dw_min, up_down, ..Common::default() }
    }

    /// The device that this one is.
    fn soft_bounds(&self) -> SoftBounds {
        SoftBounds {
            mult_noise: self.mult_noise,
            reverse_up: self.reverse_up,
            reverse_down: self.reverse_down,
            reverse_offset: self.reverse_offset,
            ..SoftBounds::default()
        }
    }
}

impl PulsedDevice for SoftBoundsPmax {
    type Extra = Slopes;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        let std = self.write_noise_std * self.means().dw_min;
        WriteNoise { std, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("p_max", self.p_max)?;
        require::positive("alpha", self.alpha)?;
        require::non_positive("range_min", self.range_min)?;
        require::non_negative("range_max", self.range_max)?;
        require::that(
            self.range_max > self.range_min,
            "range_max",
            self.range_max,
            "must be above range_min",
        )?;
        let means = self.means();
        let finite = [means.w_max, means.w_min, means.dw_min].iter().all(|value| value.is_finite());
        require::that(finite, "p_max", self.p_max, "must be such that alpha·p_max leaves finite bounds")?;
        require::that(
            means.dw_min > 0.0,
            "alpha",
            self.alpha,
            "must be such that a pulse is a step above 0",
        )?;
        self.common().validate()?;
        require::non_negative("write_noise_std", self.write_noise_std)?;
        require::non_negative("reverse_offset", self.reverse_offset)?;
        affine::mult_noise_if(self.reverse_up || self.reverse_down, self.mult_noise)
    }

    /// The mean step at w = 0; for AIHWKit's mapping the larger one, as there.
    fn granularity(&self) -> f32 {
        let Common { dw_min, up_down, .. } = self.means();
        match self.mapping {
            Mapping::Exact => dw_min * (1.0 - 0.5 * up_down.abs()),
            Mapping::Aihwkit => dw_min,
        }
    }

    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Slopes {
        self.soft_bounds().fabricate_extra(cell, draws)
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
    use crate::pulsed::Direction;
    use crate::pulsed::fabrication::fabricate;
    use aimc_testkit::assert_close;

    fn quiet(mapping: Mapping) -> SoftBoundsPmax {
        let device = SoftBoundsPmax {
            p_max: 100.0,
            alpha: 0.02,
            range_min: -0.5,
            range_max: 0.7,
            ..Default::default()
        };
        let device = SoftBoundsPmax { mapping, dw_min_dtod: 0.0, up_down_dtod: 0.0, ..device };
        SoftBoundsPmax { w_max_dtod: 0.0, w_min_dtod: 0.0, ..device }
    }

    fn sweep(device: &SoftBoundsPmax, start: f32, direction: Direction, pulses: i32) -> f64 {
        let (cells, _) = fabricate(device, 1, 1, RngKey::root(1));
        let pulse = |w, _| device.step(cells.cell(0), cells.extra(0), w, direction, 0.0);
        f64::from((0..pulses).fold(start, pulse))
    }

    /// Both curves at any number of pulses; 5 roundings of numbers below 2 a pulse.
    #[test]
    fn the_curves_are_met() {
        let device = quiet(Mapping::Exact);
        let full = 1.2 / (1.0 - (-2.0_f64).exp());
        for pulses in [1, 10, 50, 100] {
            let swept = full * (1.0 - (-0.02 * f64::from(pulses)).exp());
            let slack = 10.0 * f64::from(f32::EPSILON) * f64::from(pulses);
            assert_close!(sweep(&device, -0.5, Direction::Up, pulses), swept - 0.5, slack);
            assert_close!(sweep(&device, 0.7, Direction::Down, pulses), 0.7 - swept, slack);
        }
    }

    /// The number that AIHWKit itself gives (see the module).
    #[test]
    fn aihwkits_mapping_overshoots() {
        assert_close!(sweep(&quiet(Mapping::Aihwkit), -0.5, Direction::Up, 100), 0.830, 5e-4);
    }

    /// A symmetric range: up_down = 0, b⁺ = -b⁻, and the unit of pulse planning is dw_min.
    #[test]
    fn a_symmetric_range_has_symmetric_steps() {
        let means = SoftBoundsPmax::default().means();
        assert_eq!((means.up_down, means.w_max), (0.0, -means.w_min));
        assert_eq!(PulsedDevice::granularity(&SoftBoundsPmax::default()), means.dw_min);
    }

    /// A range of 1 that 10 pulses of α = 0.1 sweep has B = 1/(1 - e⁻¹): AIHWKit's dw_min = αB, up_down = 1 + 2·range_min/B,
    /// b⁺ = range_min + B, b⁻ = range_min. Eight roundings are granted.
    #[test]
    fn aihwkits_means_by_hand() {
        let device = SoftBoundsPmax {
            p_max: 10.0,
            alpha: 0.1,
            range_min: -0.25,
            range_max: 0.75,
            ..Default::default()
        };
        let means = SoftBoundsPmax { mapping: Mapping::Aihwkit, ..device }.means();
        let full = 1.0 / (1.0 - (-1.0_f64).exp());
        let expected = [0.1 * full, 1.0 - 0.5 / full, full - 0.25, -0.25];
        for (found, expected) in
            [means.dw_min, means.up_down, means.w_max, means.w_min].into_iter().zip(expected)
        {
            assert_close!(f64::from(found), expected, 4.0 * f64::from(f32::EPSILON));
        }
    }

    /// The mean of the up and the down step: dw_min(1 - |up_down|/2); for AIHWKit's mapping dw_min.
    #[test]
    fn the_unit_of_planning_is_the_mean_step() {
        for mapping in [Mapping::Exact, Mapping::Aihwkit] {
            let device = quiet(mapping);
            let Common { dw_min, up_down, .. } = device.means();
            assert!(up_down > 0.1 && up_down < 0.9, "{up_down}");
            let mean = if mapping == Mapping::Exact { dw_min * (1.0 - 0.5 * up_down) } else { dw_min };
            assert_eq!(PulsedDevice::granularity(&device), mean);
        }
    }

    /// reverse_up puts the zero of the up step `reverse_offset` below b⁻, reverse_down that of the down step as far above b⁺.
    #[test]
    fn reversed_steps_are_those_of_soft_bounds() {
        let device = SoftBoundsPmax {
            reverse_up: true,
            reverse_down: true,
            reverse_offset: 0.5,
            ..Default::default()
        };
        let mut cell = Cell { up: 0.25, down: 0.125, w_max: 1.5, w_min: -0.5 };
        let slopes = device.fabricate_extra(&mut cell, &mut RngKey::root(1).stream(0));
        assert_eq!(slopes, Slopes { up: 0.25, down: -0.062_5 });
    }

    /// The unit of write noise is the mean step.
    #[test]
    fn write_noise_is_in_units_of_the_mean_step() {
        let device =
            SoftBoundsPmax { write_noise_std: 3.0, apply_write_noise_on_set: false, ..Default::default() };
        let noise = PulsedDevice::write_noise(&device);
        assert_eq!((noise.std, noise.on_set), (3.0 * device.means().dw_min, false));
    }

    #[test]
    fn impossible_ranges_are_refused_by_name() {
        let refused = |device: SoftBoundsPmax| device.validate().unwrap_err().field;
        assert_eq!(
            refused(SoftBoundsPmax { range_min: 0.0, range_max: 0.0, ..Default::default() }),
            "range_max"
        );
        assert_eq!(refused(SoftBoundsPmax { p_max: 1e-30, alpha: 1e-30, ..Default::default() }), "p_max");
        let tiny = SoftBoundsPmax { range_min: -1e-10, range_max: 1e-10, ..Default::default() };
        assert_eq!(refused(SoftBoundsPmax { p_max: 3e38, alpha: 1e-45, ..tiny }), "alpha");
    }
}
