//! Power-law drift of pulsed devices: the conductance relaxes as (t/t₀)^-ν after every write.
//!
//! For a weight w₀ seen first at time t*, at time t (both in units of t₀)
//!
//! ```text
//! q = max(t - t*, 1)^-ν',   w = w₀·q + A·(q - 1),   A = g_offset·wg_ratio + w_offset
//! ν' = ν(1 + nu_std·ξ) - nu_k·[ln((w - w_offset)/wg_ratio + g_offset) - log_g0]
//! ```
//!
//! ν = nu·(1 + nu_dtod·ξ) per device. The last bracket, active for `nu_k` ≠ 0, makes ν depend on the state
//! (Nandakumar et al. 2019, IEEE ICECS). A weight that anything changed by more than `reset_tol` since the
//! last call starts anew: that call only notes its value and time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::state::{State, StateError, StatePart};

/// Parameters of the drift. Time is in whatever unit the caller uses for `t_0` and for the elapsed time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PowerLawDrift {
    /// Mean drift exponent; 0 switches drift off.
    pub nu: f32,
    /// Unit of time.
    pub t_0: f32,
    /// A weight that changed by more than this since the last call was written anew.
    pub reset_tol: f32,
    /// Relative device-to-device std of the exponent.
    pub nu_dtod: f32,
    /// Relative std of the exponent from call to call.
    pub nu_std: f32,
    /// Weight per conductance.
    pub wg_ratio: f32,
    /// Conductance at weight `w_offset`.
    pub g_offset: f32,
    /// Weight at conductance `g_offset`.
    pub w_offset: f32,
    /// Change of the exponent per e-fold of conductance.
    pub nu_k: f32,
    /// Logarithm of the conductance at which the exponent is `nu`.
    pub log_g0: f32,
    /// Std of the noise added to the weight in every call.
    pub w_noise_std: f32,
}

impl Default for PowerLawDrift {
    fn default() -> Self {
        Self {
            nu: 0.0,
            t_0: 1.0,
            reset_tol: 1e-7,
            nu_dtod: 0.0,
            nu_std: 0.0,
            wg_ratio: 1.0,
            g_offset: 0.0,
            w_offset: 0.0,
            nu_k: 0.0,
            log_g0: 0.0,
            w_noise_std: 0.0,
        }
    }
}

impl PowerLawDrift {
    /// Whether the drift operation does anything.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.nu > 0.0
    }

    /// Refuses values outside their physical range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("nu", self.nu),
            ("reset_tol", self.reset_tol),
            ("nu_dtod", self.nu_dtod),
            ("nu_std", self.nu_std),
            ("w_noise_std", self.w_noise_std),
        ] {
            require::non_negative(field, value)?;
        }
        require::positive("t_0", self.t_0)?;
        for (field, value) in [
            ("g_offset", self.g_offset),
            ("w_offset", self.w_offset),
            ("nu_k", self.nu_k),
            ("log_g0", self.log_g0),
        ] {
            require::finite(field, value)?;
        }
        require::that(
            self.wg_ratio.is_finite() && self.wg_ratio != 0.0,
            "wg_ratio",
            self.wg_ratio,
            "must be finite and not 0",
        )
    }

    /// The weight after `elapsed` units of `t_0` since it was written as `w0`; `w` is its value now.
    ///
    /// `nu` is the device's exponent, ξ of the exponent's noise is `xi`. A conductance that is not positive
    /// has no logarithm; its exponent is then that of the mean.
    #[must_use]
    pub fn drifted(&self, w0: f32, w: f32, nu: f32, elapsed: f32, xi: f32) -> f32 {
        let mut exponent = nu * (1.0 + self.nu_std * xi);
        let conductance = (w - self.w_offset) / self.wg_ratio + self.g_offset;
        if self.nu_k != 0.0 && conductance > 0.0 {
            exponent -= self.nu_k * (conductance.ln() - self.log_g0);
        }
        let q = elapsed.max(1.0).powf(-exponent);
        w0 * q + (self.g_offset * self.wg_ratio + self.w_offset) * (q - 1.0)
    }
}

/// What a population remembers between drift calls; empty before the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DriftClock {
    /// Time of the last call, in units of `t_0`.
    pub now: f32,
    /// Weight as written.
    pub w0: Vec<f32>,
    /// Time of writing.
    pub written: Vec<f32>,
    /// Weight left behind by the last call.
    pub last: Vec<f32>,
}

