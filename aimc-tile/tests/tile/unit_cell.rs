//! Unit cells of several devices: what they add up to, who takes the pulses, and what is refused.

use aimc_device::RngKey;
use aimc_device::config;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, proportion_test};
use aimc_tile::{AnalogTile, IoConfig, ReadOut, SampleKeys, Shape, Tile, TileConfig, UnitCell};
use nalgebra::DMatrix;

/// A constant-step device without any spread or noise.
const PLAIN: &str = "model = \"ConstantStep\", dw_min_dtod = 0.0, dw_min_std = 0.0, up_down_dtod = 0.0, \
                     w_max_dtod = 0.0, w_min_dtod = 0.0";

fn cells(cell: &str, shape: Shape) -> AnalogTile {
    let device: UnitCell = config::from_toml(cell).unwrap();
    let config = TileConfig { device, forward: IoConfig::perfect(), ..TileConfig::default() };
    config.build(shape, RngKey::root(4)).unwrap()
}

/// One vector that gives each device of a 1 x 1 tile exactly `pulses` down pulses (x, d, lr > 0; p = 1).
fn pulse(tile: &mut AnalogTile, pulses: f32, vector: u64) {
    let one = DMatrix::from_element(1, 1, 1.0);
    let draws = SampleKeys::new(RngKey::root(5)).skip(vector);
    tile.update(one.as_view(), one.as_view(), 0.001 * pulses, draws).unwrap();
}

const ONE: Shape = Shape { outputs: 1, inputs: 1 };

/// W = Σ γₖ wₖ, also when devices forget, and after a round trip through a checkpoint.
#[test]
fn weights_add_up() {
    let cell = format!(
        "model = \"Vector\"\ngamma_vec = [0.25, 2.0]\ndevices = [{{ {PLAIN}, lifetime = 10.0 }}, {{ {PLAIN} }}]"
    );
    let mut tile = cells(&cell, ONE);
    tile.set_weights(&DMatrix::from_element(1, 1, 0.5), RngKey::root(1)).unwrap();
    pulse(&mut tile, 3.0, 0);
    tile.end_of_step(RngKey::root(2));
    let devices: Vec<f32> = tile.devices().iter().map(|array| array.weights()[0]).collect();
    let (first, second): (f32, f32) = ((0.5 - 0.003) * 0.9, 0.5 - 0.003);
    // Three pulses and a product: four roundings.
    assert!(
        (devices[0] - first).abs() < 4.0 * f32::EPSILON && (devices[1] - second).abs() < 4.0 * f32::EPSILON
    );
    assert_eq!(tile.weights()[0], 0.25 * devices[0] + 2.0 * devices[1]);
    let mut copy = cells(&cell, ONE);
    copy.restore(&tile.state().root()).unwrap();
    assert_eq!((copy.weights(), copy.state()), (tile.weights(), tile.state()));
}

/// Pulses received by each device, in units of one pulse.
fn received(tile: &AnalogTile) -> Vec<u64> {
    tile.devices().iter().map(|array| array.pulse_counts().unwrap().1[0]).collect()
}

fn with_policy(policy: &str, n: usize) -> AnalogTile {
    let devices = vec![format!("{{ {PLAIN}, count_pulses = true }}"); n].join(", ");
    cells(&format!("model = \"Vector\"\nupdate_policy = \"{policy}\"\ndevices = [{devices}]"), ONE)
}

/// Six pulses on three devices: 6 each, 6 on the first, or 2 each in turn.
#[test]
fn policies_choose_the_device() {
    for (policy, expected) in
        [("All", [6, 6, 6]), ("SingleFixed", [6, 0, 0]), ("SingleSequential", [2, 2, 2])]
    {
        let mut tile = with_policy(policy, 3);
        (0..6).for_each(|vector| pulse(&mut tile, 1.0, vector));
        assert_eq!(received(&tile), expected, "{policy}");
    }
    let mut tile = with_policy("SingleSequential", 3);
    pulse(&mut tile, 1.0, 0);
    assert_eq!(received(&tile), [0, 1, 0], "the first vector goes to the device after the first");
}

