//! Tiles and the engine below them.

use crate::parity::feature::{Here, Section, have, item, not, partly};
use crate::schema::SchemaName::Train;

pub(in crate::parity) const SECTION: Section = Section {
    title: "Tiles and engine",
    registries: &[],
    features: &[
        have("Exact tile", "FloatingPointTile", &[item!(aimc_tile::IdealTile)]),
        have(
            "Tile of pulsed devices",
            "AnalogTile",
            &[item!(aimc_tile::AnalogTile), Here::Field(Train, "tile")],
        ),
        have(
            "The same without digital circuits",
            "AnalogTileWithoutPeriphery",
            &[item!(aimc_tile::TileConfig)],
        ),
        have(
            "Digital circuits around a tile: scales, input range, bias",
            "TileWithPeriphery",
            &[item!(aimc_tile::LogicalTile), Here::Field(Train, "tile.periphery")],
        ),
        have(
            "Matrix over a grid of tiles",
            "TileModuleArray",
            &[item!(aimc_tile::TileGrid), Here::Field(Train, "tile.periphery.mapping.max_input_size")],
        ),
        have(
            "Tile in hardware-aware training",
            "InferenceTile (training)",
            &[item!(aimc_tile::HardwareAwareTile), Here::Field(Train, "hardware_aware")],
        ),
        have(
            "Tile on an inference chip",
            "InferenceTile (inference)",
            &[item!(aimc_infer::ProgrammedTile), item!(aimc_infer::InferenceTile)],
        ),
        have(
            "Hardware-aware tile with automatic gradients",
            "TorchInferenceTile, TorchSimulatorTile",
            &[item!(aimc_tile::HardwareAwareTile)],
        ),
        have(
            "Products with time-stepped IR drop",
            "TorchSimulatorTileIRDropT, AnalogMVMIRDropT",
            &[
                Here::Named("ir-drop", "Ladder"),
                Here::Named("product", "SplitMode"),
                Here::Named("product", "BitWise"),
            ],
        ),
        have(
            "Tile whose digital circuits have few bits",
            "QuantizedTorchInferenceTile, QuantizedTileModuleArray",
            &[Here::Field(Train, "tile.periphery.quantization"), Here::Named("layer", "Quantize")],
        ),
        have(
            "Tile of one's own",
            "CustomTile, CustomSimulatorTile, CustomRPUConfig",
            &[item!(aimc_tile::Tile), item!(aimc_tile::MatVec), item!(aimc_tile::ReadOut)],
        ),
        have(
            "Transfer algorithms written over tiles",
            "TorchTransferTile, TransferSimulatorTile",
            &[item!(aimc_train::algorithms::TransferTile)],
        ),
        have(
            "Constants of single devices, exported and imported",
            "get_hidden_parameters, set_hidden_parameters",
            &[item!(aimc_device::pulsed::DeviceArray)],
        ),
        have(
            "Checkpoints with every hidden state",
            "state_dict, dump_extra, load_extra",
            &[item!(aimc_train::Checkpoint), item!(aimc_device::state::State)],
        ),
        have(
            "Step through rounding in the gradient",
            "UniformQuantize",
            &[item!(aimc_nn::quantize::Quantiser)],
        ),
        have(
            "Convolution by indices, 1 to 3 dimensions",
            "Indexed convolution",
            &[item!(aimc_nn::window::Windows)],
        ),
        have(
            "Constants of devices from a seed of their own",
            "construction_seed",
            &[Here::Field(Train, "tile.device{model=ConstantStep}.construction_seed")],
        ),
        have(
            "Gradients through analog products",
            "AnalogFunction",
            &[item!(aimc_nn::Network), Here::File("aimc-py/python/aimc/nn/_tile.py")],
        ),
        partly(
            "Training spread over processes",
            "prepare_for_ddp",
            &[Here::Named("command", "sweep")],
            "threads of one machine share a training; only sweeps are spread over machines",
        ),
        not("Tiles on a GPU", "rpucuda", "everything runs on CPU cores"),
        not(
            "Half, bfloat16 and double precision",
            "RPUDataType",
            "weights and lines are 32-bit floats, sums are wider where it matters",
        ),
        not(
            "Offloading inputs and gradients from the GPU",
            "offload_input, offload_gradient",
            "there is no GPU to relieve",
        ),
        not(
            "Diffusion with a 1/f spectrum",
            "flicker parameters of the C++ engine",
            "not reachable from Python either",
        ),
        not(
            "Average of weights over a training",
            "SWA of the C++ engine",
            "not reachable from Python either",
        ),
        not(
            "Remapping by the norm of a channel, or asymmetric",
            "remap modes of the C++ engine",
            "not reachable from Python either",
        ),
    ],
};
