//! The array of devices of one model: the one place that loops over cells and spreads rows over threads.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use crate::error::{ConfigError, require};
use crate::parallel;
use crate::pulsed::bursts::{self, ABREAST, Burst};
use crate::pulsed::device_array::{DeviceArray, RowPort};
use crate::pulsed::drift::DriftClock;
use crate::pulsed::fabrication::{Cells, RetentionCells, fabricate};
use crate::pulsed::hidden_parameters::{import, lists, unit_factor};
use crate::pulsed::packed::Packed;
use crate::pulsed::retention::{after_reset, decayed, diffused};
use crate::pulsed::row::{Row, Scratch, Shared};
use crate::pulsed::row_lists::{ArrayLists, Rows};
use crate::pulsed::slots::{WORD, count, visit};
use crate::pulsed::{Common, PulseCount, PulsedDevice, WriteNoise};
use crate::rng::{RngKey, label};
use crate::state::{State, StateError, StatePart};

/// Rows that a thread takes at a time, at most: few, so that threads end together.
const PORTION: usize = 16;

/// An array of devices of the model `D`.
#[derive(Clone, Debug)]
pub struct Population<D: PulsedDevice> {
    device: D,
    common: Common,
    write_noise: WriteNoise,
    columns: usize,
    cells: Cells<D::Extra>,
    /// The same constants for the loop over devices.
    packed: Packed,
    retention: RetentionCells,
    /// How much larger than the configured one the unit of pulse planning is, see [`super::hidden_parameters`].
    unit: f32,
    persistent: Vec<f32>,
    /// What is read; equals `persistent` (and is empty) without write noise.
    apparent: Vec<f32>,
    /// Hidden states; empty for models without.
    hidden: Vec<f32>,
    clock: DriftClock,
    /// Up and down pulses per device; empty unless counted.
    counts: (Vec<u64>, Vec<u64>),
    /// Pulses of all devices.
    pulses: PulseCount,
    /// Whether the next update on several threads begins with the last rows of each one's share, which are still in its caches.
    backwards: bool,
}

impl<D: PulsedDevice> Population<D> {
    /// Validates the model and fabricates `rows` x `columns` devices at weight 0, cut to their bounds.
    pub fn new(device: D, rows: usize, columns: usize, key: RngKey) -> Result<Self, ConfigError> {
        device.validate()?;
        require::at_least_one("rows", rows)?;
        require::at_least_one("columns", columns)?;
        let n = rows * columns;
        let (cells, retention) = fabricate(&device, rows, columns, key.fold_in(label("fabrication")));
        let (common, write_noise) = (device.common(), device.write_noise());
        let counters = if common.count_pulses { n } else { 0 };
        let mut population = Self {
            device,
            common,
            write_noise,
            columns,
            packed: Packed::of(&cells, columns),
            cells,
            retention,
            unit: 1.0,
            persistent: vec![0.0; n],
            apparent: vec![0.0; if write_noise.std > 0.0 { n } else { 0 }],
            hidden: vec![0.0; if D::HIDDEN { n } else { 0 }],
            clock: DriftClock::default(),
            counts: (vec![0; counters], vec![0; counters]),
            pulses: PulseCount::default(),
            backwards: false,
        };
        population.set_weights(&vec![0.0; n], key.fold_in(label("first weights")));
        Ok(population)
    }

    /// Applies `change` to every persistent weight, see [`Population::change_where`].
    fn change_all(
        &mut self,
        draw: bool,
        key: RngKey,
        change: impl Fn(&RetentionCells, usize, f32, f32) -> f32 + Sync,
    ) {
        self.change_where(None, draw, key, change);
    }

    /// Applies `change` to the chosen persistent weights, or to all, cuts them to the bounds and draws write noise anew. Each takes the
    /// next normal draw of its row. `change` gets the retention constants, the device index, its weight and ξ.
    fn change_where(
        &mut self,
        chosen: Option<&[u64]>,
        draw: bool,
        key: RngKey,
        change: impl Fn(&RetentionCells, usize, f32, f32) -> f32 + Sync,
    ) {
        let (device, cells, retention, columns) = (&self.device, &self.cells, &self.retention, self.columns);
        let words = columns.div_ceil(WORD);
        let row = |(row, weights): (usize, &mut [f32])| {
            let mut one = |column: usize, xi| {
                let index = row * columns + column;
                let changed = change(retention, index, weights[column], xi);
                weights[column] = device.clip(cells.cell(index), cells.extra(index), changed);
            };
            let chosen = chosen.map(|chosen| &chosen[row * words..][..words]);
            let mut noise = vec![0.0; chosen.map_or(columns, count)];
            if draw && !noise.is_empty() {
                key.stream(row as u64).fill_normal(&mut noise);
            }
            match chosen {
                Some(chosen) => visit(chosen.iter().copied(), |k, column| one(column, noise[k])),
                None => noise.iter().enumerate().for_each(|(column, xi)| one(column, *xi)),
            }
        };
        parallel::each_chunk(self.persistent.len(), &mut self.persistent, columns, row);
        self.redraw_write_noise(key.fold_in(label("write noise")));
    }

