//! Hardware-aware training: weight modifiers, clipping, remapping.

use aimc_device::RngKey;
use aimc_device::config;
use aimc_testkit::golden::{Comparison, Estimates, GoldenFile, Node};
use aimc_tile::hardware_aware::{WeightClipConfig, WeightModifierConfig, WeightRemapConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::grouped::{self, Estimate, Groups};
use super::{CaseError, SEED, translate};

pub(crate) fn compare(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    match case.str("kind")? {
        "modifier" => modifier(case),
        "clip" => clip(file, case),
        "remap" => remap(file, case),
        kind => Err(CaseError::NotBuilt(format!("kind {kind:?}"))),
    }
}

/// The record of ours that has the fields of `key`.
fn record<T: Serialize + DeserializeOwned + Default>(case: &Node<'_>, key: &str) -> Result<T, CaseError> {
    let known = serde_json::to_value(T::default()).map_err(CaseError::run)?;
    let table = translate::matching(&case.params(key)?, &known, &[])?;
    Ok(config::decode(Value::Object(table))?)
}

/// One modified matrix after another, every row a level.
fn modifier(case: &Node<'_>) -> Result<Comparison, CaseError> {
    let record: WeightModifierConfig = record(case, "modifier")?;
    let record = WeightModifierConfig { literal_res: true, ..record };
    let (levels, columns) = (case.vec_f32("levels")?, case.usize("columns")?);
    // A last column that is left alone has statistics of its own.
    let apart = case.opt("last_column").is_some();
    let counted = columns - usize::from(apart);
    let theirs = case.get("weights")?;
    let calls = match theirs.opt("n") {
        Some(_) => theirs.usize("n")? / counted,
        None => 1,
    };
    let weights: Vec<f32> = levels.iter().flat_map(|level| std::iter::repeat_n(*level, columns)).collect();
    let mut samples = vec![Vec::with_capacity(calls * counted); levels.len()];
    let mut last = vec![Vec::with_capacity(calls); levels.len()];
    for call in 0..calls as u64 {
        let modified = record.modified(&weights, columns, RngKey::root(SEED).fold_in(call));
        for (level, row) in modified.chunks(columns).enumerate() {
            samples[level].extend_from_slice(&row[..counted]);
            last[level].extend_from_slice(&row[counted..]);
        }
    }
    let mut comparison = Comparison::new();
    statistics(&mut comparison, "weights", &samples, &theirs)?;
    fractions_of_zeros(&mut comparison, &samples, &case.vec_f64("fraction_zero")?);
    if apart {
        statistics(&mut comparison, "last_column", &last, &case.get("last_column")?)?;
    }
    Ok(comparison)
}

/// Mean, std and quantiles of every level; only the values themselves where all samples were equal.
fn statistics(
    comparison: &mut Comparison,
    label: &str,
    samples: &[Vec<f32>],
    theirs: &Node<'_>,
) -> Result<(), CaseError> {
    if theirs.opt("n").is_none() {
        let each = theirs.vec_f64("mean")?;
        comparison.rows(label, samples, &each, |c, label, ours, theirs| {
            c.exact(label, ours, &vec![*theirs; ours.len()]);
        });
        return Ok(());
    }
    let size = theirs.usize("n")? / theirs.usize("n_groups")?;
    let groups: Vec<Groups> = samples.iter().map(|samples| Groups::new(samples, size)).collect();
    let of = |estimator: fn(&Groups) -> Estimate| groups.iter().map(estimator).collect::<Vec<_>>();
    grouped::compare(comparison, label, &of(Groups::mean), theirs, "mean", &[])?;
    grouped::compare(comparison, label, &of(Groups::std), theirs, "std", &[])?;
    let levels = theirs.vec_f64("quantile_levels")?;
    for (p, quantiles) in levels.into_iter().zip(theirs.matrix_f64("quantiles")?) {
        comparison.rows(&format!("{label}.quantile {p}"), samples, &quantiles, |c, label, ours, quantile| {
            compare_quantile(c, label, ours, p, *quantile);
        });
    }
    Ok(())
}

/// Whether the p-quantile of their sample is one of ours, too: our share of values below it is at most p, and that of values
/// up to it at least p. This holds for laws with steps as well, whose quantiles jump. Two samples of n differ by a share of
/// standard error √(2p(1-p)/n).
fn compare_quantile(comparison: &mut Comparison, label: &str, ours: &[f32], p: f64, theirs: f64) {
    let n = ours.len() as f64;
    // Half of the exact tolerance on either side of a printed number.
    let width = 0.5e-5 * (1.0 + theirs.abs());
    let share = |limit: f64| ours.iter().filter(|value| f64::from(**value) <= limit).count() as f64 / n;
    let nearest = p.clamp(share(theirs - width), share(theirs + width));
    let se = (p * (1.0 - p) / n).sqrt();
    let (a, b, se) = ([nearest], [p], [se]);
    comparison.statistical(label, Estimates { values: &a, se: &se }, Estimates { values: &b, se: &se });
}

/// The share of zeros of every level, with the error of a share of which one more of either kind was seen.
fn fractions_of_zeros(comparison: &mut Comparison, samples: &[Vec<f32>], theirs: &[f64]) {
    comparison.rows("fraction_zero", samples, theirs, |c, label, samples, theirs| {
        let n = samples.len() as f64;
        let ours = samples.iter().filter(|value| **value == 0.0).count() as f64 / n;
        let se = |p: f64| {
            let p = (p * n + 1.0) / (n + 2.0);
            [(p * (1.0 - p) / n).sqrt()]
        };
        let (a, b) = ([ours], [*theirs]);
        let (ours, theirs) =
            (Estimates { values: &a, se: &se(ours) }, Estimates { values: &b, se: &se(*theirs) });
        c.statistical(label, ours, theirs);
    });
}

/// The matrix of the file, row by row, and the length of a row.
fn matrix(file: &GoldenFile) -> Result<(Vec<f32>, usize), CaseError> {
    let rows: Vec<Vec<f32>> = file.shared("matrix")?.read()?;
    let inputs = rows.first().map_or(0, Vec::len);
    Ok((rows.concat(), inputs))
}

/// Compares `ours` with a matrix of the file.
fn compare_matrix(comparison: &mut Comparison, label: &str, ours: &[f32], theirs: &[Vec<f64>]) {
    comparison.exact(label, ours, &theirs.concat());
}

fn clip(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let record: WeightClipConfig = record(case, "clip")?;
    let (mut weights, inputs) = matrix(file)?;
    let mut comparison = Comparison::new();
    for (call, theirs) in case.cube_f64("w")?.iter().enumerate() {
        if let Some(value) = record.value(&weights, inputs) {
            weights.iter_mut().for_each(|w| *w = w.clamp(-value, value));
        }
        compare_matrix(&mut comparison, &format!("w[{call}]"), &weights, theirs);
    }
    Ok(comparison)
}

fn remap(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let record: WeightRemapConfig = record(case, "remap")?;
    let (mut weights, inputs) = matrix(file)?;
    let mut scales = case.vec_f32("scales_start")?;
    let mut comparison = Comparison::new();
    let all_scales = case.matrix_f64("scales")?;
    let calls = case.cube_f64("w")?;
    comparison.rows("calls", &calls, &all_scales, |c, label, theirs, their_scales| {
        let next = record.scales(&weights, inputs, &scales);
        for ((row, old), new) in weights.chunks_mut(inputs).zip(&scales).zip(&next) {
            row.iter_mut().for_each(|w| *w *= old / new);
        }
        scales = next;
        compare_matrix(c, &format!("{label}.w"), &weights, theirs);
        c.exact(&format!("{label}.scales"), &scales, their_scales);
    });
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use aimc_testkit::golden::GoldenFile;

    use super::compare;

    /// Whether a case with these entries passes, over the matrix [[1, -3], [0.5, 0.25]].
    fn passes(entries: &str) -> bool {
        let text = format!(
            r#"{{"format":"aimc-golden/1","kind":"hwa_stats","doc":"","source":{{}},"matrix":[[1,-3],[0.5,0.25]],
               "cases":[{{"name":"one",{entries}}}]}}"#
        );
        let file = GoldenFile::parse("test.json", &text).unwrap();
        let case = file.each_case().next().unwrap();
        compare(&file, &case).unwrap().verdict().passed
    }

    fn parameters(text: &str) -> String {
        format!(r#"{{"class":"Parameter","non_default":{{{text}}},"resolved":{{{text}}}}}"#)
    }

    #[test]
    fn clipping_and_remapping_by_hand() {
        let clip = |w: &str| {
            let record = parameters(r#""type":"AverageChannelMax""#);
            passes(&format!(r#""kind":"clip","clip":{record},"w":[{w}]"#))
        };
        assert!(clip("[[1,-1.75],[0.5,0.25]]") && !clip("[[1,-1.7],[0.5,0.25]]"));
        let remap = |w: &str, scales: &str| {
            let record = parameters(r#""type":"ChannelwiseSymmetric""#);
            passes(&format!(
                r#""kind":"remap","remap":{record},"scales_start":[2,2],"w":[{w}],"scales":[{scales}]"#
            ))
        };
        let w = "[[0.3333333,-1],[1,0.5]]";
        assert!(remap(w, "[6,1]"));
        assert!(!remap(w, "[6,2]") && !remap("[[0.3333333,-1],[1,0.6]]", "[6,1]"));
    }

    /// Samples of n = 6000 in 60 groups with std σ have errors σ/√n of the mean and σ/√(2n) of the std.
    #[test]
    fn a_wrong_spread_fails() {
        let noise = |std: f64, quantile: f64| {
            let record = parameters(r#""type":"AddNormal","std_dev":0.5"#);
            passes(&format!(
                r#""kind":"modifier","modifier":{record},"levels":[2],"columns":10,"fraction_zero":[0],"exact":false,
                   "weights":{{"n":6000,"n_groups":60,"mean":[2],"std":[{std}],"mean_se":[{}],"std_se":[{}],
                   "quantile_levels":[0.75],"quantiles":[[{quantile}]]}}"#,
                std / 6000_f64.sqrt(),
                std / 12000_f64.sqrt(),
            ))
        };
        // The upper quartile of a normal lies 0.674490 σ above its mean.
        assert!(noise(1.0, 2.674_49) && !noise(1.1, 2.674_49) && !noise(1.0, 2.9));
    }

    /// A quarter of the values is 0: the lower quartile may be 0 or the level.
    #[test]
    fn quantiles_of_steps_may_lie_on_either_side() {
        let dropped = |quantile: f64, zeros: f64| {
            let record = parameters(r#""type":"DropConnect","pdrop":0.25"#);
            let std = 2.0 * (0.25_f64 * 0.75).sqrt();
            passes(&format!(
                r#""kind":"modifier","modifier":{record},"levels":[2],"columns":10,"fraction_zero":[{zeros}],"exact":false,
                   "weights":{{"n":6000,"n_groups":60,"mean":[1.5],"std":[{std}],"mean_se":[0.011],"std_se":[0.007],
                   "quantile_levels":[0.25],"quantiles":[[{quantile}]]}}"#,
            ))
        };
        assert!(dropped(0.0, 0.25) && dropped(2.0, 0.25) && dropped(0.7, 0.25));
        assert!(!dropped(-0.1, 0.25) && !dropped(2.1, 0.25) && !dropped(0.0, 0.3));
    }
}
