//! Presets of whole training tiles: an algorithm with its devices and circuits, as AIHWKit 1.1.0 names them.
//!
//! Used as those of [`aimc_device::presets`]; the device presets and those of [`aimc_tile::presets`] must be known, too.
//! Plain gradient descent needs no algorithm: its presets are those of whole tiles.
//!
//! ```
//! use aimc_device::{config, presets};
//! use aimc_train::TrainingTileConfig;
//! let tree = config::parse_toml("preset = \"AGADReRamSBPreset\"\nalgorithm.fast_lr = 0.2").unwrap();
//! let known = [aimc_train::presets::ALGORITHMS, aimc_tile::presets::TILES, presets::DEVICES];
//! let tile: TrainingTileConfig = config::decode(presets::resolve(tree, &known).unwrap()).unwrap();
//! let aimc_train::Algorithm::Agad(agad) = &tile.algorithm else { panic!() };
//! assert_eq!((agad.fast_lr, agad.in_chop_prob, tile.forward.out_bound), (0.2, 0.02, 20.0));
//! ```

use aimc_device::presets::Preset;

/// Tiles that learn by an algorithm.
pub const ALGORITHMS: &[Preset] = &[
    Preset { name: "AGADCapacitorPreset", text: include_str!("../presets/agad_capacitor.toml") },
    Preset { name: "AGADEcRamMOPreset", text: include_str!("../presets/agad_ecrammo.toml") },
    Preset { name: "AGADEcRamPreset", text: include_str!("../presets/agad_ecram.toml") },
    Preset { name: "AGADIdealizedPreset", text: include_str!("../presets/agad_idealized.toml") },
    Preset { name: "AGADReRamESPreset", text: include_str!("../presets/agad_rerames.toml") },
    Preset { name: "AGADReRamSBPreset", text: include_str!("../presets/agad_reramsb.toml") },
    Preset {
        name: "ChoppedTTv2CapacitorPreset",
        text: include_str!("../presets/chopped_ttv2_capacitor.toml"),
    },
    Preset { name: "ChoppedTTv2EcRamMOPreset", text: include_str!("../presets/chopped_ttv2_ecrammo.toml") },
    Preset { name: "ChoppedTTv2EcRamPreset", text: include_str!("../presets/chopped_ttv2_ecram.toml") },
    Preset {
        name: "ChoppedTTv2IdealizedPreset",
        text: include_str!("../presets/chopped_ttv2_idealized.toml"),
    },
    Preset { name: "ChoppedTTv2ReRamESPreset", text: include_str!("../presets/chopped_ttv2_rerames.toml") },
    Preset { name: "ChoppedTTv2ReRamSBPreset", text: include_str!("../presets/chopped_ttv2_reramsb.toml") },
    Preset {
        name: "MixedPrecisionCapacitorPreset",
        text: include_str!("../presets/mixed_precision_capacitor.toml"),
    },
    Preset {
        name: "MixedPrecisionEcRamMOPreset",
        text: include_str!("../presets/mixed_precision_ecrammo.toml"),
    },
    Preset { name: "MixedPrecisionEcRamPreset", text: include_str!("../presets/mixed_precision_ecram.toml") },
    Preset {
        name: "MixedPrecisionGokmenVlasovPreset",
        text: include_str!("../presets/mixed_precision_gokmenvlasov.toml"),
    },
    Preset {
        name: "MixedPrecisionIdealizedPreset",
        text: include_str!("../presets/mixed_precision_idealized.toml"),
    },
    Preset { name: "MixedPrecisionPCMPreset", text: include_str!("../presets/mixed_precision_pcm.toml") },
    Preset {
        name: "MixedPrecisionReRamESPreset",
        text: include_str!("../presets/mixed_precision_rerames.toml"),
    },
    Preset {
        name: "MixedPrecisionReRamSBPreset",
        text: include_str!("../presets/mixed_precision_reramsb.toml"),
    },
    Preset { name: "TTv2CapacitorPreset", text: include_str!("../presets/ttv2_capacitor.toml") },
    Preset { name: "TTv2EcRamMOPreset", text: include_str!("../presets/ttv2_ecrammo.toml") },
    Preset { name: "TTv2EcRamPreset", text: include_str!("../presets/ttv2_ecram.toml") },
    Preset { name: "TTv2IdealizedPreset", text: include_str!("../presets/ttv2_idealized.toml") },
    Preset { name: "TTv2ReRamESPreset", text: include_str!("../presets/ttv2_rerames.toml") },
    Preset { name: "TTv2ReRamSBPreset", text: include_str!("../presets/ttv2_reramsb.toml") },
    Preset { name: "TikiTakaCapacitorPreset", text: include_str!("../presets/tiki_taka_capacitor.toml") },
    Preset { name: "TikiTakaEcRamMOPreset", text: include_str!("../presets/tiki_taka_ecrammo.toml") },
    Preset { name: "TikiTakaEcRamPreset", text: include_str!("../presets/tiki_taka_ecram.toml") },
    Preset { name: "TikiTakaIdealizedPreset", text: include_str!("../presets/tiki_taka_idealized.toml") },
    Preset { name: "TikiTakaReRamESPreset", text: include_str!("../presets/tiki_taka_rerames.toml") },
    Preset { name: "TikiTakaReRamSBPreset", text: include_str!("../presets/tiki_taka_reramsb.toml") },
];
