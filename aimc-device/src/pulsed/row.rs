//! One row of an array while pulses arrive: the hot loop over devices.
//!
//! Pulses wait until several slots are there, of one vector pair or of many, which then pass over the row together. A lane of
//! devices is stepped at a time: the equation acts on all of the lane, and those that fire keep what it gives. Each device
//! has its own draw of noise, so that the bits do not depend on how wide lanes are.

use pulp::{Arch, Simd, WithSimd};

use crate::pulsed::device_lane::gather;
use crate::pulsed::incoming::{Incoming, Undrawn};
use crate::pulsed::packed::{self, Packed};
use crate::pulsed::rounds::{self, Rounds};
use crate::pulsed::row_lists::RowLists;
use crate::pulsed::slots::{Slots, WORD, count, direction, visit};
use crate::pulsed::write_noise::Written;
use crate::pulsed::{Constants, Direction, PulseCount, PulsedDevice, RowPort};
use crate::rng::{RngKey, Stream};

/// One row of a population.
pub(super) struct Row<'a, 'r, D: PulsedDevice> {
    pub(super) shared: &'a Shared<'a, D>,
    /// See [`packed`].
    pub(super) constants: &'a [f32],
    pub(super) lists: &'a mut RowLists<'r>,
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

impl<'a, 'r, D: PulsedDevice> Row<'a, 'r, D> {
    pub(super) fn new(
        shared: &'a Shared<'a, D>,
        lists: &'a mut RowLists<'r>,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.noted.clear();
        Self { shared, constants: shared.packed.row(lists.row), lists, scratch }
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
    /// Pulses that wait for one device.
    on_one: Vec<(Direction, f32)>,
    /// Vector pairs whose draws wait.
    pub(super) undrawn: Undrawn,
    /// Weights that were noted on the way.
    pub(super) noted: Vec<f32>,
    /// Draws of steps and of hidden states.
    draws: [Vec<f32>; 2],
    /// Draws of reading.
    pub(super) read: Vec<f32>,
    /// Vector pairs whose write noise waits.
    pub(super) written: Vec<Written>,
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
    /// Slots of a vector pair arrive: which devices fire and which of them upwards.
    Pulses { fired: &'a [u64], up: &'a [u64], key: RngKey },
    /// The same with draws from a stream that goes on.
    Slots { fired: &'a [u64], up: &'a [u64], draws: &'a mut Stream },
    /// What waits for its draws does not wait for them any more.
    Draw,
    /// Nothing is to wait any more.
    Finish,
}

/// Work on a row.
struct At<'w, 'a, 'r, D: PulsedDevice>(&'w mut Row<'a, 'r, D>, Work<'w>);

impl<D: PulsedDevice> WithSimd for At<'_, '_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self(row, work) = self;
        if let Work::Pulses { fired, up, key } = work {
            let pulses = count(fired);
            row.count(fired, up, pulses);
            let devices = fired.len() / up.len() * row.lists.persistent.len();
            if !row.scratch.undrawn.push((fired, up), pulses, rounds::pay::<D>(pulses, devices), key) {
                return;
            }
        }
        row.draw_all(matches!(work, Work::Finish));
        match work {
            Work::Slots { fired, up, draws } => row.arrive((fired, up), draws),
            Work::Finish => {
                row.take(Incoming::Nothing);
                if !row.scratch.written.is_empty() {
                    row.write();
                }
            }
            Work::Pulses { .. } | Work::Draw => {}
        }
    }
}

/// Delivers the pulses of a row that wait: a function of its own, whose registers are for the devices alone.
struct Delivery<'w, 'a, 'r, D: PulsedDevice>(&'w mut Row<'a, 'r, D>);

