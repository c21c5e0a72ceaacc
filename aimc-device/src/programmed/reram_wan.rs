//! Resistive memory of the NeuRRAM chip: a spread that depends on state and grows with time, without mean drift.
//!
//! ```text
//! std of g(t) about its target:  σ(t) = s (g_max/g_ref) Σₖ cₖ(t) (g/g_max)ᵏ
//! write       g_p = max(g_T + σ(t_1) ξ, 0)
//! relaxation  g(t) = max(g_p + √(σ(t)² - σ(t_1)²) ξ_r, 0)        ξ_r: once per device, for life
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | t₁ < t₂ < … | `coeff_times` | s | times of the measurements |
//! | cₖ(tᵢ) | `coeff` | µS | polynomials of the spread; σ is interpolated over ln t, constant beyond the ends |
//! | g_max, g_ref | `g_max`, `coeff_g_max_reference` | µS | largest target; the g_max of the measurement |
//! | s | `noise_scale` | 1 | scale; 0 switches off |
//!
//! ξ_r takes the place of the drift exponent. In relaxation, σ is taken at g_p, the target being no longer known to the
//! device. With `relaxation` = `Redrawn` every read draws g(t) = max(g_T + σ(t) ξ, 0) anew, as AIHWKit does, and g_T takes
//! the place of the drift exponent: then two reads differ by much more than read noise, and what programming left in a
//! device is forgotten.
//!
//! Limits: measured at 1 s, 1 day and 2 days. Not modelled: read noise (add some at the outputs of the array),
//! correlation of relaxation steps beyond their common sign, temperature.
//!
//! Reference: W. Wan et al. 2022, Nature 608:504, doi:10.1038/s41586-022-04992-8. The coefficients are those of
//! AIHWKit's `ReRamWan2022NoiseModel`, fitted there at g_max = 40 µS.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::math::{self, Base};
use crate::programmed::curves::{ascending, polynomial, published, std_polynomial};
use crate::programmed::{Moment, ProgrammedDevice};

/// The published coefficients; the file says what they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    g_max: f32,
    coeff_times: Vec<f32>,
    coeff: Vec<Vec<f32>>,
}

static PUBLISHED: LazyLock<Published> = LazyLock::new(|| published(include_str!("data/wan_2022_reram.toml")));

/// Whether relaxation is a property of the device or of the read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Relaxation {
    /// Of the device: its conductance moves from where it was programmed, once.
    #[default]
    PerDevice,
    /// Of the read: the whole spread about the target is drawn again for every read, as AIHWKit does.
    Redrawn,
}

/// Resistive memory of the NeuRRAM chip, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{ProgrammedDevice, ReRamWan2022};
/// // A full device: 0.348 + 16.030 - 43.853 + 45.393 - 16.815 = 1.103 µS.
/// assert!((ReRamWan2022::default().programming_std(40.0) - 1.103).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReRamWan2022 {
    /// Largest target conductance (µS).
    pub g_max: f32,
    /// The g_max (µS) at which the coefficients were measured.
    pub coeff_g_max_reference: f32,
    /// Times (s) of the measurements, ascending.
    pub coeff_times: Vec<f32>,
    /// Coefficients of the spread over g/g_max (µS), one list per time.
    pub coeff: Vec<Vec<f32>>,
    /// Scale of the spread; 0 is off.
    pub noise_scale: f32,
    /// Whether relaxation is a property of the device or of the read.
    pub relaxation: Relaxation,
}

impl Default for ReRamWan2022 {
    fn default() -> Self {
        Self {
            g_max: PUBLISHED.g_max,
            coeff_g_max_reference: PUBLISHED.g_max,
            coeff_times: PUBLISHED.coeff_times.clone(),
            coeff: PUBLISHED.coeff.clone(),
            noise_scale: 1.0,
            relaxation: Relaxation::PerDevice,
        }
    }
}

impl ReRamWan2022 {
    /// Std (µS) of a device about `g` (µS) after `t` seconds.
    #[must_use]
    #[inline(always)]
    pub fn spread<L: Lane>(&self, g: L, t: f32) -> L {
        let a = g / g.splat(self.g_max);
        // Programmed beyond g_max, a device is as noisy as a full one; the polynomials hold up to there.
        let a = if self.relaxation == Relaxation::PerDevice { a.at_most(a.splat(1.0)) } else { a };
        let after = self.coeff_times.partition_point(|&time| time <= t);
        let at = |i: usize| polynomial(&self.coeff[i], a);
        let std = match after {
            0 => at(0),
            n if n == self.coeff.len() => at(n - 1),
            n => {
                let [early, late] = [self.coeff_times[n - 1], self.coeff_times[n]].map(math::log);
                let share = (math::log(t) - early) / (late - early);
                at(n - 1) + (at(n) - at(n - 1)) * share
            }
        };
        std.not_negative() * self.noise_scale * self.g_max / g.splat(self.coeff_g_max_reference)
    }
}

impl ProgrammedDevice for ReRamWan2022 {
    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        require::positive("coeff_g_max_reference", self.coeff_g_max_reference)?;
        require::non_negative("noise_scale", self.noise_scale)?;
        ascending("coeff_times", &self.coeff_times)?;
        require::positive("coeff_times[0]", self.coeff_times[0])?;
        let one_each = self.coeff.len() == self.coeff_times.len();
        require::that(one_each, "coeff", self.coeff.len(), "must hold one list per entry of coeff_times")?;
        let mut lists = self.coeff.iter().enumerate();
        lists.try_for_each(|(i, coeff)| std_polynomial(&format!("coeff[{i}]"), coeff))
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        self.spread(g_target, 0.0)
    }

    /// What the device keeps for life: its relaxation in units of its spread, or its target (µS) if all is drawn again.
    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
        match self.relaxation {
            Relaxation::Redrawn => g_target,
            Relaxation::PerDevice => xi,
        }
    }

    #[inline]
    fn moment(&self, t: f32) -> Moment {
        Moment { t, elapsed: Base::new(1.0), growth: 0.0 }
    }

    #[inline(always)]
    fn drifted_at<L: Lane>(&self, g_programmed: L, kept: L, moment: Moment) -> L {
        match self.relaxation {
            Relaxation::Redrawn => kept,
            Relaxation::PerDevice => {
                let (first, now) = (self.spread(g_programmed, 0.0), self.spread(g_programmed, moment.t));
                (g_programmed + (now * now - first * first).not_negative().root() * kept).not_negative()
            }
        }
    }

    #[inline(always)]
    fn read_noise_at<L: Lane>(&self, _g_programmed: L, g_drifted: L, moment: Moment) -> L {
        match self.relaxation {
            Relaxation::Redrawn => self.spread(g_drifted, moment.t),
            Relaxation::PerDevice => g_drifted.splat(0.0),
        }
    }
}
