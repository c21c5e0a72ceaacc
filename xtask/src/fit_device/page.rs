//! The report of a fit: tables for terminal and page.

use aimc_device::measured::{Estimate, Fit, FitReport};

use super::{Comparison, FitDeviceError, figures, record_text};
use crate::report::Report;

pub(crate) const COMPARISON_HEADERS: [&str; 6] =
    ["model", "residual std", "R²", "AIC", "noise", "lag-1 correlation"];
pub(crate) const PARAMETER_HEADERS: [&str; 4] = ["parameter", "value", "standard error", "95 % interval"];

/// Devices whose parameters are on the page; fit.json has all.
const LISTED: usize = 20;

/// One row per model.
pub(crate) fn comparison_rows(comparison: &Comparison) -> Vec<Vec<String>> {
    let row = |(i, fit): (usize, &Fit)| {
        let report = &fit.report;
        let chosen = if i == comparison.best && comparison.fits.len() > 1 { " (chosen)" } else { "" };
        vec![
            format!("{}{chosen}", report.model),
            format!("{:.4e}", report.residual_std),
            format!("{:.4}", report.r_squared),
            format!("{:.1}", report.aic),
            if report.noise_scales_with_step { "scales with step" } else { "constant" }.to_owned(),
            format!("{:.3}", report.residual_lag_1),
        ]
    };
    let mut rows: Vec<Vec<String>> = comparison.fits.iter().enumerate().map(row).collect();
    for (model, _) in &comparison.failed {
        let dash = || "–".to_owned();
        rows.push(vec![model.name().to_owned(), dash(), dash(), dash(), "does not fit".to_owned(), dash()]);
    }
    rows
}

fn number(value: f64) -> String {
    format!("{value:.5}")
}

fn interval(estimate: &Estimate) -> String {
    estimate.interval_95.map_or("–".to_owned(), |[low, high]| format!("{} … {}", number(low), number(high)))
}

/// One row per parameter of the record.
pub(crate) fn parameter_rows(report: &FitReport) -> Vec<Vec<String>> {
    let row = |estimate: &Estimate| {
        let error = estimate.std_error.map_or("–".to_owned(), number);
        vec![estimate.name.clone(), number(estimate.value), error, interval(estimate)]
    };
    report.parameters.iter().map(row).collect()
}

fn device_rows(report: &FitReport) -> Vec<Vec<String>> {
    let row = |device: &aimc_device::measured::DeviceReport| {
        let cells = device.parameters.iter().map(|estimate| {
            let error = estimate.std_error.unwrap_or(0.0);
            format!("{} ± {}", number(estimate.value), number(error))
        });
        [device.name.clone()].into_iter().chain(cells).collect()
    };
    report.devices.iter().take(LISTED).map(row).collect()
}

/// The whole page.
pub(crate) fn render(comparison: &Comparison) -> Result<String, FitDeviceError> {
    let best = &comparison.fits[comparison.best];
    let report = &best.report;
    let mut page = Report::new(format!("{} from measurements", report.model), comparison.source.clone());
    page.highlights(&[
        ("model", report.model),
        ("devices", &report.devices.len().to_string()),
        ("steps", &report.steps[0].to_string()),
        ("R²", &format!("{:.4}", report.r_squared)),
    ]);
    page.paragraph(&format!(
        "Conductance {} became weight -1 and conductance {} weight 1. {} steps were used; {} that a hard bound may \
         have cut short were left out.",
        report.map.g_min, report.map.g_max, report.steps[0], report.steps[1]
    ));
    report.notes.iter().for_each(|note| {
        page.paragraph(&format!("Note: {note}."));
    });
    page.section("Models");
    page.table(
        &COMPARISON_HEADERS,
        &comparison_rows(comparison),
        "Models fitted to the same steps; the smallest AIC is best. Residual std in weights. A lag-1 correlation \
         near -0.5 tells of noisy readings, which no model here allows for.",
    );
    for (_, error) in &comparison.failed {
        page.paragraph(&format!("{error}."));
    }
    page.section("Measurement against fit");
    page.figure(&figures::steps(report).render()?, "Change of the weight by one pulse.");
    page.figure(
        &figures::residuals(report).render()?,
        "Residuals over the std that the fit expects: without a trend and mostly within ±2 where the model holds.",
    );
    page.figure(
        &figures::response(&comparison.table, best)?.render()?,
        "Single devices differ from the mean device in their constants and by the noise of all pulses before.",
    );
    page.section("Parameters");
    page.table(&PARAMETER_HEADERS, &parameter_rows(report), "Fields of the record with their uncertainty.");
    device_table(&mut page, report);
    page.section("Record");
    page.details("device.toml", &record_text(comparison, best)?);
    Ok(page.render())
}

fn device_table(page: &mut Report, report: &FitReport) {
    let names = report.devices.first().map(|device| &device.parameters[..]).unwrap_or_default();
    let headers: Vec<&str> =
        ["device"].into_iter().chain(names.iter().map(|estimate| estimate.name.as_str())).collect();
    let shown = report.devices.len().min(LISTED);
    let caption = format!(
        "Constants of {shown} of {} devices, ± standard error; fit.json has all.",
        report.devices.len()
    );
    page.table(&headers, &device_rows(report), &caption);
}
