//! All layers: gradients against finite differences, convolution against its definition, draws of split batches.

use aimc_device::{RngKey, config};
use aimc_nn::{LayerError, Network, NetworkConfig, Part, PartMut};
use aimc_testkit::strategies;
use aimc_tile::{IdealTile, ReadOut, SampleKeys, TileConfig};
use nalgebra::DMatrix;
use proptest::prelude::*;

fn unused() -> SampleKeys {
    SampleKeys::new(RngKey::root(0))
}

fn build(text: &str, seed: u64) -> Network<IdealTile> {
    let description: NetworkConfig = config::from_toml(text).unwrap();
    let mut network = description.build(RngKey::root(seed), |place| IdealTile::new(place.shape)).unwrap();
    // Parameters away from their simple first values (0, 1), where errors could hide.
    for (i, (_, values)) in network.parameters_mut().enumerate() {
        let mut draws = RngKey::root(seed).fold_in(7).stream(i as u64);
        values.iter_mut().for_each(|value| *value += 0.3 * draws.normal());
    }
    network
}

fn normals(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut draws = RngKey::root(seed).stream(1);
    DMatrix::from_fn(rows, columns, |_, _| draws.normal())
}

/// Σ r·y over all outputs in training, and Σ |r·y|.
fn objective(network: &Network<IdealTile>, x: &DMatrix<f32>, r: &DMatrix<f32>) -> (f64, f64) {
    let passed = network.trace(x.as_view(), unused()).unwrap();
    let terms = passed.output().iter().zip(r).map(|(y, r)| f64::from(*y) * f64::from(*r));
    terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
}

/// Moves entry `k` of the part `name`.
fn shift(network: &mut Network<IdealTile>, name: &str, k: usize, step: f32) {
    for (found, part) in network.parts_mut() {
        match part {
            _ if found != name => {}
            PartMut::Tile(tile) => {
                let mut weights = tile.weights();
                weights[k] += step;
                tile.set_weights(&weights, RngKey::root(0)).unwrap();
            }
            PartMut::Parameters(values) | PartMut::Statistics(values) => values[k] += step,
        }
    }
}

/// The gradient of every part, element by element in the order of storage.
fn analytic(network: &Network<IdealTile>, x: &DMatrix<f32>, r: &DMatrix<f32>) -> Vec<(String, Vec<f32>)> {
    let passed = network.trace(x.as_view(), unused()).unwrap();
    let gradients = network.backward(&passed, r.clone(), unused()).unwrap();
    let tiles = gradients.tiles.into_iter().map(|g| (g.name, (&g.d * g.x.transpose()).as_slice().to_vec()));
    let digital = gradients.digital.into_iter().map(|g| (g.name, g.values));
    tiles.chain(digital).collect()
}

/// Compares some elements of the gradient of every part with central differences D(h) and D(h/2).
///
/// D(h/2) errs by about |D(h) - D(h/2)|/3 (h² law), and by rounding: every output passes at most some 32 operations of
/// relative error ε, and the objective is divided by h.
fn check(text: &str, inputs: usize, seed: u64) {
    let mut network = build(text, seed);
    let x = normals(inputs, 3, seed);
    let r = normals(network.outputs(), 3, seed ^ 1);
    let parts: Vec<String> = network
        .parts()
        .into_iter()
        .filter(|(_, part)| !matches!(part, Part::Statistics(_)))
        .map(|(name, _)| name)
        .collect();
    let gradients = analytic(&network, &x, &r);
    let found: Vec<&String> = gradients.iter().map(|(name, _)| name).collect();
    assert!(parts.iter().all(|name| found.contains(&name)), "{parts:?} against {found:?}");
    assert_eq!(parts.len(), found.len(), "{parts:?} against {found:?}");
    let mut picks = RngKey::root(seed).fold_in(3).stream(0);
    for (name, gradient) in &gradients {
        for _ in 0..3 {
            let k = picks.below(gradient.len() as u32) as usize;
            let mut size: f64 = 1.0;
            let mut difference = |h: f32| {
                let mut at = |step: f32| {
                    shift(&mut network, name, k, step);
                    let (value, terms) = objective(&network, &x, &r);
                    shift(&mut network, name, k, -step);
                    size = size.max(terms);
                    value
                };
                (at(h) - at(-h)) / (2.0 * f64::from(h))
            };
            let h = 1.0 / 64.0;
            let (coarse, fine) = (difference(h), difference(h / 2.0));
            let rounding = 32.0 * f64::from(f32::EPSILON) * size / f64::from(h / 2.0);
            let error = (f64::from(gradient[k]) - fine).abs();
            assert!(error < (coarse - fine).abs() + rounding, "{name}[{k}]: {} against {fine}", gradient[k]);
        }
    }
}

