//! The command from table to files.

use super::*;
use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::pulsed::{Direction, PulsedDeviceConfig};
use std::fmt::Write as _;
use std::path::Path;

/// A table of simulated soft-bounds devices.
fn table(devices: usize) -> String {
    let text = "model = \"SoftBounds\"\ndw_min = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.05\n\
                w_min_dtod = 0.05\ndw_min_dtod = 0.1";
    let record: PulsedDeviceConfig = config::from_toml(text).unwrap();
    let mut array = record.build(devices, 1, RngKey::root(1)).unwrap();
    let mut text = String::from("device,pulse,direction,conductance\n");
    for pulse in 0..=300_u64 {
        let direction = if pulse % 150 < 75 { Direction::Up } else { Direction::Down };
        let name = if direction == Direction::Up { "up" } else { "down" };
        if pulse > 0 {
            array.for_each_row(false, &|row, port| {
                port.pulse(&[0], direction, &mut RngKey::root(2).fold_in(pulse).stream(row as u64));
            });
        }
        for (device, weight) in array.weights().iter().enumerate() {
            writeln!(text, "d{device},{pulse},{name},{}", 1e-5 * (1.5 + weight)).unwrap();
        }
    }
    text
}

fn arguments(data: &Path, model: &str, out: &Path) -> FitArguments {
    FitArguments {
        data: data.to_owned(),
        model: model.to_owned(),
        g_min: Some(0.5e-5),
        g_max: Some(2.5e-5),
        out: out.to_owned(),
    }
}

#[test]
fn all_models_are_compared_and_the_record_loads() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data.csv");
    std::fs::write(&data, table(6)).unwrap();
    let out = dir.path().join("out");
    run(&arguments(&data, "all", &out)).unwrap();
    let record = std::fs::read_to_string(out.join("device.toml")).unwrap();
    let record: PulsedDeviceConfig = config::from_toml(&record).unwrap();
    record.validate().unwrap();
    let json = std::fs::read_to_string(out.join("fit.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["fits"].as_array().unwrap().len() + json["failed"].as_array().unwrap().len(), 6);
    let chosen = json["chosen"].as_str().unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap()["model"], chosen);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
}

#[test]
fn one_model_is_fitted_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data.csv");
    std::fs::write(&data, table(1)).unwrap();
    // Steps on a straight line leave the curvature of an exponential open.
    for model in Model::ALL.into_iter().filter(|model| *model != Model::ExpStep) {
        let comparison = compare(&arguments(&data, model.name(), dir.path())).unwrap();
        assert_eq!(comparison.fits.len(), 1);
        page::render(&comparison).unwrap();
    }
}

#[test]
fn refusals_name_the_file_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data.csv");
    let out = dir.path().join("out");
    for (text, expected) in [
        ("pulse,direction,conductance\n0,up,NaN\n", "line 2: conductance"),
        ("pulse,direction,conductance\n0,up,1\n1,up,2\n", "must be at least 20"),
    ] {
        std::fs::write(&data, text).unwrap();
        let error = run(&arguments(&data, "SoftBounds", &out)).unwrap_err().to_string();
        assert!(error.contains("data.csv") && error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
    let error = run(&arguments(&dir.path().join("none.csv"), "all", &out)).unwrap_err();
    assert!(matches!(error, FitDeviceError::Unreadable { .. }));
    assert!(!out.exists());
}
