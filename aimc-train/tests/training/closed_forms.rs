//! On devices that take every update exactly, each algorithm does what its equations say.
//!
//! All numbers are multiples of powers of two, so that single precision computes them without rounding: results are compared
//! for equality.

use aimc_device::state::{State, Values};
use aimc_device::{RngKey, config};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_mean;
use aimc_tile::{SampleKeys, Shape, TrainableTile};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;

/// Steps of 1/64 at planning; updates and reads are exact.
fn exact(algorithm: &str, shape: Shape) -> Box<dyn TrainableTile> {
    let text = format!(
        "update.pulse_type = \"NoneWithDevice\"\nforward.is_perfect = true\n[device]\nmodel = \"ConstantStep\"\n\
         dw_min = 0.015625\ndw_min_dtod = 0\ndw_min_std = 0\nup_down_dtod = 0\nw_max = 1000\nw_max_dtod = 0\n\
         w_min = -1000\nw_min_dtod = 0\n[algorithm]\n{algorithm}"
    );
    config::from_toml::<TrainingTileConfig>(&text).unwrap().build(shape, RngKey::root(1)).unwrap()
}

const EXACT_TRANSFER: &str = "transfer_forward.is_perfect = true\nscale_fast_lr = false\nscale_transfer_lr = false\n\
                              transfer_update.pulse_type = \"NoneWithDevice\"\ntransfer_update.desired_bl = 1000\n";

const SHAPE: Shape = Shape { outputs: 2, inputs: 4 };
const X: [f32; 4] = [1.0, -0.5, 0.25, 2.0];
const D: [f32; 2] = [0.5, -1.0];

fn learn(tile: &mut dyn TrainableTile, x: &[f32], d: &[f32], vectors: u64) {
    let (x, d) = (DMatrix::from_column_slice(x.len(), 1, x), DMatrix::from_column_slice(d.len(), 1, d));
    for vector in 0..vectors {
        tile.update(x.as_view(), d.as_view(), 0.5, SampleKeys::new(RngKey::root(7).fold_in(vector))).unwrap();
    }
}

fn floats(state: &State, name: &str) -> Vec<f32> {
    match state.iter().find(|(known, _)| *known == name).unwrap().1 {
        Values::Floats(values) => values.clone(),
        Values::Counts(_) => panic!("{name} holds counts"),
    }
}

/// What has been read in total from slice s after n·E·4 vectors with λ_A = 1/2: A falls by g/2 per vector and slice s is read
/// at the vectors E(s + 1 + 4r), r = 0, 1, …, n - 1.
fn total_read(slice: usize, gradient: f32, every: f32, sweeps: u64) -> f32 {
    (0..sweeps).map(|r| -0.5 * gradient * every * (slice as f32 + 1.0 + 4.0 * r as f32)).sum()
}

/// W = η_t Σ (what was read of A); with γ: W + γA, A = -η_f Σ d xᵀ.
#[test]
fn tiki_taka_sums_up_what_it_reads() {
    let text = format!(
        "model = \"TikiTaka\"\n{EXACT_TRANSFER}fast_lr = 0.5\ntransfer_lr = 0.25\ntransfer_every = 2\n"
    );
    let mut tile = exact(&text, SHAPE);
    learn(tile.as_mut(), &X, &D, 24);
    let expected = DMatrix::from_fn(2, 4, |i, j| 0.25 * total_read(j, D[i] * X[j], 2.0, 3));
    assert_eq!(tile.weights(), expected);
    // With gamma the fast array counts, too: it has followed 24 gradients.
    let mut tile = exact(&format!("{text}gamma = 0.5\n"), SHAPE);
    learn(tile.as_mut(), &X, &D, 24);
    assert_eq!(tile.weights(), expected + DMatrix::from_fn(2, 4, |i, j| -0.5 * 0.5 * 24.0 * D[i] * X[j]));
}

