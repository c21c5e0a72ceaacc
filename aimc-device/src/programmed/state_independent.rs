//! A device whose drift does not depend on its state: the simplest model with all three stages.
//!
//! ```text
//! write   g_p = max(g_T + s_p σ_p ξ, 0)            σ_p = Σₖ cₖ (g_T/g_max)ᵏ
//! drift   g_d = g_p ((t + t_0)/t_0)^-ν             ν = |ν_mean + ν_std ξ| s_ν
//! read    g = max(g_d + s_r q (g_d/g_max) √ln((t + t_0 + t_r)/(2 t_r)) ξ, 0)      q = 1 µS
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | cₖ | `prog_coeff` | µS | polynomial of the programming noise |
//! | g_max | `g_max` | µS | largest target |
//! | ν_mean, ν_std | `drift_nu_mean`, `drift_nu_std` | 1 | drift exponent before folding, the same for all states |
//! | t_0, t_r | `t_0`, `t_read` | s | time of the first read; width of a read pulse |
//! | s_p, s_ν, s_r | `prog_noise_scale`, `drift_scale`, `read_noise_scale` | 1 | scales; 0 switches off |
//!
//! Limits: a teaching and test model, not a fit: read noise of 1 µS times 4.2 for a full device is far above that
//! of phase-change memory, lower `read_noise_scale` for it. Not modelled: everything that depends on the state.
//! The equations are those of AIHWKit's `StateIndependentNoiseModel`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::programmed::curves::{polynomial, std_polynomial};
use crate::programmed::{Moment, ProgrammedDevice};

/// A device with one drift law for all states, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{ProgrammedDevice, StateIndependent};
/// let device = StateIndependent::default();
/// assert_eq!(device.programming_std(7.0), 0.2);
/// assert!((device.drift_exponent(3.0, -1.0) - 0.05).abs() < 1e-7); // 0.1 - 0.05
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StateIndependent {
    /// Largest target conductance (µS).
    pub g_max: f32,
    /// Coefficients of the programming noise over g_T/g_max (µS).
    pub prog_coeff: Vec<f32>,
    /// Scale of the programming noise; 0 is off.
    pub prog_noise_scale: f32,
    /// Mean of the drift exponent before folding.
    pub drift_nu_mean: f32,
    /// Std of the drift exponent from device to device before folding.
    pub drift_nu_std: f32,
    /// Scale of the drift exponents; 0 is off.
    pub drift_scale: f32,
    /// Time of the first read after programming, where drift begins (s).
    pub t_0: f32,
    /// Scale of the read noise; 0 is off.
    pub read_noise_scale: f32,
    /// Width of a read pulse (s).
    pub t_read: f32,
}

impl Default for StateIndependent {
    fn default() -> Self {
        Self {
            g_max: 25.0,
            prog_coeff: vec![0.2, 0.0, 0.0],
            prog_noise_scale: 1.0,
            drift_nu_mean: 0.1,
            drift_nu_std: 0.05,
            drift_scale: 1.0,
            t_0: 20.0,
            read_noise_scale: 1.0,
            t_read: 250e-9,
        }
    }
}

impl ProgrammedDevice for StateIndependent {
    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        require::positive("t_0", self.t_0)?;
        require::positive("t_read", self.t_read)?;
        let reads_fit = self.t_0 >= self.t_read;
        require::that(reads_fit, "t_read", self.t_read, "must not be longer than t_0")?;
        for (field, value) in [
            ("prog_noise_scale", self.prog_noise_scale),
            ("drift_nu_mean", self.drift_nu_mean),
            ("drift_nu_std", self.drift_nu_std),
            ("drift_scale", self.drift_scale),
            ("read_noise_scale", self.read_noise_scale),
        ] {
            require::non_negative(field, value)?;
        }
        std_polynomial("prog_coeff", &self.prog_coeff)
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        polynomial(&self.prog_coeff, g_target / g_target.splat(self.g_max)) * self.prog_noise_scale
    }

    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, _g_target: L, xi: L) -> L {
        (xi * self.drift_nu_std + self.drift_nu_mean).magnitude() * self.drift_scale
    }

    #[inline]
    fn moment(&self, t: f32) -> Moment {
        Moment::after_first_read(t, self.t_0, self.t_read)
    }

    #[inline(always)]
    fn drifted_at<L: Lane>(&self, g_programmed: L, nu: L, moment: Moment) -> L {
        moment.power_law(g_programmed, nu)
    }

    #[inline(always)]
    fn read_noise_at<L: Lane>(&self, _g_programmed: L, g_drifted: L, moment: Moment) -> L {
        g_drifted * self.read_noise_scale / g_drifted.splat(self.g_max) * moment.growth
    }
}
