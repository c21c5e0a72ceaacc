//! The report of a comparison: tables on the terminal, figures and tables on a page.

use super::compare::{At, DeviceResult};
use super::trainings::Outcome;
use super::{HwaError, Results};
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};
use crate::report::Report;
use crate::table::print_table;
use crate::timeline::{percent, spoken};

const TIME_HEADERS: [&str; 8] = [
    "time",
    "naive",
    "hardware-aware",
    "apart",
    "difference",
    "loss, naive",
    "loss, hardware-aware",
    "losses apart",
];
const SEED_HEADERS: [&str; 5] =
    ["seed", "baseline", "floating point", "hardware-aware, before devices", "epochs of retraining"];

/// The two conditions of a device.
fn conditions(device: &DeviceResult) -> [(&'static str, &[At]); 2] {
    [("no compensation", &device.uncompensated), ("global drift compensation", &device.compensated)]
}

fn time_rows(ats: &[At]) -> Vec<Vec<String>> {
    let word =
        |apart: Option<bool>| apart.map_or("unknown", |apart| if apart { "yes" } else { "no" }).to_owned();
    let row = |at: &At| {
        vec![
            spoken(at.time_seconds),
            percent(&at.naive),
            percent(&at.hardware_aware),
            word(at.accuracies_apart()),
            percent(&at.difference),
            percent(&at.naive_loss),
            percent(&at.hardware_aware_loss),
            word(at.losses_apart()),
        ]
    };
    ats.iter().map(row).collect()
}

fn seed_rows(trainings: &[Outcome]) -> Vec<Vec<String>> {
    let share = |share: f64| format!("{:.2} %", 100.0 * share);
    let row = |outcome: &Outcome| {
        vec![
            outcome.seed.to_string(),
            share(outcome.baseline),
            share(outcome.floating_point),
            share(outcome.hardware_aware),
            outcome.epochs.to_string(),
        ]
    };
    trainings.iter().map(row).collect()
}

/// What the intervals are those of.
fn unit(results: &Results) -> String {
    let events = results.config.evaluation.repeats;
    match results.config.seeds {
        1 => format!(
            "95 % interval of the mean over {events} programming events of one training (Student's t)"
        ),
        seeds => format!(
            "95 % interval of the mean over {seeds} trainings (Student's t), each the mean of {events} programming events"
        ),
    }
}

fn floating_point(results: &Results) -> f64 {
    let sum: f64 = results.trainings.iter().map(|outcome| outcome.floating_point).sum();
    sum / results.trainings.len() as f64
}

/// What came out, for the terminal.
pub(crate) fn print_tables(results: &Results) {
    println!();
    print_table(&SEED_HEADERS, &seed_rows(&results.trainings));
    for device in &results.devices {
        for (condition, ats) in conditions(device) {
            println!(
                "\n{}, {condition} (floating point: {:.2} %):\n",
                device.name,
                100.0 * floating_point(results)
            );
            print_table(&TIME_HEADERS, &time_rows(ats));
        }
    }
    println!("\n±: {}.", unit(results));
}

/// The whole page.
pub(crate) fn render(results: &Results) -> Result<String, HwaError> {
    let (data, config) = (&results.data, &results.config);
    let subtitle = format!(
        "{} · {} training ({} held out) and {} test samples · {} seeds from {}",
        data.name, data.train_samples, results.held_out, data.test_samples, config.seeds, config.seed
    );
    let mut report = Report::new("Hardware-aware training against naive conversion", subtitle);
    highlights(&mut report, results);
    report.section("What was compared");
    report.paragraph(
        "A network is trained in floating point: the baseline. Hardware-aware: training goes on from its weights, with the errors \
         of the hardware in its products, and the result is programmed. Both networks of a seed meet the same draws of devices, \
         reads and circuits, and the same test samples.",
    );
    report.paragraph(if config.equal_training {
        "Naive: training goes on from the same weights for as long, with the same batches, rates and teacher, but in floating \
         point; the result is programmed as it is."
    } else {
        "Naive: the weights of the baseline are programmed as they are."
    });
    for device in &results.devices {
        report.section(&device.name);
        for (condition, ats) in conditions(device) {
            report.figure(
                &chart(condition, ats, floating_point(results)).render()?,
                &format!("Test accuracy, {condition}. Band: {}.", unit(results)),
            );
            report.table(&TIME_HEADERS, &time_rows(ats), &format!(
                    "The same in numbers, {condition}. Apart: the intervals of both accuracies do not overlap. Loss: against \
                     the floating-point network of the same seed, before any device."
                ));
        }
    }
    report.section("Trainings");
    report.table(
        &SEED_HEADERS,
        &seed_rows(&results.trainings),
        "Test accuracy of each seed before any device: where retraining began, after training in floating point, and through the circuits of hardware-aware training \
         with clean weights.",
    );
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {}. All draws follow from the seeds; neither the number of threads nor interruptions matter. Every number of \
         this page stands in results.json beside it, accuracy over time also in accuracy.csv.",
        results.program
    ));
    report.details("Complete configuration", &serde_json::to_string_pretty(config)?);
    report.details("Network", &serde_json::to_string_pretty(&results.network)?);
    Ok(report.render())
}

fn highlights(report: &mut Report, results: &Results) {
    let mut items = vec![("floating point".to_owned(), format!("{:.2} %", 100.0 * floating_point(results)))];
    if let Some((device, at)) = results.devices.first().and_then(|d| Some((d, d.compensated.last()?))) {
        let end = format!("{}, {}, compensated", device.name, spoken(at.time_seconds));
        items.push((format!("naive: {end}"), percent(&at.naive)));
        items.push((format!("hardware-aware: {end}"), percent(&at.hardware_aware)));
        items.push(("gain".to_owned(), percent(&at.difference)));
    }
    let items: Vec<(&str, &str)> =
        items.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    report.highlights(&items);
}

/// Accuracy over time of both networks.
fn chart(condition: &str, ats: &[At], floating_point: f64) -> LineChart {
    let mut chart = LineChart::new(
        format!("Accuracy after programming, {condition}"),
        Axis::log_seconds("time since programming"),
        Axis::linear("test accuracy", "%"),
    );
    type Of = fn(&At) -> &aimc_infer::Summary;
    let networks: [(&str, Of); 2] = [("hardware-aware", |at| &at.hardware_aware), ("naive", |at| &at.naive)];
    for (name, of) in networks {
        let point = |at: &At| {
            let summary = of(at);
            let [low, high] = summary.confidence_95.unwrap_or([summary.mean; 2]);
            ((f64::from(at.time_seconds), 100.0 * summary.mean), (100.0 * low, 100.0 * high))
        };
        let (points, band) = ats.iter().map(point).unzip();
        chart.series.push(Series {
            name: name.to_owned(),
            points,
            band: Some(band),
            style: SeriesStyle::Solid,
        });
    }
    chart.references.push(Mark::new(100.0 * floating_point, "floating point"));
    chart
}
