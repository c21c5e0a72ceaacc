//! Bursts: pulses that a device gets one after another, while most of its row gets none.
//!
//! What programs devices one by one, the refresh of pairs or write and verify, knows how many pulses each of them needs. Those of
//! a row are gathered in lanes, wherever they lie, and two rows are stepped side by side: a step of a device waits for the one before.

use pulp::{Simd, WithSimd};

use crate::pulsed::device_lane::{Devices, gathered};
use crate::pulsed::row::Shared;
use crate::pulsed::row_lists::RowLists;
use crate::pulsed::slots::WORD;
use crate::pulsed::spread::LINED_UP;
use crate::pulsed::{PulseCount, PulsedDevice};
use crate::rng::RngKey;

/// Rows that are stepped side by side.
pub(super) const ABREAST: usize = 2;

/// The pulses of one device of a row, see [`DeviceArray::pulse_each`](super::DeviceArray::pulse_each).
///
/// ```
/// use aimc_device::pulsed::{Burst, DeviceArray, PulsedDeviceConfig};
/// use aimc_device::{RngKey, config};
/// let text = "model = \"ConstantStep\"\ndw_min = 0.125\ndw_min_std = 0.0\ndw_min_dtod = 0.0\nup_down_dtod = 0.0";
/// let device: PulsedDeviceConfig = config::from_toml(text).unwrap();
/// let mut array = device.build(2, 3, RngKey::root(1)).unwrap();
/// let bursts = |_| vec![Burst { column: 0, pulses: -1 }, Burst { column: 2, pulses: 2 }];
/// array.pulse_each(&[1], false, &bursts, RngKey::root(2));
/// assert_eq!(array.weights(), [0.0, 0.0, 0.0, -0.125, 0.0, 0.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The device.
    pub column: u32,
    /// How many: upwards where above 0, downwards where below.
    pub pulses: i32,
}

impl Burst {
    #[inline(always)]
    fn number(&self) -> usize {
        self.pulses.unsigned_abs() as usize
    }

    /// Adds the bit of the column.
    fn mark(&self, bits: &mut [u64]) {
        bits[self.column as usize / WORD] |= 1 << (self.column as usize % WORD);
    }
}

/// The slots of bursts among so many columns: which fire, slot after slot, and which go up.
pub(super) fn slots(bursts: &[Burst], columns: usize) -> (Vec<u64>, Vec<u64>) {
    let words = columns.div_ceil(WORD);
    let most = bursts.iter().map(Burst::number).max().unwrap_or(0);
    let (mut fired, mut up) = (vec![0; most * words], vec![0; words]);
    for burst in bursts {
        fired.chunks_exact_mut(words).take(burst.number()).for_each(|slot| burst.mark(slot));
        if burst.pulses > 0 {
            burst.mark(&mut up);
        }
    }
    (fired, up)
}

