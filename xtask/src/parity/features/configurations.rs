//! What AIHWKit calls an RPU configuration, and what its parameter objects share.

use crate::parity::feature::{Here, Section, have, item, not, partly};
use crate::schema::SchemaName::{Hwa, Infer, Train};

pub(in crate::parity) const SECTION: Section = Section {
    title: "Configurations",
    registries: &[],
    features: &[
        have(
            "Floating point",
            "FloatingPointRPUConfig",
            &[item!(aimc_train::TrainingTileConfig), Here::Named("cell", "Ideal")],
        ),
        have("One device per weight", "SingleRPUConfig", &[Here::Field(Train, "tile.device")]),
        have(
            "Several devices per weight, transfers between arrays",
            "UnitCellRPUConfig",
            &[Here::Field(Train, "tile.device"), Here::Field(Train, "tile.algorithm")],
        ),
        have(
            "Updates that are summed digitally",
            "DigitalRankUpdateRPUConfig",
            &[Here::Named("algorithm", "MixedPrecision")],
        ),
        have(
            "Hardware-aware training, then inference",
            "InferenceRPUConfig, TorchInferenceRPUConfig",
            &[Here::Field(Hwa, "hardware_aware"), Here::Field(Infer, "tile")],
        ),
        have(
            "The same with few bits between tiles",
            "QuantizedTorchInferenceRPUConfig",
            &[Here::Field(Train, "hardware_aware.periphery.quantization"), Here::Named("layer", "Quantize")],
        ),
        have(
            "The same with time-stepped IR drop",
            "TorchInferenceRPUConfigIRDropT",
            &[Here::Field(Infer, "tile.forward.ir_drop_model")],
        ),
        have("A tile by the name of an algorithm", "build_config", &[item!(aimc_train::build_config)]),
        have(
            "Checked types and values of fields",
            "type checks of parameter objects",
            &[item!(aimc_device::ConfigError), Here::Named("command", "schema")],
        ),
        partly(
            "Printing a configuration",
            "printing of non-default fields",
            &[item!(aimc_train::TrainingTileConfig)],
            "reports show every field, not only those that differ from the default",
        ),
        not("Data type and bindings at run time", "RuntimeParameter", "32-bit floats; nothing is bound"),
        not(
            "Views of the weights of an optimizer",
            "AnalogContextDataViewMode",
            "tiles are updated by their own method",
        ),
        not("Feedback of learning rates", "CountLRFeedbackPolicy", "left over from older versions there"),
    ],
};
