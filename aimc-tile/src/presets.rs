//! Presets of circuits, updates and whole tiles; see [`aimc_device::presets`] for how they are used.

use aimc_device::presets::Preset;

/// Peripheral circuits, pulse trains and whole tiles.
pub const TILES: &[Preset] = &[
    Preset { name: "PresetIO", text: include_str!("../presets/preset_io.toml") },
    Preset { name: "StandardIO", text: include_str!("../presets/standard_io.toml") },
    Preset { name: "WebComposerIO", text: include_str!("../presets/webcomposer_io.toml") },
    Preset { name: "StandardHWATrainingIO", text: include_str!("../presets/standard_hwa_training_io.toml") },
    Preset { name: "PresetUpdate", text: include_str!("../presets/preset_update.toml") },
    Preset { name: "GokmenVlasovPreset", text: include_str!("../presets/gokmen_vlasov_tile.toml") },
    Preset { name: "CapacitorPreset", text: include_str!("../presets/capacitor_tile.toml") },
    Preset { name: "EcRamPreset", text: include_str!("../presets/ecram_tile.toml") },
    Preset { name: "EcRamMOPreset", text: include_str!("../presets/ecrammo_tile.toml") },
    Preset { name: "ReRamESPreset", text: include_str!("../presets/rerames_tile.toml") },
    Preset { name: "ReRamSBPreset", text: include_str!("../presets/reramsb_tile.toml") },
    Preset { name: "IdealizedPreset", text: include_str!("../presets/idealized_tile.toml") },
    Preset { name: "PCMPresetUnitCell", text: include_str!("../presets/pcm_unit_cell.toml") },
    Preset { name: "PCMPreset", text: include_str!("../presets/pcm_tile.toml") },
    Preset { name: "Capacitor2Preset", text: include_str!("../presets/capacitor2_tile.toml") },
    Preset { name: "Capacitor4Preset", text: include_str!("../presets/capacitor4_tile.toml") },
    Preset { name: "EcRam2Preset", text: include_str!("../presets/ecram2_tile.toml") },
    Preset { name: "EcRam4Preset", text: include_str!("../presets/ecram4_tile.toml") },
    Preset { name: "EcRamMO2Preset", text: include_str!("../presets/ecrammo2_tile.toml") },
    Preset { name: "EcRamMO4Preset", text: include_str!("../presets/ecrammo4_tile.toml") },
    Preset { name: "ReRamES2Preset", text: include_str!("../presets/rerames2_tile.toml") },
    Preset { name: "ReRamES4Preset", text: include_str!("../presets/rerames4_tile.toml") },
    Preset { name: "ReRamSB2Preset", text: include_str!("../presets/reramsb2_tile.toml") },
    Preset { name: "ReRamSB4Preset", text: include_str!("../presets/reramsb4_tile.toml") },
    Preset { name: "Idealized2Preset", text: include_str!("../presets/idealized2_tile.toml") },
    Preset { name: "Idealized4Preset", text: include_str!("../presets/idealized4_tile.toml") },
];

/// Tiles of hardware-aware training ([`crate::HardwareAwareTileConfig`]); their circuits are among [`TILES`].
///
/// ```
/// use aimc_device::{config, presets};
/// use aimc_tile::HardwareAwareTileConfig;
/// use aimc_tile::presets::{HARDWARE_AWARE, TILES};
/// let tree = config::parse_toml("preset = \"StandardHWATrainingPreset\"\nmodifier.type = \"AddNormal\"").unwrap();
/// let tree = presets::resolve(tree, &[HARDWARE_AWARE, TILES]).unwrap();
/// let tile: HardwareAwareTileConfig = config::decode(tree).unwrap();
/// assert_eq!((tile.clip.fixed_value, tile.forward.out_noise), (1.0, 0.04));
/// ```
pub const HARDWARE_AWARE: &[Preset] = &[
    Preset { name: "FloatingPointPreset", text: include_str!("../presets/floating_point.toml") },
    Preset { name: "StandardHWATrainingPreset", text: include_str!("../presets/standard_hwa_training.toml") },
    Preset {
        name: "WebComposerInferenceRPUConfig",
        text: include_str!("../presets/webcomposer_inference.toml"),
    },
    Preset {
        name: "OldWebComposerInferenceRPUConfig",
        text: include_str!("../presets/old_webcomposer_inference.toml"),
    },
];
