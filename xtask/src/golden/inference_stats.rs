//! Programmed devices: conductance conversion, programming noise, drift, read noise, compensation.

use aimc_device::RngKey;
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice};
use aimc_device::rng::label;
use aimc_infer::converter::{Converter, fusion, to_conductances, to_weights};
use aimc_infer::{Compensation, DriftConversion, InferenceTileConfig, ProgrammedTile};
use aimc_testkit::golden::{Comparison, Estimates, GoldenFile, Node};
use aimc_tile::IoConfig;
use nalgebra::DMatrix;

use super::grouped::{self, Estimate, Groups};
use super::{CaseError, SEED, translate};

/// Groups into which samples are divided to find the standard errors of their statistics.
const GROUPS: usize = 50;

pub(crate) fn compare(_file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    match case.str("kind")? {
        "converter" => conversion(case),
        "conductance" => conductances(case),
        "weights" => weights(case),
        "compensation" => compensation(case),
        kind => Err(CaseError::NotBuilt(format!("kind {kind:?}"))),
    }
}

fn conversion(case: &Node<'_>) -> Result<Comparison, CaseError> {
    let params = case.params("converter")?;
    let weights = case.vec_f32("weights")?;
    if params.class == "FusionConductanceConverter" {
        return fusion(case, &weights, params.resolved.f32("g_max")?);
    }
    let (converter, g_max) = translate::converter(&params)?;
    let gain = converter.gain(&weights, g_max);
    let slices = to_conductances(&converter, &weights, gain, g_max);
    let mut comparison = Comparison::new();
    let theirs = case.matrix_f64("conductances")?;
    comparison.rows("conductances", &slices, &theirs, |c, label, a, b| c.exact(label, a, b));
    comparison.exact("scale_ratio", &[gain.scale], &[case.f64("scale_ratio")?]);
    comparison.exact("back", &to_weights(&converter, &slices, gain), &case.vec_f64("back")?);
    Ok(comparison)
}

/// The export for a chip that keeps signs digitally.
fn fusion(case: &Node<'_>, weights: &[f32], g_max: f32) -> Result<Comparison, CaseError> {
    let g = fusion::conductances(weights, g_max);
    let back = fusion::weights(&g, weights);
    let mut comparison = Comparison::new();
    let theirs = case.matrix_f64("conductances")?;
    comparison.rows("conductances", &[g], &theirs, |c, label, a, b| c.exact(label, a, b));
    comparison.exact("back", &back, &case.vec_f64("back")?);
    Ok(comparison)
}

/// The equations of the device alone: drift starts exactly from g, its exponent is drawn from g.
fn conductances(case: &Node<'_>) -> Result<Comparison, CaseError> {
    let (device, _) = translate::programmed_device(&case.params("noise_model")?)?;
    let rows = Rows::read(case)?;
    let (g, n) = (case.vec_f32("g")?, rows.n);
    let targets = repeated(&g, n);
    let key = RngKey::root(SEED);
    let programmed = ProgrammedArray::program(&device, &targets, n, key);
    let mut comparison = Comparison::new();
    rows.compare(&mut comparison, "prog", programmed.conductances(), &case.get("prog")?)?;
    if let Some(theirs) = case.opt("nu") {
        rows.compare(&mut comparison, "nu", programmed.drift_exponents(), &theirs)?;
    }
    let drifting = ProgrammedArray::from_parts(targets.clone(), programmed.drift_exponents().to_vec(), n);
    let still = ProgrammedArray::from_parts(targets, vec![0.0; g.len() * n], n);
    for (i, row) in case.get("drift")?.items()?.into_iter().enumerate() {
        let t = row.f32("t_inference")?;
        let key = key.fold_in(label("time")).fold_in(i as u64);
        let at = format!("drift[t={t}]");
        rows.compare(&mut comparison, &at, &drifting.read(&device, t, key), &row)?;
        if row.opt("read_noise_std").is_none() {
            continue;
        }
        let noise = still.read(&device, t, key.fold_in(label("still")));
        let stds: Vec<Estimate> = rows.groups(&noise).iter().map(Groups::std).collect();
        grouped::compare(&mut comparison, &at, &stds, &row, "read_noise_std", &[])?;
    }
    Ok(comparison)
}

