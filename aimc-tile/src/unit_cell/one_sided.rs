//! One-sided pair, W = g⁺ - g⁻: for devices that can be pulsed gradually in one direction only.
//!
//! Every pulse is an up pulse: of g⁺ where the weight is to rise, of g⁻ where it is to fall. Both devices thus
//! fill up until they are refreshed: every `refresh_every` mini-batches (or vectors) both are read column by column
//! through `refresh_forward`; where the larger reads above `refresh_upper_thres` and the smaller above
//! `refresh_lower_thres` (in units of w_max), both are reset and their difference is pulsed into the one that was larger.
//! The weight survives up to what `desired_bl` pulses of `refresh_update` can write. Setting a weight puts its positive part on
//! g⁺ and its negative part on g⁻.
//!
//! With `copy_inverted`, g⁺ is the mirror image of g⁻ instead of a device of its own: what lowers the one raises the
//! other, so that the pair behaves alike in both directions.
//!
//! Reference: I. Boybat et al. 2018, Nat. Commun. 9:2514, doi:10.1038/s41467-018-04933-y (pairs of phase-change
//! devices).

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuits::Circuits;
use crate::matmul::Weights;
use crate::periphery::IoConfig;
use crate::pulse::comparison::{BITS, lines_not_above};
use crate::pulse::live_lines::visit_set;
use crate::pulse::outer_product::{Receiver, pulsed_update};
use crate::pulse::single_lines::{Write, pulsed_columns};
use crate::pulse::{PulseType, UpdateConfig};
use crate::tile::{SampleKeys, Shape};
use crate::unit_cell::{CellArray, OuterProducts, forget, reset_all, restore_all, states};

/// A one-sided pair, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneSidedCell {
    /// The device, of which there are two.
    pub device: PulsedDeviceConfig,
    /// Make g⁺ the mirror image of g⁻.
    #[serde(default)]
    pub copy_inverted: bool,
    /// Period of the refresh; 0 is never.
    #[serde(default)]
    pub refresh_every: u64,
    /// The period counts mini-batches, otherwise vectors.
    #[serde(default = "yes")]
    pub units_in_mbatch: bool,
    /// Least reading of the larger device that is refreshed, in units of w_max.
    #[serde(default = "upper")]
    pub refresh_upper_thres: f32,
    /// Least reading of the smaller device then.
    #[serde(default = "lower")]
    pub refresh_lower_thres: f32,
    /// Circuits that read the devices for their refresh.
    #[serde(default)]
    pub refresh_forward: IoConfig,
    /// Pulses that write the difference.
    #[serde(default)]
    pub refresh_update: UpdateConfig,
    /// Deterministic pulses of a refresh go the wrong way, as in AIHWKit 1.1.
    #[serde(default)]
    pub refresh_loses_sign: bool,
}

fn yes() -> bool {
    true
}

fn upper() -> f32 {
    0.75
}

fn lower() -> f32 {
    0.25
}

impl OneSidedCell {
    /// A pair of this device that is never refreshed.
    #[must_use]
    pub fn new(device: PulsedDeviceConfig) -> Self {
        Self {
            device,
            copy_inverted: false,
            refresh_every: 0,
            units_in_mbatch: true,
            refresh_upper_thres: upper(),
            refresh_lower_thres: lower(),
            refresh_forward: IoConfig::default(),
            refresh_update: UpdateConfig::default(),
            refresh_loses_sign: false,
        }
    }

    /// Refuses parameters outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.device.validate().map_err(|error| error.within("device"))?;
        require::finite("refresh_upper_thres", self.refresh_upper_thres)?;
        require::finite("refresh_lower_thres", self.refresh_lower_thres)?;
        self.refresh_forward.validate().map_err(|error| error.within("refresh_forward"))?;
        self.refresh_update.validate().map_err(|error| error.within("refresh_update"))?;
        let range = self.device.common().w_max;
        require::that(
            self.refresh_every == 0 || range > 0.0,
            "device.w_max",
            range,
            "must be above 0 with refresh_every: thresholds are in its units",
        )?;
        let type_of_pulses = self.refresh_update.pulse_type;
        require::that(
            type_of_pulses != PulseType::None,
            "refresh_update.pulse_type",
            type_of_pulses,
            "must be one that reaches the devices, NoneWithDevice for exact ones",
        )
    }
}

/// Which array is which.
const MINUS: usize = 0;
const PLUS: usize = 1;

/// An array of one-sided pairs.
#[derive(Debug)]
pub struct OneSidedCells {
    /// g⁻ and g⁺.
    arrays: Vec<Box<dyn DeviceArray>>,
    visible: Vec<f32>,
    cell: OneSidedCell,
    /// What reads each device for its refresh.
    readers: [Circuits; 2],
    /// Vectors since the weights were set.
    vectors: u64,
}

