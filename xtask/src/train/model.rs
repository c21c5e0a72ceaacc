//! The trained network as a file for other programs: `model.safetensors`.
//!
//! Weights of every matrix (outputs x inputs, row by row) and all digital numbers, by their names; an analog bias has the
//! name that it would have in digital memory. The entry `aimc` of the header holds the description of the network as JSON.

use std::collections::HashMap;

use aimc_nn::{NetworkConfig, Part};
use aimc_tile::ReadOut;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use super::tiles::AnyNetwork;

/// The content of the file. Analog weights are read as they are, which no circuit can do.
pub(crate) fn encode(network: &AnyNetwork, description: &NetworkConfig) -> Result<Vec<u8>, SafeTensorError> {
    let arrays: Vec<Array> = network.parts().into_iter().flat_map(encode_part).collect();
    let views = arrays
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let header = json!({ "format": "aimc-model/1", "network": description }).to_string();
    safetensors::serialize(views, Some(HashMap::from([("aimc".to_owned(), header)])))
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
    use aimc_device::RngKey;
    use aimc_nn::{Activation, Place};
    use aimc_tile::{IdealTile, TrainableTile};
    use safetensors::SafeTensors;

    #[test]
    fn what_is_read_back_are_the_weights_by_name_row_by_row() {
        let description = NetworkConfig::mlp(&[3, 2], Activation::Tanh);
        let build = |place: &Place<'_>| Ok(Box::new(IdealTile::new(place.shape)?) as Box<dyn TrainableTile>);
        let network = description.build(RngKey::root(1), build).unwrap();
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
}
