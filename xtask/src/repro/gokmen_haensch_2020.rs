//! Tiki-Taka against gradient descent on asymmetric devices.
//!
//! Reference: T. Gokmen & W. Haensch 2020, *Algorithm for Training Neural Networks on Resistive Device Arrays*, Front. Neurosci.
//! 14:103, doi:10.3389/fnins.2020.00103. Its text: Tiki-Taka on asymmetric devices matches gradient
//! descent on symmetric ones. From recollection: its devices have steps of 0.001, bounds of 0.6, both with variations of 30 %; gradient
//! descent fails on the asymmetric ones.

use super::claim::{Basis, Outcome};
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
    // The publication's devices: the same numbers, with even steps and with soft bounds that differ from device to device.
    let numbers = "dw_min = 0.001\ndw_min_dtod = 0.3\ndw_min_std = 0.3\nw_max = 0.6\nw_max_dtod = 0.3\nw_min = -0.6\nw_min_dtod = 0.3\n";
    let tile = |algorithm: &str, device: &str| {
        format!(
            "[tile]\nalgorithm = {algorithm}\nforward.preset = \"PresetIO\"\nbackward.preset = \"PresetIO\"\n\
             update.preset = \"PresetUpdate\"\n[tile.device]\n{device}{numbers}"
        )
    };
    let tiki_taka = "{ model = \"TikiTaka\", transfer_forward.preset = \"PresetIO\", transfer_update.preset = \"PresetUpdate\" }";
    let soft = "model = \"SoftBoundsReference\"\nsubtract_symmetry_point = true\n";
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("Tiki-Taka, measured ReRAM", "tile.preset = \"TikiTakaReRamSBPreset\""),
        Variant::new("gradient descent, measured ReRAM", "tile.preset = \"ReRamSBPreset\""),
        Variant::new(
            "gradient descent, even steps",
            tile("{ model = \"Sgd\" }", "model = \"ConstantStep\"\n"),
        ),
        Variant::new("Tiki-Taka, soft bounds", tile(tiki_taka, soft)),
        Variant::new("gradient descent, soft bounds", tile("{ model = \"Sgd\" }", soft)),
    ];
    let arms = trainings::train(context, &variants)?;
    let claims = vec![
        arms.loses_at_most([4, 3], 0.0, (Basis::Text, "Tiki-Taka on asymmetric devices matches gradient descent on symmetric ones.")),
        arms.loses_at_least([5, 4], FAILS, (Basis::Recollection, "On the same devices gradient descent is pulled to the symmetry points and fails: at least 10 % worse.")),
        arms.loses_at_most([1, 0], 1.0, (Basis::Recollection, "Measured ReRAM (Gong et al. 2018) is no device of the publication: 500 states and 375 % noise. 1 % stands for near floating point.")),
        arms.loses_at_least([2, 1], FAILS, (Basis::Recollection, "As above.")),
    ];
    let charts = vec![arms.chart("Learning on asymmetric ReRAM")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}