/// A layer behind a matrix, whose gradient shows that with respect to the layer's input.
fn behind(shape: &[usize], layers: &str) -> (String, usize) {
    let features: usize = shape.iter().product();
    let first = format!(
        "{{ layer = \"Linear\", outputs = {features} }}, {{ layer = \"Reshape\", shape = {shape:?} }}"
    );
    (format!("input = [5]\nlayers = [ {first}, {layers} ]"), 5)
}

proptest! {
    #![proptest_config(strategies::config(24))]

    /// dL/dx and dL/dw = finite differences, in 1 to 3 dimensions.
    #[test]
    fn convolutions(size in prop::collection::vec(3_usize..6, 1..=3), kernel in 1_usize..4, stride in 1_usize..3,
        padding in 0_usize..2, dilation in 1_usize..3, depthwise: bool, seed in strategies::seed()) {
        prop_assume!(size.iter().all(|s| s + 2 * padding > dilation * (kernel - 1)));
        let shape = [vec![2], size].concat();
        let groups = if depthwise { 2 } else { 1 };
        let common = format!("outputs = 4, kernel = {kernel}, stride = {stride}, padding = {padding}, \
            dilation = {dilation}, groups = {groups}");
        let (text, inputs) = behind(&shape, &format!("{{ layer = \"Conv\", {common} }}"));
        check(&text, inputs, seed);
    }

    /// dL/dx and dL/dw = finite differences, in 1 to 3 dimensions.
    #[test]
    fn transposed_convolutions(size in prop::collection::vec(1_usize..4, 1..=3), kernel in 2_usize..4,
        stride in 1_usize..3, padding in 0_usize..2, depthwise: bool, seed in strategies::seed()) {
        let shape = [vec![2], size].concat();
        let groups = if depthwise { 2 } else { 1 };
        prop_assume!((shape[1..].iter().min().unwrap() - 1) * stride + kernel > 2 * padding);
        let common = format!("outputs = 4, kernel = {kernel}, stride = {stride}, padding = {padding}, \
            output_padding = {}, groups = {groups}", stride - 1);
        let (text, inputs) = behind(&shape, &format!("{{ layer = \"TransposedConv\", {common} }}"));
        check(&text, inputs, seed);
    }

    /// dL/dx and dL/dw = finite differences: RNN, LSTM and GRU, both directions.
    #[test]
    fn recurrent_layers(cell in prop::sample::select(vec!["Rnn", "Lstm", "Gru"]), layers in 1_usize..3,
        bidirectional: bool, combined: bool, last: bool, steps in 1_usize..5, seed in strategies::seed()) {
        let combined = combined && cell != "Gru";
        let given = if last { "Last" } else { "All" };
        let layer = format!("{{ layer = \"Recurrent\", cell = \"{cell}\", hidden = 3, layers = {layers}, dropout = 0.25, \
            bidirectional = {bidirectional}, combined = {combined}, given = \"{given}\" }}");
        let (text, inputs) = behind(&[steps, 2], &layer);
        check(&text, inputs, seed);
    }

    /// dL/dx and dL/dw = finite differences, causal or not.
    #[test]
    fn attention(heads in 1_usize..3, steps in 1_usize..5, causal: bool, seed in strategies::seed()) {
        let layer = format!("{{ layer = \"Attention\", heads = {heads}, causal = {causal} }}");
        let (text, inputs) = behind(&[steps, 4], &layer);
        check(&text, inputs, seed);
    }

    /// dL/dx and dL/dw = finite differences.
    #[test]
    fn digital_layers(layer in prop::sample::select(vec![
        "{ layer = \"Activation\", function = \"gelu\" }",
        "{ layer = \"Activation\", function = \"gelu_tanh\" }",
        "{ layer = \"Activation\", function = \"silu\" }",
        "{ layer = \"LogSoftmax\" }",
        "{ layer = \"Pool\", function = \"Average\", kernel = 2, padding = 1 }",
        "{ layer = \"AdaptivePool\", parts = [3, 2] }",
        "{ layer = \"BatchNorm\" }",
        "{ layer = \"BatchNorm\", affine = false }",
        "{ layer = \"LayerNorm\" }",
        "{ layer = \"LayerNorm\", affine = false }",
        "{ layer = \"Dropout\", probability = 0.4 }",
        "{ layer = \"Positions\" }",
        "{ layer = \"Flatten\" }",
    ]), seed in strategies::seed()) {
        let (text, inputs) = behind(&[2, 4, 5], layer);
        check(&text, inputs, seed);
    }

    /// dL/dx and dL/dw = finite differences through shortcuts, branches and steps.
    #[test]
    fn layers_made_of_layers(which in 0_usize..3, seed in strategies::seed()) {
        let conv = "{ layer = \"Conv\", outputs = 2, kernel = 3, padding = 1 }";
        let smooth = "{ layer = \"Activation\", function = \"tanh\" }";
        let layer = [
            format!("{{ layer = \"Residual\", layers = [ {conv}, {smooth}, {conv} ] }}"),
            format!("{{ layer = \"Concat\", branches = [ [ {conv} ], [], [ {smooth}, {conv} ] ] }}"),
            format!("{{ layer = \"Reshape\", shape = [4, 6] }}, {{ layer = \"EachStep\", layers = [ \
                {{ layer = \"Linear\", outputs = 3 }}, {smooth} ] }}"),
        ][which].clone();
        let (text, inputs) = behind(&[2, 3, 4], &layer);
        check(&text, inputs, seed);
    }

    /// Whole numbers below 2²⁴ add up exactly in any order.
    #[test]
    fn convolution_is_its_definition(size in prop::collection::vec(1_usize..6, 2), kernel in 1_usize..4, stride in 1_usize..4,
        padding in 0_usize..3, dilation in 1_usize..3, groups in 1_usize..3, seed in strategies::seed()) {
        prop_assume!(size.iter().all(|s| s + 2 * padding > dilation * (kernel - 1)));
        let text = format!("input = [4, {}, {}]\nlayers = [{{ layer = \"Conv\", outputs = 6, kernel = {kernel}, \
            stride = {stride}, padding = {padding}, dilation = {dilation}, groups = {groups}, bias = false }}]",
            size[0], size[1]);
        let mut network = build(&text, seed);
        let mut draws = RngKey::root(seed).stream(9);
        let mut whole = |rows, columns| DMatrix::from_fn(rows, columns, |_, _| draws.below(9) as f32 - 4.0);
        let mut weights = Vec::new();
        for (_, tile) in network.tiles_mut() {
            let w = whole(6 / groups, 4 / groups * kernel * kernel);
            tile.set_weights(&w, RngKey::root(0)).unwrap();
            weights.push(w);
        }
        let x = whole(4 * size[0] * size[1], 2);
        let y = network.forward(x.as_view(), unused()).unwrap();
        let out = size.iter().map(|s| (s + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1);
        let out: Vec<usize> = out.collect();
        for (sample, o, p, q) in (0..2).flat_map(|s| (0..6).map(move |o| (s, o)))
            .flat_map(|(s, o)| (0..out[0]).map(move |p| (s, o, p)))
            .flat_map(|(s, o, p)| (0..out[1]).map(move |q| (s, o, p, q))) {
            let (group, row) = (o / (6 / groups), o % (6 / groups));
            let mut sum = 0.0;
            for c in 0..4 / groups {
                for (k, l) in (0..kernel).flat_map(|k| (0..kernel).map(move |l| (k, l))) {
                    let at = |p: usize, k: usize| (p * stride + k * dilation).checked_sub(padding);
                    if let (Some(i), Some(j)) = (at(p, k), at(q, l)) && i < size[0] && j < size[1] {
                        let channel = group * (4 / groups) + c;
                        sum += weights[group][(row, (c * kernel + k) * kernel + l)]
                            * x[((channel * size[0] + i) * size[1] + j, sample)];
                    }
                }
            }
            prop_assert_eq!(y[((o * out[0] + p) * out[1] + q, sample)], sum);
        }
    }
}

/// The largest value of every window passes, and the whole gradient goes back to it. Finite differences would stumble over
/// the kinks where two values are equal.
#[test]
fn the_largest_value_takes_all() {
    let layer = "{ layer = \"Pool\", kernel = [2, 2], stride = [1, 2], padding = [0, 1] }";
    let network = build(&format!("input = [1, 2, 4]\nlayers = [{{ layer = \"Positions\" }}, {layer}]"), 1);
    let shift = network.forward(DMatrix::zeros(8, 1).as_view(), unused()).unwrap();
    assert_eq!(shift.shape(), (3, 1));
    // Larger than the shift by Positions; all negative, so that a zero of the padding would win.
    let x = DMatrix::from_column_slice(8, 1, &[-90.0, -20.0, -80.0, -70.0, -50.0, -40.0, -30.0, -10.0]);
    let passed = network.trace(x.as_view(), unused()).unwrap();
    let gradients =
        network.backward(&passed, DMatrix::from_column_slice(3, 1, &[1.0, 2.0, 4.0]), unused()).unwrap();
    assert_eq!(gradients.digital[0].values, [0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 4.0]);
}

/// An embedding looks its vectors up, and its gradient is the sum over the places of a token.
#[test]
fn embeddings_look_up() {
    let text = "input = [3]\nlayers = [{ layer = \"Embedding\", vocabulary = 4, features = 2 }]";
    let network = build(text, 1);
    let x = DMatrix::from_column_slice(3, 1, &[2.0, 0.0, 2.0]);
    let passed = network.trace(x.as_view(), unused()).unwrap();
    assert_eq!(passed.output().rows(0, 2), passed.output().rows(4, 2));
    let d = DMatrix::from_column_slice(6, 1, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let gradients = network.backward(&passed, d, unused()).unwrap();
    assert_eq!(gradients.digital[0].values, [3.0, 4.0, 0.0, 0.0, 6.0, 8.0, 0.0, 0.0]);
    for token in [-1.0, 4.0, 0.5, f32::NAN] {
        let x = DMatrix::from_column_slice(3, 1, &[0.0, token, 1.0]);
        let error = network.forward(x.as_view(), unused()).unwrap_err();
        assert!(matches!(error.source, LayerError::Token { position: 1, sample: 0, vocabulary: 4, .. }));
    }
}

/// In training, batch norm gives mean β and variance γ²·σ²/(σ² + ε); in use it has learnt the mean of the data.
#[test]
fn batch_norm_normalises() {
    let text = "input = [3, 50]\nlayers = [{ layer = \"BatchNorm\", epsilon = 1e-6, momentum = 1.0 }]";
    let description: NetworkConfig = config::from_toml(text).unwrap();
    let mut network = description.build(RngKey::root(1), |place| IdealTile::new(place.shape)).unwrap();
    let x = normals(150, 8, 3).map(|v| 2.0 * v + 5.0);
    let passed = network.trace(x.as_view(), unused()).unwrap();
    let y = passed.output();
    for c in 0..3 {
        let values: Vec<f64> = y.rows(50 * c, 50).iter().map(|&v| f64::from(v)).collect();
        let mean = values.iter().sum::<f64>() / 400.0;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / 400.0;
        // Rounding of values of the order of 1; σ² is about 4, so that ε changes the variance by 1e-6/4.
        let tolerance = 4.0 * f64::from(f32::EPSILON);
        assert!(mean.abs() < tolerance && (variance - 1.0).abs() < 1e-6 + tolerance, "{mean} {variance}");
    }
    let gradients = network.backward(&passed, DMatrix::zeros(150, 8), unused()).unwrap();
    network.update(&gradients, 0.1, unused()).unwrap();
    // With momentum 1 the running statistics are those of this batch; the variance is the unbiased one.
    let in_use = network.forward(x.as_view(), unused()).unwrap();
    let ratio = (400.0_f32 / 399.0).sqrt();
    assert!((in_use * ratio - y).amax() < 16.0 * f32::EPSILON * 4.0);
}

/// Every vector of a sample has its own address: analog outputs do not depend on how a batch is split.
#[test]
fn splitting_a_batch_changes_no_draw() {
    let layers = [
        ("[2, 4, 4]", "{ layer = \"Conv\", outputs = 3, kernel = 3, groups = 1 }"),
        ("[2, 3, 3]", "{ layer = \"TransposedConv\", outputs = 2, kernel = 2, groups = 2 }"),
        ("[4, 3]", "{ layer = \"Recurrent\", cell = \"Gru\", hidden = 3, bidirectional = true }"),
        ("[4, 3]", "{ layer = \"Recurrent\", hidden = 3, combined = true, layers = 2, dropout = 0.5 }"),
        ("[3, 4]", "{ layer = \"Attention\", heads = 2 }"),
        ("[3, 4]", "{ layer = \"EachStep\", layers = [{ layer = \"Linear\", outputs = 2 }] }"),
        ("[3, 4]", "{ layer = \"Dropout\", probability = 0.5 }"),
    ];
    // Without converters, changed noise shows, while rounding of small sums does not.
    let tile: TileConfig = config::from_toml(
        "forward = { inp_res = 0, out_res = 0, out_noise = 0.1, noise_management = \"None\", bound_management = \"None\" }",
    )
    .unwrap();
    for (input, layer) in layers {
        let description: NetworkConfig =
            config::from_toml(&format!("input = {input}\nlayers = [{layer}]")).unwrap();
        let network = description.build(RngKey::root(5), |place| tile.build(place.shape, place.key)).unwrap();
        let inputs = description.validate().unwrap().0.iter().product();
        let x = normals(inputs, 5, 2).map(|v| 0.3 * v);
        let draws = SampleKeys::new(RngKey::root(8));
        let whole = network.trace(x.as_view(), draws).unwrap().output().clone();
        let again = network.trace(x.as_view(), draws.fold_in(1)).unwrap().output().clone();
        assert!((&again - &whole).amax() > 0.01, "{layer}: noise shows");
        for at in 1..5 {
            let first = network.trace(x.columns(0, at), draws).unwrap();
            let second = network.trace(x.columns(at, 5 - at), draws.skip(at as u64)).unwrap();
            let columns = first.output().column_iter().chain(second.output().column_iter());
            for (i, column) in columns.enumerate() {
                assert!((column - whole.column(i)).amax() < 1e-5, "{layer} split at {at}, sample {i}");
            }
        }
    }
}

/// A state saved and restored gives the same outputs; a state of another network does not fit.
#[test]
fn states_hold_everything() {
    let text = "input = [4, 3]\nlayers = [{ layer = \"Recurrent\", hidden = 3, bidirectional = true }, \
        { layer = \"LayerNorm\" }, { layer = \"Reshape\", shape = [4, 6] }, { layer = \"BatchNorm\" }]";
    let (a, mut b) = (build(text, 1), build(text, 2));
    let x = normals(12, 2, 3);
    let outputs = |network: &Network<IdealTile>| network.forward(x.as_view(), unused()).unwrap();
    assert_ne!(outputs(&a), outputs(&b));
    b.restore(&a.state().root()).unwrap();
    assert_eq!(outputs(&a), outputs(&b));
    let other = build("input = [12]\nlayers = [{ layer = \"Linear\", outputs = 2 }]", 1);
    assert!(b.restore(&other.state().root()).is_err());
}

#[test]
fn shapes_that_do_not_fit_are_refused_by_path() {
    let refuse = |text: &str| {
        let description: NetworkConfig = config::from_toml(text).unwrap();
        description.validate().unwrap_err().to_string()
    };
    assert_eq!(
        refuse("input = [1, 4, 4]\nlayers = [{ layer = \"Conv\", outputs = 2, kernel = 5 }]"),
        "layers[0].kernel[0] = 5: spans 5 points, which must fit into the padded image of 4"
    );
    assert_eq!(
        refuse("input = [3, 4, 4]\nlayers = [{ layer = \"Conv\", outputs = 4, kernel = 1, groups = 2 }]"),
        "layers[0].groups = 2: must divide the 3 input channels"
    );
    assert_eq!(refuse("layers = [{ layer = \"Flatten\" }]"), "input: is missing: the shape of a sample");
    assert_eq!(
        refuse(
            "input = [2, 3]\nlayers = [{ layer = \"Residual\", layers = [{ layer = \"Linear\", outputs = 3 }] }]"
        ),
        "layers[0].layers = [3]: must give the shape [2, 3] to which they are added"
    );
    assert_eq!(
        refuse(
            "input = [2, 3]\nlayers = [{ layer = \"EachStep\", layers = [{ layer = \"Attention\", heads = 1 }] }]"
        ),
        "layers[0].layers[0] = [3]: needs sequences of shape [steps, features]"
    );
    assert_eq!(
        refuse(
            "input = [2, 3]\nlayers = [{ layer = \"Recurrent\", cell = \"Gru\", hidden = 2, combined = true }]"
        ),
        "layers[0].combined = true: must be false with the cell Gru"
    );
}
