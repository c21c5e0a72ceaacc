//! Hidden step: pulses charge a hidden state, and only its overflow moves the weight.
//!
//! ```text
//! up:    H ← H + h⁺(1 + σ_h ξ)        down:  H ← H - h⁻(1 + σ_h ξ)
//! H > 1:   H ← 0,  w ← min(w + a⁺(1 + σ_c ξ), b⁺)
//! H < -1:  H ← 0,  w ← max(w - a⁻(1 + σ_c ξ), b⁻)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | n_h hidden states per step; mean h = 1/n_h | `hs_hidden_states` | 2 to 10 |
//! | relative device-to-device std of h±, common to both | `hs_dw_min_dtod` | 0.3 |
//! | asymmetry of h±, mean and device-to-device std | `hs_up_down`, `hs_up_down_dtod` | 0, 0.01 |
//! | σ_h cycle-to-cycle noise of h, relative | `hs_dw_min_std` | 0 |
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep), a± being n_h times as large | |
//!
//! `dw_min` stays the intended mean weight change per pulse (and the unit of pulse planning): steps are n_h
//! times as large and about n_h times as rare. The overflow is strict, so that a noise-free h of exactly
//! 1/n_h needs n_h + 1 pulses a step. h± are drawn as a± are (see [`super::fabrication`]) and folded like them. Only pulses
//! change H; setting, resetting and forgetting leave it as it is. For n_h → ∞ and no noise the device
//! averages its pulses; there is no value of n_h that makes it a `ConstantStep`.
//!
//! Not modelled: write noise, relaxation of H.
//!
//! Reference: S. Fusi, P. J. Drew & L. F. Abbott 2005, *Cascade models of synaptically stored memories*,
//! Neuron 45:599, doi:10.1016/j.neuron.2005.02.001.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::constants::device_constants;
use crate::pulsed::{Cell, Common, Direction, PulsedDevice, Way};
use crate::rng::Stream;

pulsed_device! {
    /// Hidden-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::hidden_step::HiddenScales;
    /// use aimc_device::pulsed::{Direction, HiddenStep, PulsedDevice};
    /// let device = HiddenStep::default();
    /// let scales = HiddenScales { up: 0.6, down: 0.6 };
    /// // Two up pulses of 0.6 overflow: the second releases an up step.
    /// let (hidden, step) = device.accumulate(scales, 0.0, Direction::Up, 0.0);
    /// assert_eq!((hidden, step), (0.6, None));
    /// assert_eq!(device.accumulate(scales, hidden, Direction::Up, 0.0), (0.0, Some(Direction::Up)));
    /// ```
    pub struct HiddenStep {
        /// Hidden states per visible step.
        hs_hidden_states: u32 = 2,
        /// Systematic asymmetry of the hidden step, as up_down.
        hs_up_down: f32 = 0.0,
        /// Device-to-device std of that asymmetry, in units of the hidden step.
        hs_up_down_dtod: f32 = 0.01,
        /// Relative device-to-device std of the hidden step, common to both directions.
        hs_dw_min_dtod: f32 = 0.3,
        /// Cycle-to-cycle std of the hidden step, relative to it.
        hs_dw_min_std: f32 = 0.0,
    }
}

device_constants! {
    /// Hidden steps of one device.
    pub struct HiddenScales {
        /// Hidden step of an up pulse.
        up: "hs_scale_up",
        /// Hidden step of a down pulse.
        down: "hs_scale_down",
    }
    mirrored(scales) { HiddenScales { up: scales.down, down: scales.up } }
}

impl PulsedDevice for HiddenStep {
    type Extra = HiddenScales;

    const HIDDEN: bool = true;

    fn common(&self) -> Common {
        self.common()
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        require::that(
            self.hs_hidden_states >= 1,
            "hs_hidden_states",
            self.hs_hidden_states,
            "must be at least 1",
        )?;
        require::within("hs_up_down", self.hs_up_down, -1.0, 1.0)?;
        require::non_negative("hs_up_down_dtod", self.hs_up_down_dtod)?;
        require::non_negative("hs_dw_min_dtod", self.hs_dw_min_dtod)?;
        require::non_negative("hs_dw_min_std", self.hs_dw_min_std)
    }

    fn mean_step(&self) -> f32 {
        self.hs_hidden_states as f32 * self.dw_min * (1.0 - 0.5 * self.up_down.abs())
    }

    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> HiddenScales {
        let states = self.hs_hidden_states as f32;
        cell.up *= states;
        cell.down *= states;
        let gain = 1.0 + self.hs_dw_min_dtod * draws.normal();
        let asymmetry = self.hs_up_down_dtod * draws.normal();
        let up = (gain + asymmetry + self.hs_up_down.min(0.0)) / states;
        let down = (gain - asymmetry - self.hs_up_down.max(0.0)) / states;
        if self.enforce_consistency {
            HiddenScales { up: up.abs(), down: down.abs() }
        } else {
            HiddenScales { up, down }
        }
    }

