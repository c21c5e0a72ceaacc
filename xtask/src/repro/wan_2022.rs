//! Error of products on the ReRAM of the NeuRRAM chip, over time.
//!
//! A weight is a pair of devices, one at g = k|w|, the other empty; each has g(t) = max(g + σ(g, t)ξ, 0). With z = g/σ the error e of a
//! device has, in closed form,
//!
//! ```text
//! E[e] = σφ(z) - gΦ(-z)        E[e²] = σ²(Φ(z) - zφ(z)) + g²Φ(-z)
//! ```
//!
//! and products with independent inputs of zero mean the relative error √(Σ E[(e⁺ - e⁻)²]/Σ g²).
//!
//! Reference: W. Wan et al. 2022, Nature 608:504, doi:10.1038/s41586-022-04992-8, with the coefficients of AIHWKit. AIHWKit's own
//! errors (256x256 weights from N(0, 0.246), exact circuits, global compensation): 0.187 after 1 s, 0.313 after a day.

use aimc_device::programmed::ReRamWan2022;
use aimc_device::programmed::reram_wan::Relaxation;
use aimc_device::rng::label;
use aimc_device::{RngKey, config};
use aimc_infer::{InferenceTileConfig, ProgrammedMatrix};
use aimc_tile::{MatVec, SampleKeys};
use nalgebra::DMatrix;
use serde_json::json;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::claim::{Basis, Claim, Outcome};
use super::{Context, ReproError, Reproduction};
use crate::plot::{Axis, LineChart, Series, SeriesStyle};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "wan-2022",
    citation: "W. Wan et al. 2022, Nature 608:504, doi:10.1038/s41586-022-04992-8",
    what: "Error of products on relaxing ReRAM, against its closed form and AIHWKit",
    minutes: 1,
    run,
};

const SIZE: usize = 256;
const SAMPLES: usize = 1000;
/// Time (s) and AIHWKit's error.
const AIHWKIT: [(f32, f64); 2] = [(1.0, 0.187), (86_400.0, 0.313)];

const TILE: &str = "
    compensation = \"Global\"
    forward.is_perfect = true
    device = { model = \"ReRamWan2022\", relaxation = \"Redrawn\" }
";

const SAMPLING: &str = "65,536 weights give the squared error to 0.8 % (√(4/65536) for laws with twice the normal kurtosis), the \
                        error to 0.4 %; 2 % is five times that.";
const OTHER_WEIGHTS: &str = "A run of AIHWKit; the largest of other weights, to which conductances are scaled, moves the \
                             error by some percent.";

fn run(_context: &Context) -> Result<Outcome, ReproError> {
    let tile: InferenceTileConfig = config::from_toml(TILE)?;
    let device = ReRamWan2022 { relaxation: Relaxation::Redrawn, ..ReRamWan2022::default() };
    let key = RngKey::root(1).fold_in(label("wan 2022"));
    let mut draws = key.fold_in(label("weights")).stream(0);
    let weights = DMatrix::from_fn(SIZE, SIZE, |_, _| (0.246 * draws.normal()).clamp(-1.0, 1.0));
    let matrix = ProgrammedMatrix::program(&weights, None, &tile, key.fold_in(label("program")))?;
    let (mut claims, mut plain, mut compensated, mut law) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (t, aihwkit) in AIHWKIT {
        let now = matrix.at(t, key.fold_in(label("read")))?;
        let (without, with) =
            (error(&weights, &now.weights(), key)?, error(&weights, &now.compensated_weights(), key)?);
        let exact = closed_form(&weights, &device, t);
        let over = format!("error after {t} s over its closed form");
        claims.push(Claim::new(over, (0.98, 1.02), (Basis::Physics, SAMPLING), without / exact));
        let over = format!("compensated error after {t} s over AIHWKit's");
        claims.push(Claim::new(over, (0.95, 1.05), (Basis::Aihwkit, OTHER_WEIGHTS), with / aihwkit));
        plain.push((f64::from(t), without));
        compensated.push((f64::from(t), with));
        law.push((f64::from(t), exact));
    }
    let published = AIHWKIT.map(|(t, error)| (f64::from(t), error)).to_vec();
    let mut chart = LineChart::new(
        "Error of products",
        Axis::log_seconds("time since programming"),
        Axis::linear("relative error", ""),
    );
    chart.series = vec![
        Series::new("measured, no compensation", plain, SeriesStyle::Solid),
        Series::new("closed form", law, SeriesStyle::Dashed),
        Series::new("measured, global compensation", compensated, SeriesStyle::Solid),
        Series::new("AIHWKit, global compensation", published, SeriesStyle::Markers),
    ];
    let charts = vec![(chart, "256x256 weights; a run of AIHWKit, no values of the paper.".to_owned())];
    Ok(Outcome {
        claims,
        charts,
        parameters: json!({ "tile": tile, "weights": "N(0, 0.246)", "samples": SAMPLES }),
    })
}

/// Relative error of products of `read` against `weights`, for inputs that are even in (-1, 1).
fn error(weights: &DMatrix<f32>, read: &DMatrix<f32>, key: RngKey) -> Result<f64, ReproError> {
    let mut draws = key.fold_in(label("inputs")).stream(0);
    let x = DMatrix::from_fn(SIZE, SAMPLES, |_, _| 2.0 * draws.uniform() - 1.0);
    let product = |weights: &DMatrix<f32>| {
        let mut y = DMatrix::zeros(SIZE, SAMPLES);
        let tile = aimc_tile::IdealTile::holding(weights);
        tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(key)).map(|()| y)
    };
    let (exact, analog) = (product(weights)?, product(read)?);
    Ok(f64::from((&analog - &exact).norm() / exact.norm()))
}

fn closed_form(weights: &DMatrix<f32>, device: &ReRamWan2022, t: f32) -> f64 {
    let k = device.g_max / weights.amax();
    // Mean and mean square of the error of a device.
    let moments = |g: f32| {
        let (g, sigma, normal) = (f64::from(g), f64::from(device.spread(g, t)), Normal::standard());
        let z = g / sigma;
        let (cut, density) = (normal.cdf(-z), normal.pdf(z));
        (sigma * density - g * cut, sigma * sigma * (1.0 - cut - z * density) + g * g * cut)
    };
    let empty = moments(0.0);
    let (mut error, mut signal) = (0.0, 0.0);
    for w in weights.iter() {
        let g = k * w.abs();
        let full = moments(g);
        error += full.1 + empty.1 - 2.0 * full.0 * empty.0;
        signal += f64::from(g).powi(2);
    }
    (error / signal).sqrt()
}
