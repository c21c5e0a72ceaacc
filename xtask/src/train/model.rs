//! The trained network as a file for other programs: `model.safetensors`.
//!
//! Weights of every matrix (outputs x inputs, row by row) and all digital numbers, by their names; an analog bias has the
//! name that it would have in digital memory. The entry `aimc` of the header holds the description of the network as JSON, and what
//! the circuits around its tiles have learned: input ranges and scales.

use std::collections::{BTreeSet, HashMap};

use aimc_device::{ConfigError, RngKey, config};
use aimc_infer::{NetworkSettings, settings_of};
use aimc_nn::import::{ImportError, Tensors};
use aimc_nn::{Network, NetworkConfig, Part, PartMut};
use aimc_tile::{IdealTile, MatVec, ReadOut, Shape, TileError};
use nalgebra::DMatrix;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;
use serde_json::{Value, json};

use super::tiles::AnyNetwork;

/// The content of the file. Analog weights are read as they are, which no circuit can do.
pub(crate) fn encode(network: &AnyNetwork, description: &NetworkConfig) -> Result<Vec<u8>, SafeTensorError> {
    let arrays: Vec<Array> = network.parts().into_iter().flat_map(encode_part).collect();
    let views = arrays
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let mut header = json!({ "format": "aimc-model/1", "network": description });
    let settings = settings_of(network);
    if !settings.is_empty() {
        // Names and plain numbers: nothing that JSON cannot hold.
        header["settings"] = serde_json::to_value(settings).unwrap_or_default();
    }
    safetensors::serialize(views, Some(HashMap::from([("aimc".to_owned(), header.to_string())])))
}