/// Three arrays, γ = 1/2: the finest follows the gradients, and a transfer writes λ_T γ/2 of what it reads one array up.
#[test]
fn residuals_move_up_from_array_to_array() {
    let text = format!(
        "model = \"ResidualLearning\"\n{EXACT_TRANSFER}gamma = 0.5\nfast_lr = 0.5\ntransfer_lr = 0.25\n"
    );
    let mut tile = exact(&text, SHAPE);
    learn(tile.as_mut(), &X, &D, 16);
    let state = tile.state();
    let array = |k: usize| floats(&state, &format!("array{k}.devices.persistent"));
    for (at, (i, j)) in (0..2).flat_map(|i| (0..4).map(move |j| (i, j))).enumerate() {
        let g = D[i] * X[j];
        assert_eq!(array(0)[at], -0.5 * 16.0 * g);
        assert_eq!(array(1)[at], 0.5 * 0.25 * total_read(j, g, 1.0, 4));
        // Array 1 is served every 4 vectors: column j at vector 4(j + 1), when it has been written j' = 0 … j times.
        let seen = 0.5 * 0.25 * total_read(j, g, 1.0, j as u64 + 1);
        assert_eq!(array(2)[at], 0.5 * 0.25 * seen);
        let visible = 0.25 * array(0)[at] + 0.5 * array(1)[at] + array(2)[at];
        assert_eq!(tile.weights()[(i, j)], visible);
    }
}

/// W = η_t Σ (what was read of the rows of A).
#[test]
fn rows_are_transferred_like_columns() {
    let shape = Shape { outputs: 4, inputs: 2 };
    let text = format!(
        "model = \"TikiTaka\"\n{EXACT_TRANSFER}fast_lr = 0.5\ntransfer_lr = 0.25\ntransfer_columns = false\n"
    );
    let mut tile = exact(&text, shape);
    learn(tile.as_mut(), &D, &X, 12);
    let expected = DMatrix::from_fn(4, 2, |i, j| 0.25 * total_read(i, D[j] * X[i], 1.0, 3));
    assert_eq!(tile.weights(), expected);
}

/// W + H = η_t Σ (what was read of A), |H| below a granule, W whole granules.
#[test]
fn a_buffer_and_what_it_wrote_are_what_it_read() {
    let text = format!(
        "model = \"TikiTakaV2\"\n{EXACT_TRANSFER}fast_lr = 0.5\ntransfer_lr = 0.0009765625\nforget_buffer = false\nmomentum = 0\n"
    );
    let mut tile = exact(&text, SHAPE);
    learn(tile.as_mut(), &X, &D, 48);
    let buffer = floats(&tile.state(), "rule.buffer0");
    let written = tile.weights();
    let conserved = DMatrix::from_fn(2, 4, |i, j| written[(i, j)] + buffer[j * 2 + i]);
    let read = DMatrix::from_fn(2, 4, |i, j| total_read(j, D[i] * X[j], 1.0, 12) / 1024.0);
    assert_eq!(conserved, read);
    assert!(written.amax() >= 0.015625 && buffer.iter().all(|h| h.abs() < 0.015625));
    assert!(written.iter().all(|w| (w * 64.0).fract() == 0.0), "whole pulses only");
}

/// A tile whose fast array holds 1/2 everywhere and has seen no gradient.
fn offset(algorithm: &str, shape: Shape) -> Box<dyn TrainableTile> {
    let mut tile = exact(algorithm, shape);
    let mut state = tile.state();
    state.put("array0.devices.persistent", vec![0.5_f32; shape.outputs * shape.inputs]);
    tile.restore(&state.root()).unwrap();
    tile
}

/// κ = 2⁻¹⁰/(256·2⁻⁶) = 2⁻¹²: nothing reaches the threshold.
const SLOW: &str = "buffer_granularity = 256\ntransfer_lr = 0.0009765625\nfast_lr = 0.5\n";
const KAPPA: f32 = 1.0 / 4096.0;

/// Σ cₜ·o: n·o without choppers, 0 with a regular one, mean 1 and variance n - 1 (in o) with p = ½.
#[test]
fn choppers_remove_a_constant_offset() {
    let run = |choppers: &str, inputs: usize, sweeps: u64| {
        let text = format!("model = \"ChoppedTikiTaka\"\n{EXACT_TRANSFER}{SLOW}{choppers}");
        let mut tile = offset(&text, Shape { outputs: 1, inputs });
        learn(tile.as_mut(), &vec![0.0; inputs], &[0.0], sweeps * inputs as u64);
        floats(&tile.state(), "rule.buffer")
    };
    // Without choppers it adds up; flipping every fourth sweep it cancels over eight.
    assert_eq!(run("in_chop_prob = 0\n", 4, 40), [40.0 * 0.5 * KAPPA; 4]);
    assert_eq!(run("in_chop_prob = 0.25\nin_chop_random = false\n", 4, 40), [0.0; 4]);
    // At p = 1/2 all signs but the first are independent: mean 1, variance 39 in units of the offset.
    let sums = run("in_chop_prob = 0.5\n", 512, 40);
    let sums: Vec<f32> = sums.iter().map(|h| h / (0.5 * KAPPA)).collect();
    expect_mean(&sums, 1.0, 39.0_f64.sqrt());
}

