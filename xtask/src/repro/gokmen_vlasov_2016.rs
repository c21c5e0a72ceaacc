//! What devices must be like for gradient descent: granularity, asymmetry, variation.
//!
//! Reference: T. Gokmen & Y. Vlasov 2016, *Acceleration of Deep Neural Network Training with Resistive Cross-Point Devices: Design
//! Considerations*, Front. Neurosci. 10:333, doi:10.3389/fnins.2016.00333. From recollection: with their specification (steps of
//! 0.001 with 30 % variation, bounds 0.6 with 30 %, asymmetry up to 2 %, 10 pulses) a perceptron loses at most 0.3 % on MNIST;
//! steps ten times as large, or strong asymmetry, cost more.

use super::claim::{Basis, Outcome};
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "gokmen-vlasov-2016",
    citation: "T. Gokmen & Y. Vlasov 2016, Front. Neurosci. 10:333, doi:10.3389/fnins.2016.00333",
    what: "Device specification for gradient descent: granularity, asymmetry",
    minutes: 3,
    run,
};

/// Penalty that the publication accepts (%), from recollection.
const PENALTY: f64 = 0.3;

fn run(context: &Context) -> Result<Outcome, ReproError> {
    // The baseline of the publication has even, fine devices with 30 % variations.
    let device = |dw_min: f64, up_down: f64| {
        format!(
            "[tile]\npreset = \"GokmenVlasovPreset\"\n[tile.device]\ndw_min = {dw_min}\nup_down = {up_down}\nw_max = 0.6\nw_min = -0.6\n"
        )
    };
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("specification", device(0.001, 0.0)),
        Variant::new("asymmetry 2 %", device(0.001, 0.02)),
        Variant::new("steps of 0.05", device(0.05, 0.0)),
        Variant::new("asymmetry 80 %", device(0.001, 0.8)),
    ];
    let arms = trainings::train(context, &variants)?;
    let meets = "A device that meets the specification costs at most 0.3 %.";
    let coarse = "Steps fifty times as large as specified cost more than the penalty that is accepted.";
    let uneven =
        "An asymmetry forty times as large as specified costs more than the penalty that is accepted.";
    let claims = vec![
        arms.loses_at_most([1, 0], PENALTY, (Basis::Recollection, meets)),
        arms.loses_at_most([2, 0], PENALTY, (Basis::Recollection, meets)),
        arms.loses_at_least([3, 1], PENALTY, (Basis::Recollection, coarse)),
        arms.loses_at_least([4, 1], PENALTY, (Basis::Recollection, uneven)),
    ];
    let charts = vec![arms.chart("Device specification")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
