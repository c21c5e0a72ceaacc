//! Every tile knows how many devices it is made of and how many pulses they have received, whatever it is made of.

use aimc_device::pulsed::PulseCount;
use aimc_device::rng::label;
use aimc_device::state::{State, Values};
use aimc_device::{RngKey, config};
use aimc_tile::{IdealTile, Inventory, SampleKeys, Shape, Tile, TileConfig, TrainableTile};
use aimc_train::{TrainingTileConfig, ZeroShifting};
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 5, inputs: 7 };
const COUNTING: &str = "device = { model = \"SoftBounds\", dw_min = 0.01, count_pulses = true }";
/// Both devices fill up, so that the refresh pulses them, too.
const PAIR: &str = "device = { model = \"OneSided\", refresh_every = 2, refresh_upper_thres = 0.1, \
                    refresh_lower_thres = 0.0, device = { model = \"SoftBounds\", dw_min = 0.01, w_min = 0.0, \
                    count_pulses = true } }";
const SEVERAL: &str = "device = { model = \"Vector\", devices = [{ model = \"SoftBounds\", count_pulses = true }, \
                       { model = \"ConstantStep\", count_pulses = true }, { model = \"LinearStep\", count_pulses = true }] }";

/// A tile of the given record, and how many arrays and devices it has.
fn tiles() -> Vec<(String, u64, u64)> {
    let n = (SHAPE.outputs * SHAPE.inputs) as u64;
    let of = |device: &str, rest: &str| format!("{rest}\n{device}");
    let algorithm = |text: &str| of(COUNTING, &format!("algorithm = {{ {text} }}"));
    vec![
        (of(COUNTING, ""), 1, n),
        (of(PAIR, ""), 1, 2 * n),
        (of(SEVERAL, ""), 1, 3 * n),
        (of(COUNTING, "periphery.mapping = { max_input_size = 3, max_output_size = 4 }"), 6, n),
        (of(COUNTING, "periphery.mapping.learn_out_scaling = true"), 1, n),
        (of(COUNTING, "slices = { slices = 3, update = \"Gradient\" }"), 3, 3 * n),
        (of(COUNTING, "slices.slices = 2\nperiphery.mapping.max_input_size = 3"), 6, 2 * n),
        (algorithm("model = \"TikiTaka\", units_in_mbatch = false"), 2, 2 * n),
        (algorithm("model = \"TikiTakaV2\", units_in_mbatch = false, transfer_lr = 5.0"), 2, 2 * n),
        (algorithm("model = \"ChoppedTikiTaka\", units_in_mbatch = false, transfer_lr = 5.0"), 2, 2 * n),
        (algorithm("model = \"Agad\", units_in_mbatch = false, transfer_lr = 5.0"), 2, 2 * n),
        (algorithm("model = \"ResidualLearning\", tiles = 4, units_in_mbatch = false"), 4, 4 * n),
        (algorithm("model = \"MixedPrecision\""), 1, n),
        (algorithm("model = \"MixedPrecisionInt\""), 1, n),
    ]
}

fn build(text: &str, seed: u64) -> Box<dyn TrainableTile> {
    let record: TrainingTileConfig = config::from_toml(text).unwrap();
    record.build(SHAPE, RngKey::root(seed)).unwrap()
}

fn train(tile: &mut dyn Tile) {
    for step in 0..20 {
        let key = RngKey::root(2).fold_in(step);
        let mut draws = key.fold_in(label("data")).stream(0);
        let x = DMatrix::from_fn(SHAPE.inputs, 3, |_, _| draws.normal());
        let d = DMatrix::from_fn(SHAPE.outputs, 3, |_, _| draws.normal());
        tile.update(x.as_view(), d.as_view(), 0.1, SampleKeys::new(key)).unwrap();
        tile.end_of_step(key.fold_in(label("end")));
    }
}

/// What the counters of the single devices say, which are all part of the state: their number and their sums.
fn counted(state: &State) -> (u64, PulseCount) {
    let sum = |name: &str| {
        let lists = state.iter().filter(|(entry, _)| entry.rsplit(['.', '/']).next() == Some(name));
        lists.fold((0, 0), |(devices, pulses), (_, values)| match values {
            Values::Counts(counts) => (devices + counts.len() as u64, pulses + counts.iter().sum::<u64>()),
            Values::Floats(_) => panic!("{name} holds whole numbers"),
        })
    };
    let ((devices, up), (_, down)) = (sum("up_pulses"), sum("down_pulses"));
    (devices, PulseCount { up, down })
}

/// Pulses of a tile = Σ over its arrays of the counters, also after a checkpoint.
#[test]
fn totals_are_those_of_the_counters_and_survive_a_checkpoint() {
    for (text, arrays, devices) in tiles() {
        let mut tile = build(&text, 1);
        let fresh = Inventory { arrays, devices, pulses: PulseCount::default() };
        assert_eq!(tile.inventory(), fresh, "{text}");
        train(tile.as_mut());
        let state = tile.state();
        let (found, pulses) = counted(&state);
        assert_eq!(tile.inventory(), Inventory { arrays, devices, pulses }, "{text}");
        assert_eq!(found, devices, "{text}");
        assert!(pulses.total() > 0, "{text}");
        let mut other = build(&text, 2);
        other.restore(&state.root()).unwrap();
        assert_eq!(other.inventory(), tile.inventory(), "{text}");
    }
}

/// Counting each device is a matter of its record, the sum is not: both records make the same pulses.
#[test]
fn the_sum_needs_no_counters() {
    for (text, ..) in tiles() {
        let (mut counting, mut plain) =
            (build(&text, 1), build(&text.replace(", count_pulses = true", ""), 1));
        train(counting.as_mut());
        train(plain.as_mut());
        assert_eq!(counted(&plain.state()).0, 0, "{text}");
        assert_eq!(plain.inventory(), counting.inventory(), "{text}");
    }
}

/// Ideal tiles: 0 devices, 0 pulses.
#[test]
fn digital_tiles_have_no_devices() {
    let mut exact = TrainingTileConfig::ideal().build(SHAPE, RngKey::root(1)).unwrap();
    train(exact.as_mut());
    assert_eq!(exact.inventory(), Inventory::default());
    let mut exact = IdealTile::new(SHAPE).unwrap();
    train(&mut exact);
    assert_eq!(exact.inventory(), Inventory::default());
}

/// Zero shifting pulses each device `pairs` times up and down; the digital reference adds nothing.
#[test]
fn zero_shifting_costs_pulses() {
    let tile: TileConfig = config::from_toml(COUNTING).unwrap();
    let tile = tile.build(SHAPE, RngKey::root(1)).unwrap();
    let procedure = ZeroShifting { pairs: 50, averaged_pairs: 10, step: 0.01 };
    let (shifted, _) = procedure.shift(tile, IdealTile::new(SHAPE).unwrap(), RngKey::root(3)).unwrap();
    let (devices, pulses) = counted(&shifted.state());
    assert_eq!(shifted.inventory(), Inventory { arrays: 1, devices, pulses });
    assert!(pulses.up > 0 && pulses.down > 0, "{pulses:?}");
}
