//! `cargo xtask fit-device`: from a table of measured pulses to a device record, with a report.

mod figures;
mod page;

use std::path::PathBuf;

use aimc_device::ConfigError;
use aimc_device::measured::{Fit, FitReport, GRange, MeasuredError, Measurements, Model, fit};
use clap::Args;
use serde::Serialize;

use crate::files::{OutputError, Outputs};
use crate::plot::PlotError;
use crate::table::print_table;

/// Options of the fit.
#[derive(Clone, Debug, Args)]
pub(crate) struct FitArguments {
    /// Table (CSV) with the columns device (optional), pulse, direction (up, down, 1, -1) and conductance.
    data: PathBuf,
    /// Model to fit; "all" compares them and keeps the one of the smallest AIC.
    #[arg(long, value_name = "NAME", default_value = "all", value_parser = model_names())]
    model: String,
    /// Conductance of the weight -1, in the unit of the table. Default: the smallest of the table.
    #[arg(long, value_name = "X", requires = "g_max", allow_hyphen_values = true)]
    g_min: Option<f64>,
    /// Conductance of the weight 1, in the unit of the table. Default: the largest of the table.
    #[arg(long, value_name = "Y", requires = "g_min", allow_hyphen_values = true)]
    g_max: Option<f64>,
    /// Folder for device.toml, fit.json and report.html.
    #[arg(long, value_name = "DIR", default_value = "out/fit-device")]
    out: PathBuf,
}

const ALL: &str = "all";

fn model_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(
        [ALL].into_iter().chain(Model::ALL.iter().map(|model| model.name())),
    )
}

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FitDeviceError {
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: {source}", path.display())]
    Measured { path: PathBuf, source: MeasuredError },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("the fit cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the record cannot be written as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
}

/// All fits to one table.
pub(crate) struct Comparison {
    source: String,
    table: Measurements,
    fits: Vec<Fit>,
    /// Models that do not fit, and why.
    failed: Vec<(Model, MeasuredError)>,
    /// Index of the chosen fit.
    best: usize,
}

/// What goes into fit.json.
#[derive(Serialize)]
struct Summary<'a> {
    source: &'a str,
    chosen: &'a str,
    fits: Vec<&'a FitReport>,
    failed: Vec<String>,
}

/// Fits, prints the comparison and writes all files.
pub(crate) fn run(arguments: &FitArguments) -> Result<(), FitDeviceError> {
    let comparison = compare(arguments)?;
    let best = &comparison.fits[comparison.best];
    println!("{} devices, {} steps", best.report.devices.len(), best.report.steps[0]);
    print_table(&page::COMPARISON_HEADERS, &page::comparison_rows(&comparison));
    println!("\nParameters of {} with 95 % intervals:", best.report.model);
    print_table(&page::PARAMETER_HEADERS, &page::parameter_rows(&best.report));
    best.report.notes.iter().for_each(|note| println!("  note: {note}"));
    let mut outputs = Outputs::new();
    outputs.add("device.toml", record_text(&comparison, best)?);
    outputs.add("fit.json", json(&comparison)?);
    outputs.add("report.html", page::render(&comparison)?);
    println!("Written:");
    outputs.commit(&arguments.out)?.iter().for_each(|path| println!("  {}", path.display()));
    Ok(())
}

fn compare(arguments: &FitArguments) -> Result<Comparison, FitDeviceError> {
    let path = || arguments.data.clone();
    let text = std::fs::read_to_string(&arguments.data)
        .map_err(|error| FitDeviceError::Unreadable { path: path(), error })?;
    let range = match (arguments.g_min, arguments.g_max) {
        (Some(low), Some(high)) => GRange::Stated(low, high),
        _ => GRange::Data,
    };
    let refuse = |source| FitDeviceError::Measured { path: path(), source };
    let table = Measurements::from_csv(&text, range).map_err(refuse)?;
    let chosen =
        Model::ALL.into_iter().filter(|model| [ALL, model.name()].contains(&arguments.model.as_str()));
    let (mut fits, mut failed) = (Vec::new(), Vec::new());
    for model in chosen {
        match fit(&table, model) {
            Ok(fitted) => fits.push(fitted),
            Err(error) => failed.push((model, error)),
        }
    }
    let by_aic = |a: &usize, b: &usize| fits[*a].report.aic.total_cmp(&fits[*b].report.aic);
    match ((0..fits.len()).min_by(by_aic), failed.first()) {
        (Some(best), _) => {
            let source = arguments.data.display().to_string();
            Ok(Comparison { source, table, fits, failed, best })
        }
        (None, Some((_, error))) => Err(refuse(error.clone())),
        (None, None) => Err(refuse(MeasuredError::Empty)),
    }
}

/// The record as TOML, with its origin as a comment.
fn record_text(comparison: &Comparison, fit: &Fit) -> Result<String, FitDeviceError> {
    // By way of JSON text, which prints single precision in as few digits as it needs.
    let tree = aimc_device::config::parse_json(&serde_json::to_string(&fit.config)?)?;
    let map = fit.report.map;
    // A line break in a file name must not end the comment.
    let source = comparison.source.replace(char::is_control, " ");
    Ok(format!(
        "# Fitted by `cargo xtask fit-device` to {source}.\n# Weight -1 is conductance {}, weight 1 is {}.\n{}",
        map.g_min,
        map.g_max,
        toml::to_string(&tree)?
    ))
}

fn json(comparison: &Comparison) -> Result<String, FitDeviceError> {
    let Comparison { source, fits, failed, best, .. } = comparison;
    Ok(serde_json::to_string(&Summary {
        source,
        chosen: fits[*best].report.model,
        fits: fits.iter().map(|fit| &fit.report).collect(),
        failed: failed.iter().map(|(_, error)| error.to_string()).collect(),
    })?)
}

#[cfg(test)]
mod tests;
