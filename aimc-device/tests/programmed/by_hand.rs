//! Equations at single points, by hand: what a law of many draws cannot tell, such as the sign of a draw, and what no law is about.

use super::{device, models};
use aimc_device::config;
use aimc_device::programmed::reram_wan::Relaxation;
use aimc_device::programmed::{Hermes, ProgrammedDevice, ProgrammedDeviceConfig, ReRamCmo, ReRamWan2022};
use aimc_testkit::assert_close;

/// Relative error of as many roundings.
fn roundings(n: f64) -> f64 {
    n * f64::from(f32::EPSILON) / 2.0
}

/// g = g_T + σ_p ξ, g = g_d + σ_r ξ and ν = μ + σ ξ: a draw above 0 raises all of them, where they are drawn.
#[test]
fn draws_above_zero_raise_what_is_drawn() {
    for (text, device) in models() {
        let g = 0.5 * device.g_max();
        let moved = |with: f32, without: f32| f64::from(with) - f64::from(without);
        let slack = roundings(8.0) * f64::from(g);
        let std = f64::from(device.programming_std(g));
        assert_close!(moved(device.program(g, 2.0), device.program(g, 0.0)), 2.0 * std, slack, "{text}");
        let std = f64::from(device.read_noise_std(g, g, 1.0));
        assert_close!(
            moved(device.read(g, g, 1.0, 2.0), device.read(g, g, 1.0, 0.0)),
            2.0 * std,
            slack,
            "{text}"
        );
        if !text.contains("Redrawn") {
            assert!(device.drift_exponent(g, 1.0) > device.drift_exponent(g, 0.0), "{text}");
        }
    }
}

/// The largest target is the one of the record; of Hermes 10.35 µS per device unless given.
#[test]
fn the_largest_conductance_is_that_of_the_record() {
    for (text, g_max) in [
        ("model = \"PcmLike\"\ng_max = 10.0", 10.0),
        ("model = \"CustomDriftPcmLike\"\npcm.g_max = 10.0", 10.0),
        ("model = \"Hermes\"", 20.7),
        ("model = \"Hermes\"\nnum_devices = 1", 10.35),
        ("model = \"Hermes\"\ng_max = 5.0", 5.0),
        ("model = \"ReRamWan2022\"\ng_max = 30.0", 30.0),
        ("model = \"ReRamCmo\"\ng_max = 30.0", 30.0),
        ("model = \"StateIndependent\"\ng_max = 30.0", 30.0),
        ("model = \"Tabulated\"\ng_max = 20.0", 20.0),
    ] {
        assert_eq!(device(text).g_max(), g_max, "{text}");
    }
}

#[test]
fn every_model_refuses_what_it_cannot_be() {
    for (text, field) in [
        ("model = \"PcmLike\"\nt_read = 100.0", "t_read"),
        ("model = \"CustomDriftPcmLike\"\npcm.t_0 = 0.0", "pcm.t_0"),
        ("model = \"CustomDriftPcmLike\"\npcm.g_max = 30.0", "custom_drift_model.g_lst"),
        ("model = \"Hermes\"\nnum_devices = 3", "num_devices"),
        ("model = \"Hermes\"\ng_max = 20.8", "g_max"),
        ("model = \"Hermes\"\nt_0 = 1e-7", "t_read"),
        ("model = \"ReRamWan2022\"\nnoise_scale = -1.0", "noise_scale"),
        ("model = \"ReRamWan2022\"\ncoeff_times = [1.0, 2.0]", "coeff"),
        ("model = \"ReRamCmo\"\ng_min = 88.2", "g_min"),
        ("model = \"ReRamCmo\"\ng_min = -1.0", "g_min"),
        ("model = \"StateIndependent\"\nread_noise_scale = -1.0", "read_noise_scale"),
        ("model = \"Tabulated\"\ng_max = 26.0", "g_lst"),
        ("model = \"Tabulated\"\nt_0 = 1e-7", "t_read"),
    ] {
        let device: ProgrammedDeviceConfig = config::from_toml(text).unwrap();
        assert_eq!(device.validate().unwrap_err().field, field, "{text}");
    }
}

