//! Resistive memory of conductive metal oxide on HfOx (CMO/HfOx): verified programming, then a common relaxation
//! to lower conductance with a spread that grows with the logarithm of time.
//!
//! ```text
//! write   g_p = g_T + s_p (p₀ + p₁ g_T) ξ
//! relax   g_d = g_p + s_d (m ln t' + (d₁ ln t' + d₀) ξ_d)         t' = max(t, 1 s); ξ_d once per device; t > 0
//! read    g = clip(g_d + s_r K log₁₀(g_d) √ln((t + t_r)/(2 t_r)) ξ; g_min, g_max)          t > 0
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | p₀, p₁ | `prog_coeff` | µS, 1 | programming error; depends on the acceptance range of program-and-verify |
//! | m | `decay_mean` | µS | mean shift per e-fold of time |
//! | d₁, d₀ | `decay_std` | µS | growth of the spread per e-fold; spread at 1 s |
//! | K, t_r | `read_k`, `t_read` | µS, s | read noise; width of a read pulse |
//! | g_min, g_max | `g_min`, `g_max` | µS | range of the device |
//! | s_p, s_d, s_r | `prog_noise_scale`, `drift_scale`, `read_noise_scale` | 1 | scales; 0 switches off |
//!
//! `prog_coeff` by acceptance range: 0.2 % (default) [0.00081107, 0.00106879]; 2 % [0.0112185391, 0.01129027418].
//! ξ_d takes the place of the drift exponent. Limits: the law was fitted from 1 s on, before which it is held.
//! Not modelled: the pulses of program-and-verify, temperature.
//!
//! Reference: D. F. Falcone et al. 2025, arXiv:2502.04524 (CMO/HfOx arrays for training and inference). The
//! coefficients are those of AIHWKit's `ReRamCMONoiseModel`.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::math::Base;
use crate::programmed::curves::{one_over_f, published};
use crate::programmed::{Moment, ProgrammedDevice};

/// The published coefficients; the file says what they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    g_max: f32,
    g_min: f32,
    prog_coeff: [f32; 2],
    prog_coeff_2_percent: [f32; 2],
    decay_mean: f32,
    decay_std: [f32; 2],
    read_k: f32,
    t_read: f32,
}

static PUBLISHED: LazyLock<Published> =
    LazyLock::new(|| published(include_str!("data/falcone_2025_cmo_hfox.toml")));

/// CMO/HfOx resistive memory, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{ProgrammedDevice, ReRamCmo};
/// let device = ReRamCmo::default();
/// // 0.00081107 + 0.00106879·50 = 0.05425057 µS
/// assert!((device.programming_std(50.0) - 0.054_250_57).abs() < 1e-7);
/// // At e⁵ s a device without luck (ξ = 0) has lost 5·0.08900206 µS.
/// assert!((device.drifted(50.0, 0.0, 5.0_f32.exp()) - 49.554_99).abs() < 1e-4);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReRamCmo {
    /// Largest target conductance (µS).
    pub g_max: f32,
    /// Smallest conductance (µS).
    pub g_min: f32,
    /// Programming error (µS): constant, and per µS of the target.
    pub prog_coeff: [f32; 2],
    /// Mean shift (µS) per e-fold of time.
    pub decay_mean: f32,
    /// Spread (µS) of the shift: growth per e-fold of time, and at 1 s.
    pub decay_std: [f32; 2],
    /// Read noise (µS).
    pub read_k: f32,
    /// Width of a read pulse (s).
    pub t_read: f32,
    /// Scale of the programming noise; 0 is off.
    pub prog_noise_scale: f32,
    /// Scale of the read noise; 0 is off.
    pub read_noise_scale: f32,
    /// Scale of the relaxation; 0 is off.
    pub drift_scale: f32,
}

impl Default for ReRamCmo {
    fn default() -> Self {
        Self {
            g_max: PUBLISHED.g_max,
            g_min: PUBLISHED.g_min,
            prog_coeff: PUBLISHED.prog_coeff,
            decay_mean: PUBLISHED.decay_mean,
            decay_std: PUBLISHED.decay_std,
            read_k: PUBLISHED.read_k,
            t_read: PUBLISHED.t_read,
            prog_noise_scale: 1.0,
            read_noise_scale: 1.0,
            drift_scale: 1.0,
        }
    }
}

impl ReRamCmo {
    /// Verified to 2 % only, instead of 0.2 %.
    ///
    /// ```
    /// use aimc_device::programmed::{ProgrammedDevice, ReRamCmo};
    /// let (coarse, fine) = (ReRamCmo::verified_to_2_percent(), ReRamCmo::default());
    /// assert!(coarse.programming_std(50.0) > 10.0 * fine.programming_std(50.0));
    /// ```
    #[must_use]
    pub fn verified_to_2_percent() -> Self {
        Self { prog_coeff: PUBLISHED.prog_coeff_2_percent, ..Self::default() }
    }
}

impl ProgrammedDevice for ReRamCmo {
    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        let in_range = (0.0..self.g_max).contains(&self.g_min);
        require::that(in_range, "g_min", self.g_min, "must be 0 or above and below g_max")?;
        require::finite("decay_mean", self.decay_mean)?;
        require::positive("t_read", self.t_read)?;
        for (field, value) in [
            ("prog_coeff[0]", self.prog_coeff[0]),
            ("prog_coeff[1]", self.prog_coeff[1]),
            ("decay_std[0]", self.decay_std[0]),
            ("decay_std[1]", self.decay_std[1]),
            ("read_k", self.read_k),
            ("prog_noise_scale", self.prog_noise_scale),
            ("read_noise_scale", self.read_noise_scale),
            ("drift_scale", self.drift_scale),
        ] {
            require::non_negative(field, value)?;
        }
        Ok(())
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        (g_target * self.prog_coeff[1] + self.prog_coeff[0]) * self.prog_noise_scale
    }

    /// ξ itself: the relaxation of the device in units of its spread.
    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, _g_target: L, xi: L) -> L {
        xi
    }

    #[inline]
    fn moment(&self, t: f32) -> Moment {
        let growth = if t <= 0.0 { 0.0 } else { one_over_f(t, self.t_read) };
        Moment { t, elapsed: Base::new(t.max(1.0)), growth }
    }

    #[inline(always)]
    fn drifted_at<L: Lane>(&self, g_programmed: L, xi: L, moment: Moment) -> L {
        if moment.t <= 0.0 {
            return g_programmed;
        }
        let log_t = moment.elapsed.log();
        let spread = self.decay_std[0] * log_t + self.decay_std[1];
        g_programmed + (xi * spread + self.decay_mean * log_t) * self.drift_scale
    }

    #[inline(always)]
    fn read_noise_at<L: Lane>(&self, _g_programmed: L, g_drifted: L, moment: Moment) -> L {
        let decades = g_drifted.at_least(g_drifted.splat(1.0)).logarithm() * std::f32::consts::LOG10_E;
        decades * (self.read_noise_scale * self.read_k) * moment.growth
    }

    #[inline(always)]
    fn read_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment, xi: L) -> L {
        if moment.t <= 0.0 {
            return g_drifted;
        }
        let g = g_drifted + self.read_noise_at(g_programmed, g_drifted, moment) * xi;
        g.between(self.g_min, self.g_max)
    }
}
