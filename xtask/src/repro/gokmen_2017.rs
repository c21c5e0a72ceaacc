//! What a convolutional network needs to learn on crossbars: noise, bound and update management.
//!
//! Reference: T. Gokmen, M. Onen & W. Haensch 2017, *Training Deep Convolutional Neural Networks with Resistive Cross-Point Devices*,
//! Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538. From recollection: without management of noise and bounds the network
//! does not learn MNIST (errors above 10 %); with both it comes near floating point, and with update management within
//! about 1 %.

use serde_json::{Value, json};

use super::claim::{Basis, Outcome};
use super::trainings::{self, Variant};
use super::{Context, ReproError, Reproduction};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "gokmen-2017",
    citation: "T. Gokmen, M. Onen & W. Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538",
    what: "A convolutional network with and without noise, bound and update management",
    minutes: 5,
    run,
};

/// Penalty with all managements (%), from recollection.
const PENALTY: f64 = 1.0;
/// Penalty without management of noise and bounds (%), from recollection.
const FAILURE: f64 = 10.0;

/// What each pass does without management; inputs of the updates are not balanced either.
const UNMANAGED: &str = "forward = { noise_management = \"None\", bound_management = \"None\" }\n\
                         backward = { noise_management = \"None\", bound_management = \"None\" }\n";
const NO_UPDATE_MANAGEMENT: &str =
    "update = { update_management = false, update_bl_management = false, desired_bl = 10 }\n";

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let on_tiles = |more: &str| format!("[tile]\npreset = \"GokmenVlasovPreset\"\n{more}");
    let variants = [
        Variant::new("floating point", ""),
        Variant::new("all managements", on_tiles("")),
        Variant::new("no update management", on_tiles(NO_UPDATE_MANAGEMENT)),
        Variant::new("no management", on_tiles(&format!("{UNMANAGED}{NO_UPDATE_MANAGEMENT}"))),
    ];
    let arms = trainings::train_from(context, &network(context), &variants)?;
    let near = "With all managements the published network comes within 1 % of floating point.";
    let far = "Without management of noise and bounds the published network errs in more than 10 %.";
    let claims = vec![
        arms.loses_at_most([1, 0], PENALTY, (Basis::Recollection, near)),
        arms.loses_at_least([3, 1], FAILURE, (Basis::Recollection, far)),
    ];
    let charts = vec![arms.chart("Managements")];
    Ok(Outcome { claims, charts, parameters: arms.parameters })
}

/// The training: the publication's network on MNIST (two convolutions with pooling, two full layers, single samples), or a small
/// network of the same kind on the digits.
fn network(context: &Context) -> Value {
    let conv = |outputs, kernel| json!({ "layer": "Conv", "outputs": outputs, "kernel": kernel });
    let tanh = || json!({ "layer": "Activation", "function": "tanh" });
    let pool = || json!({ "layer": "Pool", "kernel": 2 });
    let full = |outputs| json!({ "layer": "Linear", "outputs": outputs });
    let ends = || [json!({ "layer": "Flatten" }), json!({ "layer": "LogSoftmax" })];
    let [flatten, end] = ends();
    if context.full {
        let layers = [
            conv(16, 5),
            tanh(),
            pool(),
            conv(32, 5),
            tanh(),
            pool(),
            flatten,
            full(128),
            tanh(),
            full(10),
            end,
        ];
        return json!({
            "data": { "set": "mnist", "path": context.data_dir },
            "network": { "input": [1, 28, 28], "layers": layers },
            "training": { "epochs": 30, "batch_size": 1, "learning_rate": 0.01 },
        });
    }
    let layers = [conv(8, 3), tanh(), pool(), conv(16, 2), tanh(), flatten, full(10), end];
    json!({
        "data": { "set": "digits" },
        "network": { "input": [1, 8, 8], "layers": layers },
        "training": { "epochs": 20, "batch_size": 5, "learning_rate": 0.05 },
    })
}