/// A fast array learns chopped gradients; in the weight it counts with its signs taken back, whatever they are.
#[test]
fn a_visible_fast_array_is_de_chopped() {
    for columns in [true, false] {
        let choppers = "in_chop_prob = 0.5\nout_chop_prob = 0.5\ngamma = 0.5\n";
        let text = format!(
            "model = \"ChoppedTikiTaka\"\n{EXACT_TRANSFER}{SLOW}{choppers}transfer_columns = {columns}\n"
        );
        let mut tile = exact(&text, SHAPE);
        learn(tile.as_mut(), &[0.0; 4], &[0.0; 2], 64);
        let state = tile.state();
        let (along, across) = (floats(&state, "rule.choppers.along"), floats(&state, "rule.choppers.across"));
        assert!(along.contains(&-1.0) || across.contains(&-1.0), "signs have changed");
        // One vector more, whose transfer changes no weight: γ·A de-chopped is γ·(-λ_A d xᵀ), with λ_A = 1/2.
        learn(tile.as_mut(), &X, &D, 1);
        let fast = floats(&tile.state(), "array0.devices.persistent");
        for (at, (i, j)) in (0..2).flat_map(|i| (0..4).map(move |j| (i, j))).enumerate() {
            let (across, along) = if columns { (across[i], along[j]) } else { (across[j], along[i]) };
            assert_eq!(fast[at], -0.5 * across * along * D[i] * X[j]);
        }
        let after = tile.state();
        let signs = (floats(&after, "rule.choppers.along"), floats(&after, "rule.choppers.across"));
        let flipped = |now: &[f32], was: &[f32], k: usize| now[k] * was[k];
        for (i, j) in (0..2).flat_map(|i| (0..4).map(move |j| (i, j))) {
            let (k_along, k_across) = if columns { (j, i) } else { (i, j) };
            // The read after the vector may have flipped signs: what was learnt before counts with the new ones.
            let sign = flipped(&signs.0, &along, k_along) * flipped(&signs.1, &across, k_across);
            assert_eq!(tile.weights()[(i, j)], -0.5 * 0.5 * sign * D[i] * X[j], "{columns}");
        }
    }
}

/// λ_A = fast_lr·BL·G/(m_x m_d): with running means of x = 2 and d = 1 a vector moves the largest element by
/// fast_lr·BL granules, whatever the learning rate and the size of the gradient.
#[test]
fn automatic_scales_make_the_largest_element_move_by_whole_trains() {
    for model in ["ChoppedTikiTaka", "Agad"] {
        let text = format!(
            "model = \"{model}\"\n{EXACT_TRANSFER}auto_scale = true\nfast_lr = 0.5\ntransfer_every = 1000\n"
        );
        let mut tile = exact(&text, SHAPE);
        learn(tile.as_mut(), &X, &D, 1);
        let first = floats(&tile.state(), "array0.devices.persistent");
        // BL = 31, G = 1/64: the element of x = 2 and d = -1 moves by +31/128.
        assert_eq!(first[7], 31.0 / 128.0, "{model}");
        // Four times the gradient: the means move by a hundredth, m = 0.99·2 + 0.01·4 and likewise for d.
        learn(tile.as_mut(), &X.map(|x| 2.0 * x), &D.map(|d| 2.0 * d), 1);
        let second = floats(&tile.state(), "array0.devices.persistent");
        let moved = f64::from(second[7] - first[7]);
        let wanted = 4.0 * 31.0 / 128.0 / (1.01 * 1.01);
        // Means, their product, the quotient, the outer product and a difference: 8 roundings.
        assert_close!(moved / wanted, 1.0, 8.0 * f64::from(f32::EPSILON), "{model}");
        assert_eq!(floats(&tile.state(), "rule.means"), [0.99_f32 * 2.0 + 0.01 * 4.0, 0.99 + 0.01 * 2.0]);
    }
}

