//! What holds in the life of any programmed device, whatever its model.

use super::*;

/// Targets over the whole range of a device.
fn targets(device: &ProgrammedDeviceConfig, n: usize) -> Vec<f32> {
    (0..n).map(|i| device.g_max() * (i % 101) as f32 / 100.0).collect()
}

/// `text` without noise of any kind; the device then is exact.
fn silent(text: &str) -> ProgrammedDeviceConfig {
    let off = match text.split('"').nth(1).unwrap() {
        "ReRamWan2022" => "noise_scale = 0.0",
        "CustomDriftPcmLike" => "pcm = { prog_noise_scale = 0.0, read_noise_scale = 0.0, drift_scale = 0.0 }",
        "Tabulated" => return device("model = \"Tabulated\""),
        _ => "prog_noise_scale = 0.0\nread_noise_scale = 0.0\ndrift_scale = 0.0",
    };
    device(&format!("{text}\n{off}"))
}

/// Equal, but for the interpolation of measured tables: a share, a product and a sum, each rounded to 2⁻²⁴ of at most 25 µS.
fn assert_close(found: &[f32], wanted: &[f32], text: &str) {
    let tolerance = if text.contains("Tabulated") { 3.0 * 0.5 * f32::EPSILON * 25.0 } else { 0.0 };
    let off = found.iter().zip(wanted).map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f32::max);
    assert!(found.len() == wanted.len() && off <= tolerance, "{text}: off by {off} µS");
}

/// No noise and no drift: g(t) = target for t up to 10⁹ s.
#[test]
fn without_noise_nothing_ever_changes() {
    for text in MODELS {
        let device = silent(text);
        let lowest = if let ProgrammedDeviceConfig::ReRamCmo(cmo) = &device { cmo.g_min } else { 0.0 };
        let targets: Vec<f32> = targets(&device, 2000).into_iter().map(|g| g.max(lowest)).collect();
        let array = ProgrammedArray::program(&device, &targets, 100, RngKey::root(1));
        for t in [0.0, 1.0, 3600.0, 1e9] {
            assert_close(&array.read(&device, t, RngKey::root(2)), &targets, text);
        }
    }
}

/// Reads at one time differ by read noise alone: without it they are one and the same, at every time, while devices differ.
#[test]
fn reads_without_read_noise_are_the_same_devices() {
    for text in MODELS {
        let quiet = match text.split('"').nth(1).unwrap() {
            // Has no read noise, unless everything is drawn again at every read: then there is nothing else.
            "ReRamWan2022" if text.contains("Redrawn") => continue,
            "ReRamWan2022" => (*text).to_owned(),
            "CustomDriftPcmLike" => format!("{text}\npcm = {{ read_noise_scale = 0.0 }}"),
            "Tabulated" => text.replace("[0.05, 0.02, 0.01]", "[0.0, 0.0, 0.0]"),
            _ => format!("{text}\nread_noise_scale = 0.0"),
        };
        let (quiet, noisy) = (device(&quiet), device(text));
        let array = ProgrammedArray::program(&quiet, &targets(&quiet, 1000), 100, RngKey::root(1));
        let mut last = array.conductances().to_vec();
        for t in [60.0, 86_400.0, 3e7] {
            let read = array.read(&quiet, t, RngKey::root(2));
            assert_eq!(read, array.read(&quiet, t, RngKey::root(3)), "{text} {t}");
            assert_ne!(read, last, "{text} {t}: time passes");
            if !text.contains("Wan") {
                assert_ne!(array.read(&noisy, t, RngKey::root(2)), array.read(&noisy, t, RngKey::root(3)));
            }
            last = read;
        }
    }
}

/// 0 ≤ g(t) < ∞ for t up to 10¹² s.
#[test]
fn conductances_are_never_negative_and_always_finite() {
    for (text, device) in models() {
        let array = ProgrammedArray::program(&device, &targets(&device, 20_000), 100, RngKey::root(1));
        for t in [0.0, 1e-7, 1.0, 86_400.0, 1e12] {
            let read = array.read(&device, t, RngKey::root(2));
            assert!(read.iter().all(|g| g.is_finite() && *g >= 0.0), "{text} {t}");
        }
    }
}

/// Draws are addressed by row: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    for (text, device) in models() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let array =
                    ProgrammedArray::program(&device, &targets(&device, 20_000), 100, RngKey::root(1));
                let read = array.read(&device, 3600.0, RngKey::root(2));
                (array, read)
            })
        };
        assert_eq!(run(1), run(2), "{text}");
    }
}

/// Devices that a procedure has brought to their conductances drift as those that were programmed there.
#[test]
fn settled_devices_drift_like_programmed_ones() {
    for text in MODELS {
        let device = silent(text);
        let targets = targets(&device, 1000);
        let programmed = ProgrammedArray::program(&device, &targets, 100, RngKey::root(1));
        let settled = ProgrammedArray::settled(&device, targets, 100, RngKey::root(1));
        assert_close(programmed.conductances(), settled.conductances(), text);
        assert_eq!(programmed.drift_exponents(), settled.drift_exponents(), "{text}");
    }
}
