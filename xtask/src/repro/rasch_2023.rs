//! Which non-idealities cost the accuracy of a network that was trained hardware-aware.
//!
//! Errors of different origin are made comparable by their size: each is made as strong as gives the same relative error of products.
//!
//! Reference: M. J. Rasch et al. 2023, *Hardware-aware training for large-scale and diverse deep learning inference workloads using
//! in-memory computing-based accelerators*, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4. Its abstract, from recollection:
//! networks retrained hardware-aware reach the accuracy of floating point; noise on inputs or outputs, not on the weights, costs
//! most.

use aimc_device::rng::label;
use aimc_device::{RngKey, config, presets};
use aimc_infer::{
    EvaluationConfig, InferenceTileConfig, Summary, accuracy, evaluate, matrix_errors, network_at,
    program_network,
};
use aimc_tile::SampleKeys;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::claim::{Basis, Claim, Outcome};
use super::trainings::sampling;
use super::{Context, ReproError, Reproduction};
use crate::config_file::PRESETS;
use crate::data::Split;
use crate::interrupt;
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};
use crate::train::{self, tiles::AnyNetwork};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "rasch-2023",
    citation: "M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4",
    what: "Hardware-aware training: accuracy over a year, and which non-ideality costs most at the same error of products",
    minutes: 5,
    run,
};

const BATCH: usize = 256;
/// Seconds after programming: an hour, a day, a year.
const TIMES: [f32; 3] = [3600.0, 86_400.0, 31_536_000.0];
/// What "as accurate as floating point" means in the publication (%).
const ISO: f64 = 1.0;
/// Relative errors of products at which non-idealities are compared.
const ERRORS: [f64; 4] = [0.1, 0.2, 0.4, 0.8];
/// The one at which the claim is judged.
const JUDGED: usize = 2;
/// Programming events of each training.
const REPEATS: usize = 8;
/// Trainings: enough to tell differences of a few tenths of a percent.
const SEEDS: u64 = 40;

/// Exact devices and circuits, but for one thing whose strength is `X`.
const NON_IDEALITIES: [(&str, &str); 3] = [
    ("noise on outputs", "forward = { out_noise = X, out_res = 0.0, inp_res = 0.0, out_bound = 1000.0 }"),
    (
        "noise on inputs",
        "forward = { inp_noise = X, out_noise = 0.0, out_res = 0.0, inp_res = 0.0, out_bound = 1000.0 }",
    ),
    (
        "noise on weights",
        "forward = { out_noise = 0.0, out_res = 0.0, inp_res = 0.0, out_bound = 1000.0 }\ndevice.prog_noise_scale = X",
    ),
];