/// B = b·G·a/(slices·E): a fast array that moves by a granule per vector writes a pulse about every a vectors.
#[test]
fn automatic_granularity_counts_vectors() {
    let text = format!(
        "model = \"ChoppedTikiTaka\"\n{EXACT_TRANSFER}in_chop_prob = 0\nauto_granularity = 1024\nfast_lr = 0.5\n\
         transfer_lr = 1\ntransfer_every = 2\n"
    );
    let mut tile = offset(&text, SHAPE);
    learn(tile.as_mut(), &[0.0; 4], &[0.0; 2], 8);
    // Each slice has been read once: H = A/B with B = 1/64·1024/(4·2) = 2.
    assert_eq!(floats(&tile.state(), "rule.buffer"), [0.25; 8]);
}

/// A negative period counts states: E = n_states/slices·|transfer_every|.
#[test]
fn automatic_periods_count_states() {
    // 2000·64 states over 4 slices, times 1/8000: every 4 vectors.
    let text = format!(
        "model = \"ChoppedTikiTaka\"\n{EXACT_TRANSFER}{SLOW}in_chop_prob = 0\ntransfer_every = -0.000125\n"
    );
    let mut tile = offset(&text, SHAPE);
    for (vectors, read) in [(3, 0), (1, 1), (3, 1), (1, 2), (8, 4)] {
        learn(tile.as_mut(), &[0.0; 4], &[0.0; 2], vectors);
        let filled = floats(&tile.state(), "rule.buffer").iter().filter(|h| **h != 0.0).count();
        assert_eq!(filled, 2 * read);
    }
}

/// κ = λ_T/(λ_A B G_C/G_A): what reaches C per gradient is λ_T, not λ_A λ_T.
#[test]
fn corrected_magnitudes_undo_the_fast_rate() {
    let buffer = |fast_lr: f32, correct: bool| {
        let text = format!(
            "model = \"ChoppedTikiTaka\"\n{EXACT_TRANSFER}in_chop_prob = 0\nbuffer_granularity = 4096\nfast_lr = {fast_lr}\n\
             correct_gradient_magnitudes = {correct}\n"
        );
        let mut tile = exact(&text, SHAPE);
        learn(tile.as_mut(), &X, &D, 4);
        floats(&tile.state(), "rule.buffer")
    };
    assert_eq!(buffer(0.5, true), buffer(0.25, true));
    assert_ne!(buffer(0.5, false), buffer(0.25, false));
}

/// H = Σ cₜ(read - reference): 4 offsets of the first period and nothing after it, reference = offset.
#[test]
fn agad_cancels_an_offset_that_it_has_tracked() {
    // Period of 4 sweeps, reference the last read of a period.
    let text = format!("model = \"Agad\"\n{EXACT_TRANSFER}{SLOW}in_chop_prob = 0.25\ntail_weightening = 4\n");
    let after = |sweeps: u64| {
        let mut tile = offset(&text, SHAPE);
        learn(tile.as_mut(), &[0.0; 4], &[0.0; 2], 4 * sweeps);
        let state = tile.state();
        (floats(&state, "rule.buffer"), floats(&state, "rule.reference"))
    };
    assert_eq!(after(4), (vec![4.0 * 0.5 * KAPPA; 8], vec![0.0; 8]));
    assert_eq!(after(29), (vec![4.0 * 0.5 * KAPPA; 8], vec![0.5; 8]));
}

/// χ - W/η_t = η Σ d xᵀ, |χ| below a granule.
#[test]
fn mixed_precision_keeps_what_it_has_not_written() {
    let mut tile = exact("model = \"MixedPrecision\"\ntransfer_lr = 0.5\ngranularity = 0.375", SHAPE);
    learn(tile.as_mut(), &X, &D, 21);
    let (chi, weights) = (floats(&tile.state(), "digital.chi"), tile.weights());
    // Written is half of what was taken from χ; the learning rate is 1/2.
    let sum = DMatrix::from_fn(2, 4, |i, j| chi[i * 4 + j] - weights[(i, j)] / 0.5);
    assert_eq!(sum, DMatrix::from_fn(2, 4, |i, j| 21.0 * 0.5 * D[i] * X[j]));
    assert!(chi.iter().all(|chi| chi.abs() < 0.375) && weights.amax() > 1.0);
}