/// A file that is no trained network of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// Damaged, or another kind of file.
    #[error("is no safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// A description that this program does not understand.
    #[error("its header: {0}")]
    Header(#[from] serde_json::Error),
    /// Another version of the header.
    #[error("its header has the format {0}, this program reads aimc-model/1")]
    Version(String),
    /// A description that was refused.
    #[error("its network: {0}")]
    Network(#[from] ConfigError),
    /// An array that is missing, too much, or of another size.
    #[error("array {name}: {problem}")]
    Array {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// Numbers that are none.
    #[error(transparent)]
    Numbers(#[from] ImportError),
    /// Weights that a tile refuses.
    #[error(transparent)]
    Tile(#[from] TileError),
}

#[derive(Deserialize)]
struct Header {
    format: String,
    network: Value,
    #[serde(default)]
    settings: Value,
}

/// The description of the network in the header, and what its circuits have learned, if the file is one of ours.
pub(crate) fn description(bytes: &[u8]) -> Result<Option<(NetworkConfig, NetworkSettings)>, ModelError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let Some(text) = header.metadata().as_ref().and_then(|metadata| metadata.get("aimc")) else {
        return Ok(None);
    };
    let Header { format, network, settings } = serde_json::from_str(text)?;
    if format != "aimc-model/1" {
        return Err(ModelError::Version(format));
    }
    let settings = if settings.is_null() { NetworkSettings::default() } else { config::decode(settings)? };
    Ok(Some((config::decode(network)?, settings)))
}

/// The network of a file that [`encode`] has made, in digital memory.
pub(crate) fn decode(bytes: &[u8], description: &NetworkConfig) -> Result<Network<IdealTile>, ModelError> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensors = Tensors::from_safetensors(bytes)?;
    let mut left: BTreeSet<String> = file.names().into_iter().map(str::to_owned).collect();
    let mut take = |name: &str, shape: &[usize]| -> Result<&[f32], ModelError> {
        let refuse = |problem: String| ModelError::Array { name: name.to_owned(), problem };
        left.remove(name);
        let missing = || refuse("is missing".to_owned());
        let view = file.tensor(name).map_err(|_| missing())?;
        let (kind, found) = (view.dtype(), view.shape());
        if kind != Dtype::F32 || found != shape {
            return Err(refuse(format!("is {kind:?} of shape {found:?}, must be F32 of shape {shape:?}")));
        }
        tensors.get(name).map(|tensor| &tensor.values[..]).ok_or_else(missing)
    };
    let key = RngKey::root(0); // Digital memory draws nothing, and all first weights are replaced.
    let mut network = description.build(key, |place| IdealTile::new(place.shape))?;
    for (name, part) in network.parts_mut() {
        match part {
            PartMut::Tile(tile) => {
                let Shape { outputs, inputs } = tile.shape();
                let weights = take(&name, &[outputs, inputs])?;
                tile.set_weights(&DMatrix::from_row_slice(outputs, inputs, weights), key)?;
            }
            PartMut::Parameters(values) | PartMut::Statistics(values) => {
                values.copy_from_slice(take(&name, &[values.len()])?);
            }
        }
    }
    match left.pop_first() {
        None => Ok(network),
        Some(name) => {
            Err(ModelError::Array { name, problem: "belongs to no part of the network".to_owned() })
        }
    }
}

type Array = (String, Vec<usize>, Vec<u8>);

fn encode_part<T: ReadOut>((name, part): (String, Part<'_, T>)) -> Vec<Array> {
    let list = |name, values: &[f32]| {
        (name, vec![values.len()], values.iter().copied().flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
    };
    match part {
        Part::Tile(tile) => {
            let weights = tile.weights();
            let (_, _, bytes) = list(String::new(), weights.transpose().as_slice());
            let bias_name = format!("{}bias", name.strip_suffix("tile").unwrap_or(&name));
            let matrix = (name, vec![weights.nrows(), weights.ncols()], bytes);
            let bias = tile.bias().map(|bias| list(bias_name, &bias));
            [Some(matrix), bias].into_iter().flatten().collect()
        }
        Part::Parameters(values) | Part::Statistics(values) => vec![list(name, values)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_nn::{Activation, Place};
    use aimc_tile::TrainableTile;

    fn in_digital_memory(description: &NetworkConfig) -> AnyNetwork {
        let build = |place: &Place<'_>| Ok(Box::new(IdealTile::new(place.shape)?) as Box<dyn TrainableTile>);
        description.build(RngKey::root(1), build).unwrap()
    }

    #[test]
    fn what_is_read_back_are_the_weights_by_name_row_by_row() {
        let description = NetworkConfig::mlp(&[3, 2], Activation::Tanh);
        let network = in_digital_memory(&description);
        let bytes = encode(&network, &description).unwrap();
        assert_eq!(bytes, encode(&network, &description).unwrap());
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tile = file.tensor("layer0.tile").unwrap();
        assert_eq!((tile.shape(), tile.dtype()), (&[2, 3][..], Dtype::F32));
        let (_, weights) = network.tiles().next().unwrap();
        let weights = weights.weights();
        let third = f32::from_le_bytes(tile.data()[12..16].try_into().unwrap());
        assert_eq!(third, weights[(1, 0)]);
        assert_eq!(file.tensor("layer0.bias").unwrap().shape(), [2]);
        assert_eq!(file.names().len(), 2);
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let header = &header.metadata().as_ref().unwrap()["aimc"];
        assert!(header.contains("\"format\":\"aimc-model/1\"") && header.contains("LogSoftmax"), "{header}");
    }

    #[test]
    fn networks_come_back_as_they_were() {
        let shape = NetworkConfig::mlp(&[3, 2], Activation::Tanh);
        let network = in_digital_memory(&shape);
        let bytes = encode(&network, &shape).unwrap();
        let (found, settings) = description(&bytes).unwrap().unwrap();
        assert_eq!(found, shape);
        assert!(settings.is_empty());
        let back = decode(&bytes, &found).unwrap();
        assert_eq!(back.tiles().next().unwrap().1.weights(), network.tiles().next().unwrap().1.weights());
        let other = NetworkConfig::mlp(&[3, 4], Activation::Tanh);
        let refused = decode(&bytes, &other).unwrap_err().to_string();
        assert_eq!(refused, "array layer0.tile: is F32 of shape [2, 3], must be F32 of shape [4, 3]");
        assert!(description(&bytes[..bytes.len() / 2]).is_err());
    }

    /// Ranges and scales that were learned stand beside the weights, bit for bit.
    #[test]
    fn learned_circuits_come_back_too() {
        let shape = NetworkConfig::mlp(&[3, 2], Activation::Tanh);
        let text = "periphery = { input_range = { enable = true, init_value = 0.1 }, mapping.weight_scaling_omega = 0.6 }";
        let tile: aimc_train::TrainingTileConfig = config::from_toml(text).unwrap();
        let network: AnyNetwork = shape.build(RngKey::root(1), |place| tile.build_at(place)).unwrap();
        let (_, found) = description(&encode(&network, &shape).unwrap()).unwrap().unwrap();
        assert_eq!(found, settings_of(&network));
        assert_eq!(found["layer0.tile"][0].input_range, Some(0.1));
        assert_ne!(found["layer0.tile"][0].scales[0], 1.0);
    }
}
