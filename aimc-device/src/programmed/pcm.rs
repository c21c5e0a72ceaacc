//! Phase-change memory: statistics of mushroom-type cells, as measured on more than 10 000 devices.
//!
//! With a = g_T/g_max the relative target state and ξ standard normal:
//!
//! ```text
//! write   σ_p = s_p (Σₖ cₖ aᵏ) g_max/g_ref                          g_p = max(g_T + σ_p ξ, 0)
//! drift   μ_ν = clip(-0.0155 ln a + 0.0244; 0.049, 0.1)
//!         σ_ν = clip(-0.0125 ln a - 0.0059; 0.008, 0.045)           ν = s_ν |μ_ν + σ_ν ξ|
//!         g_d = g_p ((t + t_0)/t_0)^-ν
//! read    Q   = min(0.0088 / max((g_p/g_max)^0.65, 0.001), 0.2)
//!         σ_r = s_r g_d Q √ln((t + t_0 + t_r)/(2 t_r))              g = max(g_d + σ_r ξ, 0)
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_T, g_p, g_d, g | | µS | conductance: target, programmed, drifted, as read |
//! | g_max, g_ref | `g_max`, `prog_coeff_g_max_reference` | µS | largest target; the g_max at which cₖ were measured |
//! | cₖ | `prog_coeff` | µS | polynomial of the programming noise |
//! | t, t_0 | `t_0` | s | time since programming; time of the first read, where drift begins |
//! | t_r | `t_read` | s | width of a read pulse: upper end of the 1/f spectrum |
//! | s_p, s_ν, s_r | `prog_noise_scale`, `drift_scale`, `read_noise_scale` | 1 | scales; 0 switches off |
//!
//! A nearly empty device (a → 0) drifts most, ν ≈ 0.1, a full one least, ν ≈ 0.049. The cut at 0 raises the
//! mean of an empty device to σ_p/√(2π). 1/f noise integrates over the whole time since programming, so read
//! noise grows, slowly, and is there at t = 0 already.
//!
//! Limits: 0 ≤ g_T ≤ g_max; room temperature; drift law measured from about 20 s to some days, beyond that it
//! is extrapolated. Not modelled: the pulse sequence of program-and-verify, crystallisation (retention loss at
//! high temperature), temperature dependence, correlation of ν and noise between devices or in time (each read
//! draws afresh), stuck devices.
//!
//! References: S. R. Nandakumar et al. 2019, IEEE ICECS p. 727, doi:10.1109/ICECS46596.2019.8964852 (model);
//! V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9 (programming and read noise, use
//! in networks). The coefficients are those that AIHWKit's `PCMLikeNoiseModel` takes from there.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::programmed::curves::{LogLine, SMALLEST_STATE, polynomial, published};
use crate::programmed::{Moment, ProgrammedDevice, Visitor};

/// The published coefficients; the file says what they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    prog_coeff: Vec<f32>,
    g_max: f32,
    t_0: f32,
    t_read: f32,
    nu_mean: LogLine,
    nu_std: LogLine,
    read_noise: ReadNoise,
}

/// Q of a full device, its exponent over the state, the floor of the power, the largest value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadNoise {
    full: f32,
    exponent: f32,
    floor: f32,
    largest: f32,
}

static PUBLISHED: LazyLock<Published> =
    LazyLock::new(|| published(include_str!("data/nandakumar_2019_pcm.toml")));

/// Phase-change memory cell, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{PcmLike, ProgrammedDevice};
/// let device = PcmLike::default();
/// // Half way up: 0.26348 + 1.9650/2 - 1.1731/4 = 0.952705 µS.
/// assert!((device.programming_std(12.5) - 0.952_705).abs() < 1e-6);
/// // 60 s after programming (60 + 20)/20 = 4 = 2²: with ν = 0.05 the conductance has fallen by 2^-0.1.
/// assert!((device.drifted(10.0, 0.05, 60.0) - 10.0 * 2.0_f32.powf(-0.1)).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PcmLike {
    /// Coefficients c₀, c₁, … of the programming noise over g_T/g_max (µS).
    pub prog_coeff: Vec<f32>,
    /// Largest target conductance (µS).
    pub g_max: f32,
    /// Time of the first read after programming, where drift begins (s).
    pub t_0: f32,
    /// Width of a read pulse (s).
    pub t_read: f32,
    /// Scale of the programming noise; 0 is off.
    pub prog_noise_scale: f32,
    /// Scale of the read noise; 0 is off.
    pub read_noise_scale: f32,
    /// Scale of the drift exponents; 0 is off.
    pub drift_scale: f32,
    /// The g_max (µS) at which `prog_coeff` was measured; left out: 25 for the default coefficients, else `g_max`.
    pub prog_coeff_g_max_reference: Option<f32>,
}

