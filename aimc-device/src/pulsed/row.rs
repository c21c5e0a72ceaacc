//! One row of an array while pulses arrive: the hot loop over devices.
//!
//! Pulses wait until several slots are there, of one vector pair or of many, which then pass over the row together. A lane of
//! neighbours is stepped at a time: the equation acts on all of the lane, and those that fire keep what it gives. Each device
//! has its own draw of noise, so that the bits do not depend on how wide lanes are.

use pulp::{Arch, Simd, WithSimd};

use crate::lane::{Lane, Wide};
use crate::pulsed::direction::Ways;
use crate::pulsed::packed::{self, Packed};
use crate::pulsed::rounds::{self, Rounds};
use crate::pulsed::slots::{Slots, WORD, count, direction, rank, visit};
use crate::pulsed::spread::{LINED_UP, all, chosen, spread};
use crate::pulsed::{Cell, Constants, Direction, Extra, PulseCount, PulsedDevice, RowPort};
use crate::rng::{RngKey, Stream};

/// The constants of a device or a lane of them: list by list what `number` gives, counted as in [`packed`].
#[inline(always)]
fn gather<D: PulsedDevice, L: Lane>(number: impl Fn(usize) -> L) -> (Cell<L>, Extra<D, L>) {
    let (up, down) = (number(0), number(1));
    (Cell { up, down, w_max: number(2), w_min: number(3) }, D::Extra::gather(|k| number(4 + k)))
}

/// A number for each of some columns, 0 where these are fewer than a lane.
#[inline(always)]
fn of_columns<S: Simd>(simd: S, columns: &[usize], number: impl Fn(usize) -> f32) -> Wide<S> {
    let mut numbers = [0.0; LINED_UP];
    for (place, column) in numbers.iter_mut().zip(columns) {
        *place = number(*column);
    }
    Wide::load(simd, &numbers)
}

/// A lane of neighbours that is stepped.
pub(super) struct Devices<D: PulsedDevice, S: Simd> {
    cell: Cell<Wide<S>>,
    extra: Extra<D, Wide<S>>,
    pub(super) weights: Wide<S>,
    /// Place of the first of them among the bits of its 64 columns.
    shift: usize,
}

impl<D: PulsedDevice, S: Simd> Devices<D, S> {
    /// A pulse on those of 64 columns that fire, with the draws from `place` on, which goes on to the next.
    #[inline(always)]
    pub(super) fn pulse(
        &mut self,
        simd: S,
        device: &D,
        (fired, up): (u64, u64),
        noise: &[f32],
        place: &mut usize,
    ) {
        let here = fired >> self.shift & all::<S>();
        if here == 0 {
            return;
        }
        let xi = Wide::new(simd, spread(simd, &noise[*place..], here));
        self.step(simd, device, (here, up >> self.shift & all::<S>()), xi);
        *place += here.count_ones() as usize;
    }

    /// A pulse on the chosen devices, with the draws `xi`.
    #[inline(always)]
    pub(super) fn step(&mut self, simd: S, device: &D, (here, up): (u64, u64), xi: Wide<S>) {
        let way = Ways::new(simd, chosen(simd, up));
        let stepped = device.step(self.cell, self.extra, self.weights, way, xi);
        self.weights = stepped.where_chosen(chosen(simd, here), self.weights);
    }
}

/// One row of a population.
pub(super) struct Row<'a, D: PulsedDevice> {
    /// Its number.
    pub(super) row: usize,
    pub(super) device: &'a D,
    pub(super) arch: Arch,
    /// See [`packed`].
    pub(super) constants: &'a [f32],
    pub(super) persistent: &'a mut [f32],
    /// What is read; empty without write noise.
    pub(super) apparent: &'a mut [f32],
    /// Hidden states; empty for models without.
    pub(super) hidden: &'a mut [f32],
    /// Pulses of every device; empty unless counted.
    pub(super) counts: (&'a mut [u64], &'a mut [u64]),
    /// Pulses of the row since it was opened.
    pub(super) pulses: &'a mut PulseCount,
    pub(super) noisy: bool,
    pub(super) write_std: f32,
    pub(super) scratch: &'a mut Scratch,
}

