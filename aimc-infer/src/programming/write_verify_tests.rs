//! Tests of program-and-verify against what its rule implies.

use super::*;
use crate::config::InferenceTileConfig;
use crate::program::ProgrammedTile;
use crate::program::tests::{example, perfect};
use crate::programming::{Programming, ProgrammingReport};
use aimc_testkit::assert_close;

use aimc_device::config;
use aimc_device::programmed::PcmLike;
use aimc_testkit::stats::{FALSE_ALARM, Kurtosis, assert_p, expect_mean, expect_std, ks_test};
use nalgebra::DMatrix;

const G_MAX: f32 = 25.0;
const COLUMNS: usize = 200;

/// A device without any noise or spread, whose steps are exact in binary arithmetic: weights ± 1/2, range 1.
fn exact(step: f32) -> PulsedDeviceConfig {
    let text = format!(
        "model = \"ConstantStep\"\ndw_min = {step}\ndw_min_std = 0.0\ndw_min_dtod = 0.0\nup_down = 0.0\nup_down_dtod = 0.0\n\
         w_max = 0.5\nw_min = -0.5\nw_max_dtod = 0.0\nw_min_dtod = 0.0"
    );
    config::from_toml(&text).unwrap()
}

fn one_by_one(device: PulsedDeviceConfig) -> WriteVerify {
    WriteVerify { device, read_noise: 0.0, pulses_per_read: 1, ..WriteVerify::default() }
}

/// Programs `targets` (µS): errors of all devices (µS), and what it cost.
fn errors(procedure: &WriteVerify, targets: &[f32]) -> (Vec<f32>, Effort) {
    procedure.validate().unwrap();
    let cells = (targets.len(), COLUMNS);
    let mut slice = PulsedSlice::fabricate(&procedure.device, cells, G_MAX, RngKey::root(1)).unwrap();
    let effort = procedure.write_slice(&mut slice, targets, G_MAX, RngKey::root(2));
    (slice.conductances().iter().zip(targets).map(|(g, target)| g - target).collect(), effort)
}

/// Targets uniform between `low` and `high` (µS).
fn uniform(n: usize, low: f32, high: f32) -> Vec<f32> {
    let mut targets = vec![0.0; n];
    RngKey::root(9).stream(0).fill_uniform(&mut targets);
    targets.into_iter().map(|u| low + u * (high - low)).collect()
}

/// From below, a device stops at the first step within the band: errors are uniform between -b and -b + Δg, with mean
/// -b + Δg/2 and std Δg/√12. That is far below what one shot leaves (about 1 µS).
#[test]
fn errors_gather_at_the_edge_of_the_band() {
    let (step, band) = (G_MAX / 1024.0, 0.25);
    let procedure = WriteVerify { acceptance: band / G_MAX, ..one_by_one(exact(1.0 / 1024.0)) };
    let (errors, effort) = errors(&procedure, &uniform(20_000, 1.0, 24.0));
    let std = f64::from(step) / 12.0_f64.sqrt();
    expect_mean(&errors, f64::from(0.5 * step - band), std);
    expect_std(&errors, std, Kurtosis::Known(9.0 / 5.0));
    let share = |e: f64| ((e + f64::from(band)) / f64::from(step)).clamp(0.0, 1.0);
    assert_p(ks_test(&errors, share), FALSE_ALARM);
    // One read before every pulse, and one that accepts.
    assert_eq!(effort.device_reads, effort.pulses + 20_000);
    assert!(std < 0.01 * f64::from(PcmLike::default().programming_std(12.5)));
}

/// Without read noise every accepted device is within the band, however noisy and unequal its pulses; and steps that are wider
/// than the band leave at most one step more.
#[test]
fn residuals_are_bounded_by_band_and_step() {
    let noisy = "model = \"ConstantStep\"\ndw_min = 0.002\ndw_min_std = 0.5\ndw_min_dtod = 0.2\nw_max = 0.5\nw_min = -0.5\n\
                 w_max_dtod = 0.0\nw_min_dtod = 0.0";
    let procedure = WriteVerify { acceptance: 0.01, ..one_by_one(config::from_toml(noisy).unwrap()) };
    let targets = uniform(20_000, 0.0, G_MAX);
    let (found, _) = errors(&procedure, &targets);
    assert!(found.iter().all(|e| e.abs() <= 0.01 * G_MAX));
    let coarse = WriteVerify { acceptance: 0.005, max_pulses: 100, ..one_by_one(exact(1.0 / 32.0)) };
    let (found, _) = errors(&coarse, &targets);
    let bound = (0.005 + 1.0 / 32.0) * G_MAX;
    assert!(found.iter().all(|e| e.abs() <= bound) && found.iter().any(|e| e.abs() > 0.005 * G_MAX));
}

