//! The tolerances of the golden data, as one accumulator per case.

use super::Verdict;

/// Absolute and relative part of the exact tolerance: both sides accumulate in `f32`, and after 700
/// pulses the reference itself is some 1e-6 off the ideal.
const EXACT: f64 = 1e-5;
/// Golden numbers carry seven significant digits: rounding is at most half a unit of the seventh,
/// relative to the number 5e-7 or less.
const PRINTED: f64 = 5e-7;
/// Standard errors beyond which a statistical difference is an exceedance, and beyond which one
/// alone is a failure.
const SE_LIMITS: [f64; 2] = [5.0, 7.0];
/// Exceedances must be fewer than one per this many comparisons.
const PER_EXCEEDANCE: usize = 1000;
/// Values one step away must be at most one per this many quantised values.
const PER_STEP: usize = 100;
/// Reasons kept word for word; further ones are counted.
const REASONS_KEPT: usize = 5;

/// Estimated values with their standard errors, of equal length.
#[derive(Debug, Clone, Copy)]
pub struct Estimates<'a> {
    /// Means, standard deviations, quantiles, ….
    pub values: &'a [f64],
    /// Standard error of each value; 0 where all samples were equal.
    pub se: &'a [f64],
}

/// Mean of a quantity over `n` independent runs, with the standard deviation of a single run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupMean {
    /// Mean over the runs.
    pub mean: f64,
    /// Standard deviation between runs.
    pub std: f64,
    /// Number of runs.
    pub n: usize,
}

/// Collects the comparisons of one case, field by field, and judges them together.
///
/// A NaN on either side, or sides of different length, fail whatever the rule. Equal infinities agree.
///
/// ```
/// use aimc_testkit::golden::Comparison;
///
/// let mut comparison = Comparison::new();
/// comparison.exact("w", &[0.1_f32, 0.2], &[0.1_f64, 0.2]);
/// comparison.quantised("y", &[0.5_f32], &[0.5_f64], 0.01);
/// let verdict = comparison.verdict();
/// assert!(verdict.passed && verdict.count == 3);
///
/// comparison.exact("b", &[1.0_f32], &[1.1_f64]);
/// assert!(comparison.verdict().worst.starts_with("b[0]: ours 1, theirs 1.1"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    count: usize,
    reasons: Vec<String>,
    failures: usize,
    worst: Option<(f64, String)>,
    quantised: usize,
    one_step: usize,
    statistical: usize,
    exceedances: usize,
}

impl Comparison {
    /// An empty comparison. It fails: nothing compared is no agreement.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `|a - b| <= 1e-5 + 1e-5 |b|` for every value.
    pub fn exact<A, B>(&mut self, label: &str, ours: &[A], theirs: &[B])
    where
        A: Copy + Into<f64>,
        B: Copy + Into<f64>,
    {
        self.each(label, ours, theirs, |this, at, a, b| this.limit(at, a, b, exact_tolerance(b)));
    }

    /// Values behind a rounding: at least 99 % of all quantised values of the comparison agree to
    /// the exact tolerance, the rest to one `step` more (a converter step, or one pulse).
    pub fn quantised<A, B>(&mut self, label: &str, ours: &[A], theirs: &[B], step: f64)
    where
        A: Copy + Into<f64>,
        B: Copy + Into<f64>,
    {
        self.each(label, ours, theirs, |this, at, a, b| {
            this.quantised += 1;
            let exact = exact_tolerance(b);
            if difference(a, b) <= exact {
                this.limit(at, a, b, exact);
            } else {
                this.one_step += 1;
                this.limit(at, a, b, exact + step);
            }
        });
    }

    /// Values that amplify a one-step difference (AverageAbsMax, iterative bound management): every
    /// value within one `step` and the exact tolerance, no share of exact ones demanded.
    pub fn within_step<A, B>(&mut self, label: &str, ours: &[A], theirs: &[B], step: f64)
    where
        A: Copy + Into<f64>,
        B: Copy + Into<f64>,
    {
        self.each(label, ours, theirs, |this, at, a, b| this.limit(at, a, b, exact_tolerance(b) + step));
    }

