//! Tests that hold for every programmed device, and the laws of each against its published equation.

#![allow(clippy::unwrap_used)]

mod by_hand;
mod laws;
mod life;

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice, ProgrammedDeviceConfig};

/// Every model, with defaults and with other settings that change its equations.
const MODELS: &[&str] = &[
    "model = \"PcmLike\"",
    "model = \"PcmLike\"\ng_max = 10.0\nt_0 = 1.0\nt_read = 1e-6",
    "model = \"CustomDriftPcmLike\"\ncustom_drift_model = { g_lst = [0.0, 10.0, 25.0], nu_mean_lst = [0.1, 0.06, 0.03], \
     nu_std_lst = [0.02, 0.01, 0.005] }",
    "model = \"Hermes\"",
    "model = \"Hermes\"\nnum_devices = 1",
    "model = \"ReRamWan2022\"",
    "model = \"ReRamWan2022\"\nrelaxation = \"Redrawn\"",
    "model = \"ReRamCmo\"",
    "model = \"StateIndependent\"",
    "model = \"Tabulated\"\ng_lst = [0.0, 10.0, 25.0]\nprog_mean_lst = [0.1, 10.0, 24.5]\nprog_std_lst = [0.2, 0.8, 1.0]\n\
     nu_mean_lst = [0.1, 0.07, 0.05]\nnu_std_lst = [0.03, 0.02, 0.01]\nread_noise_lst = [0.05, 0.02, 0.01]",
];

fn device(text: &str) -> ProgrammedDeviceConfig {
    let device: ProgrammedDeviceConfig = config::from_toml(text).unwrap();
    device.validate().unwrap();
    device
}

fn models() -> impl Iterator<Item = (&'static str, ProgrammedDeviceConfig)> {
    MODELS.iter().map(|text| (*text, device(text)))
}

/// `n` devices programmed towards one target (µS).
fn programmed(device: &ProgrammedDeviceConfig, target: f32, n: usize) -> ProgrammedArray {
    ProgrammedArray::program(device, &vec![target; n], 1000, RngKey::root(11))
}