/// Read noise accepts devices that are outside, and makes others go on that were inside.
#[test]
fn read_noise_costs_accuracy() {
    let quiet = WriteVerify { acceptance: 0.002, ..one_by_one(exact(1.0 / 1024.0)) };
    let noisy = WriteVerify { read_noise: 0.01, ..quiet.clone() };
    let targets = uniform(2000, 1.0, 24.0);
    let outside = |procedure| {
        let (found, _) = errors(procedure, &targets);
        found.iter().filter(|e| e.abs() > 0.002 * G_MAX).count()
    };
    assert_eq!(outside(&quiet), 0);
    assert!(outside(&noisy) > 200);
}

/// A device that cannot get there spends all it has, and no more; pulses may come in trains.
#[test]
fn budgets_are_kept() {
    for pulses_per_read in [1, 4, 1000] {
        let short = WriteVerify { max_pulses: 10, pulses_per_read, ..one_by_one(exact(1.0 / 1024.0)) };
        let (found, effort) = errors(&short, &[20.0; 2 * COLUMNS]);
        assert_eq!(effort.pulses, 10 * 2 * COLUMNS as u64);
        for e in &found {
            assert_close!(e + 20.0, 10.0 * G_MAX / 1024.0, 1e-5);
        }
    }
}

fn report(config: &InferenceTileConfig, weights: &DMatrix<f32>) -> ProgrammingReport {
    *ProgrammedTile::program(weights, config, RngKey::root(4)).unwrap().report()
}

/// On a tile, with any converter: the weight is off by what its slices are off at most, Σ|c|·b.
#[test]
fn every_converter_can_be_written_and_verified() {
    let weights = example(20, 30);
    for (text, slopes) in [
        ("model = \"SinglePair\"", 2.0 / 25.0),
        ("model = \"NPair\"\nf_lst = [1.0, 2.0]", 6.0 / 75.0),
        ("model = \"CustomPair\"", 2.0 / 25.0),
        ("model = \"SingleDevice\"\ng_min = 1.0", 2.0 / 24.0),
        ("model = \"OffsetColumn\"", 4.0 / 25.0),
    ] {
        let mut tile = InferenceTileConfig { converter: config::from_toml(text).unwrap(), ..perfect() };
        tile.programming = Programming::WriteVerify(one_by_one(exact(1.0 / 1024.0)));
        let found = report(&tile, &weights);
        assert_eq!(found.within_band, Some(1.0), "{text}");
        assert!(found.conductance_error.max <= 0.25 + 1e-5, "{text}: {found:?}");
        assert!(found.weight_error.max <= slopes * 0.25 * (1.0 + 1e-3), "{text}: {found:?}");
        let one_shot = report(&InferenceTileConfig { programming: Programming::default(), ..tile }, &weights);
        assert!(found.weight_error.rms < one_shot.weight_error.rms, "{text}: {found:?} {one_shot:?}");
        assert_eq!((one_shot.within_band, one_shot.effort), (None, Effort::default()));
    }
}

/// Draws are addressed: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let procedure = WriteVerify { pulses_per_read: 8, max_pulses: 2000, ..WriteVerify::default() };
    let config = InferenceTileConfig { programming: Programming::WriteVerify(procedure), ..perfect() };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tile = ProgrammedTile::program(&example(60, 80), &config, RngKey::root(4)).unwrap();
            (tile.slices().to_vec(), *tile.report())
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn procedures_that_make_no_sense_are_refused() {
    let field = |change: fn(&mut WriteVerify)| {
        let mut procedure = WriteVerify::default();
        change(&mut procedure);
        procedure.validate().unwrap_err().field
    };
    assert_eq!(field(|p| p.acceptance = 0.0), "acceptance");
    assert_eq!(field(|p| p.read_noise = f32::NAN), "read_noise");
    assert_eq!(field(|p| p.pulses_per_read = 0), "pulses_per_read");
    assert_eq!(field(|p| p.pulses_per_read = u32::MAX), "pulses_per_read");
    assert_eq!(field(|p| p.max_pulses = 0), "max_pulses");
    WriteVerify::default().validate().unwrap();
    let text =
        "[programming]\nprocedure = \"WriteVerify\"\ndevice = { model = \"ConstantStep\", dw_min = -1.0 }";
    let tile: InferenceTileConfig = config::from_toml(text).unwrap();
    assert_eq!(tile.validate().unwrap_err().field, "programming.device.dw_min");
}
