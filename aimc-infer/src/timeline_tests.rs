//! Tests of drift, reads and compensation.

use super::*;
use crate::compensation::{Compensation, Recalibration};
use crate::config::{DriftConversion, InferenceTileConfig};
use crate::program::tests::{example, noiseless, perfect};
use aimc_testkit::assert_close;

use aimc_device::programmed::{PcmLike, ProgrammedDeviceConfig};
use aimc_testkit::stats::expect_normal;

fn mean_size(weights: &DMatrix<f32>) -> f64 {
    weights.iter().map(|w| f64::from(w.abs())).sum::<f64>() / weights.len() as f64
}

fn program(config: &InferenceTileConfig, weights: &DMatrix<f32>) -> ProgrammedTile {
    ProgrammedTile::program(weights, config, RngKey::root(31)).unwrap()
}

#[test]
fn times_that_do_not_exist_are_refused() {
    let tile = program(&perfect(), &example(2, 2));
    for t in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(tile.at(t, RngKey::root(1)), Err(InferenceError::Time(_))), "{t}");
    }
    let message = tile.at(-1.0, RngKey::root(1)).unwrap_err().to_string();
    assert_eq!(message, "t = -1 s: must be a finite number of seconds after programming, 0 or above");
    tile.at(0.0, RngKey::root(1)).unwrap();
}

/// By its definition α restores the mean |W| that was programmed; each of the roundings of α (two means, their
/// ratio) is at most half an ulp, 2⁻²⁴ relative.
#[test]
fn compensation_restores_the_mean_weight_and_grows() {
    let tile = program(&perfect(), &example(40, 50));
    let mut last = 1.0;
    for t in [60.0, 3600.0, 86_400.0, 3.15e7] {
        let later = tile.at(t, RngKey::root(2)).unwrap();
        let alpha = later.alpha()[0];
        let ratio = f64::from(alpha) * mean_size(&later.weights()) / mean_size(&tile.programmed_weights());
        assert_close!(ratio, 1.0, 3.0 * 0.5 * f64::from(f32::EPSILON), "t = {t}");
        assert!(alpha > last && later.alpha().iter().all(|a| *a == alpha), "t = {t}");
        last = alpha;
    }
}

/// If all weights shrink by one power of two, so does the readout, and α is its inverse to the last bit.
#[test]
fn a_common_loss_is_compensated_exactly() {
    let mvm = AnalogMvm::forward(
        &aimc_tile::IoConfig::perfect(),
        aimc_tile::Shape { outputs: 6, inputs: 7 },
        RngKey::root(3),
    )
    .unwrap();
    let weights: Vec<f32> = example(6, 7).as_slice().to_vec();
    let lost: Vec<f32> = weights.iter().map(|w| 0.25 * w).collect();
    let read =
        |w: &[f32]| Compensation::Global.read_out(&mvm, Weights::new(w, 6, 7), RngKey::root(1)).unwrap();
    assert_eq!(read(&weights).factors(&read(&lost)), [4.0; 6]);
}

/// Four times the weights are the same conductances: α and outputs/4 keep their bits.
#[test]
fn alpha_does_not_depend_on_the_size_of_the_weights() {
    let weights = example(10, 12);
    let (small, large) = (program(&perfect(), &weights), program(&perfect(), &(4.0 * &weights)));
    assert_eq!(small.slices(), large.slices());
    let (small, large) = (small.at(3600.0, RngKey::root(2)), large.at(3600.0, RngKey::root(2)));
    let (small, large) = (small.unwrap(), large.unwrap());
    assert_eq!(small.alpha(), large.alpha());
    assert_eq!(4.0 * small.weights(), large.weights());
    assert_eq!(4.0 * outputs(&small), outputs(&large));
}

fn outputs(tile: &InferenceTile) -> DMatrix<f32> {
    let x = example(tile.shape().inputs, 5);
    let mut y = DMatrix::zeros(tile.shape().outputs, 5);
    tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(6))).unwrap();
    y
}

/// y = α·W(t)x.
#[test]
fn outputs_are_the_product_times_alpha() {
    let tile = program(&perfect(), &example(3, 4)).at(3600.0, RngKey::root(2)).unwrap();
    let x = example(4, 5);
    let exact = tile.weights() * &x;
    // Sums of 4 products in any order, then one factor: at most 8 roundings of Σ|w||x|.
    let sizes = tile.weights().map(f32::abs) * x.map(f32::abs);
    let alpha = tile.alpha()[0];
    for (y, (exact, size)) in outputs(&tile).iter().zip(exact.iter().zip(sizes.iter())) {
        assert_close!(*y, alpha * exact, 8.0 * f32::EPSILON * alpha * size);
    }
}

/// No compensation: α = 1.
#[test]
fn without_compensation_alpha_is_one() {
    let config = InferenceTileConfig { compensation: Compensation::None, ..InferenceTileConfig::default() };
    let tile = program(&config, &example(3, 4));
    assert_eq!(tile.at(1e7, RngKey::root(2)).unwrap().alpha(), [1.0; 3]);
}

/// Device read noise is there at t = 0 already: weights of 1 read back as normal with relative std Q·4.184.
#[test]
fn read_noise_acts_on_the_weights_of_the_tile() {
    let device = PcmLike { prog_noise_scale: 0.0, drift_scale: 0.0, ..PcmLike::default() };
    let config = InferenceTileConfig { device: ProgrammedDeviceConfig::PcmLike(device), ..noiseless() };
    let tile = program(&config, &DMatrix::from_element(100, 1000, 1.0));
    let read = tile.at(0.0, RngKey::root(3)).unwrap().weights();
    let relative = 0.0088 * ((20.0_f64 + 250e-9) / 500e-9).ln().sqrt();
    expect_normal(read.as_slice(), 1.0, relative);
}

