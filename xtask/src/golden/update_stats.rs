//! Statistics of one pulsed outer-product update.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_testkit::golden::{Comparison, GoldenFile, GroupMean, Node};
use aimc_tile::UnitCell;
use aimc_tile::pulse::management::TrainPlan;
use aimc_tile::{IoConfig, ReadOut, SampleKeys, Shape, Tile, TileConfig};
use nalgebra::{DMatrix, DVector};

use super::grouped::{self, Groups};
use super::{CaseError, SEED, translate};

/// AIHWKit's uniform numbers are multiples of 1/32767: its pulse probabilities are off by up to this much.
const COARSE: f64 = 1.0 / 32_767.0;

/// What a case updates, and how.
struct Setup {
    config: TileConfig,
    x: DVector<f32>,
    d: DVector<f32>,
    lr: f32,
    start: f32,
}

pub(crate) fn compare(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let vectors = file.shared("vectors")?.get(case.str("vectors")?)?;
    let setup = Setup {
        config: TileConfig {
            device: translate::unit_cell(&case.params("device")?)?,
            forward: IoConfig::perfect(),
            backward: IoConfig::perfect(),
            update: translate::update(&case.params("update")?)?,
        },
        x: vectors.vec_f32("x")?.into(),
        d: vectors.vec_f32("d")?.into(),
        lr: case.f32("lr")?,
        start: case.f32("w_start")?,
    };
    let theirs = case.get("dw")?;
    let groups = theirs.usize("n_groups")?;
    let changes = simulate(&setup, theirs.usize("n")?)?;
    let elements: Vec<Groups> =
        changes.iter().map(|samples| Groups::new(samples, samples.len() / groups)).collect();
    let of = |estimator: fn(&Groups) -> grouped::Estimate| elements.iter().map(estimator).collect::<Vec<_>>();
    let mut comparison = Comparison::new();
    let slack = probability_slack(&setup);
    grouped::compare(&mut comparison, "dw", &of(Groups::mean), &theirs, "mean", &slack.mean)?;
    if case.bool("exact")? {
        return Ok(comparison);
    }
    grouped::compare(&mut comparison, "dw", &of(Groups::std), &theirs, "std", &slack.std)?;
    grouped::compare(&mut comparison, "dw", &of(Groups::skew), &theirs, "skew", &[])?;
    compare_correlations(&mut comparison, &elements, case)?;
    Ok(comparison)
}

/// Changes of every element, row by row: `n` repeats each.
fn simulate(setup: &Setup, n: usize) -> Result<Vec<Vec<f32>>, CaseError> {
    let shape = Shape { outputs: setup.d.len(), inputs: setup.x.len() };
    let key = RngKey::root(SEED);
    let mut tile = setup.config.build(shape, key)?;
    let start = DMatrix::from_element(shape.outputs, shape.inputs, setup.start);
    let mut changes = vec![Vec::with_capacity(n); shape.outputs * shape.inputs];
    let draws = SampleKeys::new(key.fold_in(label("repeats")));
    for repeat in 0..n as u64 {
        tile.set_weights(&start, key).map_err(CaseError::run)?;
        let before = tile.weights();
        let (x, d) = (setup.x.as_view(), setup.d.as_view());
        tile.update(x, d, setup.lr, draws.skip(repeat)).map_err(CaseError::run)?;
        let change = (tile.weights() - before).transpose();
        changes.iter_mut().zip(change.iter()).for_each(|(all, change)| all.push(*change));
    }
    Ok(changes)
}

struct Slack {
    mean: Vec<f64>,
    std: Vec<f64>,
}

/// How far coarse pulse probabilities px, pd move mean and std of n ~ Binomial(BL, px·pd) pulses of size G:
/// δ(px·pd) = (px + pd)/32767, δmean = G·BL·δ, δstd = |∂std/∂π|·δ with std² = G²·BL·π(1-π).
fn probability_slack(setup: &Setup) -> Slack {
    let granularity = match &setup.config.device {
        UnitCell::Pulsed(device) => device.granularity(),
        UnitCell::Compound(_) => return Slack { mean: Vec::new(), std: Vec::new() },
    };
    let plan = TrainPlan::new(&setup.config.update, setup.lr, granularity, setup.x.amax(), setup.d.amax());
    let Some(plan) = plan else { return Slack { mean: Vec::new(), std: Vec::new() } };
    let (mut mean, mut std) = (Vec::new(), Vec::new());
    let (length, size) = (f64::from(plan.length), f64::from(granularity));
    for d in &setup.d {
        for x in &setup.x {
            let px = (f64::from(x.abs()) * plan.x_scale).min(1.0);
            let pd = (f64::from(d.abs()) * plan.d_scale).min(1.0);
            let (p, delta) = (px * pd, (px + pd) * COARSE);
            mean.push(size * length * delta);
            let spread = (length * p * (1.0 - p)).sqrt();
            std.push(if spread > 0.0 {
                size * length * (1.0 - 2.0 * p).abs() * delta / (2.0 * spread)
            } else {
                0.0
            });
        }
    }
    Slack { mean, std }
}

fn compare_correlations(
    comparison: &mut Comparison,
    ours: &[Groups],
    case: &Node<'_>,
) -> Result<(), CaseError> {
    for (i, row) in case.matrix_f64("correlation")?.into_iter().enumerate() {
        for (j, theirs) in row.into_iter().enumerate().filter(|(j, _)| *j != i) {
            let estimate = ours[i].correlation(&ours[j]);
            // The file gives no error; both sides have the same number of groups, hence the same error.
            let group = |value| GroupMean { mean: value, std: estimate.se, n: 1 };
            comparison.training(&format!("correlation[{i}][{j}]"), group(estimate.value), group(theirs), 0.0);
        }
    }
    Ok(())
}