    fn redraw_write_noise(&mut self, key: RngKey) {
        let std = self.write_noise.std;
        for (row, apparent) in self.apparent.chunks_mut(self.columns).enumerate() {
            key.stream(row as u64).fill_normal(apparent);
            for (w, p) in apparent.iter_mut().zip(&self.persistent[row * self.columns..]) {
                *w = p + std * *w;
            }
        }
    }

    /// What all rows share, and the lists from which rows are opened for pulses.
    pub(super) fn open(&mut self) -> (Shared<'_, D>, ArrayLists<'_>) {
        let columns = self.columns;
        let shared = Shared {
            device: &self.device,
            arch: Arch::new(),
            packed: &self.packed,
            noisy: self.common.dw_min_std > 0.0,
            write_std: self.write_noise.std,
        };
        let lists = ArrayLists {
            persistent: Rows::new(&mut self.persistent, columns),
            apparent: Rows::new(&mut self.apparent, columns),
            hidden: Rows::new(&mut self.hidden, columns),
            ups: Rows::new(&mut self.counts.0, columns),
            downs: Rows::new(&mut self.counts.1, columns),
        };
        (shared, lists)
    }
}

impl<D: PulsedDevice> DeviceArray for Population<D> {
    fn shape(&self) -> (usize, usize) {
        (self.persistent.len() / self.columns, self.columns)
    }

    fn weights(&self) -> &[f32] {
        if self.apparent.is_empty() { &self.persistent } else { &self.apparent }
    }

    fn persistent_weights(&self) -> &[f32] {
        &self.persistent
    }

    fn set_weights(&mut self, values: &[f32], key: RngKey) {
        assert_eq!(values.len(), self.persistent.len(), "one weight per device");
        let (device, cells) = (&self.device, &self.cells);
        for (index, (w, value)) in self.persistent.iter_mut().zip(values).enumerate() {
            *w = device.clip(cells.cell(index), cells.extra(index), *value);
        }
        if self.write_noise.on_set {
            self.redraw_write_noise(key);
        } else if !self.apparent.is_empty() {
            self.apparent.copy_from_slice(&self.persistent);
        }
    }

    fn for_rows(&mut self, rows: &[usize], parallel: bool, work: &(dyn Fn(usize, &mut dyn RowPort) + Sync)) {
        let backwards = self.backwards;
        self.backwards ^= parallel;
        let (shared, mut lists) = self.open();
        let run = |(rows, mut lists): (&[usize], ArrayLists<'_>)| -> PulseCount {
            let one = |row: &usize| {
                let (mut lists, mut scratch) = (lists.row(*row), Scratch::take());
                let mut port = Row::new(&shared, &mut lists, &mut scratch);
                work(*row, &mut port);
                port.finish();
                scratch.give();
                lists.pulses
            };
            rows.iter().map(one).sum()
        };
        let pulses = if parallel {
            let mut portions: Vec<_> =
                rows.chunks(PORTION).map(|rows| (rows, lists.up_to(rows[rows.len() - 1]))).collect();
            if backwards {
                let share = portions.len().div_ceil(rayon::current_num_threads());
                portions.chunks_mut(share.max(1)).for_each(<[_]>::reverse);
            }
            portions.into_par_iter().with_max_len(1).map(run).sum()
        } else {
            run((rows, lists))
        };
        self.pulses += pulses;
    }

    fn pulse_each(
        &mut self,
        rows: &[usize],
        parallel: bool,
        of: &(dyn Fn(usize) -> Vec<Burst> + Sync),
        key: RngKey,
    ) {
        if D::HIDDEN || !self.apparent.is_empty() {
            let columns = self.columns;
            return self.for_rows(rows, parallel, &|row, port| {
                let (fired, up) = bursts::slots(&of(row), columns);
                port.pulse_where(&fired, &up, key);
            });
        }
        let (shared, mut lists) = self.open();
        let mut lists: Vec<_> = rows.iter().map(|row| lists.row(*row)).collect();
        let operations = if parallel { usize::MAX } else { 0 };
        parallel::each_chunk(operations, &mut lists, ABREAST, |(_, lists)| {
            bursts::pulse_rows(&shared, lists, of, key);
        });
        let pulses: PulseCount = lists.iter().map(|row| row.pulses).sum();
        self.pulses += pulses;
    }

    fn granularity(&self) -> f32 {
        self.unit * self.device.granularity()
    }

    fn decay(&mut self, alpha: f32, key: RngKey) {
        self.change_all(false, key, |cells, i, w, _| decayed(w, cells.reset[i], cells.decay[i], alpha));
    }