/// The random policy gives each of n devices a share of 1/n, and the choice belongs to the sample.
#[test]
fn the_random_policy_is_fair_and_addressed() {
    let run = || {
        let mut tile = with_policy("SingleRandom", 3);
        (0..3000).for_each(|vector| pulse(&mut tile, 1.0, vector));
        received(&tile)
    };
    let counts = run();
    assert_eq!(counts.iter().sum::<u64>(), 3000);
    counts.iter().for_each(|&count| assert_p(proportion_test(count, 3000, 1.0 / 3.0), FALSE_ALARM));
    assert_eq!(run(), counts);
}

/// W = w₀ - w₁: only w₀ learns, and a weight is set against the reference as it is.
#[test]
fn a_reference_stays() {
    let mut tile = cells(&format!("model = \"Reference\"\ndevices = [{{ {PLAIN} }}]"), ONE);
    tile.set_weights(&DMatrix::from_element(1, 1, 0.25), RngKey::root(1)).unwrap();
    pulse(&mut tile, 2.0, 0);
    let devices: Vec<f32> = tile.devices().iter().map(|array| array.weights()[0]).collect();
    assert_eq!((tile.weights()[0], devices[1]), (devices[0], 0.0));
    assert!(devices[0] < 0.25);
}

/// W = g⁺ - g⁻, where both only rise.
#[test]
fn one_sided_pairs_only_rise() {
    let mut tile = cells(&format!("model = \"OneSided\"\ndevice = {{ {PLAIN}, count_pulses = true }}"), ONE);
    tile.set_weights(&DMatrix::from_element(1, 1, -0.25), RngKey::root(1)).unwrap();
    pulse(&mut tile, 4.0, 0);
    let devices = tile.devices();
    let (minus, plus) = (devices[0].weights()[0], devices[1].weights()[0]);
    // Four steps: four roundings.
    assert!((minus - 0.254).abs() < 4.0 * f32::EPSILON && plus == 0.0);
    assert_eq!(tile.weights()[0], plus - minus);
    assert_eq!(devices[0].pulse_counts().unwrap().0[0], 4);
}

/// A mirrored device answers an up pulse as the original answers a down pulse, with the sign turned.
#[test]
fn a_mirrored_pair_is_symmetric() {
    let device = "model = \"SoftBounds\", w_min = -0.4, up_down = 0.2, dw_min_std = 0.0";
    let shape = Shape { outputs: 3, inputs: 4 };
    let tile = cells(&format!("model = \"OneSided\"\ncopy_inverted = true\ndevice = {{ {device} }}"), shape);
    let devices = tile.devices();
    let constant = |k: usize, name: &str| {
        let all = devices[k].constants();
        all.into_iter().find(|(known, _)| *known == name).unwrap().1
    };
    let negative = |values: Vec<f32>| values.into_iter().map(|v| -v).collect::<Vec<_>>();
    assert_eq!(constant(1, "dwmin_up"), constant(0, "dwmin_down"));
    assert_eq!(constant(1, "max_bound"), negative(constant(0, "min_bound")));
    assert_eq!(constant(1, "slope_up"), negative(constant(0, "slope_down")));
}

#[test]
fn unfit_cells_are_refused() {
    let refuse = |text: &str| {
        let cell: Result<UnitCell, _> = config::from_toml(text);
        cell.and_then(|cell| cell.validate()).unwrap_err().to_string()
    };
    assert_eq!(refuse("model = \"Vector\""), "devices = 0: must be at least 1");
    let devices = format!("devices = [{{ {PLAIN} }}]");
    for (text, field) in [
        (format!("model = \"Vector\"\n{devices}\ngamma_vec = [1.0, 2.0]"), "gamma_vec"),
        (format!("model = \"Vector\"\n{devices}\nfirst_update_idx = 1"), "first_update_idx"),
        (
            "model = \"Vector\"\ndevices = [{ model = \"ConstantStep\", dw_min = -1.0 }]".into(),
            "devices[0].dw_min",
        ),
        ("model = \"Reference\"\ndevices = []".into(), "devices"),
        ("model = \"OneSided\"\ndevice = { model = \"ConstantStep\", w_max = -1.0 }".into(), "device.w_max"),
        ("model = \"OneSided\"\ncopied = true".into(), "copied"),
        ("model = \"Vector\"\ndevices = [{ model = \"Flux\" }]".into(), "devices[0].model"),
    ] {
        assert!(refuse(&text).starts_with(field), "{text}: {}", refuse(&text));
    }
}