    /// Estimates: `z = |a - b| / √(se_a² + se_b²)`. Of all statistical values of the comparison
    /// fewer than 0.1 % lie beyond 5, and none beyond 7. Where both errors are 0, the exact
    /// tolerance holds. The rounding of the printed numbers is taken off the difference first.
    ///
    /// A tolerance is 5 standard errors in the verdict's `worst`.
    pub fn statistical(&mut self, label: &str, ours: Estimates<'_>, theirs: Estimates<'_>) {
        self.estimates(label, ours, theirs, |_| 0.0);
    }

    /// [`Self::statistical`] with an allowance per value that is taken off the difference: a known
    /// bias of the reference, such as 1/32767 of a pulse probability.
    pub fn statistical_with_slack(
        &mut self,
        label: &str,
        ours: Estimates<'_>,
        theirs: Estimates<'_>,
        slack: &[f64],
    ) {
        if self.same_length(label, "slack", theirs.values.len(), slack.len()) {
            self.estimates(label, ours, theirs, |i| slack[i]);
        }
    }

    /// Quantiles with standard errors; `step` is the distance of neighbouring values of a discrete
    /// law (0 for a continuous one), by which a quantile may jump.
    pub fn quantiles(&mut self, label: &str, ours: Estimates<'_>, theirs: Estimates<'_>, step: f64) {
        self.estimates(label, ours, theirs, |_| step);
    }

    /// Means over seeds or programmings: `|a - b| <= 5 √(s_a²/n_a + s_b²/n_b) + slack`.
    pub fn training(&mut self, label: &str, ours: GroupMean, theirs: GroupMean, slack: f64) {
        let variance = |g: GroupMean| g.std * g.std / g.n as f64;
        let tolerance = SE_LIMITS[0] * (variance(ours) + variance(theirs)).sqrt() + slack;
        self.count += 1;
        self.limit(label, ours.mean, theirs.mean, tolerance);
    }

