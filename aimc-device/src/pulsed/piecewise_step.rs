//! Piecewise step: the step follows a table of factors, linearly interpolated over the weight range.
//!
//! ```text
//! u = (w - b⁻)/(b⁺ - b⁻)·(n - 1)      f± = interpolation of the n factors at u (node k at u = k)
//! up:    w ← w + a⁺f⁺(1 + σ_c ξ)      down:  w ← w - a⁻f⁻(1 + σ_c ξ)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep) | |
//! | f± at n equidistant weights from b⁻ to b⁺ | `piecewise_up`, `piecewise_down` | 1 at w = 0 |
//!
//! The tables are relative to the bounds of each device and the same for all. Equal factors c give a
//! `ConstantStep` with steps c·a±; factors falling linearly to 0 at the bound are soft bounds. The unit of
//! pulse planning is dw_min times the up factor at node n/2 (rounded down), which must not be 0. A device
//! without range uses the first factor. Write noise as for [`LinearStep`](super::LinearStep). Not modelled:
//! responses with a spread of their shape.
//!
//! Reference: M. J. Rasch et al. 2021, *A Flexible and Fast PyTorch Toolkit for Simulating Training and
//! Inference on Analog Crossbar Arrays*, IEEE AICAS, doi:10.1109/AICAS51828.2021.9458494.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::{Cell, Common, PulsedDevice, Way, WriteNoise};
use crate::rng::Stream;

pulsed_device! {
    /// Piecewise-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::{Cell, Direction, PiecewiseStep, PulsedDevice};
    /// let device = PiecewiseStep {
    ///     piecewise_up: vec![2.0, 1.0, 0.0],
    ///     piecewise_down: vec![0.0, 1.0, 2.0],
    ///     ..PiecewiseStep::default()
    /// };
    /// let cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// // 0.25 lies halfway between the last two nodes: 0.25 + 0.01·0.5 = 0.255.
    /// let w = device.step(cell, (), 0.25, Direction::Up, 0.0);
    /// assert!((w - 0.255).abs() < 1e-7);
    /// ```
    pub struct PiecewiseStep {
        /// Factors of the up step at equidistant weights from the lower to the upper bound.
        piecewise_up: Vec<f32> = vec![1.0],
        /// Factors of the down step at the same weights.
        piecewise_down: Vec<f32> = vec![1.0],
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

/// The factor of `table` (at least one entry) at the weight `w`.
#[inline(always)]
pub(crate) fn factor<L: Lane>(table: &[f32], cell: Cell<L>, w: L) -> L {
    let (range, last) = (cell.w_max - cell.w_min, table.len() - 1);
    let place = (w - cell.w_min) / range * last as f32;
    let first = w.splat(table[0]);
    if last == 0 { first } else { range.if_positive(place.map(|u| interpolated(table, u)), first) }
}

/// The entry of `table` (at least two) at the place `u`, the first being at 0; flat beyond the ends.
#[inline(always)]
fn interpolated(table: &[f32], u: f32) -> f32 {
    let u = u.max(0.0);
    let node = (u as usize).min(table.len() - 2);
    let t = (u - node as f32).min(1.0);
    (1.0 - t) * table[node] + t * table[node + 1]
}

impl PiecewiseStep {
    /// The up factor at the middle node.
    fn middle(&self) -> f32 {
        self.piecewise_up.get(self.piecewise_up.len() / 2).copied().unwrap_or(1.0)
    }
}

impl PulsedDevice for PiecewiseStep {
    type Extra = ();

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        for (field, table) in [("piecewise_up", &self.piecewise_up), ("piecewise_down", &self.piecewise_down)]
        {
            require::that(!table.is_empty(), field, table, "must hold at least one factor")?;
            for (i, value) in table.iter().enumerate() {
                require::non_negative(&format!("{field}[{i}]"), *value)?;
            }
        }
        let (up, down) = (self.piecewise_up.len(), self.piecewise_down.len());
        require::that(up == down, "piecewise_down", &self.piecewise_down, "must be as long as piecewise_up")?;
        let middle = format!("piecewise_up[{}]", up / 2);
        let unit = "must be above 0: times dw_min it is the unit of pulse planning";
        require::that(self.dw_min * self.middle() > 0.0, &middle, self.middle(), unit)?;
        require::non_negative("write_noise_std", self.write_noise_std)
    }

    fn granularity(&self) -> f32 {
        self.dw_min * self.middle()
    }

    fn fabricate_extra(&self, _cell: &mut Cell, _draws: &mut Stream) {}

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, _extra: (), w: L, way: W, xi: L) -> L {
        let noise = noise_factor(xi, self.dw_min_std);
        let up = cell.up * factor(&self.piecewise_up, cell, w);
        let down = cell.down * factor(&self.piecewise_down, cell, w);
        cell.clip(way.signed(up, down).mul_add(noise, w))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell { up: 0.1, down: 0.1, w_max: 3.0, w_min: -1.0 };

    /// dw_min times the up factor at node n/2, rounded down.
    #[test]
    fn the_unit_of_planning_is_the_step_at_the_middle_node() {
        let unit = |table: &[f32]| {
            let device = PiecewiseStep { dw_min: 0.5, piecewise_up: table.into(), ..Default::default() };
            PulsedDevice::granularity(&device)
        };
        assert_eq!([unit(&[0.5]), unit(&[1.0, 2.0, 4.0]), unit(&[1.0, 2.0, 4.0, 8.0])], [0.25, 1.0, 2.0]);
    }

    /// f(u) = (1 - t)fₖ + t·fₖ₊₁, u = (w - b⁻)/(b⁺ - b⁻)·(n - 1) = k + t; f₀ without range.
    #[test]
    fn factors_are_interpolated_and_flat_beyond_the_bounds() {
        let table = [1.0, 3.0, 2.0];
        for (w, expected) in
            [(-2.0, 1.0), (-1.0, 1.0), (0.0, 2.0), (1.0, 3.0), (2.0, 2.5), (3.0, 2.0), (9.0, 2.0)]
        {
            assert_eq!(factor(&table, CELL, w), expected, "at {w}");
        }
        for (w, expected) in [(1.5, 2.5), (2.5, 1.0), (3.0, 0.0)] {
            assert_eq!(factor(&[1.0, 2.0, 3.0, 2.0, 0.0], CELL, w), expected, "five nodes at {w}");
        }
        assert_eq!((factor(&[1.0, 3.0], CELL, 0.0), factor(&[1.0, 3.0], CELL, 3.0)), (1.5, 3.0));
        assert_eq!(factor(&[0.5], CELL, 2.0), 0.5);
        assert_eq!(factor(&table, Cell { w_max: -1.0, ..CELL }, -1.0), 1.0);
    }

    #[test]
    fn tables_are_checked_entry_by_entry() {
        let refused = |up: &[f32], down: &[f32]| {
            let device =
                PiecewiseStep { piecewise_up: up.into(), piecewise_down: down.into(), ..Default::default() };
            device.validate().unwrap_err().field
        };
        assert_eq!(refused(&[], &[1.0]), "piecewise_up");
        assert_eq!(refused(&[1.0], &[]), "piecewise_down");
        assert_eq!(refused(&[1.0, 2.0], &[1.0]), "piecewise_down");
        assert_eq!(refused(&[1.0, -2.0], &[1.0, 1.0]), "piecewise_up[1]");
        assert_eq!(refused(&[1.0, 1.0], &[f32::NAN, 1.0]), "piecewise_down[0]");
        assert_eq!(refused(&[1.0, 0.0, 1.0], &[1.0; 3]), "piecewise_up[1]");
    }
}
