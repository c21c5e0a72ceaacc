//! What can be chosen by name in a configuration, asked from the registries themselves.
//!
//! The names and what they mean are read from the JSON schemas of the records, so that a new line in a registry is here by itself.

use aimc_device::presets::Preset;
use aimc_device::programmed::ProgrammedDeviceConfig;
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_infer::calibration::InputRule;
use aimc_infer::{Compensation, ConverterConfig, Programming, Recalibration};
use aimc_nn::quantize::RangeEstimator;
use aimc_nn::recurrent::Cell as RecurrentCell;
use aimc_nn::{Activation, LayerConfig, Loss};
use aimc_tile::hardware_aware::{WeightClipType, WeightModifierType, WeightRemapType};
use aimc_tile::periphery::adc::Architecture;
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::ir_drop::IrDropModel;
use aimc_tile::periphery::mv_type::MvType;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::periphery::weight_noise::WeightNoise;
use aimc_tile::pulse::PulseType;
use aimc_tile::unit_cell::config::CompoundCell;
use aimc_tile::unit_cell::vector::UpdatePolicy;
use aimc_train::{Algorithm, OptimizerConfig, Schedule};
use clap::CommandFactory;
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value};

use crate::data::DataName;
use crate::schema::SchemaName::{self, Infer, Train};
use crate::{Arguments, repro};

/// A choice that configurations make by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// What it is, in the words of its own documentation.
    pub(super) what: String,
}

/// Where the entries of a registry come from.
enum Source {
    Records(fn() -> Vec<Entry>),
    Presets(&'static [Preset]),
}

/// All that one field of a configuration can be.
pub(super) struct Registry {
    /// How features refer to it.
    pub(super) id: &'static str,
    /// What its entries are.
    pub(super) title: &'static str,
    /// The configuration and the field that takes the name; none for what is no field.
    pub(super) field: Option<(SchemaName, &'static str)>,
    source: Source,
}

impl Registry {
    pub(super) fn entries(&self) -> Vec<Entry> {
        match self.source {
            Source::Records(entries) => entries(),
            Source::Presets(presets) => {
                let entry =
                    |preset: &Preset| Entry { name: preset.name.to_owned(), what: comment(preset.text) };
                presets.iter().map(entry).collect()
            }
        }
    }

    /// The text of the preset `name`, if this is a list of presets.
    pub(super) fn preset_text(&self, name: &str) -> Option<&'static str> {
        match self.source {
            Source::Records(_) => None,
            Source::Presets(presets) => {
                presets.iter().find(|preset| preset.name == name).map(|preset| preset.text)
            }
        }
    }

    /// How a configuration or the command line chooses `name`.
    pub(super) fn choice(&self, name: &str) -> String {
        match self.field {
            Some((schema, path)) => format!("`{path} = \"{name}\"`{}", of_command(schema)),
            None if self.id == "reproduction" => format!("`cargo xtask repro {name}`"),
            None => format!("`cargo xtask {name}`"),
        }
    }
}

/// Which command reads a field, where it is not `train`.
pub(super) fn of_command(schema: SchemaName) -> String {
    if schema == Train { String::new() } else { format!(" ({})", schema.as_str()) }
}

/// The registry that is called `id`.
pub(super) fn find(id: &str) -> Option<&'static Registry> {
    ALL.iter().find(|registry| registry.id == id)
}

