//! Hardware-aware training.

use crate::parity::feature::{Here, Section, have, item};
use crate::schema::SchemaName::{Hwa, Train};

pub(in crate::parity) const SECTION: Section = Section {
    title: "Hardware-aware training",
    registries: &["modifier", "clip", "remap"],
    features: &[
        have(
            "A modified copy of the weights in every product",
            "WeightModifierParameter",
            &[item!(aimc_tile::hardware_aware::WeightModifierConfig)],
        ),
        have(
            "Another draw for every sample",
            "per_batch_sample",
            &[Here::Field(Train, "hardware_aware.modifier.per_batch_sample")],
        ),
        have("Weights lost at random", "pdrop", &[Here::Field(Train, "hardware_aware.modifier.pdrop")]),
        have(
            "Clipping after each step",
            "WeightClipParameter",
            &[item!(aimc_tile::hardware_aware::WeightClipConfig)],
        ),
        have(
            "Remapping to the full range of the devices",
            "WeightRemapParameter",
            &[item!(aimc_tile::hardware_aware::WeightRemapConfig)],
        ),
        have(
            "Learned scales of outputs",
            "learn_out_scaling",
            &[Here::Field(Train, "hardware_aware.periphery.mapping.learn_out_scaling")],
        ),
        have(
            "Learned input ranges",
            "learn_input_range",
            &[Here::Field(Train, "hardware_aware.periphery.input_range.learn_input_range")],
        ),
        have(
            "Comparison with naive conversion over time and seeds",
            "hw_aware_training notebook",
            &[Here::Named("command", "hwa"), Here::Field(Hwa, "seeds")],
        ),
    ],
};
