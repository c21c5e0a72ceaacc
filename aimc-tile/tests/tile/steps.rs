//! Updates in steps, and columns that are noted on the way: as vectors one by one.

use super::{keys, uniform};
use aimc_device::RngKey;
use aimc_device::config;
use aimc_tile::pulse::{Note, PulseType};
use aimc_tile::{AnalogTile, Shape, Tile, TileConfig, TileError, UnitCell, UpdateConfig};

const SHAPE: Shape = Shape { outputs: 60, inputs: 70 };

/// More than the trains of which are held in memory at a time.
const SAMPLES: usize = 150;

fn tile(device: &str, pulse_type: PulseType) -> AnalogTile {
    let device: UnitCell = config::from_toml(device).unwrap();
    let update = UpdateConfig { pulse_type, ..UpdateConfig::default() };
    TileConfig { device, update, ..TileConfig::default() }.build(SHAPE, RngKey::root(1)).unwrap()
}

/// Notes after some samples, up to three after the same one, of all columns in turn.
fn notes() -> Vec<Note> {
    let after = (0..SAMPLES).flat_map(|sample| std::iter::repeat_n(sample, [0, 1, 3, 1, 0][sample % 5]));
    after.enumerate().map(|(number, after)| Note { after, column: 3 * number % SHAPE.inputs }).collect()
}

/// Bit for bit what single vectors make of the devices, and what these hold in between, for all types of pulses and cells, dense and
/// sparse vectors, at one thread and at two.
#[test]
fn steps_and_notes_are_those_of_single_vectors() {
    let devices = [
        "model = \"SoftBounds\"\nwrite_noise_std = 20.0",
        "model = \"ExpStep\"\nwrite_noise_std = 20.0\ncount_pulses = true",
        "model = \"HiddenStep\"",
        "model = \"OneSided\"\nrefresh_every = 1\ndevice = { model = \"SoftBounds\", dw_min = 0.05 }",
        "model = \"Vector\"\nupdate_policy = \"SingleSequential\"\n\
         devices = [{ model = \"ConstantStep\" }, { model = \"ExpStep\" }]",
        "model = \"Ideal\"",
    ];
    let types = [PulseType::StochasticCompressed, PulseType::MeanCount, PulseType::NoneWithDevice];
    let (x, d) = (uniform(SHAPE.inputs, SAMPLES, 3), uniform(SHAPE.outputs, SAMPLES, 4));
    let sparse = x.map(|x| if x > 0.8 { x } else { 0.0 });
    let lr: Vec<f32> = (0..SAMPLES).map(|sample| [0.01, 0.0, 0.03][sample % 3]).collect();
    for (device, pulse_type) in devices.iter().flat_map(|device| types.map(|kind| (device, kind))) {
        for x in [&x, &sparse] {
            let mut single = tile(device, pulse_type);
            let mut held: Vec<f32> = Vec::new();
            for (sample, lr) in lr.iter().enumerate() {
                let (x, d) = (x.columns(sample, 1), d.columns(sample, 1));
                single.update(x.as_view(), d.as_view(), *lr, keys(5).skip(sample as u64)).unwrap();
                for note in notes().iter().filter(|note| note.after == sample) {
                    held.extend(single.conductances().iter().skip(note.column).step_by(SHAPE.inputs));
                }
            }
            for threads in [1, 2] {
                let mut tile = tile(device, pulse_type);
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let update = || tile.update_in_steps(x.as_view(), d.as_view(), &lr, &notes(), keys(5));
                let noted = pool.install(update).unwrap();
                assert_eq!(noted.as_slice(), held, "{device}, {pulse_type:?}");
                assert_eq!(tile.state(), single.state(), "{device}, {pulse_type:?}");
            }
        }
    }
}

/// Notes that do not ascend or lie outside, too few or too many rates, and rates that pulses cannot express are refused; nothing has
/// changed then.
#[test]
fn steps_that_make_no_sense_are_refused() {
    let mut tile = tile("model = \"ConstantStep\"", PulseType::StochasticCompressed);
    let before = tile.state();
    let (x, d) = (uniform(SHAPE.inputs, 3, 3), uniform(SHAPE.outputs, 3, 4));
    let mut refuse = |lr: &[f32], notes: &[Note]| {
        tile.update_in_steps(x.as_view(), d.as_view(), lr, notes, keys(1)).unwrap_err()
    };
    let note = |after, column| Note { after, column };
    for bad in [note(3, 0), note(0, SHAPE.inputs), note(1, 0)] {
        let error = refuse(&[0.1; 3], &[note(2, 0), bad]);
        assert_eq!(error, TileError::Note(bad));
        assert!(error.to_string().contains(&format!("column {} after sample {}", bad.column, bad.after)));
    }
    for lr in [&[0.1; 2][..], &[0.1; 4]] {
        assert!(matches!(refuse(lr, &[]), TileError::Shape { expected: (3, 1), .. }));
    }
    assert_eq!(refuse(&[0.1, -0.1, 0.1], &[]), TileError::LearningRate(-0.1));
    assert!(matches!(refuse(&[0.1, 0.1, f32::NAN], &[]), TileError::LearningRate(lr) if lr.is_nan()));
    assert_eq!(tile.state(), before);
}