impl OneSidedCells {
    /// Validates, then fabricates pairs at weight 0.
    pub fn new(cell: &OneSidedCell, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        cell.validate()?;
        let build = |key| cell.device.build(shape.outputs, shape.inputs, key);
        let at = |error: ConfigError| error.within("device");
        let minus = build(key.fold_in(MINUS as u64)).map_err(at)?;
        let plus = if cell.copy_inverted {
            // The same address fabricates the same devices.
            let mut copy = build(key.fold_in(MINUS as u64)).map_err(at)?;
            copy.mirror(key.fold_in(label("mirror")));
            copy
        } else {
            build(key.fold_in(PLUS as u64)).map_err(at)?
        };
        let visible = vec![0.0; shape.outputs * shape.inputs];
        let reader = |k: usize| {
            let key = key.fold_in(label("refresh")).fold_in(k as u64);
            Circuits::new(&cell.refresh_forward, &cell.refresh_forward, shape, key)
        };
        let readers = [reader(MINUS)?, reader(PLUS)?];
        let mut cells = Self { arrays: vec![minus, plus], visible, cell: cell.clone(), readers, vectors: 0 };
        cells.subtract();
        Ok(cells)
    }

    fn subtract(&mut self) {
        // So many that a thread is worth its while; it does not matter to the result.
        const TOGETHER: usize = 1 << 14;
        let [minus, plus] = [MINUS, PLUS].map(|k| self.arrays[k].weights());
        parallel::each_chunk(plus.len(), &mut self.visible, TOGETHER, |(chunk, visible)| {
            let pairs = plus[chunk * TOGETHER..].iter().zip(&minus[chunk * TOGETHER..]);
            visible.iter_mut().zip(pairs).for_each(|(w, (plus, minus))| *w = plus - minus);
        });
    }

    /// Pulses on both devices, without refresh.
    fn pulse(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys) {
        let granularity = self.granularity();
        let routes: [fn(Direction) -> Option<Direction>; 2] = [
            |wanted| (wanted == Direction::Down).then_some(Direction::Up),
            |wanted| (wanted == Direction::Up).then_some(Direction::Up),
        ];
        let receivers = [MINUS, PLUS].map(|k| Receiver {
            noise: label("devices").wrapping_add(k as u64),
            takes: &|_| true,
            route: routes[k],
        });
        pulsed_update((&mut self.arrays, &receivers), (config, granularity), products, draws);
    }

    /// For each column what is to be written to g⁻ and to g⁺ of the pairs that are to be refreshed: the difference of their readings,
    /// to the larger one.
    fn due(&self, [minus, plus]: &[Vec<DMatrix<f32>>; 2]) -> Vec<[Vec<Write>; 2]> {
        let (outputs, inputs) = self.arrays[PLUS].shape();
        let range = self.cell.device.common().w_max.abs();
        let (upper, lower) = (range * self.cell.refresh_upper_thres, range * self.cell.refresh_lower_thres);
        let parts = minus.iter().zip(plus);
        let columns: Vec<_> = parts
            .flat_map(|(minus, plus)| minus.as_slice().chunks(outputs).zip(plus.as_slice().chunks(outputs)))
            .collect();
        parallel::map(outputs * inputs, &columns, |(minus, plus)| {
            let mut due = [Vec::new(), Vec::new()];
            Arch::new().dispatch(FarUp { minus, plus, upper, lower, due: &mut due });
            due
        })
    }

    /// Resets pairs whose devices are both far up, and writes their difference anew.
    fn refresh(&mut self, key: RngKey) {
        let (outputs, inputs) = self.arrays[PLUS].shape();
        let readings = [MINUS, PLUS].map(|k| self.read(k, key.fold_in(k as u64)));
        let due = self.due(&readings);
        if due.iter().flatten().all(Vec::is_empty) {
            return;
        }
        let words = inputs.div_ceil(BITS);
        let mut marked = vec![0; outputs * words];
        for (column, due) in due.iter().enumerate() {
            for (row, _) in due.iter().flatten() {
                marked[*row as usize * words + column / BITS] |= 1 << (column % BITS);
            }
        }
        let dense = [PulseType::MeanCount, PulseType::DeterministicImplicit]
            .contains(&self.cell.refresh_update.pulse_type);
        // A negative learning rate raises weights.
        let lr = if dense && self.cell.refresh_loses_sign { 1.0 } else { -1.0 };
        let refresh_update = &self.cell.refresh_update;
        parallel::each_chunk(outputs * inputs, &mut self.arrays, 1, |(k, array)| {
            let key = key.fold_in(label("rewrite")).fold_in(k as u64);
            array[0].reset_marked(&marked, key.fold_in(label("reset")));
            let writes: Vec<_> = due.iter().map(|due| &due[k][..]).collect();
            pulsed_columns(&mut array[0], refresh_update, (&writes, lr), key);
        });
    }

