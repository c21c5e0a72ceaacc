//! Ranges of quantisers from data, without learning anything: for networks that were trained in full precision.

use std::collections::BTreeSet;

use nalgebra::DMatrix;

use aimc_tile::{SampleKeys, Tile};

use crate::dataset::Dataset;
use crate::network::{Network, NetworkError};

/// Lets all quantisers of `network` measure the first `batches` batches of `data`; everything else stays as it is. Gives the
/// number of batches there were.
///
/// Batches pass as in training, since a product in use changes nothing: dropout drops, and batch norm has the mean of its
/// batch. From `init_learning_after` batches on a learnt step stands still, too.
///
/// ```
/// use aimc_device::{RngKey, config};
/// use aimc_nn::{Dataset, NetworkConfig, quantize::calibrate};
/// use aimc_tile::{IdealTile, SampleKeys};
/// use nalgebra::DMatrix;
/// let text = "input = [1]\nlayers = [{ layer = \"Quantize\", n_bits = 8 }]";
/// let key = RngKey::root(1);
/// let mut network = config::from_toml::<NetworkConfig>(text)?.build(key, |place| IdealTile::new(place.shape))?;
/// let data = Dataset::new(DMatrix::from_row_slice(1, 3, &[0.5, -1.0, 2.0]), vec![0; 3], 1)?;
/// assert_eq!(calibrate(&mut network, &data, 20, 2, SampleKeys::new(key))?, 2);
/// assert!(network.forward(data.features().as_view(), SampleKeys::new(key)).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calibrate<T: Tile>(
    network: &mut Network<T>,
    data: &Dataset,
    batches: usize,
    batch_size: usize,
    draws: SampleKeys,
) -> Result<usize, NetworkError> {
    let names: BTreeSet<String> = network.parts().into_iter().map(|(name, _)| name).collect();
    // Quantisers are the layers that count batches beside a range.
    let of_quantiser = |name: &str| {
        let layer = name.strip_suffix("range").or_else(|| name.strip_suffix("batches"));
        layer.is_some_and(|layer| {
            ["range", "batches"].iter().all(|part| names.contains(&format!("{layer}{part}")))
        })
    };
    let (size, mut done) = (batch_size.max(1), 0);
    for first in (0..data.len()).step_by(size).take(batches) {
        let x = data.features().columns(first, size.min(data.len() - first));
        let draws = draws.skip(first as u64);
        let trace = network.trace(x, draws)?;
        let nothing = DMatrix::zeros(trace.output().nrows(), x.ncols());
        let mut gradients = network.backward(&trace, nothing, draws)?;
        gradients.statistics.retain(|measured| of_quantiser(&measured.name));
        network.update_statistics(&gradients);
        done += 1;
    }
    Ok(done)
}
