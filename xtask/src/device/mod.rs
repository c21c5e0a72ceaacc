//! `cargo xtask device NAME…`: what pulses and time do to devices, as figures, numbers and a report.

mod facts;
mod mean_device;
mod page;
pub(crate) mod pulse_response;
mod retention;
mod section;
mod source;
mod steps;
mod symmetry;

use std::path::PathBuf;

use aimc_device::ConfigError;
use aimc_device::error::require;
use clap::Args;

use crate::config_file::ConfigFileError;
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::{self, Interrupted};
use crate::plot::PlotError;
use section::Section;

/// More devices than this make no better figure.
const MOST_DEVICES: usize = 100_000;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeviceArguments {
    /// Presets, e.g. EcRam, or .toml and .json files with a pulsed device (`model = …`, or `preset = …` and overrides).
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Folder for the report, the figures and the numbers behind them.
    #[arg(long, value_name = "DIR", default_value = "out/device")]
    out: PathBuf,
    /// Seed of all draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Devices in the population.
    #[arg(long, value_name = "N", default_value_t = 200)]
    devices: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceError {
    /// A device or an option was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file with a device was refused.
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    /// The results cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A configuration cannot be shown.
    #[error("the configuration cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Draws the devices and writes everything at once.
pub(crate) fn run(arguments: &DeviceArguments) -> Result<(), DeviceError> {
    check_folder(&arguments.out)?;
    let sections = compute(arguments)?;
    page::print_facts(&sections);
    let written = outputs(&sections, arguments)?.commit(&arguments.out)?;
    println!("\nWritten:");
    written.iter().for_each(|path| println!("  {}", path.display()));
    Ok(())
}

fn compute(arguments: &DeviceArguments) -> Result<Vec<Section>, DeviceError> {
    require::at_least_one("--devices", arguments.devices)?;
    require::that(
        arguments.devices <= MOST_DEVICES,
        "--devices",
        arguments.devices,
        &format!("must be at most {MOST_DEVICES}"),
    )?;
    let sources = source::load(&arguments.names)?;
    let section = |source| {
        interrupt::check()?;
        section::measure(source, arguments.devices, arguments.seed)
    };
    sources.into_iter().map(section).collect()
}

/// Report, figures and numbers, ready to be written.
fn outputs(sections: &[Section], arguments: &DeviceArguments) -> Result<Outputs, DeviceError> {
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(sections, arguments)?);
    for section in sections {
        for figure in &section.figures {
            let name = format!("{}_{}", section.source.stem, figure.name);
            outputs.add(format!("{name}.svg"), figure.svg.as_str());
            outputs.add(format!("{name}.csv"), figure.columns.render());
        }
    }
    interrupt::check()?;
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::presets::DEVICES;

    fn arguments(names: &[&str]) -> DeviceArguments {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        DeviceArguments { names, out: PathBuf::new(), seed: 3, devices: 20 }
    }

    fn files(threads: usize) -> Vec<(String, Vec<u8>)> {
        let arguments = arguments(&["Capacitor", "ReRamSB"]);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let written = pool.install(|| {
            outputs(&compute(&arguments).unwrap(), &arguments).unwrap().commit(folder.path()).unwrap()
        });
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        written.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
    }

    #[test]
    fn no_file_depends_on_the_number_of_threads() {
        let files = [files(1), files(2)];
        assert!(files[0] == files[1]);
        let names: Vec<&str> = files[0].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "report.html",
                "Capacitor_pulse_response.svg",
                "Capacitor_pulse_response.csv",
                "Capacitor_steps.svg",
                "Capacitor_steps.csv",
                "Capacitor_retention.svg",
                "Capacitor_retention.csv",
                "ReRamSB_pulse_response.svg",
                "ReRamSB_pulse_response.csv",
                "ReRamSB_steps.svg",
                "ReRamSB_steps.csv",
                "ReRamSB_steps_without_noise.svg",
                "ReRamSB_steps_without_noise.csv",
            ]
        );
    }

    /// A device's numbers are its own: they do not change with its place on the command line.
    #[test]
    fn every_preset_has_its_section() {
        let names: Vec<&str> = DEVICES.iter().map(|preset| preset.name).collect();
        let arguments = arguments(&names);
        let sections = compute(&arguments).unwrap();
        let page = page::render(&sections, &arguments).unwrap();
        for section in &sections {
            assert!(page.contains(&format!("<h2>{}", section.source.name)), "{}", section.source.name);
        }
        assert!(!page.contains("src=") && !page.contains("<script"));
        let alone = compute(&DeviceArguments { names: vec!["EcRam".to_owned()], ..arguments }).unwrap();
        let among = sections.iter().find(|section| section.source.name == "EcRam").unwrap();
        assert_eq!(alone[0].figures, among.figures);
    }

    #[test]
    fn extreme_devices_are_drawn_or_refused_but_never_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.toml");
        for text in [
            "model = \"ConstantStep\"\nw_max = 0.0\nw_min = 0.0",
            "model = \"ConstantStep\"\nw_max = 3e38\nw_min = -3e38",
            "model = \"SoftBounds\"\ndw_min = 1e-30",
            "model = \"SoftBounds\"\ndw_min = 1e30",
            "model = \"ExpStep\"\nup_down = 1.0\nlifetime = 1e-9",
            "model = \"HiddenStep\"\nhs_hidden_states = 3000",
            "model = \"HiddenStep\"\nhs_hidden_states = 4000000000\ndw_min = 0.1",
            "model = \"PowStep\"\nlifetime = 3e38\ndiffusion = 1e-30\ndrift.nu = 100.0",
            "model = \"ConstantStep\"\ndiffusion = 3e38\ncorrupt_devices_prob = 1.0",
        ] {
            std::fs::write(&path, text).unwrap();
            let arguments = DeviceArguments { devices: 1, ..arguments(&[path.to_str().unwrap()]) };
            if let Err(error) = compute(&arguments) {
                assert_eq!(error.to_string().lines().count(), 1, "{text}: {error}");
            }
        }
    }

    #[test]
    fn populations_have_a_sensible_size() {
        for devices in [0, usize::MAX] {
            let error = compute(&DeviceArguments { devices, ..arguments(&["EcRam"]) }).unwrap_err();
            assert!(error.to_string().starts_with("--devices = "), "{error}");
        }
    }
}
