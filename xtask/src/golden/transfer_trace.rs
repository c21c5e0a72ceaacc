//! Training algorithms and unit cells step by step, without any randomness: weights and hidden quantities after every
//! update.

use aimc_device::RngKey;
use aimc_device::state::{State, Values};
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::{IoConfig, SampleKeys, Shape, TrainableTile};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;

use super::{CaseError, SEED, translate};

pub(crate) fn compare(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let (algorithm, device) = translate::learning_cell(&case.params("device")?)?;
    let config = TrainingTileConfig {
        algorithm,
        device,
        forward: IoConfig::perfect(),
        backward: IoConfig::perfect(),
        update: translate::update(&case.params("update")?)?,
        ..TrainingTileConfig::default()
    };
    let inputs = file.shared("inputs")?.get(case.str("inputs")?)?;
    let (x, d) = (inputs.cube_f32("x")?, inputs.cube_f32("d")?);
    let theirs = case.cube_f64("w")?;
    let shape = Shape { outputs: theirs[0].len(), inputs: theirs[0].first().map_or(0, Vec::len) };
    let mut tile = config.build(shape, RngKey::root(SEED))?;
    let mut comparison = Comparison::new();
    let mut draws = SampleKeys::new(RngKey::root(SEED));
    compare_step(&mut comparison, tile.as_ref(), case, &theirs, 0)?;
    for (step, (x, d)) in x.iter().zip(&d).enumerate() {
        let lr = match case.opt("lr_schedule") {
            Some(_) => case.vec_f32("lr_schedule")?[step],
            None => case.f32("lr")?,
        };
        let (x, d) = (samples(x), samples(d));
        tile.update(x.as_view(), d.as_view(), lr, draws).map_err(CaseError::run)?;
        draws = draws.skip(x.ncols() as u64);
        compare_step(&mut comparison, tile.as_ref(), case, &theirs, step + 1)?;
    }
    Ok(comparison)
}

/// Rows of a file as columns.
fn samples(rows: &[Vec<f32>]) -> DMatrix<f32> {
    DMatrix::from_fn(rows.first().map_or(0, Vec::len), rows.len(), |i, j| rows[j][i])
}

fn compare_step(
    comparison: &mut Comparison,
    tile: &dyn TrainableTile,
    case: &Node<'_>,
    theirs: &[Vec<Vec<f64>>],
    step: usize,
) -> Result<(), CaseError> {
    let rows = |matrix: &DMatrix<f32>| -> Vec<Vec<f32>> {
        matrix.row_iter().map(|row| row.iter().copied().collect()).collect()
    };
    let exact = |comparison: &mut Comparison, label: &str, ours: &DMatrix<f32>, theirs: &[Vec<f64>]| {
        comparison.rows(label, &rows(ours), theirs, |c, label, a, b| c.exact(label, a, b));
    };
    exact(comparison, &format!("w[{step}]"), &tile.weights(), &theirs[step]);
    let (state, shape) = (tile.state(), tile.shape());
    let device = case.params("device")?.resolved;
    let by_columns = device.opt("transfer_columns").map_or(Ok(true), |columns| columns.read())?;
    for (name, node) in case.get("hidden")?.entries()? {
        let theirs = node.read::<Vec<Vec<Vec<f64>>>>()?;
        let ours = hidden(&state, name, shape, by_columns)?;
        exact(comparison, &format!("{name}[{step}]"), &ours, &theirs[step]);
    }
    Ok(())
}

/// A hidden quantity of AIHWKit in our state.
fn hidden(state: &State, name: &str, shape: Shape, by_columns: bool) -> Result<DMatrix<f32>, CaseError> {
    let find = |suffix: &str| {
        let found = state.iter().find(|(path, _)| path.ends_with(suffix));
        found.and_then(|(_, values)| match values {
            Values::Floats(values) => Some(values.clone()),
            Values::Counts(_) => None,
        })
    };
    let missing = || CaseError::NotBuilt(format!("hidden quantity {name}"));
    let Shape { outputs, inputs } = shape;
    let by_rows = |values: Vec<f32>| DMatrix::from_row_slice(outputs, inputs, &values);
    if let Some(k) = name.strip_prefix("hidden_weights_") {
        let paths = if k == "chi" {
            vec!["chi".to_owned()]
        } else {
            vec![format!("array{k}.devices.persistent"), format!("device{k}.persistent")]
        };
        return paths.iter().find_map(|path| find(path)).map(by_rows).ok_or_else(missing);
    }
    let names = match name {
        "running_mean_weight" => vec!["mean".to_owned()],
        "past_mean_weight" => vec!["reference".to_owned()],
        name => vec![name.replace("buffered_FP_weight_", "buffer"), "buffer".to_owned()],
    };
    let values = names.iter().find_map(|name| find(&format!("rule.{name}"))).ok_or_else(missing)?;
    // Buffers are stored slice by slice: columns or rows.
    Ok(if by_columns { DMatrix::from_column_slice(outputs, inputs, &values) } else { by_rows(values) })
}
