//! Transfer algorithms let vectors pass over the fast array together: the numbers are those of vectors one by one.

use aimc_device::rng::label;
use aimc_device::{RngKey, config};
use aimc_tile::{SampleKeys, Shape};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 12, inputs: 9 };
const SAMPLES: usize = 40;

fn uniform(rows: usize, purpose: &str) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * SAMPLES];
    RngKey::root(5).fold_in(label(purpose)).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(rows, SAMPLES, values).map(|u| 2.0 * u - 1.0)
}

/// Everything that a tile of this algorithm holds after the samples, `together` at a time.
fn learnt(algorithm: &str, together: usize, threads: usize) -> String {
    let text = format!(
        "device = {{ model = \"SoftBounds\", dw_min = 0.02, write_noise_std = 2.0 }}\nalgorithm = {{ {algorithm} }}"
    );
    let config: TrainingTileConfig = config::from_toml(&text).unwrap();
    let mut tile = config.build(SHAPE, RngKey::root(3)).unwrap();
    let (x, d) = (uniform(SHAPE.inputs, "x"), uniform(SHAPE.outputs, "d"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for first in (0..SAMPLES).step_by(together) {
        let draws = SampleKeys::new(RngKey::root(7)).skip(first as u64);
        let (x, d) = (x.columns(first, together), d.columns(first, together));
        pool.install(|| tile.update(x.as_view(), d.as_view(), 0.1, draws)).unwrap();
    }
    format!("{:?}", tile.state())
}

/// A batch at once = vectors one by one, bit for bit, at one thread and at two: with and without choppers, which flip within the
/// batch and at the end of a sweep; several reads at a time, in turn and at random; three arrays; transfers after several vectors;
/// resets; rows instead of columns; inputs whose noise lets lines know of each other.
#[test]
fn batches_are_vectors_one_by_one() {
    let algorithms = [
        "model = \"TikiTaka\"",
        "model = \"TikiTaka\", n_reads_per_transfer = 4, gamma = 0.5",
        "model = \"TikiTaka\", random_selection = true, transfer_every = 3.0",
        "model = \"TikiTaka\", transfer_columns = false",
        "model = \"TikiTaka\", with_reset_prob = 0.3",
        "model = \"TikiTaka\", transfer_forward.inp_noise = 0.1",
        "model = \"TikiTakaV2\", transfer_lr = 5.0, as_aihwkit = true",
        "model = \"ChoppedTikiTaka\", transfer_lr = 5.0, in_chop_prob = 0.2, out_chop_prob = 0.3",
        "model = \"ChoppedTikiTaka\", transfer_lr = 5.0, in_chop_random = false, in_chop_prob = 0.4",
        "model = \"Agad\", transfer_lr = 5.0, in_chop_prob = 0.4, in_chop_random = true",
        "model = \"ResidualLearning\", tiles = 3, transfer_every = 2.0",
    ];
    for algorithm in algorithms {
        let algorithm = format!("{algorithm}, units_in_mbatch = false");
        let single = learnt(&algorithm, 1, 1);
        for (together, threads) in [(SAMPLES, 1), (SAMPLES, 2), (8, 1)] {
            assert!(learnt(&algorithm, together, threads) == single, "{algorithm}, {together} together");
        }
    }
}

/// The same where the batch matters, for running means of sizes: a reset that never comes forces vectors to pass one by one.
#[test]
fn running_means_follow_the_vectors_of_a_batch() {
    for model in ["ChoppedTikiTaka", "Agad"] {
        let algorithm = format!("model = \"{model}\", transfer_lr = 5.0, fast_lr = 0.1, auto_scale = true");
        let apart = learnt(&format!("{algorithm}, with_reset_prob = 1e-30"), SAMPLES, 1);
        assert!(learnt(&algorithm, SAMPLES, 1) == apart, "{model}");
    }
}
