//! The report of a training: a table on the terminal, figures and tables on a page.

use aimc_train::EpochMetrics;
use aimc_train::convert::Holder;
use indicatif::HumanCount;

use super::TrainCommandError;
use super::results::{Results, unit};
use crate::learning_curves;
use crate::plot::{Axis, LineChart, Series, SeriesStyle};
use crate::report::Report;
use crate::table::print_table;

const MATRIX_HEADERS: [&str; 7] =
    ["matrix", "outputs x inputs", "lies on", "arrays", "devices", "up pulses", "down pulses"];

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

fn matrix_rows(results: &Results) -> Vec<Vec<String>> {
    let row = |matrix: &super::results::Matrix| {
        vec![
            matrix.name.clone(),
            format!("{} x {}", matrix.outputs, matrix.inputs),
            matrix.kind.clone(),
            count(matrix.arrays),
            count(matrix.devices),
            count(matrix.pulses.up),
            count(matrix.pulses.down),
        ]
    };
    results.matrices.iter().map(row).collect()
}

/// What came out, for the terminal.
pub(crate) fn print_tables(results: &Results) {
    println!();
    print_table(&MATRIX_HEADERS, &matrix_rows(results));
    if let Some(last) = results.history.last() {
        let EpochMetrics { epoch, train_loss, test_loss, test_accuracy, pulses } = last;
        println!(
            "\nAfter epoch {epoch}: test accuracy {:.2} %, training loss {train_loss:.4}, test loss {test_loss:.4}{}",
            100.0 * test_accuracy,
            spoken(pulses.total())
        );
    }
}

/// A number of pulses at the end of a list of words; nothing where there are none.
pub(crate) fn spoken(pulses: u64) -> String {
    if pulses == 0 { String::new() } else { format!(", {:.3e} pulses", pulses as f64) }
}

/// The whole page.
pub(crate) fn render(results: &Results) -> Result<String, TrainCommandError> {
    let data = &results.data;
    let subtitle = format!(
        "{} · {} training and {} test samples · seed {}",
        data.name, data.train_samples, data.test_samples, results.config.seed
    );
    let mut report = Report::new(title(results), subtitle);
    highlights(&mut report, results);
    learning(&mut report, results)?;
    pulses(&mut report, results)?;
    report.section("The network");
    report.table(
        &MATRIX_HEADERS,
        &matrix_rows(results),
        "The matrices of the network: how many crossbars and devices hold each, and the pulses they have received.",
    );
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {}. All draws follow from the seed {}; neither the number of threads nor interruptions matter. Every \
         number of this page stands in results.json beside it, the curves in metrics.csv, the weights in \
         model.safetensors.",
        results.program, results.config.seed
    ));
    report.details("Complete configuration", &serde_json::to_string_pretty(&results.config)?);
    report.details("Network", &serde_json::to_string_pretty(&results.network)?);
    Ok(report.render())
}

fn title(results: &Results) -> &'static str {
    let rules = results.config.rules();
    let aware =
        |matrix: &super::results::Matrix| matches!(rules.holder_of(&matrix.name).1, Holder::HardwareAware(_));
    match results.devices() {
        0 if results.matrices.iter().any(aware) => "Hardware-aware training",
        0 => "Training in floating point",
        _ => "Training in analog memory",
    }
}

fn highlights(report: &mut Report, results: &Results) {
    let Some(last) = results.history.last() else { return };
    let devices = results.devices();
    let mut items = vec![
        ("test accuracy", format!("{:.2} %", 100.0 * last.test_accuracy)),
        ("training loss", format!("{:.4}", last.train_loss)),
        ("epochs", last.epoch.to_string()),
        ("devices", count(devices)),
    ];
    if devices > 0 {
        items.push(("pulses per device", format!("{:.1}", last.pulses.total() as f64 / devices as f64)));
    }
    let items: Vec<(&str, &str)> = items.iter().map(|(name, value)| (*name, value.as_str())).collect();
    report.highlights(&items);
}

/// A quantity over the epochs, without values that cannot be drawn.
fn series(name: &str, values: impl Iterator<Item = f64>, drawable: fn(&f64) -> bool) -> Option<Series> {
    let points: Vec<(f64, f64)> =
        (1..).map(f64::from).zip(values).filter(|(_, value)| drawable(value)).collect();
    (!points.is_empty()).then(|| Series::new(name, points, SeriesStyle::Solid))
}

fn learning(report: &mut Report, results: &Results) -> Result<(), TrainCommandError> {
    let history = || results.history.iter();
    report.section("Learning");
    let accuracy =
        series("test accuracy", history().map(|m| 100.0 * m.test_accuracy), |value| value.is_finite());
    if let Some(accuracy) = accuracy {
        report.figure(
            &learning_curves::accuracy_chart(vec![accuracy]).render()?,
            "Share of the test samples whose largest output is that of their class, after each epoch.",
        );
    }
    let positive: fn(&f64) -> bool = |value| value.is_normal() && *value > 0.0;
    let losses = [
        series("training", history().map(|m| m.train_loss), positive),
        series("test", history().map(|m| m.test_loss), positive),
    ];
    let losses: Vec<Series> = losses.into_iter().flatten().collect();
    if !losses.is_empty() {
        let unit = unit(results.config.training.loss);
        report.figure(
            &learning_curves::loss_chart("Loss", "loss", unit, losses).render()?,
            "Training: seen during each epoch, averaged over its samples, while the weights change. Test: after the epoch.",
        );
    }
    Ok(())
}

fn pulses(report: &mut Report, results: &Results) -> Result<(), TrainCommandError> {
    report.section("Pulses");
    if results.devices() == 0 {
        report.paragraph("All matrices lie in digital memory, which takes no pulses.");
        return Ok(());
    }
    let each = results.pulses_per_epoch();
    let devices = results.devices() as f64;
    let direction = |name, of: fn(&aimc_device::pulsed::PulseCount) -> u64| {
        series(name, each.iter().map(|pulses| of(pulses) as f64 / devices), |value| value.is_finite())
    };
    let lines = [direction("up", |pulses| pulses.up), direction("down", |pulses| pulses.down)];
    let mut chart = LineChart::new(
        "Pulses per device and epoch",
        learning_curves::epochs(),
        Axis::linear("pulses", "number per device").including(0.0, 0.0),
    );
    chart.series = lines.into_iter().flatten().collect();
    if !chart.series.is_empty() {
        report.figure(
            &chart.render()?,
            "Mean over all devices of the network. Fewer pulses mean less energy and less wear.",
        );
    }
    Ok(())
}
