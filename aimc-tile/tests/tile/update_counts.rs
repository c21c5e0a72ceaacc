//! Pulse numbers in closed form: deterministic trains, rounded probabilities, clipped trains.

use super::keys;
use aimc_device::RngKey;
use aimc_device::config;
use aimc_testkit::assert_close;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, expect_mean, proportion_test};
use aimc_testkit::strategies;
use aimc_tile::pulse::PulseType;
use aimc_tile::{AnalogTile, Shape, Tile, TileConfig, UpdateConfig};
use nalgebra::DMatrix;
use proptest::prelude::*;

const G: f32 = 0.001;

/// Pulses, up minus down, of every device after `updates` updates of x (3 lines) and d (2 lines).
fn pulses(update: &UpdateConfig, x: [f32; 3], d: [f32; 2], lr: f32, updates: usize) -> Vec<i64> {
    let text = format!(
        "[device]\nmodel = \"ConstantStep\"\ncount_pulses = true\ndw_min = {G:?}\nw_max = 1e6\nw_min = -1e6"
    );
    let config = TileConfig { update: update.clone(), ..config::from_toml(&text).unwrap() };
    let mut tile: AnalogTile = config.build(Shape { outputs: 2, inputs: 3 }, RngKey::root(1)).unwrap();
    let x = DMatrix::from_fn(3, updates, |i, _| x[i]);
    let d = DMatrix::from_fn(2, updates, |i, _| d[i]);
    tile.update(x.as_view(), d.as_view(), lr, keys(4)).unwrap();
    let (up, down) = tile.devices()[0].pulse_counts().unwrap();
    up.iter().zip(down).map(|(up, down)| *up as i64 - *down as i64).collect()
}

fn deterministic(pulse_type: PulseType) -> UpdateConfig {
    UpdateConfig { pulse_type, ..UpdateConfig::default() }
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// Implicit trains round once: |n - lr|x·d|/G| ≤ ½ while no train is clipped, and n has the sign of descent. The
    /// product itself is rounded to 6 digits at worst, hence the slack of 1e-5·n.
    #[test]
    fn implicit_trains_round_once(x in prop::array::uniform3(-1.0_f32..1.0), d in prop::array::uniform2(-1.0_f32..1.0),
                                  lr in 0.001_f32..0.03) {
        let n = pulses(&deterministic(PulseType::DeterministicImplicit), x, d, lr, 1);
        for (device, n) in n.iter().enumerate() {
            let wanted = -f64::from(lr) * f64::from(x[device % 3]) * f64::from(d[device / 3]) / f64::from(G);
            assert_close!(*n as f64, wanted, 0.5 + 1e-5 * wanted.abs());
        }
    }

    /// Counted trains round three times: cx = BL·px and cd = BL·pd to ½ each, their product over BL to ½ again. So
    /// |n - BL·px·pd| ≤ ½ + (cx + cd + ½)/2BL ≤ ½ + 1 + 1/4BL with cx, cd ≤ BL.
    #[test]
    fn counted_trains_round_three_times(x in prop::array::uniform3(-1.0_f32..1.0), d in prop::array::uniform2(-1.0_f32..1.0),
                                        lr in 0.001_f32..0.03) {
        let first = pulses(&deterministic(PulseType::MeanCount), x, d, lr, 1);
        prop_assert_eq!(&first, &pulses(&deterministic(PulseType::MeanCount), x, d, lr, 1), "nothing is drawn");
        for (device, n) in first.iter().enumerate() {
            let wanted = -f64::from(lr) * f64::from(x[device % 3]) * f64::from(d[device / 3]) / f64::from(G);
            assert_close!(*n as f64, wanted, 1.75 + 1e-5 * wanted.abs());
        }
    }
}

/// Clipped trains (k > BL): E[n] = BL·(|x|/xm)·(k/BL·|d|/dm, at most 1): errors are cut, inputs never.
#[test]
fn clipped_trains_cut_the_errors() {
    let (x, d) = ([0.8_f32, -0.4, 0.2], [0.5_f32, -0.05]);
    // k = lr·xm·dm/G = 2·31: the first error is cut to 1, the second is 0.2.
    let lr = 2.0 * 31.0 * G / (0.8 * 0.5);
    let updates = 20_000;
    for (device, n) in pulses(&UpdateConfig::default(), x, d, lr, updates).into_iter().enumerate() {
        let px = f64::from(x[device % 3].abs() / 0.8);
        let pd = (2.0 * f64::from(d[device / 3].abs() / 0.5)).min(1.0);
        let trials = 31 * updates as u64;
        assert_p(proportion_test(n.unsigned_abs(), trials, px * pd), FALSE_ALARM);
        assert_eq!(n < 0, x[device % 3] * d[device / 3] > 0.0, "descent");
    }
}

/// Probabilities in steps of `res`: rounded stochastically they keep their mean, and so do the pulses; rounded to the
/// nearest they do not: 0.9, 0.2 and their partners become 1, 0 and so on.
#[test]
fn stochastic_rounding_of_probabilities_keeps_the_mean() {
    let (x, d, updates) = ([0.9_f32, -0.5, 0.2], [0.8_f32, -0.3], 20_000);
    let lr = 0.01;
    let rounded = |sto_round| UpdateConfig { res: 0.25, sto_round, ..UpdateConfig::default() };
    let stochastic = pulses(&rounded(true), x, d, lr, updates);
    let nearest = pulses(&rounded(false), x, d, lr, updates);
    for (device, n) in stochastic.iter().enumerate() {
        let mean = -f64::from(lr) * f64::from(x[device % 3]) * f64::from(d[device / 3]) / f64::from(G);
        // BL = ⌈7.2⌉ = 8 slots share one draw of each probability: n = Σ of 8 with Var ≤ 8² p(1-p) ≤ 64·p, p = mean/8.
        let std = (64.0 * mean.abs() / 8.0).sqrt();
        let average = *n as f64 / updates as f64;
        expect_mean(&[average], mean, std / (updates as f64).sqrt());
    }
    // B·|x| = √(7.2/8)·0.2/0.9 = 0.21, nearest step 0.25; A·|d| = √(7.2/8)·3/8 = 0.356, nearest 0.25.
    let biased = nearest[5].unsigned_abs() as f64 / updates as f64;
    expect_mean(&[biased], 8.0 * 0.25 * 0.25, (0.5 / updates as f64).sqrt());
}