    fn diffuse(&mut self, key: RngKey) {
        self.change_all(true, key, |cells, i, w, xi| diffused(w, cells.diffusion[i], xi));
    }

    fn clip(&mut self, limit: f32, key: RngKey) {
        // Below 0, and NaN, mean no limit but the bounds.
        let limit = if limit >= 0.0 { limit } else { f32::INFINITY };
        self.change_all(false, key, |_, _, w, _| w.clamp(-limit, limit));
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        let width = self.columns;
        let mut chance = vec![0.0; self.persistent.len()];
        for (row, chance) in chance.chunks_mut(width).enumerate() {
            key.fold_in(label("chance")).stream(row as u64).fill_uniform(chance);
        }
        let words = width.div_ceil(WORD);
        let mut marked = vec![0; self.shape().0 * words];
        for (i, _) in chance.iter().enumerate().filter(|(_, chance)| **chance < probability) {
            let (row, column) = (i / width, i % width);
            marked[row * words + column / WORD] |= u64::from(columns.contains(&column)) << (column % WORD);
        }
        self.reset_marked(&marked, key);
    }

    fn reset_marked(&mut self, marked: &[u64], key: RngKey) {
        let std = self.common.reset_std;
        self.change_where(Some(marked), true, key, |cells, i, _, xi| after_reset(cells.reset[i], std, xi));
    }

    fn drift(&mut self, elapsed: f32, key: RngKey) {
        let drift = self.common.drift;
        if !drift.is_on() {
            return;
        }
        let mut clock = std::mem::take(&mut self.clock);
        clock.advance(&drift, elapsed, &self.persistent);
        let width = self.columns;
        let mut exponent_noise = vec![0.0; self.persistent.len()];
        for (row, noise) in exponent_noise.chunks_mut(width).enumerate() {
            key.fold_in(label("exponent")).stream(row as u64).fill_normal(noise);
        }
        self.change_all(true, key, |cells, i, w, xi| {
            clock.drifted(&drift, i, w, cells.drift_nu[i], exponent_noise[i]) + drift.w_noise_std * xi
        });
        clock.last.copy_from_slice(&self.persistent);
        self.clock = clock;
    }

    fn mirror(&mut self, key: RngKey) {
        self.cells.mirror();
        self.packed = Packed::of(&self.cells, self.columns);
        self.change_all(false, key, |_, _, w, _| w);
    }

    fn forgets(&self) -> (bool, bool) {
        (self.common.lifetime > 0.0, self.common.diffusion > 0.0)
    }

    fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        let (mut cells, mut retention) = (self.cells.clone(), self.retention.clone());
        lists(&mut cells, &mut retention).map(|(name, list)| (name, std::mem::take(list))).collect()
    }

    fn set_constants(&mut self, constants: &[(&str, &[f32])], key: RngKey) -> Result<(), ConfigError> {
        import(&mut self.cells, &mut self.retention, constants)?;
        self.packed = Packed::of(&self.cells, self.columns);
        self.unit = unit_factor(&self.cells, self.device.mean_step(), self.common.dw_min_dtod);
        self.change_all(false, key, |_, _, w, _| w);
        Ok(())
    }

    fn pulses(&self) -> PulseCount {
        self.pulses
    }

    fn pulse_counts(&self) -> Option<(&[u64], &[u64])> {
        self.common.count_pulses.then_some((&self.counts.0, &self.counts.1))
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("persistent", self.persistent.clone());
        state.put("apparent", self.apparent.clone());
        if D::HIDDEN {
            state.put("hidden", self.hidden.clone());
        }
        for (name, values) in self.constants() {
            state.put(name, values);
        }
        state.put("unit", vec![self.unit]);
        state.nest("drift", self.clock.state());
        state.put("pulses", vec![self.pulses.up, self.pulses.down]);
        state.put("up_pulses", self.counts.0.clone());
        state.put("down_pulses", self.counts.1.clone());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let n = self.persistent.len();
        let take = |name: &str, length| state.floats(name, length).map(<[f32]>::to_vec);
        let mut next = self.clone();
        next.persistent = take("persistent", n)?;
        next.apparent = take("apparent", self.apparent.len())?;
        if D::HIDDEN {
            next.hidden = take("hidden", n)?;
        }
        for (name, list) in lists(&mut next.cells, &mut next.retention) {
            *list = take(name, n)?;
        }
        next.packed = Packed::of(&next.cells, self.columns);
        next.unit = state.floats("unit", 1)?[0];
        next.clock = DriftClock::restore(&state.part("drift"), n)?;
        let pulses = state.counts("pulses", 2)?;
        next.pulses = PulseCount { up: pulses[0], down: pulses[1] };
        next.counts.0 = state.counts("up_pulses", self.counts.0.len())?.to_vec();
        next.counts.1 = state.counts("down_pulses", self.counts.1.len())?.to_vec();
        *self = next;
        Ok(())
    }
}