    /// What one device of all pairs reads, some columns at a time.
    fn read(&self, k: usize, key: RngKey) -> Vec<DMatrix<f32>> {
        let (outputs, inputs) = self.arrays[k].shape();
        let weights = Weights::new(self.arrays[k].weights(), outputs, inputs);
        let read = self.readers[k].forward.read_each_line(weights, SampleKeys::new(key), |y| y);
        debug_assert!(read.is_ok(), "the weights of an array are finite and fit its circuits");
        read.unwrap_or_default()
    }
}

/// The pairs of a column whose devices are both far up, see [`OneSidedCells::due`].
struct FarUp<'a> {
    minus: &'a [f32],
    plus: &'a [f32],
    upper: f32,
    lower: f32,
    due: &'a mut [Vec<Write>; 2],
}

impl WithSimd for FarUp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (part, (minus, plus)) in self.minus.chunks(BITS).zip(self.plus.chunks(BITS)).enumerate() {
            // As numbers, so that it vectorises.
            let mut far_up = [0; BITS];
            for (far_up, (minus, plus)) in far_up.iter_mut().zip(minus.iter().zip(plus)) {
                let (larger, smaller) = if minus > plus { (minus, plus) } else { (plus, minus) };
                *far_up = u32::from(*larger > self.upper) & u32::from(*smaller > self.lower);
            }
            let others = lines_not_above(simd, &far_up, &[0; BITS]);
            visit_set(&[!others], |k| {
                let difference = plus[k] - minus[k];
                let larger = if difference > 0.0 { PLUS } else { MINUS };
                self.due[larger].push(((part * BITS + k) as u32, difference.abs()));
            });
        }
    }
}

impl CellArray for OneSidedCells {
    fn weights(&self) -> &[f32] {
        &self.visible
    }

    fn set_weights(&mut self, values: &[f32], key: RngKey) {
        for (k, sign) in [(MINUS, -1.0), (PLUS, 1.0)] {
            let part: Vec<f32> = values.iter().map(|w| (sign * w).max(0.0)).collect();
            self.arrays[k].set_weights(&part, key.fold_in(k as u64));
        }
        self.vectors = 0;
        self.subtract();
    }

    fn update(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys) {
        let (outputs, inputs) = self.arrays[PLUS].shape();
        // A learning rate of 0 is no update: nothing is counted.
        let batch = if products.lr == 0.0 { 0 } else { products.x.len() / inputs };
        let unit = if self.cell.units_in_mbatch { batch as u64 } else { 1 };
        let period = self.cell.refresh_every * unit;
        let mut done = 0;
        while done < batch {
            // Up to the next refresh all vectors can be taken at once.
            let until = if period > 0 { period - self.vectors % period } else { u64::MAX };
            let end = batch.min(done.saturating_add(usize::try_from(until).unwrap_or(usize::MAX)));
            let (x, d) =
                (&products.x[done * inputs..end * inputs], &products.d[done * outputs..end * outputs]);
            self.pulse(config, OuterProducts { x, d, ..products }, draws.skip(done as u64));
            self.vectors += (end - done) as u64;
            done = end;
            if period > 0 && self.vectors.is_multiple_of(period) {
                self.refresh(draws.skip(done as u64 - 1).sample(0).fold_in(label("refresh")));
            }
        }
        self.subtract();
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.arrays
            .iter_mut()
            .enumerate()
            .for_each(|(k, array)| forget(array.as_mut(), key.fold_in(k as u64)));
        self.subtract();
    }

    fn granularity(&self) -> f32 {
        0.5 * (self.arrays[PLUS].granularity() + self.arrays[MINUS].granularity())
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        reset_all(&mut self.arrays, &columns, probability, key);
        self.subtract();
    }

    fn devices(&self) -> Vec<&dyn DeviceArray> {
        self.arrays.iter().map(AsRef::as_ref).collect()
    }

    fn state(&self) -> State {
        let mut state = states(&self.arrays);
        state.put("vectors", vec![self.vectors]);
        for (k, reader) in self.readers.iter().enumerate() {
            state.nest(&format!("reader{k}"), reader.state());
        }
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let vectors = state.counts("vectors", 1)?[0];
        let mut readers = self.readers.clone();
        for (k, reader) in readers.iter_mut().enumerate() {
            reader.restore(&state.part(&format!("reader{k}")))?;
        }
        restore_all(&mut self.arrays, state)?;
        (self.vectors, self.readers) = (vectors, readers);
        self.subtract();
        Ok(())
    }
}