/// Weights after programming and, converted a second time as AIHWKit does, after drift.
fn weights(case: &Node<'_>) -> Result<Comparison, CaseError> {
    let (device, converter) = translate::programmed_device(&case.params("noise_model")?)?;
    let rows = Rows::read(case)?;
    let n = rows.n;
    let targets = repeated(&case.vec_f32("targets")?, n);
    let key = RngKey::root(SEED);
    let gain = converter.gain(&targets, device.g_max());
    let slices: Vec<ProgrammedArray> = to_conductances(&converter, &targets, gain, device.g_max())
        .iter()
        .enumerate()
        .map(|(i, g)| ProgrammedArray::program(&device, g, n, key.fold_in(i as u64)))
        .collect();
    let held: Vec<&[f32]> = slices.iter().map(ProgrammedArray::conductances).collect();
    let programmed = to_weights(&converter, &held, gain);
    let mut comparison = Comparison::new();
    rows.compare(&mut comparison, "prog", &programmed, &case.get("prog")?)?;
    let exponents = case.opt("nu").map(|nu| nu.items()).transpose()?.unwrap_or_default();
    for (i, theirs) in exponents.into_iter().enumerate() {
        rows.compare(&mut comparison, &format!("nu[{i}]"), slices[i].drift_exponents(), &theirs)?;
    }
    // The scale of the second conversion is made of extremes of the sample; they are part of the case.
    let gain = converter.gain(&case.vec_f32("programmed_range")?, device.g_max());
    let drifting: Vec<ProgrammedArray> = to_conductances(&converter, &programmed, gain, device.g_max())
        .into_iter()
        .zip(&slices)
        .map(|(g, slice)| ProgrammedArray::from_parts(g, slice.drift_exponents().to_vec(), n))
        .collect();
    for (i, row) in case.get("drift")?.items()?.into_iter().enumerate() {
        let t = row.f32("t_inference")?;
        let key = key.fold_in(label("time")).fold_in(i as u64);
        let read: Vec<Vec<f32>> = drifting
            .iter()
            .enumerate()
            .map(|(slice, array)| array.read(&device, t, key.fold_in(slice as u64)))
            .collect();
        rows.compare(&mut comparison, &format!("drift[t={t}]"), &to_weights(&converter, &read, gain), &row)?;
    }
    Ok(comparison)
}

/// Drift compensation factors over repeated programming, with perfect products.
fn compensation(case: &Node<'_>) -> Result<Comparison, CaseError> {
    let (device, converter) = translate::programmed_device(&case.params("noise_model")?)?;
    let config = InferenceTileConfig {
        device,
        converter,
        forward: IoConfig::perfect(),
        compensation: compensation_scheme(case.str("compensation")?)?,
        drift_conversion: DriftConversion::Reconverted,
        ..InferenceTileConfig::default()
    };
    let tensor = case.tensor("weights")?;
    let weights = DMatrix::from_row_slice(tensor.shape[0], tensor.shape[1], &tensor.data);
    let times = case.vec_f32("t_inference")?;
    let n = case.usize("n")?;
    let mut alphas = vec![Vec::with_capacity(n); times.len()];
    for repeat in 0..n as u64 {
        let key = RngKey::root(SEED).fold_in(repeat);
        let tile = ProgrammedTile::program(&weights, &config, key).map_err(CaseError::run)?;
        for (i, (&t, alphas)) in times.iter().zip(&mut alphas).enumerate() {
            let tile = tile.at(t, key.fold_in(label("read")).fold_in(i as u64)).map_err(CaseError::run)?;
            alphas.push(tile.alpha().to_vec());
        }
    }
    let mut comparison = Comparison::new();
    let (means, stds) = (case.matrix_f64("alpha_mean")?, case.matrix_f64("alpha_std")?);
    for (i, alphas) in alphas.iter().enumerate() {
        for (output, (&mean, &std)) in means[i].iter().zip(&stds[i]).enumerate() {
            let ours: Vec<f64> = alphas.iter().map(|alpha: &Vec<f32>| f64::from(alpha[output])).collect();
            let label = format!("[t={}][{output}]", times[i]);
            factor(&mut comparison, &label, &ours, mean, std);
        }
    }
    Ok(comparison)
}