    /// Calls `compare` for every pair of rows, with the label `label[i]`; different numbers of rows fail.
    ///
    /// ```
    /// use aimc_testkit::golden::Comparison;
    ///
    /// let (ours, theirs) = (vec![vec![1.0_f32], vec![2.0]], vec![vec![1.0_f64], vec![2.0]]);
    /// let mut comparison = Comparison::new();
    /// comparison.rows("y", &ours, &theirs, |c, label, a, b| c.exact(label, a, b));
    /// assert_eq!(comparison.verdict().count, 2);
    /// ```
    pub fn rows<A, B>(
        &mut self,
        label: &str,
        ours: &[A],
        theirs: &[B],
        mut compare: impl FnMut(&mut Self, &str, &A, &B),
    ) {
        if self.same_length(label, "theirs", theirs.len(), ours.len()) {
            for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
                compare(self, &format!("{label}[{i}]"), a, b);
            }
        }
    }

    /// Adds the values of another comparison, so that the rules about shares hold for both together.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.failures += other.failures;
        let room = REASONS_KEPT.saturating_sub(self.reasons.len());
        self.reasons.extend(other.reasons.into_iter().take(room));
        self.quantised += other.quantised;
        self.one_step += other.one_step;
        self.statistical += other.statistical;
        self.exceedances += other.exceedances;
        if let Some((units, text)) = other.worst {
            self.note(units, || text);
        }
    }

    /// Judges everything collected so far.
    pub fn verdict(&self) -> Verdict {
        let mut reasons = self.reasons.clone();
        if self.failures > reasons.len() {
            reasons.push(format!("{} more such values", self.failures - reasons.len()));
        }
        if self.count == 0 && reasons.is_empty() {
            reasons.push("nothing was compared".into());
        }
        if self.one_step * PER_STEP > self.quantised {
            reasons.push(format!(
                "{} of {} quantised values are a step away, more than 1 %",
                self.one_step, self.quantised
            ));
        }
        if self.exceedances > 0 && self.exceedances * PER_EXCEEDANCE >= self.statistical {
            reasons.push(format!(
                "{} of {} estimates differ by more than 5 standard errors, not fewer than 0.1 %",
                self.exceedances, self.statistical
            ));
        }
        let worst = self.worst.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
        Verdict { passed: reasons.is_empty(), worst, count: self.count, reasons }
    }

    /// Compares element by element with the label `label[i]`.
    fn each<A, B>(
        &mut self,
        label: &str,
        ours: &[A],
        theirs: &[B],
        mut rule: impl FnMut(&mut Self, &str, f64, f64),
    ) where
        A: Copy + Into<f64>,
        B: Copy + Into<f64>,
    {
        self.rows(label, ours, theirs, |this, at, &a, &b| {
            this.count += 1;
            rule(this, at, a.into(), b.into());
        });
    }

    fn estimates(
        &mut self,
        label: &str,
        ours: Estimates<'_>,
        theirs: Estimates<'_>,
        slack: impl Fn(usize) -> f64,
    ) {
        let complete = self.same_length(label, "our errors", ours.values.len(), ours.se.len())
            && self.same_length(label, "their errors", theirs.values.len(), theirs.se.len());
        if !complete {
            return;
        }
        let mut i = 0;
        self.each(label, ours.values, theirs.values, |this, at, a, b| {
            let se = ours.se[i].hypot(theirs.se[i]);
            this.estimate(at, a, b, se, slack(i));
            i += 1;
        });
    }

    fn estimate(&mut self, label: &str, a: f64, b: f64, se: f64, slack: f64) {
        self.statistical += 1;
        if se == 0.0 {
            return self.limit(label, a, b, exact_tolerance(b) + slack);
        }
        let allowance = slack + PRINTED * b.abs();
        let [soft, hard] = SE_LIMITS;
        if difference(a, b) > soft * se + allowance {
            self.exceedances += 1;
        }
        let units = (difference(a, b) - allowance).max(0.0) / se / soft;
        self.note(units, || describe(label, a, b, units));
        let agrees = difference(a, b) <= hard * se + allowance; // false for NaN in the values or the error
        if !agrees {
            self.fail(format!("{}, beyond {hard} standard errors of {se:.3e}", describe(label, a, b, units)));
        }
    }

    /// The rule of a single limit.
    fn limit(&mut self, label: &str, a: f64, b: f64, tolerance: f64) {
        let distance = difference(a, b);
        let units = if distance == 0.0 && tolerance >= 0.0 { 0.0 } else { distance / tolerance };
        self.note(units, || describe(label, a, b, units));
        let agrees = units <= 1.0; // false for NaN
        if !agrees {
            self.fail(format!("{} of {tolerance:.3e}", describe(label, a, b, units)));
        }
    }

    fn same_length(&mut self, label: &str, what: &str, expected: usize, found: usize) -> bool {
        if expected != found {
            self.fail(format!("{label}: {found} values against {expected} of {what}"));
        }
        expected == found
    }

    fn fail(&mut self, reason: String) {
        self.failures += 1;
        if self.reasons.len() < REASONS_KEPT {
            self.reasons.push(reason);
        }
    }

    /// Remembers the value if it is the furthest so far; NaN counts as infinitely far.
    fn note(&mut self, units: f64, text: impl FnOnce() -> String) {
        let rank = if units.is_nan() { f64::INFINITY } else { units };
        if self.worst.as_ref().is_none_or(|(worst, _)| rank > *worst) {
            self.worst = Some((rank, text()));
        }
    }
}

fn exact_tolerance(theirs: f64) -> f64 {
    EXACT + EXACT * theirs.abs()
}

/// `|a - b|`, with equal infinities at distance 0. An infinity on one side only gives NaN, so that
/// no tolerance relative to it can let it pass.
fn difference(a: f64, b: f64) -> f64 {
    let distance = if a == b { 0.0 } else { (a - b).abs() };
    if distance.is_finite() { distance } else { f64::NAN }
}

fn describe(label: &str, a: f64, b: f64, units: f64) -> String {
    format!("{label}: ours {a}, theirs {b}, {units:.3} tolerances")
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
