//! Statistics of samples in independent groups, with standard errors from the spread between groups.
//!
//! The same estimators as those that made the golden data, so that both sides err alike.

use aimc_testkit::golden::{Comparison, Estimates, Node};

use super::CaseError;
use aimc_infer::quantile::quantile;

/// Estimates of one quantity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) se: f64,
}

/// Samples of one quantity, group by group.
pub(crate) struct Groups {
    groups: Vec<Vec<f64>>,
    mean: f64,
    std: f64,
}

impl Groups {
    /// `samples` holds the groups one after another, `size` samples each.
    pub(crate) fn new(samples: &[f32], size: usize) -> Self {
        let groups: Vec<Vec<f64>> =
            samples.chunks(size).map(|group| group.iter().map(|&v| f64::from(v)).collect()).collect();
        let n = samples.len() as f64;
        let mean = samples.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let square = samples.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        // Equal samples have no spread; f64 sums of them may leave some.
        let equal = samples.iter().all(|v| *v == samples[0]);
        Self { groups, mean, std: if equal { 0.0 } else { (square / (n - 1.0)).sqrt() } }
    }

    pub(crate) fn mean(&self) -> Estimate {
        Estimate { value: self.mean, se: if self.std > 0.0 { self.spread(mean) } else { 0.0 } }
    }

    pub(crate) fn std(&self) -> Estimate {
        if self.std == 0.0 {
            return Estimate::default();
        }
        let variance = |group: &[f64]| central_moment(group, self.mean, 2);
        Estimate { value: self.std, se: self.spread(variance) / (2.0 * self.std) }
    }

    pub(crate) fn skew(&self) -> Estimate {
        if self.std == 0.0 {
            return Estimate::default();
        }
        let scale = self.std.powi(3);
        let third = |group: &[f64]| central_moment(group, self.mean, 3) / scale;
        let all = self.groups.iter().map(|group| third(group)).sum::<f64>() / self.groups.len() as f64;
        Estimate { value: all, se: self.spread(third) }
    }

    pub(crate) fn quantile(&self, level: f64) -> Estimate {
        let mut all: Vec<f64> = self.groups.concat();
        all.sort_by(f64::total_cmp);
        let of_group = |group: &[f64]| {
            let mut group = group.to_vec();
            group.sort_by(f64::total_cmp);
            quantile(&group, level)
        };
        Estimate { value: quantile(&all, level), se: self.spread(of_group) }
    }

    /// Correlation with another quantity of the same samples; 0 where one of them is constant.
    ///
    /// Its error is that of the jackknife over groups (a single extreme sample may make the correlation of
    /// heavy-tailed quantities), and at least that of n independent normal pairs, (1 - r²)/√n.
    pub(crate) fn correlation(&self, other: &Self) -> Estimate {
        if self.std == 0.0 || other.std == 0.0 {
            return Estimate::default();
        }
        let parts: Vec<[f64; 6]> =
            self.groups.iter().zip(&other.groups).map(|(a, b)| sums(a, b, self.mean, other.mean)).collect();
        let total = parts.iter().fold([0.0; 6], |total, part| add(total, part, 1.0));
        let value = correlation(&total);
        let left_out: Vec<f64> = parts.iter().map(|part| correlation(&add(total, part, -1.0))).collect();
        let groups = parts.len() as f64;
        let jackknife = standard_error(&left_out) * (groups - 1.0);
        Estimate { value, se: jackknife.max((1.0 - value * value) / total[0].sqrt()) }
    }

    fn spread(&self, estimator: impl Fn(&[f64]) -> f64) -> f64 {
        standard_error(&self.groups.iter().map(|group| estimator(group)).collect::<Vec<_>>())
    }
}

/// Number, sums, squares and products of pairs about the given centers.
fn sums(a: &[f64], b: &[f64], center_a: f64, center_b: f64) -> [f64; 6] {
    let mut sums = [0.0; 6];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - center_a, b - center_b);
        sums = add(sums, &[1.0, a, b, a * a, b * b, a * b], 1.0);
    }
    sums
}

fn add(mut total: [f64; 6], part: &[f64; 6], sign: f64) -> [f64; 6] {
    total.iter_mut().zip(part).for_each(|(total, part)| *total += sign * part);
    total
}

fn correlation(&[n, a, b, aa, bb, ab]: &[f64; 6]) -> f64 {
    (ab - a * b / n) / ((aa - a * a / n) * (bb - b * b / n)).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn central_moment(values: &[f64], center: f64, order: i32) -> f64 {
    values.iter().map(|v| (v - center).powi(order)).sum::<f64>() / values.len() as f64
}

fn standard_error(estimates: &[f64]) -> f64 {
    let n = estimates.len() as f64;
    (central_moment(estimates, mean(estimates), 2) / (n - 1.0)).sqrt()
}

/// Compares our estimates with `theirs.{key}` and `theirs.{key}_se`, in the order of the golden arrays.
pub(crate) fn compare(
    comparison: &mut Comparison,
    label: &str,
    ours: &[Estimate],
    theirs: &Node<'_>,
    key: &str,
    slack: &[f64],
) -> Result<(), CaseError> {
    let (values, se) = (flat(&theirs.get(key)?)?, flat(&theirs.get(&format!("{key}_se"))?)?);
    let our_values: Vec<f64> = ours.iter().map(|estimate| estimate.value).collect();
    let our_se: Vec<f64> = ours.iter().map(|estimate| estimate.se).collect();
    let (a, b) = (Estimates { values: &our_values, se: &our_se }, Estimates { values: &values, se: &se });
    let label = format!("{label}.{key}");
    if slack.is_empty() {
        comparison.statistical(&label, a, b);
    } else {
        comparison.statistical_with_slack(&label, a, b, slack);
    }
    Ok(())
}

/// All numbers of nested lists, in order.
pub(crate) fn flat(node: &Node<'_>) -> Result<Vec<f64>, CaseError> {
    match node.items() {
        Ok(items) => items.iter().map(flat).collect::<Result<Vec<_>, _>>().map(|parts| parts.concat()),
        Err(_) => Ok(vec![node.read()?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_by_hand() {
        let groups = Groups::new(&[1.0, 3.0, 5.0, 7.0], 2);
        assert_eq!((groups.mean().value, groups.mean().se), (4.0, 2.0));
        assert!((groups.std().value - (20.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(groups.quantile(0.5).value, 4.0);
        assert_eq!(groups.skew().value, 0.0);
        let same = Groups::new(&[0.1; 6], 2);
        assert_eq!((same.std().value, same.mean().se), (0.0, 0.0));
        assert_eq!(same.correlation(&same).value, 0.0);
        assert!((groups.correlation(&groups).value - 1.0).abs() < 1e-12);
    }
}