/// Mean and std of a compensation factor over programming events.
fn factor(comparison: &mut Comparison, label: &str, alphas: &[f64], mean: f64, std: f64) {
    let (ours, n) = (super::training::group(alphas), alphas.len() as f64);
    let (mean_se, std_se) = (|std: f64| std / n.sqrt(), |std: f64| std / (2.0 * n).sqrt());
    let mut both = |name: &str, a: f64, b: f64, se: [f64; 2]| {
        let label = format!("{name}{label}");
        let ours = Estimates { values: &[a], se: &se[..1] };
        comparison.statistical(&label, ours, Estimates { values: &[b], se: &se[1..] });
    };
    both("alpha_mean", ours.mean, mean, [mean_se(ours.std), mean_se(std)]);
    both("alpha_std", ours.std, std, [std_se(ours.std), std_se(std)]);
}

/// The compensation of that AIHWKit class.
pub(crate) fn compensation_scheme(class: &str) -> Result<Compensation, CaseError> {
    match class {
        "GlobalDriftCompensation" => Ok(Compensation::Global),
        "GlobalDriftCompensationWithExactReference" => Ok(Compensation::GlobalWithExactReference),
        "PerColumnDriftCompensation" => Ok(Compensation::PerColumn),
        class => Err(CaseError::NotBuilt(format!("compensation {class}"))),
    }
}

/// Every value `n` times, value after value.
fn repeated(values: &[f32], n: usize) -> Vec<f32> {
    values.iter().flat_map(|&value| std::iter::repeat_n(value, n)).collect()
}

/// How the samples of a case are laid out: rows of `n`, one row per target.
struct Rows {
    n: usize,
    quantile_levels: Vec<f64>,
}

impl Rows {
    fn read(case: &Node<'_>) -> Result<Self, CaseError> {
        Ok(Self { n: case.usize("n")?, quantile_levels: case.vec_f64("quantile_levels")? })
    }

    fn groups(&self, values: &[f32]) -> Vec<Groups> {
        values.chunks(self.n).map(|samples| Groups::new(samples, self.n / GROUPS)).collect()
    }

    /// Mean and std of every row, and its quantiles where the file has them.
    fn compare(
        &self,
        comparison: &mut Comparison,
        label: &str,
        values: &[f32],
        theirs: &Node<'_>,
    ) -> Result<(), CaseError> {
        let groups = self.groups(values);
        let of = |estimator: fn(&Groups) -> Estimate| groups.iter().map(estimator).collect::<Vec<_>>();
        grouped::compare(comparison, label, &of(Groups::mean), theirs, "mean", &[])?;
        grouped::compare(comparison, label, &of(Groups::std), theirs, "std", &[])?;
        let Some(quantiles) = theirs.opt("quantiles") else { return Ok(()) };
        for (row, (groups, quantiles)) in groups.iter().zip(quantiles.items()?).enumerate() {
            for (&level, theirs) in self.quantile_levels.iter().zip(quantiles.read::<Vec<f64>>()?) {
                // The file gives no error of quantiles; both sides have equally many samples, hence the same one.
                let ours = groups.quantile(level);
                let (value, se) = ([ours.value], [ours.se]);
                let (a, b) =
                    (Estimates { values: &value, se: &se }, Estimates { values: &[theirs], se: &se });
                comparison.statistical(&format!("{label}.quantile {level} [{row}]"), a, b);
            }
        }
        Ok(())
    }
}
