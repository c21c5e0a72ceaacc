//! Inference: devices, conversion, programming, time, calibration.

use crate::parity::feature::{Here, Section, have, item, partly};
use crate::schema::SchemaName::Infer;

pub(in crate::parity) const SECTION: Section = Section {
    title: "Inference",
    registries: &["programmed", "converter", "programming", "compensation", "recalibration", "calibration"],
    features: &[
        have(
            "Device model of one's own",
            "BaseNoiseModel",
            &[item!(aimc_device::programmed::ProgrammedDevice), Here::Named("programmed", "Tabulated")],
        ),
        have(
            "Conversion of one's own",
            "BaseConductanceConverter",
            &[item!(aimc_infer::converter::Converter), Here::Named("converter", "CustomPair")],
        ),
        have(
            "Conversion for a chip that keeps the sign digitally",
            "FusionConductanceConverter",
            &[
                item!(aimc_infer::converter::fusion::conductances),
                item!(aimc_infer::converter::fusion::weights),
            ],
        ),
        partly(
            "Compensation of one's own",
            "BaseDriftCompensation",
            &[item!(aimc_infer::Compensation)],
            "schemes are a closed list in one file each",
        ),
        have("Programming a whole network", "program_analog_weights", &[item!(aimc_infer::program_network)]),
        have(
            "A network some time after programming",
            "drift_analog_weights",
            &[item!(aimc_infer::network_at), Here::Field(Infer, "evaluation.times_seconds")],
        ),
        have(
            "Accuracy over time with repeats",
            "BasicInferencing",
            &[item!(aimc_infer::evaluate), Here::Named("command", "infer")],
        ),
        have(
            "Search for a conversion that suits devices and weights",
            "WeightProgrammingOptimizer",
            &[Here::Field(Infer, "weight_programming")],
        ),
        have(
            "Programming by a tile's own pulses",
            "program_weights of pulsed tiles",
            &[Here::Named("programming", "TileUpdates")],
        ),
        have("Weights read back through products", "read_weights", &[item!(aimc_tile::estimate_weights)]),
        have(
            "Calibration of input ranges on data",
            "calibrate_input_ranges",
            &[item!(aimc_infer::calibrate), Here::Field(Infer, "calibration.input")],
        ),
        partly(
            "Weights for the Fusion chip as CSV",
            "fusion_export, fusion_import",
            &[item!(aimc_infer::converter::fusion::conductances)],
            "conductances can be computed; the file format is not written",
        ),
    ],
};
