//! Tiki-Taka against gradient descent on asymmetric devices.
//!
//! Reference: T. Gokmen & W. Haensch 2020, *Algorithm for Training Neural Networks on Resistive Device Arrays*, Front. Neurosci.
//! 14:103, doi:10.3389/fnins.2020.00103. Its claim, from recollection: on asymmetric devices Tiki-Taka learns about as well as
//! floating point, where gradient descent fails.

use super::claim::Outcome;
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "gokmen-haensch-2020",
    citation: "T. Gokmen & W. Haensch 2020, Front. Neurosci. 14:103, doi:10.3389/fnins.2020.00103",
    what: "Tiki-Taka against gradient descent on asymmetric ReRAM (soft bounds with cycle-to-cycle noise)",
    minutes: 3,
    run,
};

/// Gradient descent fails where it loses ten times the 1 % that analog training is allowed to lose.
const FAILS: f64 = 10.0;

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("Tiki-Taka", "tile.preset = \"TikiTakaReRamSBPreset\""),
        Variant::new("gradient descent", "tile.preset = \"ReRamSBPreset\""),
    ];
    let arms = trainings::train(context, &variants)?;
    let claims = vec![
        arms.loses_at_most(1, 0, 1.0, "The publication finds Tiki-Taka near floating point; 1 % stands for near."),
        arms.loses_at_least(2, 1, FAILS, "On the same devices gradient descent is pulled to the symmetry points and fails: at least 10 % worse."),
    ];
    let charts = vec![arms.chart("Learning on asymmetric ReRAM")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
