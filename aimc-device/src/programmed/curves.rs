//! Curves over conductance and time that several programmed devices share.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config;
use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::math::{self, Base};

/// Smallest relative state that enters a logarithm.
pub(crate) const SMALLEST_STATE: f32 = 1e-7;

/// Published coefficients from one of the files in `data/`, which are part of the program.
///
/// # Panics
/// If the text is not such a record, which a test of every file rules out.
pub(crate) fn published<T: DeserializeOwned>(text: &str) -> T {
    config::from_toml(text).unwrap_or_else(|error| panic!("a data file of the program is broken: {error}"))
}

/// A clipped line over the logarithm of the relative state.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLine {
    pub(crate) slope: f32,
    pub(crate) offset: f32,
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl LogLine {
    #[inline(always)]
    pub(crate) fn at<L: Lane>(&self, log_state: L) -> L {
        (log_state * self.slope + self.offset).between(self.low, self.high)
    }
}

/// Σₖ cₖ aᵏ.
#[inline(always)]
pub(crate) fn polynomial<L: Lane>(coefficients: &[f32], a: L) -> L {
    coefficients.iter().rev().fold(a.splat(0.0), |sum, c| sum * a + *c)
}

/// √ln((t + t_r)/(2 t_r)): growth of 1/f noise that was integrated for t seconds with pulses of t_r; 0 where the
/// logarithm is negative, which is a wait shorter than a pulse.
#[inline(always)]
pub(crate) fn one_over_f(t: f32, t_read: f32) -> f32 {
    math::log((t + t_read) / (2.0 * t_read)).max(0.0).sqrt()
}

/// A time since programming, and what the laws of a device make of it for all cells alike.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Time since programming (s).
    pub(crate) t: f32,
    /// What drift takes powers or the logarithm of.
    pub(crate) elapsed: Base,
    /// Growth of 1/f noise.
    pub(crate) growth: f32,
}

impl Moment {
    /// Of devices that drift from the first read on, which is `t_0` after programming: elapsed = (t + t_0)/t_0; 1/f noise
    /// since programming.
    #[inline]
    pub(crate) fn after_first_read(t: f32, t_0: f32, t_read: f32) -> Self {
        Self { t, elapsed: Base::new((t + t_0) / t_0), growth: one_over_f(t + t_0, t_read) }
    }

    /// g ((t + t_0)/t_0)^-ν: drift from the first read on.
    #[inline(always)]
    pub(crate) fn power_law<L: Lane>(self, g: L, nu: L) -> L {
        g * nu.map(|nu| self.elapsed.to(-nu))
    }
}

/// The ordinates at `x` of the polygon through (`xs`, `ys`), constant beyond its ends; `xs` ascend.
#[inline(always)]
pub(crate) fn polygon<L: Lane>(xs: &[f32], ys: &[f32], x: L) -> L {
    x.map(|x| {
        let above = xs.partition_point(|&node| node <= x);
        if above == 0 {
            return ys[0];
        }
        if above == xs.len() {
            return ys[xs.len() - 1];
        }
        let share = (x - xs[above - 1]) / (xs[above] - xs[above - 1]);
        ys[above - 1] + share * (ys[above] - ys[above - 1])
    })
}

/// Refuses nodes that are fewer than two, negative or not ascending.
pub(crate) fn ascending(field: &str, nodes: &[f32]) -> Result<(), ConfigError> {
    let fine = nodes.len() >= 2
        && nodes.iter().all(|g| g.is_finite() && *g >= 0.0)
        && nodes.windows(2).all(|pair| pair[0] < pair[1]);
    require::that(fine, field, nodes, "must be two or more ascending finite numbers, 0 or above")
}

/// Refuses nodes that do not cover the conductances from 0 to `g_max`.
pub(crate) fn covering(field: &str, nodes: &[f32], g_max: f32) -> Result<(), ConfigError> {
    ascending(field, nodes)?;
    let covers = nodes.first().is_some_and(|g| *g <= 0.0) && nodes.last().is_some_and(|g| *g >= g_max);
    require::that(covers, field, nodes, &format!("must cover 0 to g_max = {g_max} µS"))
}

