//! Layers, optimizers, conversion, few bits.

use crate::parity::feature::{Here, Section, have, item, partly};
use crate::schema::SchemaName::Train;

pub(in crate::parity) const SECTION: Section = Section {
    title: "Networks, optimizers and conversion",
    registries: &["layer", "recurrent", "activation", "loss", "optimizer", "schedule", "estimator"],
    features: &[
        have(
            "Layers whose matrices are split over tiles",
            "AnalogLinearMapped, AnalogConv1dMapped, AnalogConv2dMapped, AnalogConv3dMapped",
            &[Here::Field(Train, "tile.periphery.mapping.max_input_size")],
        ),
        have(
            "Layers one after the other",
            "AnalogSequential",
            &[item!(aimc_nn::NetworkConfig), Here::Field(Train, "network.layers")],
        ),
        have(
            "Both directions of time, several layers",
            "bidirectional, num_layers of AnalogRNN",
            &[
                Here::Field(Train, "network.layers[].bidirectional"),
                Here::Field(Train, "network.layers[].layers"),
            ],
        ),
        have(
            "Weights of input and state on one tile",
            "AnalogLSTMCellCombinedWeight",
            &[Here::Field(Train, "network.layers[].combined")],
        ),
        have(
            "What a layer with a tile offers",
            "AnalogLayerBase",
            &[item!(aimc_nn::module::Module), item!(aimc_nn::Part)],
        ),
        have(
            "An optimizer that knows analog tiles",
            "AnalogOptimizer, AnalogSGD, AnalogAdam",
            &[item!(aimc_train::Optimizer), item!(aimc_train::Trainer)],
        ),
        have(
            "Any optimizer of PyTorch",
            "AnalogOptimizer(optimizer class)",
            &[item!(aimc_train::OptimizerConfig), Here::File("aimc-py/python/aimc/optim.py")],
        ),
        have(
            "The handle of a tile among the parameters",
            "AnalogContext",
            &[Here::File("aimc-py/python/aimc/nn/_tile.py")],
        ),
        have("A digital network onto tiles", "convert_to_analog", &[item!(aimc_train::convert::TileRules)]),
        have("And back", "convert_to_digital", &[item!(aimc_train::convert::to_digital)]),
        have(
            "Another tile, or none, for some layers",
            "specific_rpu_config_fun, exclude_modules, conversion_map",
            &[Here::Field(Train, "override[].layer"), Here::Field(Train, "override[].digital")],
        ),
        have("Weights of PyTorch models", "load_state_dict", &[item!(aimc_nn::import::load)]),
        have(
            "A model of PyTorch as it is",
            "AnalogWrapper",
            &[Here::File("aimc-py/python/aimc/nn/convert.py"), item!(aimc_nn::import::load)],
        ),
        have(
            "Quantisers, symmetric or not",
            "symmetric and asymmetric quantisers",
            &[item!(aimc_nn::quantize::Quantiser)],
        ),
        have(
            "Ranges learned or measured",
            "QuantizationManager and its states",
            &[item!(aimc_nn::QuantizeConfig)],
        ),
        partly(
            "A network turned into one of few bits",
            "convert_to_quantized, QuantizationMap, QuantLinear, QuantConv2d, QuantizedInputModule",
            &[Here::Named("layer", "Quantize")],
            "quantisers are layers that one writes into the network; nothing inserts them",
        ),
        have(
            "Few bits in embeddings and norm layers",
            "QuantEmbedding, QuantLayerNorm, QuantBatchNorm2d",
            &[item!(aimc_nn::quantize::few_bits)],
        ),
        have(
            "Ranges of quantisers from data",
            "calibrate_quantization_ranges",
            &[item!(aimc_nn::quantize::calibrate)],
        ),
    ],
};
