//! Power-law drift of arrays: w(T) = w0·max(T - t*, 1)^-ν.
//!
//! `powf` errs by a few units in the last place and the product by half of one: 8·u relative is granted.

use super::{MODELS, ROUNDOFF, UNIFORM, array, constant, prompt_models, pulse_all, same_bits, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::{DeviceArray, Direction::Up, PowerLawDrift};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_normal;
use aimc_testkit::strategies;
use proptest::prelude::*;

fn assert_law(array: &dyn DeviceArray, w0: &[f32], age: f64) {
    let nu = constant(array, "drift_nu");
    for ((w, w0), nu) in array.persistent_weights().iter().zip(w0).zip(nu) {
        let expected = f64::from(*w0) * age.max(1.0).powf(-f64::from(nu));
        assert_close!(f64::from(*w) / expected, 1.0, 8.0 * ROUNDOFF);
    }
}

/// The law over several calls, whose times add up, with an exponent of its own for every device.
#[test]
fn weights_follow_the_power_law() {
    for model in MODELS {
        let mut array = array(model, &format!("{UNIFORM}[drift]\nnu = 0.06\nnu_dtod = 0.3"), (5, 20), 1);
        set_all(array.as_mut(), 0.5);
        let mut age = 0.0;
        for (call, elapsed) in [0.25_f32, 0.5, 1.25, 8.0, 90.0, 9900.0].into_iter().enumerate() {
            array.drift(elapsed, RngKey::root(call as u64));
            age += f64::from(elapsed);
            assert_law(array.as_ref(), &[0.5; 100], age);
        }
    }
}

/// A pulse starts a device anew: the next call only notes it, then the law runs from that time.
#[test]
fn a_pulse_restarts_the_drift() {
    for model in prompt_models() {
        let mut array = array(model, &format!("{UNIFORM}dw_min = 0.01\n[drift]\nnu = 0.1"), (1, 4), 1);
        set_all(array.as_mut(), 0.25);
        array.drift(100.0, RngKey::root(1));
        pulse_all(array.as_mut(), Up, RngKey::root(2));
        let written = array.persistent_weights().to_vec();
        array.drift(50.0, RngKey::root(3));
        assert!(same_bits(array.persistent_weights(), &written), "the call after a write changes nothing");
        array.drift(30.0, RngKey::root(4));
        assert_law(array.as_ref(), &written, 30.0);
    }
}

/// Time counts in units of t_0; powers of two rescale without rounding.
#[test]
fn time_scales_with_its_unit() {
    for model in MODELS {
        let run = |scale: f32| {
            let mut array = array(model, &format!("[drift]\nnu = 0.1\nt_0 = {scale:?}"), (2, 8), 1);
            set_all(array.as_mut(), 0.1);
            array.drift(3.0 * scale, RngKey::root(1));
            array.drift(77.0 * scale, RngKey::root(2));
            array.persistent_weights().to_vec()
        };
        assert!(same_bits(&run(1.0), &run(64.0)));
    }
}

/// -ln(w/w0)/ln T ~ N(ν, ν·nu_std), drawn anew in every call.
#[test]
fn the_exponent_scatters_from_call_to_call() {
    for model in MODELS {
        let mut array = array(model, &format!("{UNIFORM}[drift]\nnu = 0.1\nnu_std = 0.4"), (100, 200), 1);
        set_all(array.as_mut(), 0.5);
        for (call, age) in [16.0_f64, 256.0].into_iter().enumerate() {
            array.drift(if call == 0 { 16.0 } else { 240.0 }, RngKey::root(call as u64));
            let exponents: Vec<f64> =
                array.persistent_weights().iter().map(|&w| -(f64::from(w) / 0.5).ln() / age.ln()).collect();
            expect_normal(&exponents, f64::from(0.1_f32), f64::from(0.1_f32) * f64::from(0.4_f32));
        }
    }
}

/// w_noise_std adds N(0, σ) in every call, before T = 1 too.
#[test]
fn the_read_noise_of_drift_is_normal() {
    for model in MODELS {
        let mut array =
            array(model, &format!("{UNIFORM}[drift]\nnu = 0.1\nw_noise_std = 0.0625"), (100, 200), 1);
        set_all(array.as_mut(), 0.125);
        array.drift(0.5, RngKey::root(1));
        expect_normal(array.persistent_weights(), 0.125, 0.0625);
    }
}

/// Drift that would leave the bounds ends at them: an offset pulls small weights below b⁻.
#[test]
fn drift_stops_at_the_bounds() {
    for model in MODELS {
        let mut array = array(model, "[drift]\nnu = 0.5\nw_offset = 2", (4, 8), 1);
        array.drift(1e6, RngKey::root(1));
        assert!(same_bits(array.persistent_weights(), &constant(array.as_ref(), "min_bound")));
    }
}

proptest! {
    #![proptest_config(strategies::config(256))]

    /// w = w0·q + A(q - 1), q = max(T,1)^-ν', A = g_offset·wg_ratio + w_offset,
    /// ν' = ν - nu_k·[ln((w - w_offset)/wg_ratio + g_offset) - log_g0].
    #[test]
    fn the_full_law(w0 in 0.1_f32..1.0, nu in 0.01_f32..0.2, g_offset in 0.1_f32..1.0, w_offset in -0.5_f32..0.0,
                    ratio in 0.5_f32..2.0, nu_k in -0.05_f32..0.05, log_g0 in -1.0_f32..1.0, time in 0.1_f32..1e5) {
        let drift = PowerLawDrift { nu, g_offset, w_offset, wg_ratio: ratio, nu_k, log_g0, ..Default::default() };
        let found = f64::from(drift.drifted(w0, w0, nu, time, 0.0));
        let [w0, nu, g_offset, w_offset, ratio, nu_k, log_g0, time] =
            [w0, nu, g_offset, w_offset, ratio, nu_k, log_g0, time].map(f64::from);
        let conductance = (w0 - w_offset) / ratio + g_offset;
        let exponent = nu - nu_k * (conductance.ln() - log_g0);
        let q = time.max(1.0).powf(-exponent);
        let offset = g_offset * ratio + w_offset;
        // Roundings: 8 in the exponent, whose terms are at most `terms`, amplified by q ln T; then 8 outside.
        let terms = nu + nu_k.abs() * (conductance.ln().abs() + log_g0.abs() + 1.0);
        let slack = 8.0 * ROUNDOFF * ((w0 + offset.abs()) * q * (1.0 + terms * time.max(1.0).ln()) + offset.abs());
        assert_close!(found, w0 * q + offset * (q - 1.0), slack);
    }
}