/// σ_r = g_d·Q(a)·√ln((t + t_0 + t_r)/2t_r), Q a cubic above the knee at a = 0.16, -0.0117·ln a - 0.0069 below it; 12 roundings.
#[test]
fn hermes_reads_with_the_published_noise() {
    let growth = ((700.0 + 300.0 + 512e-9) / 1.024e-6_f64).ln().sqrt();
    for (a, q) in [(0.5, 0.016_712_5), (0.1, -0.0117 * 0.1_f64.ln() - 0.0069)] {
        let expected = 8.0 * q * growth;
        let found = Hermes::default().read_noise_std(20.7 * a, 8.0, 700.0);
        assert_close!(f64::from(found), expected, roundings(12.0) * expected, "a = {a}");
    }
}

/// σ_p = 0.0112185391 + 0.01129027418·50 µS.
#[test]
fn coarse_verification_programs_with_its_own_error() {
    let expected = 0.011_218_539_1 + 0.011_290_274_18 * 50.0;
    let found = ReRamCmo::verified_to_2_percent().programming_std(50.0);
    assert_close!(f64::from(found), expected, roundings(4.0) * expected);
}

/// Full devices: 1.103, 2.651 and 2.677 µS after 1 s, 1 day and 2 days, on lines over ln t between them; the terms, whose sizes add
/// up to 137 µS at most, are rounded 4 times each.
#[test]
fn the_spread_of_wan_is_a_line_over_the_logarithm_of_time() {
    let device = ReRamWan2022::default();
    for (t, expected) in
        [(1.0, 1.103), (86_400.0_f64.sqrt(), 1.877), (86_400.0 * 2.0_f64.sqrt(), 2.664), (1e9, 2.677)]
    {
        assert_close!(f64::from(device.spread(40.0, t as f32)), expected, roundings(8.0) * 137.0, "{t} s");
    }
}

/// A device beyond g_max is as noisy as a full one, unless all is drawn again: then the polynomial holds at a = 1.1, too.
#[test]
fn relaxation_of_the_device_is_cut_at_full() {
    let device = ReRamWan2022::default();
    assert_eq!(device.spread(44.0, 1.0), device.spread(40.0, 1.0));
    let redrawn = ReRamWan2022 { relaxation: Relaxation::Redrawn, ..device };
    let beyond = [-16.815, 45.393, -43.853, 16.030, 0.348].iter().fold(0.0_f64, |sum, c| sum * 1.1 + c);
    assert_close!(f64::from(redrawn.spread(44.0, 1.0)), beyond, roundings(8.0) * 157.0);
}

/// g = g_p + √(σ(t)² - σ(0)²)·ξ: a full device has moved by √(2.651² - 1.103²)·ξ after a day. Errors of the two spreads (see above)
/// count 2.651/2.41 and 1.103/2.41 times.
#[test]
fn what_relaxation_adds_is_the_rest_of_the_spread() {
    let added = (2.651_f64.powi(2) - 1.103_f64.powi(2)).sqrt();
    for xi in [1.0_f32, -2.0] {
        let found = ReRamWan2022::default().drifted(40.0, xi, 86_400.0);
        let slack = roundings(8.0) * 137.0 * 2.0 * f64::from(xi.abs());
        assert_close!(f64::from(found), 40.0 + f64::from(xi) * added, slack, "xi = {xi}");
    }
}

/// σ_p = c₀ + c₁·g/g_max, σ_r = g·s/g_max·√ln((t + t_0 + t_r)/2t_r). Eight roundings are granted.
#[test]
fn state_independent_devices_by_hand() {
    let text = "model = \"StateIndependent\"\ng_max = 10.0\nprog_coeff = [0.25, 0.5]\nread_noise_scale = 2.0\nt_0 = 14.0\nt_read = 1.0";
    let device = device(text);
    assert_close!(f64::from(device.programming_std(4.0)), 0.45, roundings(8.0) * 0.45);
    let expected = 4.0 * 2.0 / 10.0 * 8.0_f64.ln().sqrt();
    assert_close!(f64::from(device.read_noise_std(4.0, 4.0, 1.0)), expected, roundings(8.0) * expected);
}
