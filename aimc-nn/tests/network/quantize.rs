//! Rounding between layers: ranges, gradients, learned steps.
use aimc_device::{RngKey, config};
use aimc_nn::quantize::range_search::SearchMethod;
use aimc_nn::quantize::{Quantiser, RangeEstimator, RangeSearch};
use aimc_nn::{Layer, LayerError, Network, NetworkConfig, Quantize};
use aimc_testkit::strategies;
use aimc_tile::{IdealTile, SampleKeys};
use nalgebra::DMatrix;
use proptest::prelude::*;

fn draws() -> SampleKeys {
    SampleKeys::new(RngKey::root(1))
}

fn normals(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * columns];
    RngKey::root(seed).stream(0).fill_normal(&mut values);
    DMatrix::from_vec(rows, columns, values)
}

/// A network of a quantiser of two features and what follows it.
fn network(quantiser: &str, more: &str) -> Network<IdealTile> {
    let text = format!("input = [2]\nlayers = [{{ layer = \"Quantize\", {quantiser} }}{more}]");
    let record: NetworkConfig = config::from_toml(&text).unwrap();
    record.build(RngKey::root(1), |place| IdealTile::new(place.shape)).unwrap()
}

fn quantize(network: &Network<IdealTile>) -> &Quantize {
    let Layer::Quantize(layer) = &network.layers[0] else { panic!("the first layer rounds") };
    layer
}

/// One training step with the errors `d`; gives the output.
fn step(network: &mut Network<IdealTile>, x: &DMatrix<f32>, d: &DMatrix<f32>, lr: f32) -> DMatrix<f32> {
    let trace = network.trace(x.as_view(), draws()).unwrap();
    let gradients = network.backward(&trace, d.clone(), draws()).unwrap();
    network.update(&gradients, lr, draws()).unwrap();
    trace.output().clone()
}

fn batch(values: &[f32]) -> DMatrix<f32> {
    DMatrix::from_column_slice(2, values.len() / 2, values)
}

/// Range = min and max of the batch, of all batches, or m·old + (1 - m)·new; always around 0.
#[test]
fn ranges_follow_their_rule() {
    let batches = [batch(&[-1.0, 2.0]), batch(&[-3.0, 1.0, 0.5, 0.25]), batch(&[0.5, 0.75])];
    let after = |rule: &str| -> Vec<(f32, f32)> {
        let mut network = network(&format!("n_bits = 8, range_estimator = {{ {rule} }}"), "");
        let follow = |x: &DMatrix<f32>| {
            step(&mut network, x, &x.clone(), 0.1);
            quantize(&network).range().unwrap()
        };
        batches.iter().map(follow).collect()
    };
    assert_eq!(after("model = \"CurrentMinMax\""), [(-1.0, 2.0), (-3.0, 1.0), (0.0, 0.75)]);
    assert_eq!(after("model = \"AllMinMax\""), [(-1.0, 2.0), (-3.0, 2.0), (-3.0, 2.0)]);
    let running = after("model = \"RunningMinMax\", momentum = 0.5");
    assert_eq!(running, [(-1.0, 2.0), (-2.0, 1.5), (-1.0, 1.125)]);
}

/// The error of a running range falls by its momentum with every batch.
#[test]
fn running_ranges_converge_geometrically() {
    let mut network = network("n_bits = 8", "");
    let (first, constant) = (batch(&[-8.0, 8.0]), batch(&[-1.0, 1.0]));
    step(&mut network, &first, &first.clone(), 0.1);
    for k in 1..=30 {
        step(&mut network, &constant, &constant.clone(), 0.1);
        let (low, high) = quantize(&network).range().unwrap();
        let expected = 1.0 + 7.0 * 0.9_f64.powi(k);
        // Each step rounds 1 - momentum, a product and a sum of numbers below 8.
        let bound = f64::from(3.0 * k as f32 * 8.0 * f32::EPSILON);
        assert!((f64::from(high) - expected).abs() <= bound && low == -high, "batch {k}: {high}");
    }
}

/// Range = the 10th and the 90th percentile, extended to 0.
#[test]
fn percentiles_leave_outliers_out() {
    let x = DMatrix::from_fn(1, 101, |_, i| i as f32 - 50.0);
    let estimator: RangeEstimator =
        config::from_toml("model = \"CurrentMinMax\"\npercentile = 10.0").unwrap();
    assert_eq!(estimator.of_batch(&x, 8, true), (-40.0, 40.0));
    // The range always holds 0.
    assert_eq!(estimator.of_batch(&x.map(|x| x + 100.0), 8, true), (0.0, 140.0));
}