/// Draws are addressed: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let weights = example(130, 150);
    for drift_conversion in [DriftConversion::Physical, DriftConversion::Reconverted] {
        let config = InferenceTileConfig { drift_conversion, ..InferenceTileConfig::default() };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let tile = program(&config, &weights).at(3600.0, RngKey::root(5)).unwrap();
                (tile.weights(), tile.alpha().to_vec(), outputs(&tile))
            })
        };
        assert_eq!(run(1), run(2));
    }
}

/// Between two readouts the factor stays, bit for bit, whichever read uses it; at a readout it is what it would be without
/// later ones; and every read draws its own noise.
#[test]
fn factors_stay_until_the_next_readout() {
    let with = |recalibration| {
        program(&InferenceTileConfig { recalibration, ..InferenceTileConfig::default() }, &example(20, 30))
    };
    let daily = with(Recalibration::Every(86_400.0));
    let alpha = |tile: &ProgrammedTile, t, key| tile.at(t, RngKey::root(key)).unwrap().alpha().to_vec();
    assert_eq!(alpha(&daily, 80_000.0, 1), [1.0; 20], "no readout yet: that of the baseline");
    let first = alpha(&daily, 86_400.0, 1);
    assert!(first[0] > 1.0);
    assert_eq!(first, alpha(&daily, 172_799.0, 2));
    assert_ne!(first, alpha(&daily, 172_800.0, 2));
    assert_ne!(
        daily.at(90_000.0, RngKey::root(1)).unwrap().weights(),
        daily.at(90_000.0, RngKey::root(2)).unwrap().weights()
    );
    let listed = with(Recalibration::At(vec![86_400.0]));
    assert_eq!(first, alpha(&listed, 3e7, 5), "the same readout of the same devices");
    assert_eq!(daily.slices(), listed.slices());
}

/// The exact reference corrects programming already at time 0, by one readout right after programming.
#[test]
fn an_exact_reference_is_read_once_at_the_start() {
    let config = InferenceTileConfig {
        compensation: Compensation::GlobalWithExactReference,
        recalibration: Recalibration::Every(3600.0),
        ..perfect()
    };
    let tile = program(&config, &example(20, 30));
    let alpha = |t, key| tile.at(t, RngKey::root(key)).unwrap().alpha().to_vec();
    assert_ne!(alpha(1.0, 1), [1.0; 20]);
    assert_eq!(alpha(1.0, 1), alpha(3000.0, 2));
    let reads = tile.compensation_reads(7200.0);
    assert_eq!((reads.baseline, reads.per_readout, reads.readouts), (0, 30, Some(3)));
    assert_eq!(reads.total(), Some(90));
}

/// A read-out costs one product per column; those until t are ⌊t/period⌋ + 1 (the one at programming).
#[test]
fn readouts_are_counted_in_products() {
    let reads = |compensation, recalibration| {
        let config = InferenceTileConfig { compensation, recalibration, ..InferenceTileConfig::default() };
        program(&config, &example(4, 30)).compensation_reads(86_400.0).total()
    };
    let hourly = Recalibration::Every(3600.0);
    assert_eq!(reads(Compensation::Global, hourly.clone()), Some(25 * 30));
    assert_eq!(reads(Compensation::PerColumn, hourly.clone()), Some(25 * 30));
    assert_eq!(reads(Compensation::None, hourly), Some(0));
    assert_eq!(reads(Compensation::Global, Recalibration::At(vec![1e6])), Some(30));
    assert_eq!(reads(Compensation::Global, Recalibration::EveryRead), None);
}

/// With one exponent ν for all devices and no noise, α = ((t + t_0)/t_0)^ν, and αW is what was programmed: one power, one mean
/// and one quotient, 2⁻²⁴ relative each, beside the error of the power (2 units) and of the mean of 1200 equal roundings.
#[test]
fn uniform_exponents_are_undone_exactly() {
    let off = "prog_noise_scale = 0.0, read_noise_scale = 0.0";
    let devices = [
        format!("device = {{ model = \"StateIndependent\", drift_nu_std = 0.0, {off} }}"),
        format!(
            "device = {{ model = \"CustomDriftPcmLike\", pcm = {{ {off} }}, custom_drift_model = {{ g_lst = [0.0, 25.0], \
             nu_mean_lst = [0.1, 0.1], nu_std_lst = [0.0, 0.0] }} }}"
        ),
        "device = { model = \"Tabulated\", nu_mean_lst = [0.1, 0.1] }".to_owned(),
    ];
    let schemes = [Compensation::Global, Compensation::PerColumn, Compensation::GlobalWithExactReference];
    for (device, compensation) in devices.iter().flat_map(|device| schemes.map(|scheme| (device, scheme))) {
        let device = aimc_device::config::from_toml::<InferenceTileConfig>(device).unwrap().device;
        let tile = program(&InferenceTileConfig { device, compensation, ..perfect() }, &example(30, 40));
        for t in [1.0, 3600.0, 3e7] {
            let later = tile.at(t, RngKey::root(2)).unwrap();
            let exact = ((f64::from(t) + 20.0) / 20.0).powf(0.1);
            let off = 8.0 * f64::from(f32::EPSILON);
            for alpha in later.alpha() {
                assert_close!(f64::from(*alpha) / exact, 1.0, off);
            }
            let programmed = tile.programmed_weights();
            for (w, target) in later.compensated_weights().iter().zip(programmed.iter()) {
                assert!(f64::from((w - target).abs()) <= off * f64::from(target.abs()), "{w} {target}");
            }
        }
    }
}
