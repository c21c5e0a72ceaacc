//! The report of the demo: tables on the terminal, figures and tables on a page.

use aimc_infer::{AccuracyOverTime, Summary};

use super::inference;
use super::{DemoError, Results, training};
use crate::report::Report;
use crate::table::print_table;
use crate::timeline::{TIME_CAPTION, percent, spoken};

/// A number with its 95 % interval.
fn plain(summary: &Summary) -> String {
    match summary.confidence_95 {
        Some([low, _]) => format!("{:.4} ± {:.4}", summary.mean, summary.mean - low),
        None => format!("{:.4}", summary.mean),
    }
}

const TRAINING_HEADERS: [&str; 4] = ["tile", "test accuracy", "training loss", "seeds"];

fn training_rows(results: &Results) -> Vec<Vec<String>> {
    let row = |training: &training::Training| {
        let seeds: Vec<String> = training.seeds.iter().map(u64::to_string).collect();
        vec![
            training.name.to_owned(),
            percent(&training.final_accuracy),
            plain(&training.final_loss),
            seeds.join(", "),
        ]
    };
    results.training.iter().map(row).collect()
}

/// The two tables of the demo, for the terminal.
pub(crate) fn print_tables(results: &Results) {
    println!(
        "\nAfter training (mean and 95 % interval over {} trainings):",
        results.config.comparison.repeats
    );
    print_table(&TRAINING_HEADERS, &training_rows(results));
    println!(
        "\nFloating-point network in PCM (floating point: {:.2} %; mean and 95 % interval over {} programming events):",
        100.0 * results.inference.floating_point,
        results.config.inference.repeats
    );
    print_table(&results.inference.headers(), &results.inference.rows());
}

/// The whole page.
pub(crate) fn render(results: &Results) -> Result<String, DemoError> {
    let data = &results.data;
    let mut report = Report::new(
        "Training and inference in analog memory",
        format!(
            "{} · {} training and {} test samples · seed {}",
            data.name, data.train_samples, data.test_samples, results.config.seed
        ),
    );
    highlights(&mut report, results);
    devices(&mut report, results)?;
    trainings(&mut report, results)?;
    timeline(&mut report, results)?;
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {}. All draws follow from the seed {}; the number of threads does not matter. Every number of this \
         page stands in results.json beside it.",
        results.program, results.config.seed
    ));
    report.details("Complete configuration", &serde_json::to_string_pretty(&results.config)?);
    report.details("Network", &serde_json::to_string_pretty(&results.network)?);
    Ok(report.render())
}

fn highlights(report: &mut Report, results: &Results) {
    let last =
        |result: &AccuracyOverTime| result.times.last().map_or(String::new(), |at| percent(&at.summary));
    let end = results.inference.compensated.times.last().map_or(String::new(), |at| spoken(at.time_seconds));
    let mut items: Vec<(String, String)> = results
        .training
        .iter()
        .map(|training| (format!("trained: {}", training.name), percent(&training.final_accuracy)))
        .collect();
    items.push((format!("PCM after {end}, compensated"), last(&results.inference.compensated)));
    items.push((format!("PCM after {end}, uncompensated"), last(&results.inference.uncompensated)));
    let items: Vec<(&str, &str)> =
        items.iter().map(|(what, value)| (what.as_str(), value.as_str())).collect();
    report.highlights(&items);
}

fn devices(report: &mut Report, results: &Results) -> Result<(), DemoError> {
    report.section("The devices");
    report.paragraph(
        "Each device holds one weight as its conductance and changes it a little with every voltage pulse. Devices of \
         one population differ in step size and bounds, and every pulse is noisy.",
    );
    for (name, response) in ["Good device", "Asymmetric device"].iter().zip(&results.pulse_response) {
        match response {
            Some(response) => report.figure(
                &response.chart(&format!("{name}: pulse response")).render()?,
                &format!(
                    "{name}: weight under up pulses, then as many down pulses. The mean device has {:.0} states \
                     between its bounds.",
                    response.states()
                ),
            ),
            None => report.paragraph(&format!("{name}: a cell here is not one pulsed device, so there is no pulse response to show.")),
        };
    }
    Ok(())
}

fn trainings(report: &mut Report, results: &Results) -> Result<(), DemoError> {
    report.section("Training in memory");
    report.paragraph(
        "The same network, trained by stochastic gradient descent. On devices, products go through converters and \
         noise, and weights change only by coincident pulse trains. Networks of one seed start from the same weights \
         and see the data in the same order.",
    );
    let repeats = results.config.comparison.repeats;
    report.figure(
        &training::accuracy_chart(&results.training).render()?,
        &format!("Mean over {repeats} trainings; band: 95 % interval of the mean (Student's t)."),
    );
    report.figure(
        &training::loss_chart(&results.training).render()?,
        "Loss seen during each epoch, averaged over its samples. Geometric mean over the trainings and its 95 % interval.",
    );
    report.table(&TRAINING_HEADERS, &training_rows(results), "After the last epoch: mean ± 95 % interval.");
    Ok(())
}

fn timeline(report: &mut Report, results: &Results) -> Result<(), DemoError> {
    report.section("Inference over ten years");
    report.paragraph(&format!(
        "The first floating-point network ({:.2} % on the test data), programmed into pairs of phase-change devices. \
         Programming misses its targets a little, conductances then drift down as a power of time, with an exponent that \
         differs from device to device, and every read is noisy. Drift compensation multiplies each tile's outputs by \
         a factor, measured on the chip. Both conditions use the same devices and the same reads.",
        100.0 * results.inference.floating_point
    ));
    report.figure(
        &inference::error_chart(&results.weight_errors).render()?,
        "Difference between the weights as read and the trained ones, in one programmed copy of the network: wider \
         after drift, and pulled towards 0 until compensation scales it back.",
    );
    report.figure(
        &results.inference.chart().render()?,
        &format!(
            "Mean over {} programming events; band: 95 % interval of the mean (Student's t).",
            results.config.inference.repeats
        ),
    );
    report.table(
        &results.inference.headers(),
        &results.inference.rows(),
        &format!("{TIME_CAPTION} {}", results.inference.conditions()),
    );
    Ok(())
}
