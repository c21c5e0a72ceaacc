//! Phase-change memory of the 64-core chip "Hermes": unit cells of one or two devices per polarity.
//!
//! ```text
//! write   g_p = max(g_T + s_p σ_p ξ, 0)              σ_p = (g_max/g_ref) Σₖ cₖ aᵏ,  a = g_T/g_max
//! drift   g_d = g_p ((t + t_0)/t_0)^-ν               ν = |μ(a) + σ(a) ξ| s_ν
//! read    g = max(g_d (1 + s_r Q √ln((t + t_0 + t_r)/(2 t_r)) ξ), 0)      Q = Q(g_p/g_max)
//! ```
//!
//! μ, σ and Q are clipped lines over ln a for nearly empty cells, polynomials of a above; see `data/le_gallo_2023_hermes.toml`.
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | | `num_devices` | 1 | devices in parallel that form one conductance: 1 or 2 |
//! | g_max | `g_max` | µS | largest target, 10.35 per device at most |
//! | cₖ | `prog_coeff` | µS | polynomial of the programming noise; left out: the published ones, at g_ref = 10.35 µS per device |
//! | t_0, t_r | `t_0`, `t_read` | s | time of the first read (200 s for one, 300 s for two devices); read pulse |
//! | s_p, s_ν, s_r | `prog_noise_scale`, `drift_scale`, `read_noise_scale` | 1 | scales; 0 switches off |
//!
//! Limits: room temperature; measured for minutes to days. Not modelled: the two devices of a cell one by one,
//! the program-and-verify sequence, temperature.
//!
//! Reference: M. Le Gallo et al. 2023, Nat. Electron. 6:680, doi:10.1038/s41928-023-01010-1 (the chip). The
//! coefficients are those of AIHWKit's `HermesNoiseModel`.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::programmed::curves::{LogLine, SMALLEST_STATE, polynomial, published, std_polynomial};
use crate::programmed::{Moment, ProgrammedDevice};

/// A clipped line over ln a below the state `knee`, a polynomial of a from there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Law {
    knee: f32,
    empty: LogLine,
    full: [f32; 4],
}

impl Law {
    #[inline(always)]
    fn at<L: Lane>(&self, a: L) -> L {
        let empty = self.empty.at(a.at_least(a.splat(SMALLEST_STATE)).logarithm());
        (a.splat(self.knee) - a).if_positive(empty, polynomial(&self.full, a))
    }
}

/// The published curves for one kind of unit cell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    prog_coeff: Vec<f32>,
    nu_std: Law,
    read_noise: Law,
    t_0: f32,
}

/// The published coefficients; the file says what they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    g_max_per_device: f32,
    t_read: f32,
    nu_mean: Law,
    one: Cell,
    two: Cell,
}

static PUBLISHED: LazyLock<Published> =
    LazyLock::new(|| published(include_str!("data/le_gallo_2023_hermes.toml")));

/// Unit cell of the Hermes chip, see the [module](self).
///
/// ```
/// use aimc_device::programmed::{Hermes, ProgrammedDevice};
/// // Half way up, two devices: 0.166032 + 4.718065/2 - 8.481013/4 + 4.689614/8 = 0.991013 µS.
/// assert!((Hermes::default().programming_std(10.35) - 0.991_013).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hermes {
    /// Devices in parallel: 1 or 2.
    pub num_devices: usize,
    /// Largest target conductance (µS); left out: 10.35 per device, which is also the most.
    pub g_max: Option<f32>,
    /// Coefficients of the programming noise over g_T/g_max (µS); left out: the published ones.
    pub prog_coeff: Option<Vec<f32>>,
    /// The g_max (µS) at which `prog_coeff` was measured; left out: 10.35 per device.
    pub prog_coeff_g_max_reference: Option<f32>,
    /// Time of the first read after programming (s); left out: 200 for one device, 300 for two.
    pub t_0: Option<f32>,
    /// Width of a read pulse (s).
    pub t_read: f32,
    /// Scale of the programming noise; 0 is off.
    pub prog_noise_scale: f32,
    /// Scale of the read noise; 0 is off.
    pub read_noise_scale: f32,
    /// Scale of the drift exponents; 0 is off.
    pub drift_scale: f32,
}

