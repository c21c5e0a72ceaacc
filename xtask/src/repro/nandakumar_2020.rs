//! Mixed precision: gradients are gathered digitally and written to PCM when they exceed its granularity.
//!
//! Reference: S. R. Nandakumar et al. 2020, *Mixed-Precision Deep Learning Based on Computational Memory*, Front. Neurosci.
//! 14:406, doi:10.3389/fnins.2020.00406. Its text: 97.73 % on MNIST with PCM, within 0.6 % of floating point.

use super::claim::{Basis, Outcome};
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "nandakumar-2020",
    citation: "S. R. Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
    what: "Mixed-precision training on differential PCM, distance to floating point",
    minutes: 3,
    run,
};

/// Loss against floating point in the publication (%).
const PUBLISHED: f64 = 0.6;

fn run(context: &Context) -> Result<Outcome, ReproError> {
    // Refreshing pairs after every batch is slow: half of the epochs keep the quick mode below 5 minutes.
    let epochs = if context.full { "" } else { "training.epochs = 20\n" };
    let variants = [
        Variant::new("floating point", epochs),
        Variant::new("mixed precision on PCM", format!("{epochs}tile.preset = \"MixedPrecisionPCMPreset\"")),
    ];
    let arms = trainings::train(context, &variants)?;
    let claims = vec![arms.loses_at_most(
        [1, 0],
        PUBLISHED,
        (Basis::Text, "Published: 97.73 % on MNIST, within 0.6 % of floating point."),
    )];
    let charts = vec![arms.chart("Mixed precision on PCM")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