const fn records(
    id: &'static str,
    title: &'static str,
    (schema, path): (SchemaName, &'static str),
    entries: fn() -> Vec<Entry>,
) -> Registry {
    Registry { id, title, field: Some((schema, path)), source: Source::Records(entries) }
}

const fn presets(
    id: &'static str,
    title: &'static str,
    (schema, path): (SchemaName, &'static str),
    presets: &'static [Preset],
) -> Registry {
    Registry { id, title, field: Some((schema, path)), source: Source::Presets(presets) }
}

const fn words(id: &'static str, title: &'static str, entries: fn() -> Vec<Entry>) -> Registry {
    Registry { id, title, field: None, source: Source::Records(entries) }
}

pub(super) const ALL: &[Registry] = &[
    records("device", "Pulsed devices", (Train, "tile.device.model"), of::<PulsedDeviceConfig>),
    records("cell", "Unit cells", (Train, "tile.device.model"), of::<CompoundCell>),
    records("policy", "Update policies", (Train, "tile.device.update_policy"), of::<UpdatePolicy>),
    records("algorithm", "Training algorithms", (Train, "tile.algorithm.model"), of::<Algorithm>),
    records("pulse", "Pulse types", (Train, "tile.update.pulse_type"), of::<PulseType>),
    records("noise", "Noise management", (Train, "tile.forward.noise_management"), of::<NoiseManagement>),
    records("bound", "Bound management", (Train, "tile.forward.bound_management"), of::<BoundManagement>),
    records("weight-noise", "Read noise of weights", (Train, "tile.forward.w_noise_type"), of::<WeightNoise>),
    records("product", "Kinds of products", (Train, "tile.forward.mv_type"), of::<MvType>),
    records("ir-drop", "Models of the wires", (Train, "tile.forward.ir_drop_model.model"), of::<IrDropModel>),
    records("adc", "Converters", (Train, "tile.forward.adc.architecture.model"), of::<Architecture>),
    records(
        "modifier",
        "Weight modifiers",
        (Train, "hardware_aware.modifier.type"),
        of::<WeightModifierType>,
    ),
    records("clip", "Clipping of weights", (Train, "hardware_aware.clip.type"), of::<WeightClipType>),
    records("remap", "Remapping of weights", (Train, "hardware_aware.remap.type"), of::<WeightRemapType>),
    records("programmed", "Programmed devices", (Infer, "tile.device.model"), of::<ProgrammedDeviceConfig>),
    records("converter", "Weights to conductances", (Infer, "tile.converter.model"), of::<ConverterConfig>),
    records("programming", "Programming", (Infer, "tile.programming.procedure"), of::<Programming>),
    records("compensation", "Drift compensation", (Infer, "tile.compensation"), of::<Compensation>),
    records("recalibration", "Readout of compensation", (Infer, "tile.recalibration"), of::<Recalibration>),
    records("calibration", "Calibration of input ranges", (Infer, "calibration.input.rule"), of::<InputRule>),
    records("layer", "Layers", (Train, "network.layers[].layer"), of::<LayerConfig>),
    records("recurrent", "Recurrent cells", (Train, "network.layers[].cell"), of::<RecurrentCell>),
    records("activation", "Activations", (Train, "network.layers[].function"), of::<Activation>),
    records("loss", "Losses", (Train, "training.loss.model"), of::<Loss>),
    records(
        "estimator",
        "Range estimators",
        (Train, "network.layers[].range_estimator.model"),
        of::<RangeEstimator>,
    ),
    records("optimizer", "Optimizers", (Train, "training.optimizer.model"), of::<OptimizerConfig>),
    records("schedule", "Learning rates", (Train, "training.schedule.model"), of::<Schedule>),
    records("data", "Data sets", (Train, "data.set"), of::<DataName>),
    presets("device-preset", "Devices", (Train, "tile.device.preset"), aimc_device::presets::DEVICES),
    presets("tile-preset", "Circuits and tiles", (Train, "tile.preset"), aimc_tile::presets::TILES),
    presets("algorithm-preset", "Algorithms", (Train, "tile.preset"), aimc_train::presets::ALGORITHMS),
    presets(
        "hwa-preset",
        "Hardware-aware",
        (Train, "hardware_aware.preset"),
        aimc_tile::presets::HARDWARE_AWARE,
    ),
    presets("technology", "Chips for costs", (Infer, "cost[].preset"), aimc_infer::cost::TECHNOLOGIES),
    words("command", "Commands", commands),
    words("reproduction", "Reproductions", reproductions),
];

/// The variants of an enum of the configuration, by its schema.
fn of<T: JsonSchema>() -> Vec<Entry> {
    let schema = schema_for!(T).to_value();
    let mut entries = Vec::new();
    collect(&schema, "", &mut entries);
    entries
}

/// Goes through alternatives down to constant names; a name means what is written above it.
fn collect(node: &Value, what: &str, entries: &mut Vec<Entry>) {
    let what = node.get("description").and_then(Value::as_str).unwrap_or(what);
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|kind| node.get(kind)?.as_array());
    alternatives.flatten().for_each(|inner| collect(inner, "", entries));
    let names =
        node.get("const").into_iter().chain(node.get("enum").and_then(Value::as_array).into_iter().flatten());
    let tag = node.get("properties").and_then(Value::as_object).and_then(tag);
    let names = names.filter_map(|name| name.as_str().map(str::to_owned)).chain(tag);
    entries.extend(names.map(|name| Entry { name, what: first_sentence(what) }));
}

/// The constant that tells a record from the others, or the one name that stands above its fields.
fn tag(properties: &Map<String, Value>) -> Option<String> {
    let constant = properties.values().find_map(|property| property.get("const")?.as_str());
    match constant {
        Some(name) => Some(name.to_owned()),
        None if properties.len() == 1 => properties.keys().next().cloned(),
        None => None,
    }
}

/// Text up to the end of its first sentence; an initial or an "et al." ends none.
fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let before = |end: &usize| paragraph[..*end].chars().rev().take_while(|c| c.is_alphanumeric()).count();
    let stops = paragraph.match_indices(". ").map(|(end, _)| end).filter(|end| before(end) > 2);
    let end = stops.chain(paragraph.find(", see [")).min().unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').replace(['[', ']'], "")
}

/// What a preset is: the name that it gives itself, or the first sentence of its comment, without the name in AIHWKit.
fn comment(text: &str) -> String {
    if let Some(name) = text.lines().find_map(|line| line.strip_prefix("name = ")) {
        return name.trim_matches('"').to_owned();
    }
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    let sentence =
        first_sentence(&lines.map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" "));
    let own = sentence.split("AIHWKit 1.1.0").next().unwrap_or_default();
    let own = ["numbers as in ", "as "].iter().fold(own, |own, words| own.strip_suffix(words).unwrap_or(own));
    own.trim_end_matches([' ', ',', ';']).to_owned()
}

fn commands() -> Vec<Entry> {
    let about = |command: &clap::Command| command.get_about().map_or(String::new(), ToString::to_string);
    let command = Arguments::command();
    let entries = command.get_subcommands().map(|command| Entry {
        name: command.get_name().to_owned(),
        what: about(command).trim_end_matches('.').to_owned(),
    });
    entries.collect()
}

fn reproductions() -> Vec<Entry> {
    let entry = |(name, what): (&str, &str)| Entry { name: name.to_owned(), what: what.to_owned() };
    repro::all().map(entry).collect()
}