/// Refuses ordinates that are not `count` finite numbers, 0 or above.
pub(crate) fn ordinates(field: &str, values: &[f32], count: usize) -> Result<(), ConfigError> {
    let fine = values.len() == count && values.iter().all(|v| v.is_finite() && *v >= 0.0);
    require::that(fine, field, values, &format!("must be {count} finite numbers, 0 or above"))
}

/// Refuses polynomials that are empty, not finite or negative between 0 and 1.
pub(crate) fn std_polynomial(field: &str, coefficients: &[f32]) -> Result<(), ConfigError> {
    let fine = !coefficients.is_empty()
        && coefficients.iter().all(|c| c.is_finite())
        && (0..=100).all(|percent| polynomial(coefficients, percent as f32 / 100.0) >= 0.0);
    require::that(
        fine,
        field,
        coefficients,
        "must hold at least one finite coefficient and give a std of 0 or above from g = 0 to g_max",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// y(x) = yₖ + (yₖ₊₁ - yₖ)(x - xₖ)/(xₖ₊₁ - xₖ) between nodes, y₀ and yₙ beyond them.
    #[test]
    fn a_polygon_passes_its_nodes_and_stays_constant_beyond() {
        let (xs, ys) = ([0.0, 1.0, 3.0], [1.0, 2.0, 0.0]);
        for (x, y) in [(-1.0, 1.0), (0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (2.0, 1.0), (3.0, 0.0), (9.0, 0.0)] {
            assert_eq!(polygon(&xs, &ys, x), y);
        }
    }

    /// √ln((t + t_r)/2t_r): √ln 8 after 15 pulse widths, nothing up to one. Four roundings are granted.
    #[test]
    fn noise_grows_with_the_root_of_the_logarithm_of_time() {
        let expected = 8.0_f64.ln().sqrt();
        for t_read in [1.0, 0.25] {
            let found = f64::from(one_over_f(15.0 * t_read, t_read));
            assert_close!(found, expected, 2.0 * f64::from(f32::EPSILON) * expected);
            assert_eq!((one_over_f(t_read, t_read), one_over_f(0.5 * t_read, t_read)), (0.0, 0.0));
        }
    }

    #[test]
    fn nodes_and_ordinates_that_are_no_table_are_refused() {
        let good = |nodes: &[f32]| ascending("x", nodes).is_ok();
        assert!(good(&[0.0, 1.0]) && good(&[0.5, 1.0, 7.0]));
        for nodes in [
            &[] as &[f32],
            &[1.0],
            &[-1.0, 1.0],
            &[0.0, f32::INFINITY],
            &[1.0, 1.0],
            &[2.0, 1.0],
            &[0.0, 2.0, 1.0],
        ] {
            assert!(!good(nodes), "{nodes:?}");
        }
        let covers = |nodes: &[f32]| covering("x", nodes, 25.0).is_ok();
        assert_eq!(
            [covers(&[0.0, 25.0]), covers(&[0.5, 25.0]), covers(&[0.0, 20.0]), covers(&[0.0])],
            [true, false, false, false]
        );
        let values = |values: &[f32]| ordinates("x", values, 2).is_ok();
        assert!(values(&[0.0, 1.0]));
        for wrong in [&[1.0_f32] as &[f32], &[1.0; 3], &[1.0, -1.0], &[1.0, f32::INFINITY]] {
            assert!(!values(wrong), "{wrong:?}");
        }
        let spread = |coefficients: &[f32]| std_polynomial("x", coefficients).is_ok();
        assert!(spread(&[0.5, -0.5]) && !spread(&[]) && !spread(&[f32::INFINITY]) && !spread(&[1.0, -2.0]));
    }
}