const EXACT: &str = "
    compensation = \"None\"
    periphery.mapping = { weight_scaling_omega = 1.0, weight_scaling_columnwise = true }
    device = { model = \"StateIndependent\", prog_noise_scale = 0.0, drift_scale = 0.0, read_noise_scale = 0.0 }
";

/// Phase-change memory behind the circuits of the publication's standard chip.
const CHIP: &str = "
    compensation = \"Global\"
    periphery.mapping = { weight_scaling_omega = 1.0, weight_scaling_columnwise = true }
    device.model = \"PcmLike\"
    forward = { preset = \"StandardHWATrainingIO\", noise_management = \"AbsMax\", nm_thres = 0.0 }
";

/// Accuracies: of floating point, over time, and at each error of products.
struct Found {
    floating_point: f64,
    aged: Vec<f64>,
    naive: Vec<f64>,
    costs: Vec<Vec<f64>>,
}

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let config = train::decode(training(context, 1))?;
    let data = config.data.load()?;
    let seeds: Result<Vec<Found>, ReproError> =
        (1..=SEEDS).into_par_iter().map(|seed| of_seed(context, &data, seed)).collect();
    let seeds = seeds?;
    let (found, most) = (Found::mean(&seeds), [0, 1].map(|k| loses_more_than_weights(&seeds, k)));
    let claims = claims(&found, &most, data.test.len());
    let charts = vec![charted_time(&found), charted_costs(&found)];
    Ok(Outcome { claims, charts, parameters: json!({ "training": config, "chip": CHIP, "exact": EXACT }) })
}

fn of_seed(context: &Context, data: &Split, seed: u64) -> Result<Found, ReproError> {
    let config = train::decode(training(context, seed))?;
    let mut plain = config.clone();
    plain.hardware_aware = None;
    let (aware, plain) = (train::trained(&config, data)?, train::trained(&plain, data)?);
    let key = RngKey::root(seed).fold_in(label("rasch 2023"));
    let over_time = |network| on_devices(network, data, &tile(&[CHIP])?, &TIMES, key);
    let cost = |text: &str| -> Result<Vec<f64>, ReproError> {
        let accuracy = |error| -> Result<f64, ReproError> {
            let tile = tile_of_error(&aware, data, text, error, key)?;
            Ok(on_devices(&aware, data, &tile, &[0.0], key)?[0])
        };
        ERRORS.into_iter().map(accuracy).collect()
    };
    Ok(Found {
        floating_point: accuracy(&plain, &data.test, BATCH, SampleKeys::new(key))?,
        aged: over_time(&aware)?,
        naive: over_time(&plain)?,
        costs: NON_IDEALITIES.iter().map(|(_, text)| cost(text)).collect::<Result<_, _>>()?,
    })
}

impl Found {
    /// Means over trainings.
    fn mean(seeds: &[Self]) -> Self {
        let mean = |of: &dyn Fn(&Self) -> f64| seeds.iter().map(of).sum::<f64>() / seeds.len() as f64;
        let means = |of: &dyn Fn(&Self) -> &[f64]| -> Vec<f64> {
            (0..of(&seeds[0]).len()).map(|i| mean(&|found| of(found)[i])).collect()
        };
        Self {
            floating_point: mean(&|found| found.floating_point),
            aged: means(&|found| &found.aged),
            naive: means(&|found| &found.naive),
            costs: (0..NON_IDEALITIES.len()).map(|k| means(&|found| &found.costs[k])).collect(),
        }
    }
}

/// What the `k`-th non-ideality costs more than noise on the weights (%), over trainings.
fn loses_more_than_weights(seeds: &[Found], k: usize) -> Summary {
    let more = |found: &Found| 100.0 * (found.costs[2][JUDGED] - found.costs[k][JUDGED]);
    Summary::of(&seeds.iter().map(more).collect::<Vec<f64>>())
}

fn training(context: &Context, seed: u64) -> Value {
    let mut tree = context.training();
    tree["seed"] = json!(seed);
    tree["network"]["mlp"]["activation"] = json!("relu");
    tree["training"] = json!({ "epochs": if context.full { 30 } else { 40 }, "batch_size": 32, "learning_rate": 0.1,
                               "optimizer": { "model": "Sgd", "momentum": 0.9 },
                               "schedule": { "model": "Cosine", "final_share": 0.01 } });
    tree["hardware_aware"] = json!({
        "preset": "StandardHWATrainingPreset",
        "modifier": { "type": "AddNormal", "std_dev": 0.1 },
        "forward": { "noise_management": "AbsMax", "nm_thres": 0.0 },
        "periphery": { "input_range": { "enable": false } },
    });
    tree
}

/// The tile that tables in TOML describe, the later ones over the earlier.
fn tile(texts: &[&str]) -> Result<InferenceTileConfig, ReproError> {
    let mut tree = json!({});
    for text in texts {
        config::merge(&mut tree, config::parse_toml(text)?);
    }
    let tree = presets::resolve(tree, PRESETS)?;
    let tile: InferenceTileConfig = config::decode(tree)?;
    tile.validate()?;
    Ok(tile)
}

/// Accuracies at the times, means over programming events.
fn on_devices(
    network: &AnyNetwork,
    data: &Split,
    tile: &InferenceTileConfig,
    times: &[f32],
    key: RngKey,
) -> Result<Vec<f64>, ReproError> {
    let plan =
        EvaluationConfig { times_seconds: times.to_vec(), repeats: REPEATS, ..EvaluationConfig::default() };
    let found = evaluate(network, tile, &data.test, &plan, key, &|_| interrupt::flow())?;
    Ok(found.times.into_iter().map(|at| at.summary.mean).collect())
}

/// The tile with the one non-ideality as strong as gives the wanted root mean square of the matrices' relative errors.
fn tile_of_error(
    network: &AnyNetwork,
    data: &Split,
    text: &str,
    wanted: f64,
    key: RngKey,
) -> Result<InferenceTileConfig, ReproError> {
    let of = |strength: f64| tile(&[EXACT, &text.replace('X', &format!("{strength:e}"))]);
    let error = |strength: f64| -> Result<f64, ReproError> {
        let programmed = program_network(network, &of(strength)?, key)?;
        let chip = network_at(&programmed, 0.0, key)?;
        let errors = matrix_errors(network, &chip, &data.test, SampleKeys::new(key))?;
        Ok((errors.iter().map(|e| e.relative.powi(2)).sum::<f64>() / errors.len() as f64).sqrt())
    };
    // Errors grow with the strength, nearly in proportion: bisection of its logarithm.
    let (mut low, mut high) = (1e-4_f64, 1e3_f64);
    for _ in 0..20 {
        let middle = (low * high).sqrt();
        if error(middle)? < wanted { low = middle } else { high = middle }
    }
    of((low * high).sqrt())
}

fn claims(found: &Found, most: &[Summary], samples: usize) -> Vec<Claim> {
    let sampling = sampling(samples as f64);
    let iso = format!(
        "As accurate as floating point: at most {ISO} % below, and twice the sampling of the test data, {sampling:.2} %."
    );
    let mut claims: Vec<Claim> = Vec::new();
    for (t, accuracy) in TIMES.iter().zip(&found.aged) {
        claims.push(Claim::new(
            format!("hardware-aware after {} below floating point (% accuracy)", crate::timeline::spoken(*t)),
            (f64::NEG_INFINITY, ISO + sampling),
            (Basis::Recollection, &iso),
            100.0 * (found.floating_point - accuracy),
        ));
    }
    for ((name, _), more) in NON_IDEALITIES.iter().zip(most) {
        let error = more.std.unwrap_or(f64::NAN) / (SEEDS as f64).sqrt();
        let why = format!(
            "At the same error of products, noise on the weights costs least; the same test samples for all. The mean of {SEEDS} \
             trainings has a standard error of {error:.2} %."
        );
        claims.push(Claim::new(
            format!("{name} below noise on weights at an error of {} (% accuracy)", ERRORS[JUDGED]),
            (0.0, f64::INFINITY),
            (Basis::Recollection, &why),
            more.mean,
        ));
    }
    claims
}

fn charted_time(found: &Found) -> (LineChart, String) {
    let x = Axis::log10("time since programming", "s");
    let mut chart = LineChart::new("On phase-change memory", x, Axis::linear("test accuracy", "%"));
    for (name, accuracies) in [("hardware-aware", &found.aged), ("naive", &found.naive)] {
        let points = TIMES.iter().zip(accuracies).map(|(t, a)| (f64::from(*t), 100.0 * a)).collect();
        chart.series.push(Series::new(name, points, SeriesStyle::Solid));
    }
    chart.references.push(Mark::new(100.0 * found.floating_point, "floating point"));
    let caption = format!(
        "Means over {SEEDS} trainings and {REPEATS} programming events of each, with global drift compensation."
    );
    (chart, caption)
}

fn charted_costs(found: &Found) -> (LineChart, String) {
    let x = Axis::log10("relative error of products", "");
    let mut chart = LineChart::new("What each non-ideality costs", x, Axis::linear("test accuracy", "%"));
    for ((name, _), accuracies) in NON_IDEALITIES.iter().zip(&found.costs) {
        let points = ERRORS.iter().zip(accuracies).map(|(e, a)| (*e, 100.0 * a)).collect();
        chart.series.push(Series::new(*name, points, SeriesStyle::Solid));
    }
    chart.references.push(Mark::new(100.0 * found.floating_point, "floating point"));
    let caption =
        format!("Networks trained hardware-aware, means over {SEEDS} trainings; everything else exact.");
    (chart, caption)
}
