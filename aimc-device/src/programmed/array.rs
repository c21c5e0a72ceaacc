//! Arrays of programmed devices: the loops over cells, and the addresses of their draws.

use pulp::{Arch, Simd, WithSimd};

use crate::lane::{Lane, Wide};
use crate::parallel;
use crate::programmed::{Moment, ProgrammedDevice, Visitor};
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
        let (write, cells) = (Write { targets }, targets.len());
        let conductances = per_cell(device, columns, cells, key.fold_in(label("programming")), &write);
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
        let (read, cells) = (Read { array: self, moment: device.moment(t) }, self.conductances.len());
        per_cell(device, self.columns, cells, key.fold_in(label("read noise")), &read)
    }
}

/// Drift exponents of devices that were programmed towards `targets`.
fn exponents(device: &impl ProgrammedDevice, targets: &[f32], columns: usize, key: RngKey) -> Vec<f32> {
    per_cell(device, columns, targets.len(), key.fold_in(label("drift exponent")), &Settle { targets })
}

/// A stage in the life of all devices of an array, see [`programmed`](crate::programmed).
trait Stage: Sync {
    /// What a lane of devices comes to; `number` gives theirs in a list with one number per device.
    fn lane<D: ProgrammedDevice, L: Lane>(&self, device: &D, number: impl Fn(&[f32]) -> L, xi: L) -> L;
}

struct Write<'a> {
    targets: &'a [f32],
}

struct Settle<'a> {
    targets: &'a [f32],
}

struct Read<'a> {
    array: &'a ProgrammedArray,
    moment: Moment,
}

impl Stage for Write<'_> {
    #[inline(always)]
    fn lane<D: ProgrammedDevice, L: Lane>(&self, device: &D, number: impl Fn(&[f32]) -> L, xi: L) -> L {
        device.program(number(self.targets), xi)
    }
}

impl Stage for Settle<'_> {
    #[inline(always)]
    fn lane<D: ProgrammedDevice, L: Lane>(&self, device: &D, number: impl Fn(&[f32]) -> L, xi: L) -> L {
        device.drift_exponent(number(self.targets), xi)
    }
}

impl Stage for Read<'_> {
    #[inline(always)]
    fn lane<D: ProgrammedDevice, L: Lane>(&self, device: &D, number: impl Fn(&[f32]) -> L, xi: L) -> L {
        let Self { array, moment } = self;
        let g_programmed = number(&array.conductances);
        let g_drifted = device.drifted_at(g_programmed, number(&array.drift_exponents), *moment);
        device.read_at(g_programmed, g_drifted, *moment, xi)
    }
}

/// What a stage makes of all devices of an array; row r takes its normals from stream r.
struct Array<'a, S> {
    stage: &'a S,
    columns: usize,
    cells: usize,
    key: RngKey,
    /// What they come to.
    values: &'a mut Vec<f32>,
}

impl<S: Stage> Visitor for Array<'_, S> {
    fn model<D: ProgrammedDevice>(self, device: &D) {
        let Self { stage, columns, cells, key, values } = self;
        assert!(columns > 0 && cells.is_multiple_of(columns), "whole rows");
        *values = parallel::list(COST * cells, cells, columns, |(row, values)| {
            key.stream(row as u64).fill_normal(values);
            Arch::new().dispatch(Row { stage, device, first: row * columns, values });
        });
    }
}

/// The devices of a row, whose first is device `first` of the array; `values` holds their draws, then what they come to.
struct Row<'a, S, D> {
    stage: &'a S,
    device: &'a D,
    first: usize,
    values: &'a mut [f32],
}

impl<S: Stage, D: ProgrammedDevice> WithSimd for Row<'_, S, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, simd: V) {
        let Self { stage, device, mut first, values } = self;
        let mut lanes = values.chunks_exact_mut(V::F32_LANES);
        for values in lanes.by_ref() {
            let lane = stage.lane(device, |list| Wide::load(simd, &list[first..]), Wide::load(simd, values));
            V::as_mut_simd_f32s(values).0[0] = lane.values;
            first += V::F32_LANES;
        }
        for (i, value) in lanes.into_remainder().iter_mut().enumerate() {
            *value = stage.lane(device, |list| list[first + i], *value);
        }
    }
}

/// What a stage makes of `cells` devices.
fn per_cell(
    device: &impl ProgrammedDevice,
    columns: usize,
    cells: usize,
    key: RngKey,
    stage: &impl Stage,
) -> Vec<f32> {
    let mut values = Vec::new();
    device.visit(Array { stage, columns, cells, key, values: &mut values });
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::programmed::{PcmLike, ProgrammedDeviceConfig};

    fn targets(n: usize) -> Vec<f32> {
        (0..n).map(|i| 25.0 * (i % 97) as f32 / 96.0).collect()
    }

    /// Draws are addressed by row: bits on one thread = bits on several.
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

    /// Lanes of devices come to what each of them comes to alone, for all models and lengths of rows.
    #[test]
    fn lanes_give_the_bits_of_single_devices() {
        for model in [
            "PcmLike",
            "CustomDriftPcmLike",
            "Hermes",
            "ReRamWan2022",
            "ReRamCmo",
            "StateIndependent",
            "Tabulated",
        ] {
            let device: ProgrammedDeviceConfig = config::from_toml(&format!("model = \"{model}\"")).unwrap();
            let (columns, key) = (29, RngKey::root(5));
            let targets: Vec<f32> = targets(3 * columns).iter().map(|g| g * device.g_max() / 25.0).collect();
            let array = ProgrammedArray::program(&device, &targets, columns, key);
            let read = array.read(&device, 3600.0, key);
            let draw = |purpose, i: usize| {
                let mut row = vec![0.0; columns];
                key.fold_in(label(purpose)).stream((i / columns) as u64).fill_normal(&mut row);
                row[i % columns]
            };
            for (i, target) in targets.iter().enumerate() {
                let g = device.program(*target, draw("programming", i));
                let nu = device.drift_exponent(*target, draw("drift exponent", i));
                let found = device.read(g, device.drifted(g, nu, 3600.0), 3600.0, draw("read noise", i));
                assert_eq!(
                    (array.conductances()[i], array.drift_exponents()[i], read[i]),
                    (g, nu, found),
                    "{model}"
                );
            }
        }
    }

    /// Row i of the first four rows = row i of all six.
    #[test]
    fn a_row_depends_on_its_number_only() {
        let (device, targets) = (PcmLike::default(), targets(6 * 10));
        let whole = ProgrammedArray::program(&device, &targets, 10, RngKey::root(3));
        let part = ProgrammedArray::program(&device, &targets[..40], 10, RngKey::root(3));
        assert_eq!(&whole.conductances()[..40], part.conductances());
        assert_eq!(&whole.drift_exponents()[..40], part.drift_exponents());
    }

    /// The same key reads the same conductances, another key others; what was programmed stays.
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