impl Default for Hermes {
    fn default() -> Self {
        Self {
            num_devices: 2,
            g_max: None,
            prog_coeff: None,
            prog_coeff_g_max_reference: None,
            t_0: None,
            t_read: PUBLISHED.t_read,
            prog_noise_scale: 1.0,
            read_noise_scale: 1.0,
            drift_scale: 1.0,
        }
    }
}

impl Hermes {
    #[inline]
    fn cell(&self) -> &'static Cell {
        if self.num_devices == 1 { &PUBLISHED.one } else { &PUBLISHED.two }
    }

    #[inline]
    fn full(&self) -> f32 {
        PUBLISHED.g_max_per_device * self.num_devices as f32
    }

    #[inline]
    fn first_read(&self) -> f32 {
        self.t_0.unwrap_or(self.cell().t_0)
    }

    #[inline]
    fn prog_coeff(&self) -> &[f32] {
        self.prog_coeff.as_deref().unwrap_or(&self.cell().prog_coeff)
    }
}

impl ProgrammedDevice for Hermes {
    fn validate(&self) -> Result<(), ConfigError> {
        let one_or_two = self.num_devices == 1 || self.num_devices == 2;
        require::that(one_or_two, "num_devices", self.num_devices, "must be 1 or 2")?;
        let g_max = self.g_max();
        require::positive("g_max", g_max)?;
        let full = self.full();
        require::that(
            g_max <= full,
            "g_max",
            g_max,
            &format!("must not exceed {full} µS, the largest of the chip"),
        )?;
        require::positive("t_read", self.t_read)?;
        let t_0 = self.first_read();
        require::positive("t_0", t_0)?;
        require::that(t_0 >= self.t_read, "t_read", self.t_read, "must not be longer than t_0")?;
        for (field, scale) in [
            ("prog_noise_scale", self.prog_noise_scale),
            ("read_noise_scale", self.read_noise_scale),
            ("drift_scale", self.drift_scale),
        ] {
            require::non_negative(field, scale)?;
        }
        if let Some(reference) = self.prog_coeff_g_max_reference {
            require::positive("prog_coeff_g_max_reference", reference)?;
        }
        std_polynomial("prog_coeff", self.prog_coeff())
    }

    #[inline]
    fn g_max(&self) -> f32 {
        self.g_max.unwrap_or(self.full())
    }

    #[inline(always)]
    fn programming_std<L: Lane>(&self, g_target: L) -> L {
        let g_max = self.g_max();
        let rescale = g_max / self.prog_coeff_g_max_reference.unwrap_or(self.full());
        let state = g_target / g_target.splat(g_max);
        polynomial(self.prog_coeff(), state) * self.prog_noise_scale * rescale
    }

    #[inline(always)]
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
        let a = g_target / g_target.splat(self.g_max());
        (PUBLISHED.nu_mean.at(a) + self.cell().nu_std.at(a) * xi).magnitude() * self.drift_scale
    }

    #[inline]
    fn moment(&self, t: f32) -> Moment {
        Moment::after_first_read(t, self.first_read(), self.t_read)
    }

    #[inline(always)]
    fn drifted_at<L: Lane>(&self, g_programmed: L, nu: L, moment: Moment) -> L {
        moment.power_law(g_programmed, nu)
    }

    #[inline(always)]
    fn read_noise_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment) -> L {
        let q = self.cell().read_noise.at(g_programmed / g_programmed.splat(self.g_max()));
        // A cell that was programmed beyond g_max may be beyond the range of the polynomial.
        g_drifted * self.read_noise_scale * q.not_negative() * moment.growth
    }
}