impl<D: PulsedDevice> WithSimd for Delivery<'_, '_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.deliver(simd);
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// The weight of device `j`, that holds `w`, after a pulse with noise `xi`.
    #[inline(always)]
    fn stepped(&self, j: usize, w: f32, (direction, xi): (Direction, f32)) -> f32 {
        let (cell, extra) = gather::<D, _>(|list| self.constants[packed::place::<D::Extra>(list, j)]);
        self.shared.device.step(cell, extra, w, direction, xi)
    }

    /// What would be read of device `j` now, if nothing waited: its pulses go on to wait.
    #[inline(always)]
    pub(super) fn weight_now(&mut self, j: usize) -> f32 {
        let Scratch { slots, rounds, on_one, .. } = &mut *self.scratch;
        on_one.clear();
        slots.append_on(j, on_one);
        rounds.append_on(j, on_one);
        let Scratch { on_one, written, .. } = &*self.scratch;
        let mut persistent = self.lists.persistent[j];
        // A loop: a closure would stay outside of vector code.
        for pulse in on_one {
            persistent = self.stepped(j, persistent, *pulse);
        }
        if self.lists.apparent.is_empty() {
            return persistent;
        }
        match written.iter().rev().find_map(|written| written.draw_of(self.lists.row, j)) {
            Some(draw) => persistent + self.shared.write_std * draw,
            None => self.lists.apparent[j],
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
        if self.shared.noisy {
            draws.fill_normal(steps);
        }
        draws.fill_normal(hidden);
        visit(fired.iter().copied(), |k, j| {
            let extra = D::Extra::of(|k| self.constants[packed::place::<D::Extra>(4 + k, j)]);
            let (state, overflow) = self.shared.device.accumulate(
                extra,
                self.lists.hidden[j],
                direction(up[j / 64], j),
                hidden[k],
            );
            self.lists.hidden[j] = state;
            if let Some(direction) = overflow {
                self.lists.persistent[j] = self.stepped(j, self.lists.persistent[j], (direction, steps[k]));
            }
        });
        self.scratch.draws = noise;
    }

    /// Counts the pulses of some slots, `pulses` together.
    #[inline(always)]
    fn count(&mut self, fired: &[u64], up: &[u64], pulses: usize) {
        let ups = |slot: &[u64]| {
            slot.iter().zip(up).map(|(fired, up)| (fired & up).count_ones() as usize).sum::<usize>()
        };
        let ups: usize = fired.chunks_exact(up.len()).map(ups).sum();
        self.lists.pulses += PulseCount { up: ups as u64, down: (pulses - ups) as u64 };
        if self.lists.counts.0.is_empty() {
            return;
        }
        for slot in fired.chunks_exact(up.len()) {
            visit(slot.iter().copied(), |_, j| match direction(up[j / 64], j) {
                Direction::Up => self.lists.counts.0[j] += 1,
                Direction::Down => self.lists.counts.1[j] += 1,
            });
        }
    }

    /// See [`Work::Slots`].
    #[inline(always)]
    fn arrive(&mut self, (fired, up): (&[u64], &[u64]), draws: &mut Stream) {
        let pulses = count(fired);
        self.count(fired, up, pulses);
        if D::HIDDEN {
            for slot in fired.chunks_exact(up.len()) {
                self.step_overflowing(slot, up, draws);
            }
            return;
        }
        let (first, noise) = self.scratch.slots.make_room(pulses);
        if self.shared.noisy {
            draws.fill_normal(noise);
        }
        self.take(Incoming::Slots { fired, up, first });
    }

    /// Puts pulses among those that wait, and delivers these where there is no room: the one place where devices are stepped, of which
    /// there is a copy for each model and kind of processor.
    #[inline(always)]
    pub(super) fn take(&mut self, mut incoming: Incoming<'_>) {
        while self.queue(&mut incoming) {
            self.shared.arch.dispatch(Delivery(self));
        }
    }

    /// The bits of all columns, set for upwards.
    fn all_or_none(&self, direction: Direction) -> Vec<u64> {
        let bits = if direction == Direction::Up { u64::MAX } else { 0 };
        vec![bits; self.lists.persistent.len().div_ceil(WORD)]
    }

    /// Ends the work on the row: nothing waits afterwards.
    pub(super) fn finish(&mut self) {
        self.shared.arch.dispatch(At(self, Work::Finish));
    }
}

impl<D: PulsedDevice> RowPort for Row<'_, '_, D> {
    fn pulse_where(&mut self, fired: &[u64], up: &[u64], key: RngKey) {
        if fired.iter().fold(0, |any, bits| any | bits) == 0 {
            return;
        }
        if !D::HIDDEN {
            return self.shared.arch.dispatch(At(self, Work::Pulses { fired, up, key }));
        }
        let mut draws = key.stream(self.lists.row as u64);
        self.shared.arch.dispatch(At(self, Work::Slots { fired, up, draws: &mut draws }));
        if !self.lists.apparent.is_empty() {
            let before = count(fired) * if self.shared.noisy { 2 } else { 1 };
            self.read_later(fired, up.len(), key, before);
        }
    }

    fn pulse(&mut self, columns: &[u32], direction: Direction, draws: &mut Stream) {
        let (mut fired, up) =
            (vec![0; self.lists.persistent.len().div_ceil(WORD)], self.all_or_none(direction));
        columns.iter().for_each(|&column| fired[column as usize / WORD] |= 1 << (column as usize % WORD));
        self.shared.arch.dispatch(At(self, Work::Slots { fired: &fired, up: &up, draws }));
        if !self.lists.apparent.is_empty() {
            self.finish();
            self.write_those(&fired, &vec![u64::MAX; fired.len()], draws);
        }
    }

    fn note(&mut self, column: usize) {
        self.scratch.undrawn.note(column);
    }

    fn noted(&mut self) -> &[f32] {
        self.shared.arch.dispatch(At(self, Work::Draw));
        &self.scratch.noted
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
