//! `cargo xtask schema NAME`: JSON schemas of the configuration files, for editors and other programs.

use aimc_infer::InferenceTileConfig;
use aimc_tile::TileConfig;
use clap::ValueEnum;
use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use crate::demo::DemoConfig;
use crate::hwa::HwaConfig;
use crate::infer::InferConfig;
use crate::sweep::SweepConfig;
use crate::train::TrainingConfig;

/// Configurations that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// The file of `cargo xtask demo --config`.
    Demo,
    /// The file of `cargo xtask train --config`.
    Train,
    /// The file of `cargo xtask infer --config`.
    Infer,
    /// The file of `cargo xtask hwa --config`.
    Hwa,
    /// The file of `cargo xtask sweep`.
    Sweep,
    /// A tile for training.
    Tile,
    /// A tile for inference.
    InferenceTile,
}

impl SchemaName {
    /// Its name on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Train => "train",
            Self::Infer => "infer",
            Self::Hwa => "hwa",
            Self::Sweep => "sweep",
            Self::Tile => "tile",
            Self::InferenceTile => "inference-tile",
        }
    }
}

/// The schema as JSON text.
pub(crate) fn render(name: SchemaName) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&value(name)).map(|text| text + "\n")
}

/// The schema.
pub(crate) fn value(name: SchemaName) -> Value {
    let schema: Schema = match name {
        SchemaName::Demo => schema_for!(DemoConfig),
        SchemaName::Train => schema_for!(TrainingConfig),
        SchemaName::Infer => schema_for!(InferConfig),
        SchemaName::Hwa => schema_for!(HwaConfig),
        // Its base may name presets, it itself does not.
        SchemaName::Sweep => return schema_for!(SweepConfig).to_value(),
        SchemaName::Tile => schema_for!(TileConfig),
        SchemaName::InferenceTile => schema_for!(InferenceTileConfig),
    };
    let mut schema = schema.to_value();
    as_written_by_users(&mut schema);
    schema
}

/// What holds for files but not for resolved records: every table may name a preset, and no entry is required,
/// since files only override defaults.
fn as_written_by_users(node: &mut Value) {
    match node {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get_mut("properties") {
                let preset = json!({ "type": "string", "description": "Name of a preset; entries beside it override it." });
                properties.insert("preset".to_owned(), preset);
                entries.remove("required");
            }
            entries.values_mut().for_each(as_written_by_users);
        }
        Value::Array(items) => items.iter_mut().for_each(as_written_by_users),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_knows_the_fields_of_devices_and_presets() {
        let text = render(SchemaName::Demo).unwrap();
        for name in [
            "dw_min",
            "write_noise_std",
            "out_noise",
            "prog_noise_scale",
            "times_seconds",
            "preset",
            "SoftBounds",
        ] {
            assert!(text.contains(&format!("\"{name}\"")), "{name} is missing");
        }
    }

    #[test]
    fn the_schema_of_a_training_knows_layers_algorithms_and_losses() {
        let text = render(SchemaName::Train).unwrap();
        for name in
            ["override", "mlp", "label_smoothing", "transfer_every", "kernel", "warmup_steps", "window"]
        {
            assert!(text.contains(&format!("\"{name}\"")), "{name} is missing");
        }
    }

    /// The committed copies are for editors; `cargo xtask schema NAME > docs/NAME.schema.json` renews one.
    #[test]
    fn the_committed_schemas_are_up_to_date() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let all = [
            ("demo", SchemaName::Demo),
            ("train", SchemaName::Train),
            ("infer", SchemaName::Infer),
            ("hwa", SchemaName::Hwa),
            ("sweep", SchemaName::Sweep),
        ];
        for (name, schema) in all {
            let file = docs.join(format!("{name}.schema.json"));
            let committed = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(render(schema).unwrap() == committed, "renew {}", file.display());
        }
    }
}
