//! Soft bounds: the step shrinks linearly with the distance to the bound and vanishes there.
//!
//! ```text
//! up:    w ← w + a⁺(1 - w/b⁺)(1 + σ_c ξ)          (mult_noise; else + a⁺σ_c ξ added)
//! down:  w ← w - a⁻(1 - w/b⁻)(1 + σ_c ξ)
//! ```
//!
//! Symbols as for [`ConstantStep`](super::ConstantStep). n noise-free up pulses give
//! wₙ = b⁺ + (w₀ - b⁺)(1 - a⁺/b⁺)ⁿ. Up and down steps cancel at the symmetry point
//!
//! ```text
//! SP = (a⁺ - a⁻) / (a⁺/b⁺ + a⁻/|b⁻|),
//! ```
//!
//! to which random pulses drive the weight. A bound at 0 gives a constant step in that direction.
//! `reverse_up` makes the up step grow towards the upper bound instead: its zero lies `reverse_offset`
//! below the lower bound (`reverse_down` likewise). For |w| ≪ |b| the device is a `ConstantStep`.
//! With `write_noise_std`, what is read after a pulse is the persistent weight plus
//! `write_noise_std`·`dw_min`·ξ. Not modelled: steps that depend on the state other than linearly.
//!
//! References: S. Fusi & L. Abbott 2007, Nat. Neurosci. 10:485, doi:10.1038/nn1859; J. Frascaroli et al.
//! 2018, Sci. Rep. 8:7178, doi:10.1038/s41598-018-25376-x.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::affine::{self, Slopes, slope};
use crate::pulsed::common::pulsed_device;
use crate::pulsed::{Cell, Common, PulsedDevice, Way, WriteNoise};
use crate::rng::Stream;

pulsed_device! {
    /// Soft-bounds device, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::{Cell, Direction, PulsedDevice, SoftBounds};
    /// use aimc_device::RngKey;
    /// let device = SoftBounds::default();
    /// let mut cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// let slopes = device.fabricate_extra(&mut cell, &mut RngKey::root(0).stream(0));
    /// // Halfway to the bound the step is half as large: 0.25 + 0.01·(1 - 0.25/0.5) = 0.255.
    /// let w = device.step(cell, slopes, 0.25, Direction::Up, 0.0);
    /// assert!((w - 0.255).abs() < 1e-7);
    /// ```
    pub struct SoftBounds {
        /// Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
        mult_noise: bool = true,
        /// The up step grows towards the upper bound.
        reverse_up: bool = false,
        /// The down step grows towards the lower bound.
        reverse_down: bool = false,
        /// Distance of the reversed step's zero beyond the far bound.
        reverse_offset: f32 = 0.01,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

impl PulsedDevice for SoftBounds {
    type Extra = Slopes;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        require::non_negative("write_noise_std", self.write_noise_std)?;
        require::non_negative("reverse_offset", self.reverse_offset)?;
        affine::mult_noise_if(self.reverse_up || self.reverse_down, self.mult_noise)
    }

    fn fabricate_extra(&self, cell: &mut Cell, _draws: &mut Stream) -> Slopes {
        let up_zero = if self.reverse_up { cell.w_min - self.reverse_offset } else { cell.w_max };
        let down_zero = if self.reverse_down { cell.w_max + self.reverse_offset } else { cell.w_min };
        Slopes { up: slope(cell.up, up_zero), down: slope(cell.down, down_zero) }
    }

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, slopes: Slopes<L>, w: L, way: W, xi: L) -> L {
        affine::step(cell, slopes, w, way, xi, (self.dw_min_std, self.mult_noise))
    }
}
