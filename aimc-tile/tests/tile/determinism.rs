//! Results depend on addresses only: not on threads, and not on how a batch is split.

use super::{backward, eighths, forward, keys, same_bits, uniform};
use aimc_device::config;
use aimc_device::{RngKey, state::State};
use aimc_tile::{AnalogTile, ReadOut, Shape, Tile, TileConfig};
use nalgebra::DMatrix;

const NOISY: &str = "
    forward.inp_res = 0.0625
    forward.inp_sto_round = true
    forward.out_sto_round = true
    forward.out_bound = 2.0
    backward.inp_res = 0.0625
    [device]
    model = \"SoftBounds\"
    write_noise_std = 0.5
    diffusion = 0.01
    lifetime = 100
    count_pulses = true";

fn noisy(outputs: usize, inputs: usize) -> AnalogTile {
    let config: TileConfig = config::from_toml(NOISY).unwrap();
    config.build(Shape { outputs, inputs }, RngKey::root(1)).unwrap()
}

/// Everything a training step yields: outputs, errors passed on, and the state after it.
fn training_step() -> (DMatrix<f32>, DMatrix<f32>, State) {
    let mut tile = noisy(256, 384);
    tile.set_weights(&(0.3 * uniform(256, 384, 1)), RngKey::root(2)).unwrap();
    let (x, d) = (uniform(384, 48, 3), uniform(256, 48, 4));
    let y = forward(&tile, &x, keys(5));
    let z = backward(&tile, &d, keys(6));
    tile.update(x.as_view(), d.as_view(), 0.01, keys(7)).unwrap();
    tile.end_of_step(RngKey::root(8));
    (y, z, tile.state())
}

/// One, two and three threads give the same bits, for a tile large enough to be spread over them.
#[test]
fn threads_change_no_bit() {
    assert!(aimc_device::parallel::worthwhile(256 * 384) || rayon::current_num_threads() == 1);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(training_step)
    };
    let (y, z, state) = on(1);
    for threads in [2, 3] {
        let other = on(threads);
        assert!(same_bits(&y, &other.0), "forward on {threads} threads");
        assert!(same_bits(&z, &other.1), "backward on {threads} threads");
        assert_eq!(state, other.2, "update on {threads} threads");
    }
}

/// Inputs whose products with eighths are exact after the DAC (steps of 1/8, α = 1).
fn lines(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut lines = eighths(rows, columns, seed);
    lines.row_mut(0).fill(1.0);
    lines
}

/// A batch gives the same bits as its parts whose draws are skipped to: forward with bound management and
/// all roundings, and backward.
#[test]
fn splitting_a_batch_changes_no_product() {
    let mut tile: AnalogTile = {
        let text =
            NOISY.replace("write_noise_std = 0.5", "w_max = 4\nw_min = -4\nw_max_dtod = 0\nw_min_dtod = 0");
        let config: TileConfig = config::from_toml(&text).unwrap();
        config.build(Shape { outputs: 9, inputs: 20 }, RngKey::root(1)).unwrap()
    };
    tile.set_weights(&eighths(9, 20, 2), RngKey::root(3)).unwrap();
    let (x, d) = (lines(20, 11, 4), lines(9, 11, 5));
    let (y, z) = (forward(&tile, &x, keys(6)), backward(&tile, &d, keys(7)));
    for cut in [1, 4, 10] {
        let parts =
            |m: &DMatrix<f32>| [m.columns(0, cut).into_owned(), m.columns(cut, 11 - cut).into_owned()];
        let skips = [0, cut as u64];
        for (part, (x, (y, skip))) in parts(&x).iter().zip(parts(&y).iter().zip(skips)).enumerate() {
            assert!(same_bits(&forward(&tile, x, keys(6).skip(skip)), y), "forward, part {part} of {cut}");
        }
        for (part, (d, (z, skip))) in parts(&d).iter().zip(parts(&z).iter().zip(skips)).enumerate() {
            assert!(same_bits(&backward(&tile, d, keys(7).skip(skip)), z), "backward, part {part} of {cut}");
        }
    }
}

/// An update by a batch is the updates by its parts, one after another, bit for bit; 70 samples cross the
/// blocks in which trains are drawn.
#[test]
fn splitting_a_batch_changes_no_update() {
    let run = |cuts: &[usize]| {
        let mut tile = noisy(9, 20);
        let (x, d) = (uniform(20, 70, 1), uniform(9, 70, 2));
        for ends in cuts.windows(2) {
            let (start, length) = (ends[0], ends[1] - ends[0]);
            let draws = keys(3).skip(start as u64);
            tile.update(x.columns(start, length), d.columns(start, length), 0.01, draws).unwrap();
        }
        tile.state()
    };
    let whole = run(&[0, 70]);
    assert_ne!(whole, noisy(9, 20).state());
    for cuts in [&[0, 1, 70][..], &[0, 32, 64, 70], &[0, 31, 33, 69, 70]] {
        assert_eq!(run(cuts), whole, "{cuts:?}");
    }
}

/// Another address gives other draws, in each of the operations.
#[test]
fn addresses_matter() {
    let mut tile = noisy(9, 20);
    tile.set_weights(&(0.2 * uniform(9, 20, 1)), RngKey::root(1)).unwrap();
    let (x, d) = (uniform(20, 3, 1), uniform(9, 3, 2));
    assert!(!same_bits(&forward(&tile, &x, keys(1)), &forward(&tile, &x, keys(2))));
    assert!(!same_bits(&backward(&tile, &d, keys(1)), &backward(&tile, &d, keys(2))));
    let updated = |seed| {
        let mut tile = noisy(9, 20);
        tile.update(x.as_view(), d.as_view(), 0.01, keys(seed)).unwrap();
        tile.weights()
    };
    assert!(!same_bits(&updated(1), &updated(2)));
    assert!(same_bits(&updated(1), &updated(1)));
}

/// Equal vectors in one batch see different noise: each sample has an address of its own.
#[test]
fn samples_draw_their_own_noise() {
    let tile = noisy(9, 20);
    let y = forward(&tile, &DMatrix::from_element(20, 2, 0.5), keys(1));
    assert_ne!(y.column(0), y.column(1));
}
