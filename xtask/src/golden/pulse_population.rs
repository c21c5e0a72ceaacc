//! Distribution of weights and constants over a population of devices.

use aimc_device::RngKey;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_device::rng::label;
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::UnitCell;

use super::grouped::{self, Groups};
use super::{CaseError, SEED, translate};

pub(crate) fn compare(_file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let params = case.params("device")?;
    let UnitCell::Pulsed(device) = translate::unit_cell(&params)? else {
        return Err(CaseError::NotBuilt("population of ideal storage".into()));
    };
    // One row per group: rows are fabricated and pulsed from streams of their own.
    let groups = case.usize("weight.n_groups")?;
    let size = case.usize("n_devices")? / groups;
    let key = RngKey::root(SEED);
    let mut array = device.build(groups, size, key)?;
    array.set_weights(&vec![case.f32("w_start")?; groups * size], key.fold_in(label("start")));
    let n_up = case.usize("n_up")?;
    let marks = case.vec_usize("pulse")?;
    let (mut weights, mut persistent, mut done) = (Vec::new(), Vec::new(), 0);
    for &mark in &marks {
        let ups = mark.min(n_up).saturating_sub(done);
        let downs = mark - done - ups;
        pulse(array.as_mut(), ups, Direction::Up, key.fold_in(done as u64));
        pulse(array.as_mut(), downs, Direction::Down, key.fold_in((done + ups) as u64));
        done = mark;
        weights.push(Groups::new(array.weights(), size));
        persistent.push(Groups::new(array.persistent_weights(), size));
    }
    let mut comparison = Comparison::new();
    compare_series(&mut comparison, "weight", &weights, &case.get("weight")?)?;
    if let Some(theirs) = case.opt("persistent") {
        compare_series(&mut comparison, "persistent", &persistent, &theirs)?;
    }
    compare_constants(&mut comparison, array.as_ref(), size, case)?;
    Ok(comparison)
}

fn pulse(array: &mut dyn DeviceArray, count: usize, direction: Direction, key: RngKey) {
    let columns: Vec<u32> = (0..array.shape().1 as u32).collect();
    array.for_each_row(count > 0, &|row, port| {
        let mut draws = key.stream(row as u64);
        for _ in 0..count {
            port.pulse(&columns, direction, &mut draws);
        }
    });
}

/// A series of checkpoints against arrays over checkpoints; quantiles are one row per level.
fn compare_series(
    comparison: &mut Comparison,
    label: &str,
    ours: &[Groups],
    theirs: &Node<'_>,
) -> Result<(), CaseError> {
    let of = |estimator: fn(&Groups) -> grouped::Estimate| ours.iter().map(estimator).collect::<Vec<_>>();
    grouped::compare(comparison, label, &of(Groups::mean), theirs, "mean", &[])?;
    grouped::compare(comparison, label, &of(Groups::std), theirs, "std", &[])?;
    let levels = theirs.vec_f64("quantile_levels")?;
    let quantiles: Vec<_> =
        levels.iter().flat_map(|&level| ours.iter().map(move |groups| groups.quantile(level))).collect();
    grouped::compare(comparison, label, &quantiles, theirs, "quantiles", &[])
}

fn compare_constants(
    comparison: &mut Comparison,
    array: &dyn DeviceArray,
    size: usize,
    case: &Node<'_>,
) -> Result<(), CaseError> {
    let levels = case.vec_f64("weight.quantile_levels")?;
    let ours: Vec<(&str, Groups)> =
        array.constants().into_iter().map(|(name, values)| (name, Groups::new(&values, size))).collect();
    let find = |name: &str| {
        let found = ours.iter().find(|(ours, _)| *ours == name);
        found.map(|(_, groups)| groups).ok_or_else(|| CaseError::NotBuilt(format!("device constant {name}")))
    };
    for (name, theirs) in case.get("hidden_parameters")?.entries()? {
        let groups = find(name)?;
        grouped::compare(comparison, name, &[groups.mean()], &theirs, "mean", &[])?;
        grouped::compare(comparison, name, &[groups.std()], &theirs, "std", &[])?;
        let quantiles: Vec<_> = levels.iter().map(|&level| groups.quantile(level)).collect();
        grouped::compare(comparison, name, &quantiles, &theirs, "quantiles", &[])?;
    }
    let Some(correlation) = case.opt("hidden_correlation") else { return Ok(()) };
    let names = correlation.vec_string("names")?;
    for (name, row) in names.iter().zip(correlation.matrix_f64("matrix")?) {
        for (other, theirs) in names.iter().zip(row).filter(|(other, _)| *other != name) {
            let ours = find(name)?.correlation(find(other)?);
            // The file gives no error; both sides have the same number of groups, hence the same error.
            let label = format!("correlation {name} {other}");
            let estimate = |value| aimc_testkit::golden::GroupMean { mean: value, std: ours.se, n: 1 };
            comparison.training(&label, estimate(ours.value), estimate(theirs), 0.0);
        }
    }
    Ok(())
}
