//! Weight errors of Tiki-Taka v2, its chopped version and AGAD, against offsets of the symmetry points and the number of states.
//!
//! A tile of 10x10 learns W* (even in ±0.3) from noisy errors d = (W - W*)x + 0.5ξ with normal x; the error is the root mean square
//! of W - W* over the last quarter of the training. Devices are soft bounds ±1 with n = 2/dw_min states, read against their symmetry
//! points with an error of the std σ_r; no write noise, which the presets give in units of the step. The algorithms have the settings of AIHWKit's presets for ReRAM.
//!
//! Reference: M. J. Rasch, F. Carta, O. Fagbohungbe & T. Gokmen 2024, *Fast and robust analog in-memory deep neural network
//! training*, Nat. Commun. 15:7133, doi:10.1038/s41467-024-51221-z: the chopped version and AGAD do not need the precise references
//! of Tiki-Taka v2, and AGAD tolerates large offsets; maps of the weight error over offset and states, 3 seeds each.

use aimc_device::rng::label;
use aimc_device::{RngKey, config, presets};
use aimc_infer::Summary;
use aimc_tile::{SampleKeys, Shape};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;
use serde_json::json;

use super::claim::{Basis, Claim, Outcome};
use super::{Context, ReproError, Reproduction};
use crate::config_file::PRESETS;
use crate::interrupt::{self, Interrupted};
use crate::plot::{Axis, LineChart, Series, SeriesStyle};
use crate::workers;

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "rasch-2024",
    citation: "M. J. Rasch et al. 2024, Nat. Commun. 15:7133, doi:10.1038/s41467-024-51221-z",
    what: "Weight error of TTv2, c-TTv2 and AGAD against offsets of symmetry points and states",
    minutes: 5,
    run,
};

const METHODS: [(&str, &str); 3] = [
    ("Tiki-Taka v2", "TTv2ReRamSBPreset"),
    ("chopped Tiki-Taka", "ChoppedTTv2ReRamSBPreset"),
    ("AGAD", "AGADReRamSBPreset"),
];
/// Std of the symmetry points about zero, in units of the bounds.
const OFFSETS: [f64; 4] = [0.0, 0.05, 0.1, 0.3];
const STATES: [u32; 2] = [100, 400];
const SEEDS: usize = 3;
const SIZE: usize = 10;
const STEPS: u64 = 60_000;

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let steps = if context.full { 4 * STEPS } else { STEPS };
    let runs = METHODS.len() * STATES.len() * OFFSETS.len() * SEEDS;
    let errors = workers::each(runs, |run| {
        let (point, seed) = (run / SEEDS, (run % SEEDS) as u64);
        let (method, states) = (point / OFFSETS.len() / STATES.len(), point / OFFSETS.len() % STATES.len());
        error(METHODS[method].1, STATES[states], OFFSETS[point % OFFSETS.len()], (seed, steps))
    })?;
    let errors: Option<Vec<f64>> = errors.into_iter().collect();
    let errors = errors.ok_or(Interrupted)?;
    let means: Vec<f64> = errors.chunks(SEEDS).map(|seeds| Summary::of(seeds).mean).collect();
    let mean = |method: usize, states: usize, offset: usize| {
        means[(method * STATES.len() + states) * OFFSETS.len() + offset]
    };
    let claims =
        (0..STATES.len()).flat_map(|states| claims(STATES[states], |m, offset| mean(m, states, offset)));
    let claims = claims.collect();
    let charts = STATES
        .iter()
        .enumerate()
        .map(|(states, count)| chart(*count, |method, offset| mean(method, states, offset)));
    let charts = charts.collect();
    let parameters = json!({ "methods": METHODS, "offsets": OFFSETS, "states": STATES, "seeds": SEEDS, "steps": steps, "rms errors by method, states, offset": means, "size": SIZE });
    Ok(Outcome { claims, charts, parameters })
}