/// What rows of a population share.
pub(super) struct Shared<'a, D: PulsedDevice> {
    pub(super) device: &'a D,
    pub(super) arch: Arch,
    pub(super) packed: &'a Packed,
    pub(super) noisy: bool,
    pub(super) write_std: f32,
}

/// What changes of one row; see [`Row`].
pub(super) struct RowLists<'a> {
    pub(super) row: usize,
    pub(super) persistent: &'a mut [f32],
    pub(super) apparent: &'a mut [f32],
    pub(super) hidden: &'a mut [f32],
    pub(super) counts: (&'a mut [u64], &'a mut [u64]),
    pub(super) pulses: PulseCount,
}

impl<'a, D: PulsedDevice> Row<'a, D> {
    pub(super) fn new(shared: &Shared<'a, D>, lists: &'a mut RowLists<'_>, scratch: &'a mut Scratch) -> Self {
        let Shared { device, arch, packed, noisy, write_std } = *shared;
        Self {
            row: lists.row,
            device,
            arch,
            constants: packed.row(lists.row),
            persistent: lists.persistent,
            apparent: lists.apparent,
            hidden: lists.hidden,
            counts: (lists.counts.0, lists.counts.1),
            pulses: &mut lists.pulses,
            noisy,
            write_std,
            scratch,
        }
    }
}

thread_local! {
    static KEPT: std::cell::Cell<Option<Box<Scratch>>> = const { std::cell::Cell::new(None) };
}

/// Memory that a thread hands from row to row and keeps between calls, as much as its widest row took.
#[derive(Default)]
pub(super) struct Scratch {
    /// Pulses that wait, in one of two ways.
    pub(super) slots: Slots,
    pub(super) rounds: Rounds,
    /// Columns for which pulses wait in rounds.
    pub(super) waiting: Vec<usize>,
    /// Draws of steps and of hidden states.
    pub(super) draws: [Vec<f32>; 2],
    /// Draws of reading.
    read: Vec<f32>,
    /// Vector pairs whose write noise waits: the devices that fired, and the stream of their draws.
    written: Vec<(Vec<u64>, Stream)>,
}

impl Scratch {
    /// The memory of the thread, in which nothing waits.
    pub(super) fn take() -> Box<Self> {
        KEPT.take().unwrap_or_default()
    }

    /// Gives it back, to be taken again.
    pub(super) fn give(self: Box<Self>) {
        KEPT.set(Some(self));
    }
}

/// What happens to a row, in code for the vector units that the processor has.
enum Work<'a> {
    /// The pulses of a vector pair arrive, with the key of their draws.
    Pulses { fired: &'a [u64], up: &'a [u64], key: RngKey },
    /// The same where one device alone fires.
    One { column: usize, pulses: usize, direction: Direction, key: RngKey },
    /// Some devices get a pulse with draws from a stream of the caller's.
    Slot { fired: &'a [u64], up: &'a [u64], draws: &'a mut Stream },
    /// The weight of a device that is read now is asked for.
    Weight { column: usize, weight: &'a mut f32 },
    /// Nothing is to wait any more.
    Finish,
}

/// Work on a row.
struct At<'a, 'r, D: PulsedDevice>(&'a mut Row<'r, D>, Work<'a>);

impl<D: PulsedDevice> WithSimd for At<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(row, work) = self;
        match work {
            Work::Pulses { fired, up, key } => row.arrive(simd, fired, up, key),
            Work::One { column, pulses, direction, key } => row.one(simd, column, pulses, direction, key),
            Work::Slot { fired, up, draws } => row.slot(simd, fired, up, draws),
            Work::Weight { column, weight } => *weight = row.weight_now(column),
            Work::Finish => row.end(simd),
        }
    }
}