/// χ - θ·W/granularity = Σ of integer products, |χ| < θ.
#[test]
fn integers_keep_what_they_have_not_written() {
    // Levels of x: width 1: 1, 0 (a tie), 0, 2; of d: width 1: 0 (a tie), -1. θ = 1.5/(0.5·1·1) = 3.
    let mut tile = exact("model = \"MixedPrecisionInt\"\ngranularity = 1.5\nmomentum_nm = 0", SHAPE);
    learn(tile.as_mut(), &X, &D, 20);
    let state = tile.state();
    let Values::Counts(chi) = state.iter().find(|(name, _)| *name == "digital.chi").unwrap().1 else {
        panic!()
    };
    let weights = tile.weights();
    let sum: Vec<f32> =
        (0..8).map(|k| chi[k].cast_signed() as f32 - 3.0 * weights[(k / 4, k % 4)] / 1.5).collect();
    assert_eq!(sum, [0.0, 0.0, 0.0, 0.0, -20.0, 0.0, 0.0, -40.0]);
    assert!(chi.iter().all(|chi| chi.cast_signed().abs() < 3));
}

#[test]
fn ideal_storage_has_no_granules_to_count_in() {
    for model in ["TikiTakaV2", "ChoppedTikiTaka", "Agad"] {
        let text = format!("algorithm.model = \"{model}\"\ndevice.model = \"Ideal\"");
        let tile: TrainingTileConfig = config::from_toml(&text).unwrap();
        assert_eq!(tile.validate().unwrap_err().field, "algorithm.devices[0]");
    }
}

#[test]
fn fields_are_refused_by_name() {
    let cases = [
        ("TikiTaka", "fast_lr = -1", "fast_lr"),
        ("TikiTaka", "with_reset_prob = 2", "with_reset_prob"),
        ("TikiTaka", "n_reads_per_transfer = 0", "n_reads_per_transfer"),
        ("TikiTaka", "gama = 1", "gama"),
        ("ResidualLearning", "tiles = 1", "tiles"),
        ("ResidualLearning", "gamma = 0", "gamma"),
        ("ResidualLearning", "gamma_vec = [0.25, 0.0, 1.0]", "gamma_vec[1]"),
        ("ResidualLearning", "gamma_vec = [0.5, 1.0]", "gamma_vec"),
        ("TikiTaka", "gamma = nan", "gamma"),
        ("TikiTaka", "transfer_every_vec = [1.0]", "transfer_every_vec"),
        ("TikiTaka", "transfer_lr = -1", "transfer_lr"),
        ("TikiTaka", "transfer_lr_vec = [0.5, -1.0]", "transfer_lr_vec[1]"),
        ("TikiTaka", "transfer_every = inf", "transfer_every"),
        ("TikiTaka", "transfer_update.desired_bl = 0", "transfer_update.desired_bl"),
        ("ChoppedTikiTaka", "step = -1", "step"),
        ("ChoppedTikiTaka", "momentum = -0.1", "momentum"),
        ("ChoppedTikiTaka", "buffer_granularity = nan", "buffer_granularity"),
        ("TikiTakaV2", "thres_scale = 0", "thres_scale"),
        ("TikiTakaV2", "step = 0", "step"),
        ("TikiTakaV2", "momentum = 1.5", "momentum"),
        ("ChoppedTikiTaka", "in_chop_prob = -0.1", "in_chop_prob"),
        ("ChoppedTikiTaka", "out_chop_prob = 2", "out_chop_prob"),
        ("ChoppedTikiTaka", "auto_granularity = -1", "auto_granularity"),
        ("ChoppedTikiTaka", "auto_momentum = 2", "auto_momentum"),
        ("ChoppedTikiTaka", "n_reads_per_transfer = 2", "n_reads_per_transfer"),
        ("Agad", "in_chop_prob = 0", "in_chop_prob"),
        ("Agad", "tail_weightening = 0", "tail_weightening"),
        ("Agad", "buffer_cap = -1", "buffer_cap"),
        ("MixedPrecision", "n_x_bins = 1", "n_x_bins"),
        ("MixedPrecision", "granularity = -1", "granularity"),
        ("MixedPrecisionInt", "n_d_bins = 2", "n_d_bins"),
    ];
    for (model, field, name) in cases {
        let text = format!("[algorithm]\nmodel = \"{model}\"\n{field}");
        let error =
            config::from_toml::<TrainingTileConfig>(&text).and_then(|tile| tile.validate()).unwrap_err();
        assert_eq!(error.field, format!("algorithm.{name}"), "{error}");
    }
}
