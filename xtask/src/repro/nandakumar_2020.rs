//! Mixed precision: gradients are gathered digitally and written to PCM when they exceed its granularity.
//!
//! Reference: S. R. Nandakumar et al. 2020, *Mixed-Precision Deep Learning Based on Computational Memory*, Front. Neurosci.
//! 14:406, doi:10.3389/fnins.2020.00406. From recollection: 97.73 % on MNIST with PCM, within 0.6 % of floating point.

use super::claim::Outcome;
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "nandakumar-2020",
    citation: "S. R. Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
    what: "Mixed-precision training on differential PCM, distance to floating point",
    minutes: 3,
    run,
};

/// Loss against floating point in the publication (%), from recollection.
const PUBLISHED: f64 = 0.6;

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("mixed precision on PCM", "tile.preset = \"MixedPrecisionPCMPreset\""),
    ];
    let arms = trainings::train(context, &variants)?;
    let claims = vec![arms.loses_at_most(
        1,
        0,
        PUBLISHED,
        "Published: 97.73 % on MNIST, within 0.6 % of floating point.",
    )];
    let charts = vec![arms.chart("Mixed precision on PCM")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