    #[inline(always)]
    fn accumulate(
        &self,
        scales: HiddenScales,
        hidden: f32,
        direction: Direction,
        xi: f32,
    ) -> (f32, Option<Direction>) {
        let hidden = hidden + direction.signed(scales.up, scales.down) * (1.0 + self.hs_dw_min_std * xi);
        match () {
            () if hidden > 1.0 => (0.0, Some(Direction::Up)),
            () if hidden < -1.0 => (0.0, Some(Direction::Down)),
            () => (hidden, None),
        }
    }

    /// The visible step, once [`PulsedDevice::accumulate`] has released it.
    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, _scales: HiddenScales<L>, w: L, way: W, xi: L) -> L {
        let noise = noise_factor(xi, self.dw_min_std);
        cell.clip(way.signed(cell.up, cell.down).mul_add(noise, w))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;

    /// h = ¼ exactly: five pulses a step, of which opposite ones cancel first.
    #[test]
    fn noise_free_states_need_one_pulse_more_than_their_number() {
        let device = HiddenStep {
            hs_hidden_states: 4,
            hs_dw_min_dtod: 0.0,
            hs_up_down_dtod: 0.0,
            ..Default::default()
        };
        let mut cell = Cell { up: 0.5, down: 0.25, w_max: 9.0, w_min: -9.0 };
        let scales = device.fabricate_extra(&mut cell, &mut RngKey::root(1).stream(0));
        assert_eq!(scales, HiddenScales { up: 0.25, down: 0.25 });
        assert_eq!((cell.up, cell.down), (2.0, 1.0));
        let mut hidden = 0.0;
        let mut pulse = |direction| {
            let (next, step) = device.accumulate(scales, hidden, direction, 0.0);
            hidden = next;
            step
        };
        assert_eq!(pulse(Direction::Down), None);
        let released: Vec<_> = (0..11).filter(|_| pulse(Direction::Up) == Some(Direction::Up)).collect();
        assert_eq!(released, [5, 10]);
        let released: Vec<_> = (0..5).filter(|_| pulse(Direction::Down) == Some(Direction::Down)).collect();
        assert_eq!(released, [4]);
    }

    /// h± = (g ± r)/n, g = 1 + hs_dw_min_dtod·ξ, r = hs_up_down_dtod·ξ: the draws of the stream in this order.
    #[test]
    fn hidden_steps_are_the_draws_of_the_stream() {
        let device = HiddenStep { hs_dw_min_dtod: 0.25, hs_up_down_dtod: 0.125, ..Default::default() };
        let mut draws = RngKey::root(1).stream(0);
        let (gain, asymmetry) = (1.0 + 0.25 * draws.normal(), 0.125 * draws.normal());
        let scales = device.fabricate_extra(&mut Cell::default(), &mut RngKey::root(1).stream(0));
        assert_eq!(scales, HiddenScales { up: 0.5 * (gain + asymmetry), down: 0.5 * (gain - asymmetry) });
    }

    /// h ← h ± h±(1 + hs_dw_min_std·ξ): a draw of 2 at a std of ¼ makes the step half as large again.
    #[test]
    fn a_draw_above_zero_makes_hidden_steps_larger() {
        let device = HiddenStep { hs_dw_min_std: 0.25, ..Default::default() };
        let scales = HiddenScales { up: 0.5, down: 0.25 };
        assert_eq!(device.accumulate(scales, 0.0, Direction::Up, 2.0), (0.75, None));
        assert_eq!(device.accumulate(scales, 0.0, Direction::Down, 2.0), (-0.375, None));
    }

    /// n·dw_min(1 - |up_down|/2): the mean of the visible up and down steps.
    #[test]
    fn the_mean_step_is_that_of_all_hidden_states() {
        let step = |up_down| {
            HiddenStep { hs_hidden_states: 4, dw_min: 0.5, up_down, ..Default::default() }.mean_step()
        };
        assert_eq!([step(0.0), step(0.5), step(-0.5)], [2.0, 1.5, 1.5]);
    }

    /// hs_up_down = u > 0: the hidden down step is hs_dw_min·(1 - u).
    #[test]
    fn asymmetry_weakens_one_hidden_step() {
        let device =
            HiddenStep { hs_dw_min_dtod: 0.0, hs_up_down_dtod: 0.0, hs_up_down: 0.5, ..Default::default() };
        let mut cell = Cell::default();
        let scales = device.fabricate_extra(&mut cell, &mut RngKey::root(1).stream(0));
        assert_eq!(scales, HiddenScales { up: 0.5, down: 0.25 });
        let none = HiddenStep { hs_hidden_states: 0, ..Default::default() };
        assert_eq!(none.validate().unwrap_err().field, "hs_hidden_states");
    }
}
