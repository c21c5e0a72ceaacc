//! Constant step: every pulse changes the weight by the same amount until a hard bound.
//!
//! ```text
//! up:   w ← min(w + a⁺(1 + σ_c ξ), b⁺)        down:   w ← max(w - a⁻(1 + σ_c ξ), b⁻)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a± step of this device | `dw_min`, `dw_min_dtod`, `up_down`, `up_down_dtod` | 0.001 |
//! | σ_c cycle-to-cycle noise, relative | `dw_min_std` | 0.3 |
//! | b± bounds of this device | `w_max`, `w_min`, `w_max_dtod`, `w_min_dtod` | ±0.6 |
//!
//! The noise factor may be negative: such a pulse moves the weight the wrong way. The limit of every other
//! model far from its bounds. Not modelled: saturation, state-dependent noise, write noise.
//!
//! Reference: T. Gokmen & Y. Vlasov 2016, *Acceleration of Deep Neural Network Training with Resistive
//! Cross-Point Devices*, Front. Neurosci. 10:333, doi:10.3389/fnins.2016.00333.

use crate::error::ConfigError;
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::{Cell, Common, PulsedDevice, Way};
use crate::rng::Stream;

pulsed_device! {
    /// Constant-step device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::{Cell, ConstantStep, Direction, PulsedDevice};
    /// let device = ConstantStep::default();
    /// let cell = Cell { up: 0.001, down: 0.001, w_max: 0.6, w_min: -0.6 };
    /// // One noise-free up pulse at 0.2, then a draw of ξ = 1 with 30 % noise at the bound.
    /// assert_eq!(device.step(cell, (), 0.2, Direction::Up, 0.0), 0.201);
    /// assert_eq!(device.step(cell, (), 0.5995, Direction::Up, 1.0), 0.6);
    /// ```
    pub struct ConstantStep {}
}

impl PulsedDevice for ConstantStep {
    type Extra = ();

    fn common(&self) -> Common {
        self.common()
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()
    }

    fn fabricate_extra(&self, _cell: &mut Cell, _draws: &mut Stream) {}

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, _extra: (), w: L, way: W, xi: L) -> L {
        let noise = noise_factor(xi, self.dw_min_std);
        cell.clip(way.signed(cell.up, cell.down).mul_add(noise, w))
    }
}
