//! Zero shifting: the symmetry point of every device becomes the zero of its weight.
//!
//! Soft bounds ±1 with steps a⁺ and a⁻ = (1 - u)a⁺ have their symmetry point at u/(2 - u). Alternating pulses lead there; noise of σ
//! per step makes the weight diffuse about it, an autoregression with the factor 1 - s, s = a⁺ + a⁻. The mean over m pairs
//! then spreads by
//!
//! ```text
//! σ_m² = σ²(a⁺² + a⁻²)/(s²m)·(1 - 1/(sm)) ≈ σ²/(2m)
//! ```
//!
//! and the difference of two such means, what remains after zero shifting, by √2·σ_m. Reference: H. Kim et al. 2019, *Zero-shifting
//! Technique for Deep Neural Network Training on Resistive Cross-point Arrays*, doi:10.48550/arXiv.1907.10228. From recollection:
//! learning that needs the symmetry points at zero works on shifted devices and fails on others.

use aimc_device::rng::label;
use aimc_device::{RngKey, config};
use aimc_tile::{IdealTile, Shape, TileConfig};
use aimc_train::ZeroShifting;
use serde_json::json;

use super::claim::{Basis, Claim, Outcome};
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "kim-2019",
    citation: "H. Kim et al. 2019, doi:10.48550/arXiv.1907.10228",
    what: "Zero shifting: what remains of symmetry points, and Tiki-Taka with and without it",
    minutes: 4,
    run,
};

const SHAPE: Shape = Shape { outputs: 30, inputs: 30 };
/// Down steps are so much smaller than up steps.
const UNEVEN: f64 = 0.25;
/// Noise of a step over its size.
const NOISE: f64 = 0.3;
const STEP: f64 = 0.004;
const PROCEDURE: ZeroShifting = ZeroShifting { pairs: 7000, averaged_pairs: 5000, step: STEP as f32 };

/// Devices that differ in their steps, not in their symmetry points.
fn tile() -> Result<TileConfig, ReproError> {
    let text = format!(
        "[device]\nmodel = \"SoftBounds\"\ndw_min = {STEP}\ndw_min_dtod = 0.0\ndw_min_std = {NOISE}\nup_down = {UNEVEN}\nup_down_dtod = 0.0\n\
         w_max = 1.0\nw_max_dtod = 0.0\nw_min = -1.0\nw_min_dtod = 0.0\n"
    );
    Ok(config::from_toml(&text)?)
}

/// What should remain: √2·σ_m.
fn expected() -> f64 {
    let (up, down, m) = (STEP, STEP * (1.0 - UNEVEN), PROCEDURE.averaged_pairs as f64);
    let s = up + down;
    let variance = NOISE.powi(2) * (up * up + down * down) / (s * s * m) * (1.0 - 1.0 / (s * m));
    (2.0 * variance).sqrt()
}

/// What remains of the symmetry points of a population.
fn offsets(config: &TileConfig) -> Result<Vec<Claim>, ReproError> {
    let key = RngKey::root(1).fold_in(label("kim 2019"));
    let before = PROCEDURE.report(&mut config.build(SHAPE, key)?, key.fold_in(label("before")))?;
    let reference = IdealTile::new(SHAPE)?;
    let (_, after) = PROCEDURE.shift(config.build(SHAPE, key)?, reference, key.fold_in(label("shift")))?;
    let point = UNEVEN / (2.0 - UNEVEN);
    let mean = 5.0 * expected() / ((SHAPE.outputs * SHAPE.inputs) as f64).sqrt();
    let (low, high) = (point - mean - STEP / 2.0, point + mean + STEP / 2.0);
    let seventh = "u/(2 - u) = 1/7, to half a step and five standard errors over 900 devices.";
    let zero = "Zero, to five standard errors over 900 devices.";
    let spread =
        "√2·σ_m; a std over 900 devices is known to 2.4 %, five times that and the linearisation make 15 %.";
    let physics = |what, band, why, measured| Claim::new(what, band, (Basis::Physics, why), measured);
    Ok(vec![
        physics("mean symmetry point before", (low, high), seventh, before.mean),
        physics("mean symmetry point after", (-mean, mean), zero, after.mean),
        physics("spread after over its closed form", (0.85, 1.15), spread, after.std / expected()),
    ])
}

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let config = tile()?;
    let mut claims = offsets(&config)?;
    let device = |shifted: bool| {
        format!(
            "[tile]\npreset = \"TikiTakaReRamSBPreset\"\n[tile.device]\nup_down = 0.5\nsubtract_symmetry_point = {shifted}\n"
        )
    };
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("Tiki-Taka, shifted", device(true)),
        Variant::new("Tiki-Taka, not shifted", device(false)),
    ];
    let arms = trainings::train(context, &variants)?;
    let near = "Shifted devices learn near floating point; 1 % stands for near.";
    let fails = "Transfers from devices that rest away from zero drive the weights away: learning fails, at least 10 % worse.";
    claims.push(arms.loses_at_most([1, 0], 1.0, (Basis::Recollection, near)));
    claims.push(arms.loses_at_least([2, 1], 10.0, (Basis::Recollection, fails)));
    let charts = vec![arms.chart("Tiki-Taka on ReRAM whose down steps are half as large")];
    let parameters = json!({ "procedure": PROCEDURE, "tile": config, "trainings": arms.parameters });
    Ok(Outcome { claims, charts, parameters })
}
