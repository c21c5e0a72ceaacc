//! What a network costs, against counts by hand.

use aimc_device::config;
use aimc_nn::{NetworkConfig, Summary};
use aimc_tile::MappingConfig;

fn summary(text: &str, mapping: &MappingConfig) -> Summary {
    config::from_toml::<NetworkConfig>(text).unwrap().summary(mapping).unwrap()
}

/// Products = positions·groups; operations = 2·weights·positions.
#[test]
fn convolutions_multiply_once_per_position_and_group() {
    let text = r#"
        input = [4, 8, 8]
        layers = [
            { layer = "Conv", outputs = 6, kernel = 3, padding = 1, groups = 2 },
            { layer = "Pool", kernel = 2 },
            { layer = "Flatten" },
            { layer = "Linear", outputs = 10 },
            { layer = "LogSoftmax" },
        ]"#;
    let found = summary(text, &MappingConfig { max_input_size: 16, ..MappingConfig::default() });
    let conv = &found.layers[0];
    assert_eq!(conv.matrices.len(), 2);
    // 3 outputs, 2 channels of 9 points, on two crossbars of 16 lines; 64 positions.
    let matrix = &conv.matrices[0];
    assert_eq!((matrix.shape, matrix.grid, matrix.products), ((3, 18), (1, 2), 64));
    assert_eq!(matrix.utilisation, 54.0 / (2.0 * 16.0 * 512.0));
    // Per group and position: 3 sums of partial products and 3 biases.
    assert_eq!(conv.digital_operations, 2 * 64 * (3 + 3));
    assert_eq!(conv.digital_parameters, 6);
    // 2x2 windows of 6 channels at 16 positions.
    assert_eq!(found.layers[1].digital_operations, 6 * 16 * 4);
    assert_eq!(found.layers[2].digital_operations, 0);
    let linear = &found.layers[3].matrices[0];
    assert_eq!((linear.shape, linear.grid.1, linear.products), ((10, 96), 6, 1));
    assert_eq!(found.weights(), 2 * 54 + 960);
    assert_eq!(found.crossbar_products(), 2 * 64 * 2 + 6);
    assert_eq!(found.analog_operations(), 2 * (2 * 64 * 54 + 960));
}

/// Products = steps; attention costs steps² pairs.
#[test]
fn sequences_multiply_once_per_step() {
    let text = r#"
        input = [7, 5]
        layers = [
            { layer = "Recurrent", cell = "Lstm", hidden = 4 },
            { layer = "Residual", layers = [{ layer = "Attention", heads = 2 }] },
        ]"#;
    let found = summary(text, &MappingConfig { digital_bias: false, ..MappingConfig::default() });
    let products: Vec<u64> = found.matrices().map(|matrix| matrix.products).collect();
    assert_eq!(products, [7; 6]);
    // Biases are columns of the tiles: nothing digital is trained.
    assert_eq!(found.layers.iter().map(|layer| layer.digital_parameters).sum::<u64>(), 0);
    assert_eq!(found.layers[0].matrices[0].shape, (16, 6));
    // 49 pairs: 4·4 for scores and sums, 3 per head for softmax; 28 sums of the shortcut.
    assert_eq!(found.layers[1].digital_operations, 49 * (4 * 4 + 3 * 2) + 28);
    let printed = found.to_string();
    assert!(printed.contains("layer1.layers.0.query.tile") && printed.lines().count() == 8, "{printed}");
}