impl DriftClock {
    /// Lets `elapsed` time pass for the weights `w`, noting those that were written since the last call.
    pub fn advance(&mut self, drift: &PowerLawDrift, elapsed: f32, w: &[f32]) {
        self.now += elapsed / drift.t_0;
        if self.w0.is_empty() {
            // Nothing is known of the time before the first call: every weight counts as written at time 0.
            (self.w0, self.last, self.written) = (w.to_vec(), w.to_vec(), vec![0.0; w.len()]);
            return;
        }
        for (i, &w) in w.iter().enumerate() {
            if (self.last[i] - w).abs() > drift.reset_tol {
                (self.w0[i], self.written[i]) = (w, self.now);
            }
        }
    }

    /// The clock as named arrays.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.put("now", vec![self.now]);
        if !self.w0.is_empty() {
            state.put("w0", self.w0.clone());
            state.put("written", self.written.clone());
            state.put("last", self.last.clone());
        }
        state
    }

    /// The clock of `n` devices from [`DriftClock::state`].
    pub fn restore(state: &StatePart<'_>, n: usize) -> Result<Self, StateError> {
        let started = ["w0", "written", "last"].iter().any(|name| state.has(name));
        if !started {
            return Ok(Self { now: state.floats("now", 1)?[0], ..Self::default() });
        }
        let take = |name| state.floats(name, n).map(<[f32]>::to_vec);
        Ok(Self {
            now: state.floats("now", 1)?[0],
            w0: take("w0")?,
            written: take("written")?,
            last: take("last")?,
        })
    }

    /// The weight of device `index`, which holds `w`, at the time of the clock.
    #[must_use]
    pub fn drifted(&self, drift: &PowerLawDrift, index: usize, w: f32, nu: f32, xi: f32) -> f32 {
        let age = self.now - self.written[index];
        if age > 0.0 { drift.drifted(self.w0[index], w, nu, age, xi) } else { w }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// A tenfold time with ν = 0.1 leaves 10^-0.1 = 79.4 % of the weight.
    #[test]
    fn plain_power_law() {
        let drift = PowerLawDrift { nu: 0.1, ..Default::default() };
        assert_close!(drift.drifted(0.5, 0.5, 0.1, 10.0, 0.0), 0.397_164, 1e-6);
        assert_eq!(drift.drifted(0.5, 0.5, 0.1, 0.3, 0.0), 0.5, "no growth before t_0");
    }

    /// g ≤ 0: the exponent is that of the mean, without nu_k·(ln g - log_g0).
    #[test]
    fn a_conductance_without_logarithm_has_the_mean_exponent() {
        let plain = PowerLawDrift { nu: 0.1, ..Default::default() };
        let drift = PowerLawDrift { nu_k: 0.02, ..plain };
        for w in [-0.5, 0.0] {
            assert_eq!(drift.drifted(0.5, w, 0.1, 10.0, 0.0), plain.drifted(0.5, w, 0.1, 10.0, 0.0));
        }
    }

    /// ν' = ν(1 + nu_std·ξ): ν = nu_std = ½ and ξ = 2 give ν' = 1, and 4⁻¹. Four roundings are granted to the power.
    #[test]
    fn a_draw_above_zero_raises_the_exponent() {
        let drift = PowerLawDrift { nu: 0.5, nu_std: 0.5, ..Default::default() };
        assert_close!(drift.drifted(1.0, 1.0, 0.5, 4.0, 2.0), 0.25, f32::EPSILON);
    }

    /// nu = 0 switches drift off, its noise included.
    #[test]
    fn without_an_exponent_there_is_no_drift() {
        assert!(!PowerLawDrift { w_noise_std: 1.0, ..Default::default() }.is_on());
        assert!(PowerLawDrift { nu: 1e-3, ..Default::default() }.is_on());
    }

    /// A change by exactly reset_tol is none; a weight that is no older than the clock is what it is.
    #[test]
    fn small_changes_write_nothing_and_no_time_changes_nothing() {
        let drift = PowerLawDrift { nu: 0.1, reset_tol: 0.25, ..Default::default() };
        let mut clock = DriftClock::default();
        clock.advance(&drift, 0.0, &[0.5, 0.5]);
        assert_eq!(clock.drifted(&drift, 0, 0.625, 0.1, 0.0), 0.625);
        clock.advance(&drift, 2.0, &[0.75, 0.875]);
        assert_eq!((clock.w0, clock.written), (vec![0.5, 0.875], vec![0.0, 2.0]));
    }

    /// Without devices time passes, too.
    #[test]
    fn an_empty_clock_keeps_its_time() {
        let mut clock = DriftClock::default();
        clock.advance(&PowerLawDrift::default(), 5.0, &[]);
        assert_eq!((clock.now, DriftClock::restore(&clock.state().root(), 0).unwrap()), (5.0, clock));
    }
}
