//! How much weight noise in training makes a network robust on phase-change memory over a day.
//!
//! Reference: V. Joshi et al. 2020, *Accurate deep neural network inference using computational phase-change memory*, Nat. Commun.
//! 11:2473, doi:10.1038/s41467-020-16108-9. From recollection: normal noise on the weights in training, relative to the largest
//! weight and as large as that of programmed devices, keeps ResNet-32 on CIFAR-10 within 0.4 % of floating point over a day;
//! without it, accuracy is lost.

use aimc_device::presets;
use serde_json::{Value, json};

use super::claim::{Basis, Claim, Outcome};
use super::trainings::{run_all, sampling};
use super::{Context, ReproError, Reproduction};
use crate::config_file::PRESETS;
use crate::plot::{Axis, LineChart, Series, SeriesStyle};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "joshi-2020",
    citation: "V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9",
    what: "Level of weight noise in training against accuracy on phase-change memory over a day",
    minutes: 5,
    run,
};

/// Standard deviations of the noise in training, relative to the largest weight.
const LEVELS: [f64; 5] = [0.02, 0.05, 0.1, 0.2, 0.4];
/// The level near that of programmed devices.
const MATCHING: usize = 2;
/// Seconds after programming.
const TIMES: [f64; 3] = [25.0, 3600.0, 86_400.0];
/// Trainings at each level: enough to tell differences of a few tenths of a percent.
const SEEDS: u64 = 10;
/// Loss over a day in the publication (%), from recollection.
const PUBLISHED: f64 = 0.4;

/// Means over seeds after compensation at the times, one list for each level: naive, hardware-aware, their difference.
struct Found {
    naive: Vec<f64>,
    aware: Vec<Vec<f64>>,
    difference: Vec<f64>,
    floating_point: f64,
    test_samples: f64,
}

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let seeded = |level| (1..=SEEDS).map(move |seed| comparison(context, level, seed));
    let trees: Vec<Value> = LEVELS.into_iter().flat_map(seeded).collect();
    let parameters = presets::resolve(comparison(context, LEVELS[MATCHING], 1), PRESETS)?;
    let found = read(&run_all(context, "hwa", trees)?);
    let day = TIMES.len() - 1;
    let wide = PUBLISHED + sampling(found.test_samples);
    let near = format!(
        "Within {PUBLISHED} % of floating point over a day, and twice the sampling of the test data, {:.2} %.",
        wide - PUBLISHED
    );
    let claims = vec![
        Claim::new(
            format!(
                "trained with noise of {}, after a day, below floating point (% accuracy)",
                LEVELS[MATCHING]
            ),
            (f64::NEG_INFINITY, wide),
            (Basis::Recollection, &near),
            found.floating_point - found.aware[MATCHING][day],
        ),
        Claim::new(
            format!(
                "trained without noise below trained with {}, after a day (% accuracy)",
                LEVELS[MATCHING]
            ),
            (0.0, f64::INFINITY),
            (Basis::Recollection, "Noise in training helps; the same devices and test samples for both."),
            found.difference[MATCHING],
        ),
    ];
    let charts = vec![over_levels(&found)];
    Ok(Outcome { claims, charts, parameters })
}

/// The comparison of naive conversion with training under noise of a level.
fn comparison(context: &Context, level: f64, seed: u64) -> Value {
    let epochs = if context.full { 15 } else { 20 };
    let training = json!({ "epochs": epochs, "batch_size": 32, "learning_rate": 0.1,
                           "optimizer": { "model": "Sgd", "momentum": 0.9 } });
    let common = context.training();
    let mut tree = json!({ "data": common["data"], "network": common["network"] });
    tree["network"]["mlp"]["activation"] = json!("relu");
    tree["seed"] = json!(seed);
    tree["seeds"] = json!(1);
    tree["baseline"] = training.clone();
    tree["retraining"] = training;
    tree["noise_ramp_epochs"] = json!(2);
    // Noise on weights alone, which are clipped so that a few large ones do not set its scale.
    tree["hardware_aware"] = json!({
        "forward": { "is_perfect": true },
        "modifier": { "type": "AddNormal", "std_dev": level },
        "clip": { "type": "LayerGaussian", "sigma": 2.5 },
        "periphery": { "mapping": { "weight_scaling_omega": 1.0, "max_input_size": 0, "max_output_size": 0 } },
    });
    tree["device"] = json!([{ "name": "PCM", "tile": {
        "device": { "model": "PcmLike" },
        "compensation": "Global",
        "forward": { "inp_res": 254.0, "out_res": 254.0, "out_noise": 0.0, "out_bound": 20.0 },
        "periphery": { "mapping": { "weight_scaling_omega": 1.0 } },
    } }]);
    tree["evaluation"] = json!({ "times_seconds": TIMES, "repeats": 5 });
    tree
}

/// Means over the seeds of each level.
fn read(results: &[Value]) -> Found {
    let mean = |runs: &[Value], number: &dyn Fn(&Value) -> &Value| -> f64 {
        let sum: f64 = runs.iter().map(|run| number(run).as_f64().unwrap_or(f64::NAN)).sum();
        100.0 * sum / runs.len() as f64
    };
    let compensated = |runs: &[Value], time: usize, what: &str| {
        mean(runs, &|run| &run["devices"][0]["compensated"][time][what]["mean"])
    };
    let over_time = |runs: &[Value], what: &str| -> Vec<f64> {
        (0..TIMES.len()).map(|time| compensated(runs, time, what)).collect()
    };
    let levels: Vec<&[Value]> = results.chunks(SEEDS as usize).collect();
    Found {
        naive: over_time(levels[0], "naive"),
        aware: levels.iter().map(|runs| over_time(runs, "hardware_aware")).collect(),
        difference: levels.iter().map(|runs| compensated(runs, TIMES.len() - 1, "difference")).collect(),
        floating_point: mean(levels[0], &|run| &run["trainings"][0]["floating_point"]),
        test_samples: results[0]["data"]["test_samples"].as_f64().unwrap_or(f64::NAN),
    }
}

fn over_levels(found: &Found) -> (LineChart, String) {
    let x = Axis::linear("noise in training over largest weight", "");
    let mut chart = LineChart::new("Noise in training", x, Axis::linear("test accuracy", "%"));
    for (i, t) in TIMES.iter().enumerate() {
        let points = LEVELS.iter().zip(&found.aware).map(|(level, aware)| (*level, aware[i]));
        let points = [(0.0, found.naive[i])].into_iter().chain(points).collect();
        chart.series.push(Series::new(crate::timeline::spoken(*t as f32), points, SeriesStyle::Solid));
    }
    let caption = format!(
        "After programming into phase-change memory, with global drift compensation: means over {SEEDS} seeds and 5 programming \
         events each. Trained on in floating point at noise 0."
    );
    (chart, caption)
}
