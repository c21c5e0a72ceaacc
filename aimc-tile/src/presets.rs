//! Presets of circuits, updates and whole tiles; see [`aimc_device::presets`] for how they are used.

use aimc_device::presets::Preset;

/// Peripheral circuits, pulse trains and whole tiles.
pub const TILES: &[Preset] = &[
    Preset { name: "PresetIO", text: include_str!("../presets/preset_io.toml") },
    Preset { name: "StandardIO", text: include_str!("../presets/standard_io.toml") },
    Preset { name: "PresetUpdate", text: include_str!("../presets/preset_update.toml") },
    Preset { name: "GokmenVlasovPreset", text: include_str!("../presets/gokmen_vlasov_tile.toml") },
    Preset { name: "CapacitorPreset", text: include_str!("../presets/capacitor_tile.toml") },
    Preset { name: "EcRamPreset", text: include_str!("../presets/ecram_tile.toml") },
    Preset { name: "EcRamMOPreset", text: include_str!("../presets/ecrammo_tile.toml") },
    Preset { name: "ReRamESPreset", text: include_str!("../presets/rerames_tile.toml") },
    Preset { name: "ReRamSBPreset", text: include_str!("../presets/reramsb_tile.toml") },
    Preset { name: "IdealizedPreset", text: include_str!("../presets/idealized_tile.toml") },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IoConfig, TileConfig, UpdateConfig};
    use aimc_device::{config, presets};

    fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
        let tree = config::parse_toml(&format!("preset = \"{name}\"")).unwrap();
        config::decode(presets::resolve(tree, &[presets::DEVICES, TILES]).unwrap()).unwrap()
    }

    #[test]
    fn presets_are_valid() {
        read::<IoConfig>("PresetIO").validate().unwrap();
        read::<IoConfig>("StandardIO").validate().unwrap();
        assert_eq!(read::<UpdateConfig>("PresetUpdate"), UpdateConfig::default());
        for preset in TILES.iter().filter(|preset| preset.name.ends_with("Preset")) {
            let tile: TileConfig = read(preset.name);
            tile.validate().unwrap();
            assert_eq!((tile.forward.out_bound, tile.forward.out_noise), (20.0, 0.1));
        }
    }
}