fn squared_error(x: &DMatrix<f32>, bits: u32, symmetric: bool, range: (f32, f32)) -> f64 {
    let grid = Quantiser::new(bits, symmetric, range);
    x.iter().map(|x| f64::from(grid.value(*x) - x).powi(2)).sum()
}

proptest! {
    #![proptest_config(strategies::config(48))]

    /// A search is never worse than the extremes, and a grid never worse than any range on it.
    #[test]
    fn searched_ranges_beat_the_extremes(
        seed in 0_u64..1000, bits in 2_u32..5, symmetric in any::<bool>(), shift in -1.0_f32..1.0, grid in any::<bool>(),
    ) {
        let x = normals(3, 40, seed).map(|x| x + shift);
        let extremes = x.iter().fold((0.0_f32, 0.0_f32), |(low, high), x| (low.min(*x), high.max(*x)));
        let method = if grid { SearchMethod::Grid } else { SearchMethod::GoldenSection };
        let search = RangeSearch { method, num_candidates: 40, ..RangeSearch::default() };
        let found = RangeEstimator::Mse(search.clone()).of_batch(&x, bits, symmetric);
        let least = squared_error(&x, bits, symmetric, found);
        prop_assert!(least <= squared_error(&x, bits, symmetric, extremes));
        if grid {
            let largest = extremes.1.max(-extremes.0);
            for k in 1..=40 {
                let t = (1.0 + 0.5 / largest) * k as f32 / 40.0;
                let tried = (t * extremes.0, t * extremes.1);
                prop_assert!(least <= squared_error(&x, bits, symmetric, tried));
            }
        }
        let logits = RangeEstimator::CrossEntropy(search);
        let loss = |range: (f32, f32)| {
            let grid = Quantiser::new(bits, symmetric, range);
            let of_sample = |sample: &[f32]| {
                let z = sample.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
                let q: Vec<f64> = sample.iter().map(|x| f64::from(grid.value(*x))).collect();
                let zq = q.iter().map(|q| q.exp()).sum::<f64>().ln();
                sample.iter().zip(&q).map(|(x, q)| -(f64::from(*x) - z).exp() * (q - zq)).sum::<f64>()
            };
            x.as_slice().chunks(3).map(of_sample).sum::<f64>()
        };
        // Both sums are over 40 samples of a few units, in double precision.
        prop_assert!(loss(logits.of_batch(&x, bits, symmetric)) <= loss(extremes) + 1e-9);
    }
}

/// Three bits for a normal law: the mean squared error of the range found in N samples is close to the least there is. The mean
/// of N squared errors is known to 2/√N of itself (their std is below twice their mean), five of these on either side.
#[test]
fn the_range_of_a_normal_law_is_near_its_optimum() {
    let n = 20_000;
    let x = normals(1, n, 3);
    // Midpoint rule over ± 8 in 16 000 cells.
    let distortion = |step: f64| -> f64 {
        let cell = |i: i32| {
            let x = (f64::from(i) + 0.5) / 1000.0;
            let q = step * (x / step).round().clamp(-4.0, 3.0);
            (q - x).powi(2) * (-x * x / 2.0).exp() / 1000.0
        };
        (-8000..8000).map(cell).sum::<f64>() / (2.0 * std::f64::consts::PI).sqrt()
    };
    let least = (1..400).map(|k| distortion(f64::from(k) / 200.0)).fold(f64::INFINITY, f64::min);
    for method in [SearchMethod::Grid, SearchMethod::GoldenSection] {
        let search = RangeSearch { method, ..RangeSearch::default() };
        let range = RangeEstimator::Mse(search).of_batch(&x, 3, true);
        let found = distortion(f64::from(Quantiser::new(3, true, range).step));
        assert!(found <= least * (1.0 + 20.0 / (n as f64).sqrt()), "{method:?}: {found} {least}");
        assert!(found < 0.7 * distortion(f64::from(x.amax()) / 3.0), "the extremes are far from it");
    }
}