impl<D: PulsedDevice> Row<'_, D> {
    /// The lane of the devices from column `column` on, and where it stands among the bits of 64 columns.
    #[inline(always)]
    pub(super) fn lane<S: Simd>(&self, simd: S, column: usize, weights: &[f32]) -> Devices<D, S> {
        const { assert!(LINED_UP.is_multiple_of(S::F32_LANES)) };
        let weights = Wide::load_some(simd, weights);
        let (start, lists) = (packed::place::<D::Extra>(0, column), packed::lists::<D::Extra>());
        let numbers = &self.constants[start..][..(lists - 1) * LINED_UP + S::F32_LANES];
        let (cell, extra) = gather::<D, _>(|list| Wide::load(simd, &numbers[list * LINED_UP..]));
        Devices { cell, extra, weights, shift: column % WORD }
    }

    /// A lane of devices in some columns.
    #[inline(always)]
    pub(super) fn gathered_lane<S: Simd>(&self, simd: S, columns: &[usize]) -> Devices<D, S> {
        let place = |list, column| packed::place::<D::Extra>(list, column);
        let (cell, extra) =
            gather::<D, _>(|list| of_columns(simd, columns, |column| self.constants[place(list, column)]));
        Devices {
            cell,
            extra,
            weights: of_columns(simd, columns, |column| self.persistent[column]),
            shift: 0,
        }
    }

    /// The weight of device `j`, that holds `w`, after a pulse with noise `xi`.
    #[inline(always)]
    fn stepped(&self, j: usize, w: f32, (direction, xi): (Direction, f32)) -> f32 {
        let (cell, extra) = gather::<D, _>(|list| self.constants[packed::place::<D::Extra>(list, j)]);
        self.device.step(cell, extra, w, direction, xi)
    }

    /// What would be read of device `j` now, if nothing waited: its pulses go on to wait.
    #[inline(always)]
    fn weight_now(&self, j: usize) -> f32 {
        let Scratch { slots, rounds, written, .. } = &*self.scratch;
        let waiting = slots.on(j).chain(rounds.on(j));
        let persistent = waiting.fold(self.persistent[j], |w, pulse| self.stepped(j, w, pulse));
        if self.apparent.is_empty() {
            return persistent;
        }
        match written.iter().rfind(|(fired, _)| fired[j / WORD] >> (j % WORD) & 1 == 1) {
            Some((fired, draws)) => persistent + self.write_std * draws.normal_after(rank(fired, j)),
            None => self.apparent[j],
        }
    }

    /// Lets the pulses wait until there are many, and then delivers them.
    #[inline(always)]
    fn queue<S: Simd>(&mut self, simd: S, fired: &[u64], up: &[u64], pulses: usize, draws: &mut Stream) {
        let slots = fired.len() / up.len();
        // A slot alone is a round.
        let alone = slots == 1 && self.scratch.rounds.is_empty() && self.scratch.slots.number() == 0;
        if !alone && rounds::pay::<D>(pulses, slots * self.persistent.len()) {
            return self.gather_rounds(simd, fired, up, pulses, draws);
        }
        if !self.scratch.rounds.is_empty() {
            self.deliver(simd);
        }
        let mut left = fired;
        while !left.is_empty() {
            let (next, rest) = left.split_at(left.len().min(self.scratch.slots.room() * up.len()));
            self.scratch.slots.push(next, up, self.noisy.then_some(&mut *draws));
            if self.scratch.slots.room() == 0 {
                self.deliver(simd);
            }
            left = rest;
        }
    }

    /// Delivers the pulses that wait, in slots or in rounds.
    #[inline(always)]
    pub(super) fn deliver<S: Simd>(&mut self, simd: S) {
        if self.scratch.slots.number() > 0 {
            let mut slots = std::mem::take(&mut self.scratch.slots);
            self.step_row(simd, &slots);
            slots.clear();
            self.scratch.slots = slots;
        }
        if !self.scratch.rounds.is_empty() {
            let mut rounds = std::mem::take(&mut self.scratch.rounds);
            self.step_rounds(simd, &mut rounds);
            self.scratch.rounds = rounds;
        }
    }

    /// A slot on devices with hidden states, one by one: only those whose state overflows make a step.
    #[inline(always)]
    fn step_overflowing(&mut self, fired: &[u64], up: &[u64], draws: &mut Stream) {
        let mut noise = std::mem::take(&mut self.scratch.draws);
        for list in &mut noise {
            list.resize(count(fired), 0.0);
        }
        let [steps, hidden] = &mut noise;
        if self.noisy {
            draws.fill_normal(steps);
        }
        draws.fill_normal(hidden);
        visit(fired.iter().copied(), |k, j| {
            let extra = D::Extra::of(|k| self.constants[packed::place::<D::Extra>(4 + k, j)]);
            let (state, overflow) =
                self.device.accumulate(extra, self.hidden[j], direction(up[j / 64], j), hidden[k]);
            self.hidden[j] = state;
            if let Some(direction) = overflow {
                self.persistent[j] = self.stepped(j, self.persistent[j], (direction, steps[k]));
            }
        });
        self.scratch.draws = noise;
    }

    /// Draws write noise anew for devices that fired, see [`Row::write`]: for all of them, and uses it where they are `left`.
    #[inline(always)]
    fn write_those(&mut self, fired: &[u64], left: &[u64], draws: &mut Stream) {
        let noise = &mut self.scratch.read;
        noise.resize(count(fired), 0.0);
        draws.fill_normal(noise);
        visit(fired.iter().zip(left).map(|(fired, left)| fired & left), |_, j| {
            self.apparent[j] = self.persistent[j] + self.write_std * noise[rank(fired, j)];
        });
    }

    /// Draws the write noise that waits. What is read depends on the last pulse only: the vector pairs are gone through
    /// from the last, and those that have no device left are not drawn.
    #[inline(always)]
    fn write(&mut self) {
        let mut left = vec![u64::MAX; self.persistent.len().div_ceil(64)];
        let mut written = std::mem::take(&mut self.scratch.written);
        for (fired, mut draws) in written.drain(..).rev() {
            if fired.iter().zip(&left).any(|(fired, left)| fired & left != 0) {
                self.write_those(&fired, &left, &mut draws);
                left.iter_mut().zip(&fired).for_each(|(left, fired)| *left &= !fired);
            }
        }
        self.scratch.written = written;
    }

    /// Counts the pulses of some slots, `pulses` together.
    #[inline(always)]
    fn count(&mut self, fired: &[u64], up: &[u64], pulses: usize) {
        let ups = |slot: &[u64]| {
            slot.iter().zip(up).map(|(fired, up)| (fired & up).count_ones() as usize).sum::<usize>()
        };
        let ups: usize = fired.chunks_exact(up.len()).map(ups).sum();
        *self.pulses += PulseCount { up: ups as u64, down: (pulses - ups) as u64 };
        if self.counts.0.is_empty() {
            return;
        }
        for slot in fired.chunks_exact(up.len()) {
            visit(slot.iter().copied(), |_, j| match direction(up[j / 64], j) {
                Direction::Up => self.counts.0[j] += 1,
                Direction::Down => self.counts.1[j] += 1,
            });
        }
    }

    /// The pulses of one vector pair, slot after slot, `pulses` together.
    #[inline(always)]
    fn step<S: Simd>(&mut self, simd: S, fired: &[u64], up: &[u64], pulses: usize, draws: &mut Stream) {
        if D::HIDDEN {
            fired.chunks_exact(up.len()).for_each(|fired| self.step_overflowing(fired, up, draws));
        } else {
            self.queue(simd, fired, up, pulses, draws);
        }
        self.count(fired, up, pulses);
    }

    /// See [`Work::Pulses`].
    #[inline(always)]
    fn arrive<S: Simd>(&mut self, simd: S, fired: &[u64], up: &[u64], key: RngKey) {
        let pulses = count(fired);
        if pulses == 0 {
            return;
        }
        let mut draws = key.stream(self.row as u64);
        self.step(simd, fired, up, pulses, &mut draws);
        if !self.apparent.is_empty() {
            let mut any = fired[..up.len()].to_vec();
            for slot in fired.chunks_exact(up.len()).skip(1) {
                any.iter_mut().zip(slot).for_each(|(any, fired)| *any |= fired);
            }
            self.scratch.written.push((any, draws));
        }
    }

    /// See [`Work::One`].
    #[inline(always)]
    fn one<S: Simd>(&mut self, simd: S, column: usize, pulses: usize, direction: Direction, key: RngKey) {
        let words = self.persistent.len().div_ceil(WORD);
        let fired = || -> Vec<u64> {
            (0..words).map(|word| u64::from(word == column / WORD) << (column % WORD)).collect()
        };
        if D::HIDDEN || pulses == 0 {
            let up = vec![if direction == Direction::Up { u64::MAX } else { 0 }; words];
            return self.arrive(simd, &fired().repeat(pulses), &up, key);
        }
        let mut draws = key.stream(self.row as u64);
        self.gather_one(simd, (column, direction), pulses, &mut draws);
        let (up, down) = if direction == Direction::Up { (pulses as u64, 0) } else { (0, pulses as u64) };
        *self.pulses += PulseCount { up, down };
        if !self.counts.0.is_empty() {
            (self.counts.0[column], self.counts.1[column]) =
                (self.counts.0[column] + up, self.counts.1[column] + down);
        }
        if !self.apparent.is_empty() {
            self.scratch.written.push((fired(), draws));
        }
    }

    /// See [`Work::Slot`].
    #[inline(always)]
    fn slot<S: Simd>(&mut self, simd: S, fired: &[u64], up: &[u64], draws: &mut Stream) {
        self.step(simd, fired, up, count(fired), draws);
        if !self.apparent.is_empty() {
            self.end(simd);
            self.write_those(fired, &vec![u64::MAX; fired.len()], draws);
        }
    }

    /// See [`Work::Finish`].
    #[inline(always)]
    fn end<S: Simd>(&mut self, simd: S) {
        self.deliver(simd);
        if !self.scratch.written.is_empty() {
            self.write();
        }
    }

    /// Ends the work on the row: nothing waits afterwards.
    pub(super) fn finish(&mut self) {
        self.arch.dispatch(At(self, Work::Finish));
    }
}

impl<D: PulsedDevice> RowPort for Row<'_, D> {
    fn pulse_where(&mut self, fired: &[u64], up: &[u64], key: RngKey) {
        self.arch.dispatch(At(self, Work::Pulses { fired, up, key }));
    }

    fn pulse_one(&mut self, column: usize, pulses: usize, direction: Direction, key: RngKey) {
        self.arch.dispatch(At(self, Work::One { column, pulses, direction, key }));
    }

    fn pulse(&mut self, columns: &[u32], direction: Direction, draws: &mut Stream) {
        let mut fired = vec![0; self.persistent.len().div_ceil(64)];
        columns.iter().for_each(|&column| fired[column as usize / 64] |= 1 << (column % 64));
        let up = vec![if direction == Direction::Up { u64::MAX } else { 0 }; fired.len()];
        self.arch.dispatch(At(self, Work::Slot { fired: &fired, up: &up, draws }));
    }

    fn weight(&mut self, column: usize) -> f32 {
        let mut weight = 0.0;
        self.arch.dispatch(At(self, Work::Weight { column, weight: &mut weight }));
        weight
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
