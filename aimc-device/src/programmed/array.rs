//! Arrays of programmed devices: the loops over cells, and the addresses of their draws.

use rayon::prelude::*;

use crate::parallel;
use crate::programmed::ProgrammedDevice;
use crate::rng::{RngKey, label};

/// Elementary operations (see [`parallel::worthwhile`]) that one cell costs: a power, a logarithm, a draw.
const COST: usize = 16;

/// What a programming event has fixed for life, for one device per weight, stored row by row.
///
/// Row r draws from stream r of its key, so that the devices of a row depend neither on the other rows nor on
/// the number of threads.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_device::programmed::{PcmLike, ProgrammedArray};
/// let device = PcmLike { prog_noise_scale: 0.0, read_noise_scale: 0.0, drift_scale: 0.0, ..PcmLike::default() };
/// let targets = [0.0, 5.0, 10.0, 25.0];
/// let array = ProgrammedArray::program(&device, &targets, 2, RngKey::root(1));
/// // Without any noise, nothing ever changes.
/// assert_eq!(array.read(&device, 1e6, RngKey::root(2)), targets);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProgrammedArray {
    columns: usize,
    conductances: Vec<f32>,
    drift_exponents: Vec<f32>,
}

impl ProgrammedArray {
    /// Programs one device per entry of `targets` (µS), rows of `columns` entries.
    ///
    /// # Panics
    /// If `targets` is not a whole number of rows, which is an error of the caller.
    #[must_use]
    pub fn program(device: &impl ProgrammedDevice, targets: &[f32], columns: usize, key: RngKey) -> Self {
        let write = key.fold_in(label("programming"));
        let conductances = per_cell(columns, targets.len(), write, |i, xi| device.program(targets[i], xi));
        Self { columns, conductances, drift_exponents: exponents(device, targets, columns, key) }
    }

    /// Devices that some procedure has brought to `conductances` (µS), rows of `columns` entries; their drift exponents are
    /// drawn for these.
    ///
    /// # Panics
    /// If `conductances` is not a whole number of rows, which is an error of the caller.
    #[must_use]
    pub fn settled(
        device: &impl ProgrammedDevice,
        conductances: Vec<f32>,
        columns: usize,
        key: RngKey,
    ) -> Self {
        let drift_exponents = exponents(device, &conductances, columns, key);
        Self { columns, conductances, drift_exponents }
    }

    /// Devices that hold `conductances` (µS) and drift with `drift_exponents`, rows of `columns` entries.
    ///
    /// # Panics
    /// If the lengths differ or are not a whole number of rows, which is an error of the caller.
    #[must_use]
    pub fn from_parts(conductances: Vec<f32>, drift_exponents: Vec<f32>, columns: usize) -> Self {
        assert_eq!(conductances.len(), drift_exponents.len(), "one drift exponent per device");
        assert!(columns > 0 && conductances.len().is_multiple_of(columns), "whole rows");
        Self { columns, conductances, drift_exponents }
    }

    /// Conductances right after programming (µS), row by row.
    #[must_use]
    pub fn conductances(&self) -> &[f32] {
        &self.conductances
    }

    /// Drift exponents, row by row.
    #[must_use]
    pub fn drift_exponents(&self) -> &[f32] {
        &self.drift_exponents
    }

    /// Conductances (µS) `t` seconds after programming, as one read with fresh noise from `key` finds them.
    #[must_use]
    pub fn read(&self, device: &impl ProgrammedDevice, t: f32, key: RngKey) -> Vec<f32> {
        per_cell(self.columns, self.conductances.len(), key.fold_in(label("read noise")), |i, xi| {
            let g_programmed = self.conductances[i];
            let g_drifted = device.drifted(g_programmed, self.drift_exponents[i], t);
            device.read(g_programmed, g_drifted, t, xi)
        })
    }
}

/// Drift exponents of devices that were programmed towards `targets`.
fn exponents(device: &impl ProgrammedDevice, targets: &[f32], columns: usize, key: RngKey) -> Vec<f32> {
    let key = key.fold_in(label("drift exponent"));
    per_cell(columns, targets.len(), key, |i, xi| device.drift_exponent(targets[i], xi))
}

/// `cell(index, ξ)` for `cells` cells; row r takes its normals from stream r.
fn per_cell(columns: usize, cells: usize, key: RngKey, cell: impl Fn(usize, f32) -> f32 + Sync) -> Vec<f32> {
    assert!(columns > 0 && cells.is_multiple_of(columns), "whole rows");
    let mut values = vec![0.0; cells];
    let fill = |(row, values): (usize, &mut [f32])| {
        key.stream(row as u64).fill_normal(values);
        for (column, value) in values.iter_mut().enumerate() {
            *value = cell(row * columns + column, *value);
        }
    };
    if parallel::worthwhile(COST * cells) {
        values.par_chunks_mut(columns).enumerate().for_each(fill);
    } else {
        values.chunks_mut(columns).enumerate().for_each(fill);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programmed::PcmLike;

    fn targets(n: usize) -> Vec<f32> {
        (0..n).map(|i| 25.0 * (i % 97) as f32 / 96.0).collect()
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let (device, targets) = (PcmLike::default(), targets(200 * 300));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let array = ProgrammedArray::program(&device, &targets, 300, RngKey::root(7));
                let read = array.read(&device, 3600.0, RngKey::root(8));
                (array, read)
            })
        };
        assert_eq!(run(1), run(2));
    }

    #[test]
    fn a_row_depends_on_its_number_only() {
        let (device, targets) = (PcmLike::default(), targets(6 * 10));
        let whole = ProgrammedArray::program(&device, &targets, 10, RngKey::root(3));
        let part = ProgrammedArray::program(&device, &targets[..40], 10, RngKey::root(3));
        assert_eq!(&whole.conductances()[..40], part.conductances());
        assert_eq!(&whole.drift_exponents()[..40], part.drift_exponents());
    }

    #[test]
    fn reads_differ_but_the_devices_stay() {
        let (device, targets) = (PcmLike::default(), targets(100));
        let array = ProgrammedArray::program(&device, &targets, 10, RngKey::root(3));
        let before = array.clone();
        let first = array.read(&device, 60.0, RngKey::root(4));
        assert_eq!(first, array.read(&device, 60.0, RngKey::root(4)));
        assert_ne!(first, array.read(&device, 60.0, RngKey::root(5)));
        assert_eq!(array, before);
    }
}
