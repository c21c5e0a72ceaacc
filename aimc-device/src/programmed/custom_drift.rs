//! Phase-change memory with measured drift exponents: [`PcmLike`], but for ν.
//!
//! ```text
//! ν = |μ(g_T) + σ(g_T) ξ| s_ν      μ, σ: polygons through measured points
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_T | | µS | target conductance; nodes `g_lst` |
//! | μ, σ | `nu_mean_lst`, `nu_std_lst` | 1 | mean and std of the drift exponent before folding |
//! | s_ν | `pcm.drift_scale` | 1 | scale |
//!
//! Limits: the nodes must cover 0 to g_max. Programming noise, read noise and what is not modelled are those of
//! [`PcmLike`](super::pcm). As AIHWKit's `CustomDriftPCMLikeNoiseModel`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::lane::Lane;
use crate::programmed::curves::{covering, ordinates, polygon};
use crate::programmed::{Moment, PcmLike, ProgrammedDevice, Visitor};

/// Measured drift exponents over target conductance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DriftTable {
    /// Target conductances (µS), ascending, from 0 to g_max at least.
    pub g_lst: Vec<f32>,
    /// Mean exponent at each of them.
    pub nu_mean_lst: Vec<f32>,
    /// Std of the exponent from device to device at each of them.
    pub nu_std_lst: Vec<f32>,
}

impl Default for DriftTable {
    /// The same exponent everywhere: 0.06 ± 0.01. No measurement stands behind it; bring your own table.
    fn default() -> Self {
        Self { g_lst: vec![0.0, 25.0], nu_mean_lst: vec![0.06; 2], nu_std_lst: vec![0.01; 2] }
    }
}

/// Phase-change memory with measured drift exponents, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{CustomDriftPcmLike, ProgrammedDevice, custom_drift::DriftTable};
/// let table = DriftTable { g_lst: vec![0.0, 25.0], nu_mean_lst: vec![0.1, 0.05], nu_std_lst: vec![0.02, 0.01] };
/// let device = CustomDriftPcmLike { custom_drift_model: table, ..CustomDriftPcmLike::default() };
/// // Half way: μ = 0.075, σ = 0.015.
/// assert!((device.drift_exponent(12.5, 1.0) - 0.09).abs() < 1e-7);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustomDriftPcmLike {
    /// Everything but the drift exponents.
    pub pcm: PcmLike,
    /// The drift exponents.
    pub custom_drift_model: DriftTable,
}

impl ProgrammedDevice for CustomDriftPcmLike {
    fn validate(&self) -> Result<(), ConfigError> {
        self.pcm.validate().map_err(|error| error.within("pcm"))?;
        let table = &self.custom_drift_model;
        let checked = covering("g_lst", &table.g_lst, self.pcm.g_max)
            .and_then(|()| ordinates("nu_mean_lst", &table.nu_mean_lst, table.g_lst.len()))
            .and_then(|()| ordinates("nu_std_lst", &table.nu_std_lst, table.g_lst.len()));
        checked.map_err(|error| error.within("custom_drift_model"))
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.pcm.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        self.pcm.programming_std(g_target)
    }

    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
        let table = &self.custom_drift_model;
        let mean = polygon(&table.g_lst, &table.nu_mean_lst, g_target);
        let std = polygon(&table.g_lst, &table.nu_std_lst, g_target);
        (mean + std * xi).magnitude() * self.pcm.drift_scale
    }

    #[inline]
    fn moment(&self, t: f32) -> Moment {
        self.pcm.moment(t)
    }

    #[inline(always)]
    fn drifted_at<L: Lane>(&self, g_programmed: L, nu: L, moment: Moment) -> L {
        self.pcm.drifted_at(g_programmed, nu, moment)
    }

    #[inline(always)]
    fn read_noise_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment) -> L {
        self.pcm.read_noise_at(g_programmed, g_drifted, moment)
    }

    fn visit<V: Visitor>(&self, visitor: V) {
        visitor.model(&Self { pcm: self.pcm.with_reference(), ..self.clone() });
    }
}
