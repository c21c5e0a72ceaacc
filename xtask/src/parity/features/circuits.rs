//! Circuits around the array.

use crate::parity::feature::{Here, Section, have, item};
use crate::schema::SchemaName::Train;

pub(in crate::parity) const SECTION: Section = Section {
    title: "Circuits",
    registries: &["noise", "bound", "weight-noise", "product", "ir-drop", "adc"],
    features: &[
        have(
            "Converters, noise and range management of one direction",
            "IOParameters",
            &[item!(aimc_tile::IoConfig)],
        ),
        have(
            "Time-stepped IR drop: rows, segments, time",
            "IOParametersIRDropT",
            &[Here::Field(Train, "tile.forward.ir_drop_model")],
        ),
        have(
            "Input range, learned or from data",
            "InputRangeParameter",
            &[item!(aimc_tile::InputRangeConfig)],
        ),
        have(
            "Mapping of weights: scales, bias, size of tiles",
            "MappingParameter, MappableRPU",
            &[item!(aimc_tile::MappingConfig)],
        ),
        have(
            "Few bits in scales and bias",
            "PeripheryQuantizationParameter",
            &[Here::Field(Train, "tile.periphery.quantization")],
        ),
        have(
            "Voltage offsets and series resistance",
            "v_offset_std, r_series",
            &[Here::Field(Train, "tile.forward.v_offset_std")],
        ),
        have("S-shaped outputs", "out_nonlinearity", &[Here::Field(Train, "tile.forward.out_nonlinearity")]),
        have(
            "Weights weaker for negative inputs",
            "w_read_asymmetry_dtod",
            &[Here::Field(Train, "tile.forward.w_read_asymmetry_dtod")],
        ),
    ],
};
