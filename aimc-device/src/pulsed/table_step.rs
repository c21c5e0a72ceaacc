//! Table step: mean and noise of the step follow two tables each, linearly interpolated over the weight range.
//!
//! ```text
//! u = (w - b⁻)/(b⁺ - b⁻)·(n - 1)      m±, s± = interpolation of the n entries at u (node k at u = k)
//! up:    w ← w + a⁺(m⁺ + σ_c s⁺ξ)     down:  w ← w - a⁻(m⁻ + σ_c s⁻ξ)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b± | as for [`ConstantStep`](super::ConstantStep) | |
//! | m± mean step at n equidistant weights from b⁻ to b⁺, in units of a± | `step_up`, `step_down` | mean 1 |
//! | s± std of the step there, in units of a± | `std_up`, `std_down` | 0.3 |
//! | σ_c scale of all noise; 1 for a measured table, 0 for none | `dw_min_std` | 1 |
//!
//! For devices whose noise does not scale with the step; made from measurements by [`crate::measured`]. The
//! tables are relative to the bounds of each device and the same for all. Equal m and s = m are a
//! `ConstantStep`; s = m is a `PiecewiseStep`. The unit of pulse planning is dw_min times the up step at node
//! n/2 (rounded down), which must not be 0. A device without range uses the first entries. Not modelled: noise
//! that is not normal, a spread of the shape, write noise.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::pulsed_device;
use crate::pulsed::piecewise_step::factor;
use crate::pulsed::{Cell, Common, PulsedDevice, Way};
use crate::rng::Stream;

pulsed_device! {
    /// Table-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::{Cell, Direction, PulsedDevice, TableStep};
    /// let device = TableStep {
    ///     step_up: vec![2.0, 1.0, 0.0],
    ///     step_down: vec![0.0, 1.0, 2.0],
    ///     std_up: vec![1.0, 1.0, 1.0],
    ///     std_down: vec![1.0, 1.0, 1.0],
    ///     dw_min_std: 1.0,
    ///     ..TableStep::default()
    /// };
    /// let cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// // At 0.25 the mean step is half of 0.01, its std all of 0.01.
    /// let w = device.step(cell, (), 0.25, Direction::Up, 0.0);
    /// assert!((w - 0.255).abs() < 1e-7);
    /// let w = device.step(cell, (), 0.25, Direction::Up, 1.0);
    /// assert!((w - 0.265).abs() < 1e-7);
    /// ```
    pub struct TableStep {
        /// Mean up step at equidistant weights from the lower to the upper bound, in units of the step.
        step_up: Vec<f32> = vec![1.0],
        /// Mean down step there.
        step_down: Vec<f32> = vec![1.0],
        /// Std of the up step there, in units of the step (times dw_min_std).
        std_up: Vec<f32> = vec![1.0],
        /// Std of the down step there.
        std_down: Vec<f32> = vec![1.0],
    }
}

impl TableStep {
    fn middle(&self) -> f32 {
        self.step_up.get(self.step_up.len() / 2).copied().unwrap_or(1.0)
    }
}

impl PulsedDevice for TableStep {
    type Extra = ();

    fn common(&self) -> Common {
        self.common()
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        for (field, table) in [
            ("step_up", &self.step_up),
            ("step_down", &self.step_down),
            ("std_up", &self.std_up),
            ("std_down", &self.std_down),
        ] {
            require::that(!table.is_empty(), field, table, "must hold at least one entry")?;
            for (i, value) in table.iter().enumerate() {
                require::non_negative(&format!("{field}[{i}]"), *value)?;
            }
            let same = table.len() == self.step_up.len();
            require::that(same, field, table, "must be as long as step_up")?;
        }
        let middle = format!("step_up[{}]", self.step_up.len() / 2);
        let unit = "must be above 0: times dw_min it is the unit of pulse planning";
        require::that(self.dw_min * self.middle() > 0.0, &middle, self.middle(), unit)
    }

    fn granularity(&self) -> f32 {
        self.dw_min * self.middle()
    }

    fn fabricate_extra(&self, _cell: &mut Cell, _draws: &mut Stream) {}

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, _extra: (), w: L, way: W, xi: L) -> L {
        let factor = |up, down| way.pick(factor(up, cell, w), factor(down, cell, w));
        let mean = factor(&self.step_up, &self.step_down);
        let noisy = (xi * self.dw_min_std).mul_add(factor(&self.std_up, &self.std_down), mean);
        cell.clip(way.signed(cell.up, cell.down).mul_add(noisy, w))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulsed::Direction;

    /// Unit of planning: dw_min·m⁺ at node n/2; a step at that weight: a⁻(m⁻ + σ_c s⁻ξ) down, each from its own table.
    #[test]
    fn unit_and_steps_by_hand() {
        let device = TableStep {
            dw_min: 0.5,
            dw_min_std: 0.5,
            step_up: vec![1.0, 4.0, 2.0],
            step_down: vec![3.0, 2.0, 1.0],
            std_up: vec![0.0, 1.0, 0.0],
            std_down: vec![0.0, 2.0, 0.0],
            ..TableStep::default()
        };
        assert_eq!(PulsedDevice::granularity(&device), 2.0);
        let four = TableStep { step_up: vec![1.0, 4.0, 3.0, 2.0], ..device.clone() };
        assert_eq!(PulsedDevice::granularity(&four), 1.5);
        let cell = Cell { up: 0.5, down: 0.25, w_max: 8.0, w_min: -8.0 };
        assert_eq!(device.step(cell, (), 0.0, Direction::Up, 1.0), 0.5 * (4.0 + 0.5));
        assert_eq!(device.step(cell, (), 0.0, Direction::Down, 1.0), -0.25 * (2.0 + 1.0));
        assert_eq!(device.step(cell, (), 0.0, Direction::Down, -2.0), 0.0);
    }

    /// Tables of one length and sizes from 0 on; the unit of planning is above 0.
    #[test]
    fn tables_that_are_none_are_refused_by_name() {
        let refused = |device: TableStep| device.validate().unwrap_err().field;
        let ones = || vec![1.0; 3];
        let good = TableStep {
            step_up: ones(),
            step_down: ones(),
            std_up: ones(),
            std_down: ones(),
            ..TableStep::default()
        };
        assert!(good.validate().is_ok());
        assert_eq!(refused(TableStep { std_up: vec![], ..good.clone() }), "std_up");
        assert_eq!(refused(TableStep { std_down: vec![1.0; 2], ..good.clone() }), "std_down");
        assert_eq!(refused(TableStep { step_down: vec![1.0, -1.0, 1.0], ..good.clone() }), "step_down[1]");
        assert_eq!(refused(TableStep { step_up: vec![1.0, 0.0, 1.0], ..good.clone() }), "step_up[1]");
        assert_eq!(refused(TableStep { dw_min: 0.0, ..good }), "dw_min");
    }
}
