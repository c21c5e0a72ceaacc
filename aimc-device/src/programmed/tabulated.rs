//! A device as it was measured: polygons over the target conductance, from the tables of a user.
//!
//! ```text
//! write   g_p = max(m(g_T) + σ_p(g_T) ξ, 0)
//! drift   g_d = g_p ((t + t_0)/t_0)^-ν           ν = |ν_mean(g_T) + ν_std(g_T) ξ|
//! read    g = max(g_d (1 + Q(g_p) √ln((t + t_0 + t_r)/(2 t_r)) ξ), 0)
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_T | `g_lst` | µS | target conductances of the measurement, ascending, from 0 to g_max at least |
//! | m, σ_p | `prog_mean_lst`, `prog_std_lst` | µS | mean and std right after programming |
//! | ν_mean, ν_std | `nu_mean_lst`, `nu_std_lst` | 1 | drift exponent before folding |
//! | Q | `read_noise_lst` | 1 | relative 1/f noise per √ of the logarithm |
//! | t_0, t_r | `t_0`, `t_read` | s | time of the first read; width of a read pulse |
//!
//! Limits: normal spreads; between nodes linear. The default table is an ideal device, without any noise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::programmed::curves::{covering, ordinates, polygon};
use crate::programmed::{Moment, ProgrammedDevice};

/// A measured device, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{ProgrammedDevice, Tabulated};
/// let device = Tabulated { prog_mean_lst: vec![0.0, 24.0], prog_std_lst: vec![0.2, 1.0], ..Tabulated::default() };
/// device.validate().unwrap();
/// // Half way: 12 µS, with a std of 0.6 µS.
/// assert!((device.program(12.5, 1.0) - 12.6).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tabulated {
    /// Largest target conductance (µS).
    pub g_max: f32,
    /// Target conductances (µS) of the measurement.
    pub g_lst: Vec<f32>,
    /// Mean conductance (µS) right after programming.
    pub prog_mean_lst: Vec<f32>,
    /// Std (µS) of the conductance right after programming.
    pub prog_std_lst: Vec<f32>,
    /// Mean drift exponent.
    pub nu_mean_lst: Vec<f32>,
    /// Std of the drift exponent from device to device.
    pub nu_std_lst: Vec<f32>,
    /// Relative 1/f noise.
    pub read_noise_lst: Vec<f32>,
    /// Time of the first read after programming, where drift begins (s).
    pub t_0: f32,
    /// Width of a read pulse (s).
    pub t_read: f32,
}

impl Default for Tabulated {
    fn default() -> Self {
        let (g_lst, none) = (vec![0.0, 25.0], vec![0.0; 2]);
        Self {
            g_max: 25.0,
            prog_mean_lst: g_lst.clone(),
            g_lst,
            prog_std_lst: none.clone(),
            nu_mean_lst: none.clone(),
            nu_std_lst: none.clone(),
            read_noise_lst: none,
            t_0: 20.0,
            t_read: 250e-9,
        }
    }
}

impl Tabulated {
    #[inline(always)]
    fn at<L: Lane>(&self, values: &[f32], g: L) -> L {
        polygon(&self.g_lst, values, g)
    }
}

impl ProgrammedDevice for Tabulated {
    fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        require::positive("t_0", self.t_0)?;
        require::positive("t_read", self.t_read)?;
        let reads_fit = self.t_0 >= self.t_read;
        require::that(reads_fit, "t_read", self.t_read, "must not be longer than t_0")?;
        covering("g_lst", &self.g_lst, self.g_max)?;
        for (field, values) in [
            ("prog_mean_lst", &self.prog_mean_lst),
            ("prog_std_lst", &self.prog_std_lst),
            ("nu_mean_lst", &self.nu_mean_lst),
            ("nu_std_lst", &self.nu_std_lst),
            ("read_noise_lst", &self.read_noise_lst),
        ] {
            ordinates(field, values, self.g_lst.len())?;
        }
        Ok(())
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        self.at(&self.prog_std_lst, g_target)
    }

    #[inline(always)]
    fn program<L: Lane>(&self, g_target: L, xi: L) -> L {
        (self.at(&self.prog_mean_lst, g_target) + self.programming_std(g_target) * xi).not_negative()
    }

    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
        (self.at(&self.nu_mean_lst, g_target) + self.at(&self.nu_std_lst, g_target) * xi).magnitude()
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
        let q = self.at(&self.read_noise_lst, g_programmed);
        g_drifted * q * moment.growth
    }
}