/// Gives up to [`ABREAST`] rows the bursts that `of` says for each.
pub(super) fn pulse_rows<D: PulsedDevice>(
    shared: &Shared<'_, D>,
    lists: &mut [RowLists<'_>],
    of: &dyn Fn(usize) -> Vec<Burst>,
    key: RngKey,
) {
    let mut rows: [BurstRow<'_>; ABREAST] = Default::default();
    for (row, lists) in rows.iter_mut().zip(lists) {
        let bursts = of(lists.row);
        debug_assert!(bursts.is_sorted_by(|a, b| a.column < b.column), "columns ascend");
        count(lists, &bursts);
        let (constants, weights) = (shared.packed.row(lists.row), &mut *lists.persistent);
        *row = BurstRow { bursts, constants, weights, ..BurstRow::default() };
        row.draw(shared.noisy.then_some((key, lists.row)));
    }
    shared.arch.dispatch(Abreast { device: shared.device, rows });
}

/// Counts the pulses of bursts.
fn count(lists: &mut RowLists<'_>, bursts: &[Burst]) {
    for burst in bursts {
        let pulses = burst.number() as u64;
        let (up, down) = if burst.pulses > 0 { (pulses, 0) } else { (0, pulses) };
        lists.pulses += PulseCount { up, down };
        if let (Some(ups), Some(downs)) =
            (lists.counts.0.get_mut(burst.column as usize), lists.counts.1.get_mut(burst.column as usize))
        {
            (*ups, *downs) = (*ups + up, *downs + down);
        }
    }
}

/// A row that gets bursts.
#[derive(Default)]
struct BurstRow<'a> {
    bursts: Vec<Burst>,
    /// See [`super::packed`].
    constants: &'a [f32],
    weights: &'a mut [f32],
    /// Draws, slot by slot in the order of the columns, with some room behind so that a lane may be read anywhere.
    noise: Vec<f32>,
    /// For each slot, where the next ones lie.
    places: Vec<usize>,
}

impl BurstRow<'_> {
    /// Makes the draws; without a key and the number of the row, they are 0.
    fn draw(&mut self, from: Option<(RngKey, usize)>) {
        let most = self.bursts.iter().map(Burst::number).max().unwrap_or(0);
        self.places.resize(most, 0);
        for burst in &self.bursts {
            self.places[..burst.number()].iter_mut().for_each(|firing| *firing += 1);
        }
        let mut total = 0;
        for place in &mut self.places {
            (*place, total) = (total, total + *place);
        }
        self.noise.resize(total + LINED_UP, 0.0);
        if let Some((key, row)) = from {
            key.stream(row as u64).fill_normal(&mut self.noise[..total]);
        }
    }
}

/// Rows that are stepped side by side.
struct Abreast<'a, D> {
    device: &'a D,
    rows: [BurstRow<'a>; ABREAST],
}

impl<D: PulsedDevice> WithSimd for Abreast<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { device, rows: [mut a, mut b] } = self;
        let most = a.bursts.len().max(b.bursts.len());
        for first in (0..most).step_by(S::F32_LANES) {
            let mut of_a = Gathered::<D, S>::new(simd, &a, first);
            let mut of_b = Gathered::<D, S>::new(simd, &b, first);
            for slot in 0..of_a.slots.max(of_b.slots) {
                of_a.pulse(simd, device, &mut a, slot);
                of_b.pulse(simd, device, &mut b, slot);
            }
            of_a.put_back(&mut a);
            of_b.put_back(&mut b);
        }
    }
}

/// A lane of devices of a row that get bursts.
struct Gathered<D: PulsedDevice, S: Simd> {
    devices: Devices<D, S>,
    /// The first of them, and how many slots they take.
    first: usize,
    slots: usize,
    /// The pulses of each, and which of them go up.
    pulses: [u32; LINED_UP],
    up: u64,
}

impl<D: PulsedDevice, S: Simd> Gathered<D, S> {
    #[inline(always)]
    fn new(simd: S, row: &BurstRow<'_>, first: usize) -> Self {
        let bursts = row.bursts.get(first..).unwrap_or(&[]);
        let bursts = &bursts[..bursts.len().min(S::F32_LANES)];
        let (mut pulses, mut up, mut slots) = ([0; LINED_UP], 0, 0);
        for (place, burst) in bursts.iter().enumerate() {
            pulses[place] = burst.pulses.unsigned_abs();
            up |= u64::from(burst.pulses > 0) << place;
            slots = slots.max(burst.number());
        }
        Self { devices: gathered(simd, row.constants, row.weights, bursts), first, slots, pulses, up }
    }

    #[inline(always)]
    fn pulse(&mut self, simd: S, device: &D, row: &mut BurstRow<'_>, slot: usize) {
        let mut fired = 0;
        for (place, pulses) in self.pulses.iter().enumerate() {
            fired |= u64::from(*pulses as usize > slot) << place;
        }
        if slot < self.slots {
            self.devices.pulse(simd, device, (fired, self.up), &row.noise, &mut row.places[slot]);
        }
    }

    #[inline(always)]
    fn put_back(self, row: &mut BurstRow<'_>) {
        let mut weights = [0.0; LINED_UP];
        self.devices.weights.store_some(&mut weights);
        let bursts = row.bursts.iter().skip(self.first).take(S::F32_LANES);
        for (burst, weight) in bursts.zip(weights) {
            row.weights[burst.column as usize] = weight;
        }
    }
}
