//! What a test returns, and the one place where a p-value becomes a verdict.

use std::fmt;

use super::Finding;
use crate::record;

/// Probability that a *correct* implementation fails one assertion: one in a million.
///
/// The tests of this workspace run with fixed seeds, so a test that passed once passes for ever.
/// The rate says how improbable a failure was when the seed was chosen, and therefore how strongly
/// a failure after a change speaks against the change. With a thousand such assertions, one unlucky
/// seed among all of them had a probability of 0.1 %.
pub const FALSE_ALARM: f64 = 1e-6;

/// Result of one statistical test.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "a p-value decides nothing until it is compared, e.g. with `assert_p`"]
pub struct Outcome {
    /// Which test, and what its statistic is.
    pub test: &'static str,
    /// Value of the test statistic (its scale depends on the test).
    pub statistic: f64,
    /// Probability, if the hypothesis holds, of a statistic at least this extreme.
    pub p_value: f64,
    /// Sample size; for a two-sample test the effective one, rounded down.
    pub n: usize,
    /// What was measured, in its own unit.
    pub finding: Finding,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: statistic = {:.6}, p = {:.3e}, n = {}",
            self.test, self.statistic, self.p_value, self.n
        )
    }
}

/// Panics when the p-value of `outcome` is below `false_alarm` or is NaN.
///
/// ```
/// use aimc_testkit::stats::{FALSE_ALARM, assert_p, proportion_test};
///
/// assert_p(proportion_test(507, 1000, 0.5), FALSE_ALARM);
/// ```
///
/// ```should_panic
/// use aimc_testkit::stats::{FALSE_ALARM, assert_p, proportion_test};
///
/// assert_p(proportion_test(700, 1000, 0.5), FALSE_ALARM);
/// ```
#[track_caller]
pub fn assert_p(outcome: Outcome, false_alarm: f64) {
    record::outcome(&outcome, false_alarm);
    assert!(outcome.p_value >= false_alarm, "{outcome}; a correct implementation has p >= {false_alarm:e}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::band::Law;

    fn outcome(p_value: f64) -> Outcome {
        let law = Law::Normal { se: 1.0 };
        let finding = Finding { quantity: "q", measured: 2.5, expected: 0.0, law };
        Outcome { test: "t", statistic: 2.5, p_value, n: 42, finding }
    }

    #[test]
    fn the_limit_itself_passes() {
        assert_p(outcome(FALSE_ALARM), FALSE_ALARM);
    }

    #[test]
    #[should_panic(expected = "t: statistic = 2.500000, p = 9.000e-7, n = 42; a correct")]
    fn the_message_names_statistic_p_and_n() {
        assert_p(outcome(9e-7), FALSE_ALARM);
    }

    #[test]
    #[should_panic(expected = "p = NaN")]
    fn nan_fails() {
        assert_p(outcome(f64::NAN), FALSE_ALARM);
    }
}