/// Training rounds by the range that includes its batch; gradients pass inside the range only.
#[test]
fn gradients_pass_straight_through() {
    let mut network =
        network("n_bits = 3, range_estimator = { model = \"RunningMinMax\", momentum = 0.5 }", "");
    let first = batch(&[0.0, 7.0]);
    assert_eq!(step(&mut network, &first, &first.clone(), 0.1), first);
    // Now (0, 7) → (0, 10.5): steps of 1.5, up to 10.5.
    let x = batch(&[14.0, 2.0, 10.0, -1e-3]);
    let trace = network.trace(x.as_view(), draws()).unwrap();
    // A negative number makes the grid signed: steps of 3.5 up to 10.5.
    assert_eq!(trace.output(), &batch(&[10.5, 3.5, 10.5, 0.0]));
    let ones = batch(&[1.0; 4]);
    let Layer::Quantize(layer) = &network.layers[0] else { panic!() };
    let mut gradients = aimc_nn::Gradients::default();
    let saved = aimc_nn::module::Saved::Matrices(vec![DMatrix::from_row_slice(1, 3, &[-1e-3, 14.0, 0.5])]);
    let pass = aimc_nn::module::Backward {
        name: "q",
        x: &x,
        y: trace.output(),
        saved: &saved,
        draws: draws(),
        wants_input: true,
    };
    let back = aimc_nn::module::Module::<IdealTile>::backward(layer, pass, ones, &mut gradients).unwrap();
    assert_eq!(back, batch(&[0.0, 1.0, 1.0, 1.0]));
}

/// Δ = 1 after the first batch, then it is learnt: 2.25 is rounded down by a quarter, 9 is cut to level 7. With the errors 1 and
/// 1/16 the gradient is -1/4 + 7/16 = 0.1875.
#[test]
fn steps_are_learnt_after_the_first_batches() {
    let mut network = network("n_bits = 3, learn_quant_params = true, init_learning_after = 1", "");
    let first = batch(&[0.0, 7.0]);
    step(&mut network, &first, &first.clone(), 0.5);
    let (x, d) = (batch(&[2.25, 9.0]), batch(&[1.0, 0.0625]));
    assert_eq!(step(&mut network, &x, &d, 0.5), batch(&[2.0, 7.0]));
    assert_eq!(quantize(&network).range(), Some((0.0, 7.0)), "the range stands still");
    let theta = network.parameters_mut().next().unwrap().1[0];
    assert_eq!(theta, -0.5 * 0.1875);
    let y = network.forward(x.as_view(), draws()).unwrap();
    let grid = Quantiser::new(3, true, (0.0, 7.0)).scaled(theta.exp());
    assert_eq!(y, x.map(|x| grid.value(x)));
}

/// Evaluation has the range of training, also where the quantiser is the first layer; before there is one it says so.
#[test]
fn evaluation_uses_what_training_has_left() {
    let mut network = network("n_bits = 4", ", { layer = \"Linear\", outputs = 3 }");
    let x = normals(2, 5, 1);
    let error = network.forward(x.as_view(), draws()).unwrap_err();
    assert_eq!(error.source, LayerError::RangeUnknown);
    step(&mut network, &x, &normals(3, 5, 2), 0.1);
    let range = quantize(&network).range().unwrap();
    let grid = Quantiser::new(4, true, range);
    let Layer::Linear(linear) = &network.layers[1] else { panic!() };
    let wide = normals(2, 5, 3) * 4.0;
    let expected = linear.product(wide.map(|x| grid.value(x)).as_view(), draws()).unwrap();
    assert_eq!(network.forward(wide.as_view(), draws()).unwrap(), expected);
    // The state holds all of it.
    let mut other = self::network("n_bits = 4", ", { layer = \"Linear\", outputs = 3 }");
    other.restore(&network.state().root()).unwrap();
    assert_eq!(other.forward(wide.as_view(), draws()).unwrap(), expected);
}

/// n_bits = 0: y = x, dx = dy.
#[test]
fn without_bits_everything_passes() {
    let mut network = network("n_bits = 0", "");
    let x = normals(2, 5, 1);
    assert_eq!(network.forward(x.as_view(), draws()).unwrap(), x);
    assert_eq!(step(&mut network, &x, &x.clone(), 0.1), x);
    assert!(network.parts().is_empty());
}

#[test]
fn records_refuse_values_outside_their_range() {
    for (text, field) in [
        ("n_bits = 1", "n_bits"),
        ("n_bits = 17", "n_bits"),
        ("n_bits = 8, learn_quant_params = true, init_learning_after = 0", "init_learning_after"),
        ("range_estimator = { model = \"CurrentMinMax\", percentile = 50.0 }", "range_estimator.percentile"),
        ("range_estimator = { model = \"RunningMinMax\", momentum = 1.0 }", "range_estimator.momentum"),
        ("range_estimator = { model = \"Mse\", num_candidates = 0 }", "range_estimator.num_candidates"),
        ("range_estimator = { model = \"Mse\", range_margin = -1.0 }", "range_estimator.range_margin"),
        ("range_estimator = { model = \"MinMax\" }", "range_estimator.model"),
    ] {
        let text = format!("input = [2]\nlayers = [{{ layer = \"Quantize\", {text} }}]");
        let outcome = config::from_toml::<NetworkConfig>(&text).and_then(|record| record.validate());
        assert_eq!(outcome.unwrap_err().field, format!("layers[0].{field}"));
    }
}

