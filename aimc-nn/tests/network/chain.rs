//! Networks on ideal tiles: gradients, exact learning, descriptions, and where draws come from.

use aimc_device::RngKey;
use aimc_nn::log_softmax::LogSoftmax;
use aimc_nn::loss::negative_log_likelihood;
use aimc_nn::{Activation, LayerConfig, LayerError, LinearConfig, Network, NetworkConfig};
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::{IdealTile, IoConfig, ReadOut, SampleKeys, TileConfig, TileError};
use nalgebra::DMatrix;
use proptest::prelude::*;

/// Addresses for networks whose tiles draw nothing.
fn unused() -> SampleKeys {
    SampleKeys::new(RngKey::root(0))
}

fn ideal(sizes: &[usize], activation: Activation, seed: u64) -> Network<IdealTile> {
    NetworkConfig::mlp(sizes, activation)
        .build(RngKey::root(seed), |place| IdealTile::new(place.shape))
        .unwrap()
}

fn inputs(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut draws = RngKey::root(seed).stream(1);
    DMatrix::from_fn(rows, columns, |_, _| draws.normal())
}

fn loss(network: &Network<IdealTile>, x: &DMatrix<f32>, labels: &[usize]) -> f64 {
    negative_log_likelihood(&network.forward(x.as_view(), unused()).unwrap(), labels).0
}

proptest! {
    #![proptest_config(strategies::config(24))]

    /// ∂L/∂W of every layer equals a central difference. With step h the difference errs by O(h²) of the third
    /// derivative (of order 1 here) and by the rounding of the loss, ε·L/h; h = ε^(1/3) balances both.
    #[test]
    fn gradients_equal_finite_differences(seed in strategies::seed(), tanh: bool) {
        let activation = if tanh { Activation::Tanh } else { Activation::Sigmoid };
        let mut network = ideal(&[3, 4, 2], activation, seed);
        let (x, labels) = (inputs(3, 5, seed), [0, 1, 1, 0, 1]);
        let trace = network.trace(x.as_view(), unused()).unwrap();
        let (value, d) = negative_log_likelihood(trace.output(), &labels);
        let gradients = network.backward(&trace, d, unused()).unwrap();
        let h = f32::EPSILON.cbrt();
        let tolerance = f64::from(h * h) + 8.0 * f64::from(f32::EPSILON) * value.max(1.0) / f64::from(h);
        for gradient in gradients.tiles {
            let analytic = &gradient.d * gradient.x.transpose();
            let original = weights(&network, &gradient.name);
            for (i, j) in [(0, 0), (1, 2), (1, 1)] {
                let mut at = |step: f32| {
                    let mut moved = original.clone();
                    moved[(i, j)] += step;
                    set(&mut network, &gradient.name, &moved);
                    loss(&network, &x, &labels)
                };
                let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
                set(&mut network, &gradient.name, &original);
                let error = (f64::from(analytic[(i, j)]) - difference).abs();
                prop_assert!(error < tolerance, "{} [{i}, {j}]: {error} > {tolerance}", gradient.name);
            }
        }
    }
}

fn weights(network: &Network<IdealTile>, name: &str) -> DMatrix<f32> {
    network.tiles().find(|(found, _)| found == name).unwrap().1.weights()
}

fn set(network: &mut Network<IdealTile>, name: &str, weights: &DMatrix<f32>) {
    let (_, tile) = network.tiles_mut().find(|(found, _)| found == name).unwrap();
    tile.set_weights(weights, RngKey::root(0)).unwrap();
}

/// An exact step against the gradient lowers the loss by lr·|∇|² to first order.
#[test]
fn a_small_step_lowers_the_loss_as_predicted() {
    let mut network = ideal(&[6, 5, 3], Activation::Sigmoid, 3);
    let (x, labels) = (inputs(6, 8, 3), [0, 1, 2, 0, 1, 2, 0, 1]);
    let before = loss(&network, &x, &labels);
    let trace = network.trace(x.as_view(), unused()).unwrap();
    let (_, d) = negative_log_likelihood(trace.output(), &labels);
    let gradients = network.backward(&trace, d, unused()).unwrap();
    let square: f32 = gradients
        .tiles
        .iter()
        .map(|g| (&g.d * g.x.transpose()).norm_squared() + g.d.column_sum().norm_squared())
        .sum();
    let lr = 1e-2;
    network.update(&gradients, lr, unused()).unwrap();
    let drop = before - loss(&network, &x, &labels);
    let predicted = f64::from(lr * square);
    // The second-order term is smaller by a factor of the order of the learning rate.
    assert_close!(drop / predicted, 1.0, 10.0 * f64::from(lr));
}

/// Draws belong to samples, so that a batch may be split anywhere; sums of at most 4 small numbers are exact.
#[test]
fn splitting_a_batch_changes_no_bit() {
    let tile = TileConfig {
        forward: IoConfig { inp_res: 1.0 / 6.0, ..IoConfig::default() },
        ..TileConfig::default()
    };
    let layer = LinearConfig { inputs: Some(4), outputs: 3, bias: true };
    let network = NetworkConfig { input: Vec::new(), layers: vec![layer.into()] }
        .build(RngKey::root(2), |place| tile.build(place.shape, place.key))
        .unwrap();
    let x = inputs(4, 9, 5);
    let draws = SampleKeys::new(RngKey::root(8));
    let whole = network.forward(x.as_view(), draws).unwrap();
    for at in 1..9 {
        let first = network.forward(x.columns(0, at), draws).unwrap();
        let second = network.forward(x.columns(at, 9 - at), draws.skip(at as u64)).unwrap();
        for (i, column) in first.column_iter().chain(second.column_iter()).enumerate() {
            // The product may round differently in another batch; one step of the ADC would show a changed draw.
            let step = 2.0 * 12.0 / 510.0 * x.column(i).amax();
            assert!((column - whole.column(i)).amax() < 0.5 * step, "split at {at}, sample {i}");
        }
    }
}

#[test]
fn unfit_descriptions_and_inputs_are_refused() {
    let linear =
        |inputs, outputs| LayerConfig::from(LinearConfig { inputs: Some(inputs), outputs, bias: true });
    let refuse = |layers| NetworkConfig { input: Vec::new(), layers }.validate().unwrap_err().to_string();
    assert_eq!(refuse(vec![]), "layers: must hold at least one layer");
    assert_eq!(
        refuse(vec![linear(4, 3), LogSoftmax::default().into(), linear(2, 1)]),
        "layers[2].inputs = 2: must be 3, the outputs before it"
    );
    assert_eq!(refuse(vec![linear(4, 0)]), "layers[0].outputs = 0: must be at least 1");
    let network = ideal(&[3, 2], Activation::Relu, 1);
    let error = network.forward(inputs(4, 1, 1).as_view(), unused()).unwrap_err();
    assert!(matches!(error.source, LayerError::Tile(TileError::Shape { .. })), "{error}");
    let mut x = inputs(3, 2, 1);
    x[(2, 1)] = f32::NAN;
    let error = network.forward(x.as_view(), unused()).unwrap_err();
    assert_eq!(error.to_string(), "layer 0: x: line 2 of sample 1 carries NaN, which is not finite");
}
