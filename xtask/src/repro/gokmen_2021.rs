//! Tiki-Taka v2 with few states.
//!
//! Reference: T. Gokmen 2021, *Enabling Training of Neural Networks on Noisy Hardware*, Front. Artif. Intell. 4:699148,
//! doi:10.3389/frai.2021.699148. From recollection: 15 to 20 states suffice for Tiki-Taka v2, an order of magnitude fewer than for
//! Tiki-Taka. States: the range of the weight over the mean step at its symmetry point, (w_max - w_min)/dw_min.

use super::claim::{Basis, Outcome};
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "gokmen-2021",
    citation: "T. Gokmen 2021, Front. Artif. Intell. 4:699148, doi:10.3389/frai.2021.699148",
    what: "Number of states that Tiki-Taka and its second version need (soft bounds)",
    minutes: 4,
    run,
};

/// States of the publication that suffice for the second version; ten times as many must, too.
const STATES: [u32; 2] = [20, 200];

fn run(context: &Context) -> Result<Outcome, ReproError> {
    // The settings of AIHWKit's presets, on soft bounds ±1 with the noise of Gokmen & Vlasov's device, without the
    // write noise of ReRAM, which the presets give in units of the step.
    let tile = |preset: &str, states: u32| {
        let dw_min = 2.0 / f64::from(states);
        format!(
            "[tile]\npreset = \"{preset}\"\n[tile.device]\ndw_min = {dw_min}\ndw_min_std = 0.3\nwrite_noise_std = 0.0\nw_min = -1.0\nw_max = 1.0\n"
        )
    };
    let mut variants = vec![Variant::new("floating point", "")];
    for states in STATES {
        for (name, preset) in [("Tiki-Taka v2", "TTv2ReRamSBPreset"), ("Tiki-Taka", "TikiTakaReRamSBPreset")]
        {
            variants.push(Variant::new(format!("{name}, {states} states"), tile(preset, states)));
        }
    }
    let arms = trainings::train(context, &variants)?;
    let near = "The publication finds the second version near floating point from 15 to 20 states on; 1 % stands for near.";
    let worse = "With so few states the first version is worse than the second, by more than the sampling of the test data.";
    let claims = vec![
        arms.loses_at_most([1, 0], 1.0, (Basis::Recollection, near)),
        arms.loses_at_most([3, 0], 1.0, (Basis::Recollection, near)),
        arms.loses_at_least([2, 1], arms.sampling(), (Basis::Recollection, worse)),
    ];
    let charts = vec![arms.chart("Few states")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