impl Default for PcmLike {
    fn default() -> Self {
        Self {
            prog_coeff: PUBLISHED.prog_coeff.clone(),
            g_max: PUBLISHED.g_max,
            t_0: PUBLISHED.t_0,
            t_read: PUBLISHED.t_read,
            prog_noise_scale: 1.0,
            read_noise_scale: 1.0,
            drift_scale: 1.0,
            prog_coeff_g_max_reference: None,
        }
    }
}

impl PcmLike {
    /// The g_max (µS) to which `prog_coeff` refers, see the field `prog_coeff_g_max_reference`.
    #[inline]
    #[must_use]
    pub fn reference_g_max(&self) -> f32 {
        self.prog_coeff_g_max_reference.unwrap_or_else(|| {
            if self.prog_coeff == PUBLISHED.prog_coeff { PUBLISHED.g_max } else { self.g_max }
        })
    }

    /// The same device with this reference in its field, so that nothing needs to be compared for each cell.
    pub(super) fn with_reference(&self) -> Self {
        Self { prog_coeff_g_max_reference: Some(self.reference_g_max()), ..self.clone() }
    }

    /// Std of 1/f noise relative to the conductance: Q √ln((t + t_0 + t_r)/(2 t_r)), without its scale.
    #[must_use]
    #[inline(always)]
    pub fn relative_read_noise<L: Lane>(&self, g_programmed: L, moment: Moment) -> L {
        let ReadNoise { full, exponent, floor, largest } = PUBLISHED.read_noise;
        let all = |value| g_programmed.splat(value);
        // 1/max(aᵏ, floor) = min(a⁻ᵏ, 1/floor), without a division.
        let power = (g_programmed / all(self.g_max)).power(all(-exponent));
        (power * full).at_most(all(largest.min(full / floor))) * moment.growth
    }

    /// ln a, with a kept away from 0.
    #[inline(always)]
    fn log_state<L: Lane>(&self, g_target: L) -> L {
        let all = |value| g_target.splat(value);
        (g_target / all(self.g_max)).at_least(all(SMALLEST_STATE)).logarithm()
    }
}

impl ProgrammedDevice for PcmLike {
    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        require::positive("t_0", self.t_0)?;
        require::positive("t_read", self.t_read)?;
        let reads_fit = self.t_0 >= self.t_read;
        require::that(
            reads_fit,
            "t_read",
            self.t_read,
            "must not be longer than t_0, the time of the first read",
        )?;
        require::non_negative("prog_noise_scale", self.prog_noise_scale)?;
        require::non_negative("read_noise_scale", self.read_noise_scale)?;
        require::non_negative("drift_scale", self.drift_scale)?;
        if let Some(reference) = self.prog_coeff_g_max_reference {
            require::positive("prog_coeff_g_max_reference", reference)?;
        }
        for (k, &c) in self.prog_coeff.iter().enumerate() {
            require::finite(&format!("prog_coeff[{k}]"), c)?;
        }
        let nowhere_negative =
            (0..=100).all(|percent| polynomial(&self.prog_coeff, percent as f32 / 100.0) >= 0.0);
        require::that(
            nowhere_negative && !self.prog_coeff.is_empty(),
            "prog_coeff",
            &self.prog_coeff,
            "must hold at least one coefficient and give a std of 0 or above from g = 0 to g_max",
        )
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        let rescale = self.g_max / self.reference_g_max();
        let state = g_target / g_target.splat(self.g_max);
        polynomial(&self.prog_coeff, state) * self.prog_noise_scale * rescale
    }

    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
        let log_state = self.log_state(g_target);
        (PUBLISHED.nu_mean.at(log_state) + PUBLISHED.nu_std.at(log_state) * xi).magnitude() * self.drift_scale
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
    fn read_noise_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment) -> L {
        g_drifted * self.read_noise_scale * self.relative_read_noise(g_programmed, moment)
    }

    fn visit<V: Visitor>(&self, visitor: V) {
        visitor.model(&self.with_reference());
    }
}

#[cfg(test)]
#[path = "pcm_tests.rs"]
mod tests;