/// Several batches before one step: the range of all extremes holds those of every batch.
#[test]
fn all_extremes_count_where_gradients_are_accumulated() {
    let mut network = network("n_bits = 8, range_estimator = { model = \"AllMinMax\" }", "");
    let mut all = aimc_nn::Gradients::default();
    for x in [batch(&[-3.0, 1.0]), batch(&[-1.0, 2.0])] {
        let trace = network.trace(x.as_view(), draws()).unwrap();
        let gradients = network.backward(&trace, batch(&[0.0, 0.0]), draws()).unwrap();
        // A quantiser has no parameters: statistics alone must gather, too.
        all.append(gradients);
    }
    network.update_statistics(&all);
    assert_eq!(quantize(&network).range(), Some((-3.0, 2.0)));
}

/// Calibration moves ranges and nothing else, and stops after the batches it was given.
#[test]
fn calibration_measures_and_learns_nothing() {
    let more = ", { layer = \"BatchNorm\" }, { layer = \"Linear\", outputs = 3 }";
    let mut network = network("n_bits = 8, range_estimator = { model = \"AllMinMax\" }", more);
    let before = network.state();
    let x = DMatrix::from_row_slice(2, 4, &[1.0, -2.0, 3.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
    let data = aimc_nn::Dataset::new(x, vec![0; 4], 3).unwrap();
    let done = aimc_nn::quantize::calibrate(&mut network, &data, 3, 1, draws()).unwrap();
    assert_eq!((done, quantize(&network).range()), (3, Some((-2.0, 3.0))));
    let mut after = network.state();
    for name in ["layer0.range", "layer0.batches"] {
        after.put(
            name,
            before.root().floats(name, if name.ends_with("range") { 2 } else { 1 }).unwrap().to_vec(),
        );
    }
    assert_eq!(after, before);
}

/// Embeddings and norm layers compute with rounded parameters; what learns is the full number, by the gradient as it comes.
#[test]
fn digital_parameters_are_rounded_in_products_only() {
    let build = |text: &str| {
        let record: NetworkConfig = config::from_toml(text).unwrap();
        record.build(RngKey::root(3), |place| IdealTile::new(place.shape)).unwrap()
    };
    for layer in [
        "{ layer = \"Embedding\", vocabulary = 5, features = 3%s }",
        "{ layer = \"LayerNorm\"%s }",
        "{ layer = \"BatchNorm\"%s }",
    ] {
        let of = |bits: &str| build(&format!("input = [4]\nlayers = [{}]", layer.replace("%s", bits)));
        let (mut full, mut few) = (of(""), of(", n_bits = 3"));
        for network in [&mut full, &mut few] {
            let (_, values) = network.parameters_mut().next().unwrap();
            values.iter_mut().enumerate().for_each(|(i, value)| *value = 0.75 - 0.17 * i as f32);
        }
        let mut rounded = of("");
        for ((_, to), (_, from)) in rounded.parameters_mut().zip(few.parameters_mut()) {
            to.copy_from_slice(from);
        }
        let (_, values) = rounded.parameters_mut().next().unwrap();
        let grid = aimc_nn::quantize::few_bits(3, values).into_owned();
        assert!(grid != values);
        values.copy_from_slice(&grid);
        let x = DMatrix::from_row_slice(4, 2, &[1.0, 0.0, 2.0, 4.0, 0.0, 3.0, 4.0, 1.0]);
        let (seen, expected) =
            (few.trace(x.as_view(), draws()).unwrap(), rounded.trace(x.as_view(), draws()).unwrap());
        assert_eq!(seen.output(), expected.output(), "{layer}");
        assert_eq!(
            few.forward(x.as_view(), draws()).unwrap(),
            rounded.forward(x.as_view(), draws()).unwrap()
        );
        // Straight through: the gradients are those of a layer that holds the rounded numbers.
        let d = seen.output().map(|y| y.sin());
        let a = few.backward(&seen, d.clone(), draws()).unwrap();
        let b = rounded.backward(&expected, d, draws()).unwrap();
        for (a, b) in a.digital.iter().zip(&b.digital) {
            assert_eq!(a.values, b.values, "{layer}");
        }
    }
    let refused = |bits: &str| {
        let text = format!("input = [4]\nlayers = [{{ layer = \"LayerNorm\", n_bits = {bits} }}]");
        config::from_toml::<NetworkConfig>(&text).unwrap().validate().unwrap_err().field
    };
    assert_eq!(refused("1"), "layers[0].n_bits");
}
