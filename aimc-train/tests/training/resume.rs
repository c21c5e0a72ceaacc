//! Every algorithm goes on bit for bit from a stored state, and gives the same bits at any number of threads.

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::rng::label;
use aimc_device::state::State;
use aimc_tile::{IdealTile, SampleKeys, Shape, TileConfig, TrainableTile};
use aimc_train::{TrainingTileConfig, ZeroShifting};
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 5, inputs: 7 };

/// Noise of every kind, decay and diffusion.
const DEVICE: &str = "\n[device]\nmodel = \"SoftBounds\"\ndw_min = 0.01\nwrite_noise_std = 2.0\nlifetime = 500.0\n\
                      diffusion = 1e-4\n[forward]\nw_noise = 0.01\nw_noise_type = \"PCMRead\"";

/// Each with all that keeps a state: choppers, running means, pointers, buffers that stay filled.
const ALGORITHMS: &[&str] = &[
    "model = \"Sgd\"",
    "model = \"TikiTaka\", with_reset_prob = 0.2, n_reads_per_transfer = 2, units_in_mbatch = false",
    "model = \"TikiTaka\", transfer_columns = false, random_selection = true, gamma = 0.3",
    "model = \"ResidualLearning\", tiles = 4, random_selection = true",
    "model = \"TikiTakaV2\", forget_buffer = false, units_in_mbatch = false, gamma = 0.5, transfer_lr = 0.3",
    "model = \"ChoppedTikiTaka\", auto_scale = true, fast_lr = 0.1, out_chop_prob = 0.2, gamma = 0.5",
    "model = \"ChoppedTikiTaka\", in_chop_random = false, transfer_columns = false, buffer_granularity = 5",
    "model = \"Agad\", auto_scale = true, fast_lr = 0.1, in_chop_prob = 0.5, in_chop_random = true",
    "model = \"MixedPrecision\", n_x_bins = 5, n_d_bins = 7, n_rows_per_transfer = 2",
    "model = \"MixedPrecision\", n_rows_per_transfer = 3, random_row = true, as_aihwkit = true",
    "model = \"MixedPrecisionInt\", stoc_round = true, momentum_chi = 0.2, n_rows_per_transfer = 2",
];

fn fresh(algorithm: &str, shape: Shape) -> Box<dyn TrainableTile> {
    let text = format!("algorithm = {{ {algorithm} }}{DEVICE}");
    let tile: TrainingTileConfig = config::from_toml(&text).unwrap();
    tile.build(shape, RngKey::root(1)).unwrap()
}

/// Steps `from` to `to` of a training with made-up errors.
fn train(tile: &mut dyn TrainableTile, steps: std::ops::Range<u64>) {
    let shape = tile.shape();
    for step in steps {
        let key = RngKey::root(2).fold_in(step);
        let mut draws = key.fold_in(label("data")).stream(0);
        let x = DMatrix::from_fn(shape.inputs, 3, |_, _| draws.normal());
        let d = DMatrix::from_fn(shape.outputs, 3, |_, _| draws.normal());
        tile.update(x.as_view(), d.as_view(), 0.1, SampleKeys::new(key)).unwrap();
        tile.end_of_step(key.fold_in(label("end")));
    }
}

fn same(a: &State, b: &State) -> bool {
    a.iter().eq(b.iter())
}

/// 2N steps = N steps, state, restore, N steps, with every algorithm.
#[test]
fn a_stored_state_goes_on_bit_for_bit() {
    for algorithm in ALGORITHMS {
        let mut whole = fresh(algorithm, SHAPE);
        train(whole.as_mut(), 0..31);
        let middle = whole.state();
        train(whole.as_mut(), 31..62);
        assert!(!same(&middle, &whole.state()), "{algorithm} does not learn");

        let mut first = fresh(algorithm, SHAPE);
        train(first.as_mut(), 0..31);
        let mut second = fresh(algorithm, SHAPE);
        second.restore(&first.state().root()).unwrap();
        assert!(same(&second.state(), &middle), "{algorithm}");
        assert_eq!(second.weights(), first.weights(), "{algorithm}");
        train(second.as_mut(), 31..62);
        assert!(same(&second.state(), &whole.state()), "{algorithm}");
        assert_eq!(second.weights(), whole.weights(), "{algorithm}");
    }
}

#[test]
fn states_of_another_shape_are_refused() {
    for algorithm in ALGORITHMS {
        let state = fresh(algorithm, SHAPE).state();
        let mut other = fresh(algorithm, Shape { outputs: 5, inputs: 8 });
        assert!(other.restore(&state.root()).is_err(), "{algorithm}");
    }
}

/// Bits after training on one thread = on several.
#[test]
fn threads_change_no_bit() {
    // Wide enough that rows really are spread over threads.
    let shape = Shape { outputs: 130, inputs: 140 };
    for algorithm in ALGORITHMS {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut tile = fresh(algorithm, shape);
                train(tile.as_mut(), 0..3);
                tile.state()
            })
        };
        assert!(same(&run(1), &run(2)), "{algorithm}");
    }
}

/// 2N steps = N steps, state, restore, N steps, after zero shifting.
#[test]
fn shifted_tiles_go_on_bit_for_bit() {
    let make = || {
        let text = "[device]\nmodel = \"SoftBounds\"\ndw_min = 0.01";
        let tile: TileConfig = config::from_toml(text).unwrap();
        let procedure = ZeroShifting { pairs: 50, averaged_pairs: 10, step: 0.01 };
        let tile = tile.build(SHAPE, RngKey::root(1)).unwrap();
        procedure.shift(tile, IdealTile::new(SHAPE).unwrap(), RngKey::root(3)).unwrap().0
    };
    let (mut whole, mut first, mut second) = (make(), make(), make());
    train(&mut whole, 0..20);
    train(&mut first, 0..10);
    use aimc_tile::Tile;
    second.restore(&first.state().root()).unwrap();
    train(&mut second, 10..20);
    assert!(same(&whole.state(), &second.state()));
}