/// What must hold for so many states; `mean`: error of a method at an offset.
fn claims(states: u32, mean: impl Fn(usize, usize) -> f64) -> Vec<Claim> {
    let (none, largest) = (0, OFFSETS.len() - 1);
    let claim = |what: &str, band, why, measured| {
        Claim::new(format!("{what}, {states} states"), band, (Basis::Text, why), measured)
    };
    let doubles =
        "Tiki-Taka v2 needs precise references: offsets of 0.3 of the bounds at least double its error.";
    let tolerates = "AGAD tolerates large offsets: its error grows by less than half.";
    let chopped =
        "The chopped version does not need precise references: at most half the error of Tiki-Taka v2.";
    let [ttv2, chopped_ttv2, agad] = [0, 1, 2].map(|method| mean(method, largest));
    vec![
        claim(
            "Tiki-Taka v2, error at offsets of 0.3 over that at none",
            (2.0, f64::INFINITY),
            doubles,
            ttv2 / mean(0, none),
        ),
        claim("AGAD, error at offsets of 0.3 over that at none", (0.0, 1.5), tolerates, agad / mean(2, none)),
        claim(
            "chopped Tiki-Taka over Tiki-Taka v2 at offsets of 0.3",
            (0.0, 0.5),
            chopped,
            chopped_ttv2 / ttv2,
        ),
        claim("AGAD over Tiki-Taka v2 at offsets of 0.3", (0.0, 0.5), "Nor does AGAD.", agad / ttv2),
    ]
}

fn chart(states: u32, mean: impl Fn(usize, usize) -> f64) -> (LineChart, String) {
    let x = Axis::linear("std of the symmetry points", "bounds");
    let mut chart =
        LineChart::new(format!("Weight error, {states} states"), x, Axis::log10("rms weight error", ""));
    chart.series = METHODS
        .iter()
        .enumerate()
        .map(|(method, (name, _))| {
            let points = OFFSETS.iter().enumerate().map(|(i, &offset)| (offset, mean(method, i)));
            Series::new(*name, points.collect(), SeriesStyle::Solid)
        })
        .collect();
    (
        chart,
        format!(
            "Means over {SEEDS} seeds. The publication's maps are figures; their values are not known to us."
        ),
    )
}

/// Root mean square of the weight error of one training.
fn error(preset: &str, states: u32, offset: f64, (seed, steps): (u64, u64)) -> Result<f64, ReproError> {
    let dw_min = 2.0 / f64::from(states);
    let text = format!(
        "preset = \"{preset}\"\n[device]\ndw_min = {dw_min}\ndw_min_std = 0.3\nwrite_noise_std = 0.0\nw_max = 1.0\nw_min = -1.0\nreference_std = {offset}\n"
    );
    let config: TrainingTileConfig = config::decode(presets::resolve(config::parse_toml(&text)?, PRESETS)?)?;
    let key = RngKey::root(seed).fold_in(label("rasch 2024"));
    let mut tile = config.build(Shape { outputs: SIZE, inputs: SIZE }, key.fold_in(label("tile")))?;
    let mut draws = key.fold_in(label("target")).stream(0);
    let target = DMatrix::from_fn(SIZE, SIZE, |_, _| 0.6 * draws.uniform() - 0.3);
    let mut data = key.fold_in(label("data")).stream(0);
    let (mut sum, mut count) = (0.0, 0.0);
    for step in 0..steps {
        if interrupt::requested() {
            return Err(Interrupted.into());
        }
        let x = DMatrix::from_fn(SIZE, 1, |_, _| data.normal());
        let noise = DMatrix::from_fn(SIZE, 1, |_, _| 0.5 * data.normal());
        let mut y = DMatrix::zeros(SIZE, 1);
        let draws = SampleKeys::new(key.fold_in(label("step"))).skip(step);
        tile.forward(x.as_view(), y.as_view_mut(), draws)?;
        tile.update(x.as_view(), (y - &target * &x + noise).as_view(), 0.1, draws)?;
        tile.end_of_step(key.fold_in(label("end of step")).fold_in(step));
        if 4 * step >= 3 * steps && step % 50 == 0 {
            sum += f64::from((tile.weights() - &target).norm_squared());
            count += (SIZE * SIZE) as f64;
        }
    }
    Ok((sum / count).sqrt())
}
