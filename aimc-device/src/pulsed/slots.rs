//! Time slots whose pulses wait for the devices of a row, so that several pass over the devices at a time.

use pulp::Simd;

use crate::pulsed::row::Row;
use crate::pulsed::spread::{BYTE, LINED_UP};
use crate::pulsed::{Direction, PulsedDevice};

/// Columns whose bits lie in a word.
pub(super) const WORD: usize = 64;

/// Slots that are delivered together: their draws stay in the first-level cache.
pub(super) const TOGETHER: usize = 8;

/// Which devices of a row fire in the slots that wait, which way, and with which draws of noise.
#[derive(Default)]
pub(super) struct Slots {
    /// For each 64 columns, slot by slot: bit k of word n stands for column 64·n + k.
    fired: Vec<[u64; TOGETHER]>,
    /// Those that go up.
    up: Vec<[u64; TOGETHER]>,
    number: usize,
    /// Draws of the devices that fire, slot by slot in the order of the columns, and of those that are to come, with some room behind so
    /// that a lane may be read anywhere.
    noise: Vec<f32>,
    /// Where the draws of each slot begin, and where those of the last one end.
    starts: [usize; TOGETHER],
    end: usize,
}

/// In which of up to [`TOGETHER`] slots any of [`BYTE`] neighbours fires: bit s of byte k is for slot s and the neighbours from
/// column [`BYTE`]·k on, given the bits of 64 columns for each slot.
#[inline(always)]
fn lively(fired: &[u64]) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let mut lively = 0;
    for (slot, fired) in fired.iter().enumerate() {
        // The highest bit of each byte is set if any of its bits is: no byte carries into the next.
        let any = ((fired & (127 * LOW)) + 127 * LOW) | fired;
        lively |= (any >> 7 & LOW) << slot;
    }
    lively
}

/// Number of bits that are set.
#[inline(always)]
pub(super) fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// Number of bits that are set before that of a column.
#[inline(always)]
pub(super) fn rank(words: &[u64], column: usize) -> usize {
    let (word, bit) = (column / WORD, column % WORD);
    count(&words[..word]) + (words[word] & ((1 << bit) - 1)).count_ones() as usize
}

/// The places of the bits that are set, in order.
#[inline(always)]
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (bits != 0).then_some(bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        place
    })
}

/// Visits the columns whose bits are set, in order: number among these, column.
#[inline(always)]
pub(super) fn visit(words: impl Iterator<Item = u64>, mut visit: impl FnMut(usize, usize)) {
    let mut place = 0;
    for (word, bits) in words.enumerate() {
        for column in ones(bits) {
            visit(place, WORD * word + column);
            place += 1;
        }
    }
}

/// The direction of a column.
#[inline(always)]
pub(super) fn direction(up: u64, column: usize) -> Direction {
    if up >> (column % WORD) & 1 == 1 { Direction::Up } else { Direction::Down }
}

impl Slots {
    /// How many more may come.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        TOGETHER - self.number
    }

    /// Where draws of pulses that are to come go, behind those that are needed still: number of the first, and room for so many.
    #[inline(always)]
    pub(super) fn make_room(&mut self, number: usize) -> (usize, &mut [f32]) {
        let first = if self.number == 0 { self.end } else { self.starts[0] };
        self.noise.copy_within(first..self.end, 0);
        for start in &mut self.starts[..self.number] {
            *start -= first;
        }
        self.end -= first;
        let needed = self.end + number + LINED_UP;
        if self.noise.len() < needed {
            self.noise.resize(needed, 0.0);
        }
        (self.end, &mut self.noise[self.end..][..number])
    }

    /// Adds slots, no more than there is room for, of one vector pair: which columns fire, slot after slot, and which of
    /// them upwards. Their draws begin at number `first`, which becomes that behind them.
    #[inline(always)]
    pub(super) fn push(&mut self, fired: &[u64], up: &[u64], first: &mut usize) {
        self.fired.resize(up.len(), [0; TOGETHER]);
        self.up.resize(up.len(), [0; TOGETHER]);
        for slot in fired.chunks_exact(up.len()) {
            let here = self.number;
            for ((word, fired), up) in slot.iter().enumerate().zip(up) {
                (self.fired[word][here], self.up[word][here]) = (*fired, *up);
            }
            self.starts[here] = *first;
            *first += count(slot);
            self.number += 1;
        }
        self.end = *first;
    }

    /// Appends the pulses that wait for a device, in order, with their draws.
    #[inline(always)]
    pub(super) fn append_on(&self, column: usize, pulses: &mut Vec<(Direction, f32)>) {
        if self.number == 0 {
            return;
        }
        let (word, below) = (column / WORD, (1 << (column % WORD)) - 1);
        let (mut slots, fired) = (0_u64, &self.fired[word]);
        for (slot, fired) in fired[..self.number].iter().enumerate() {
            slots |= (fired >> (column % WORD) & 1) << slot;
        }
        for slot in ones(slots) {
            let mut draw = self.starts[slot] + (fired[slot] & below).count_ones() as usize;
            for words in &self.fired[..word] {
                draw += words[slot].count_ones() as usize;
            }
            pulses.push((direction(self.up[word][slot], column), self.noise[draw]));
        }
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) {
        self.number = 0;
    }

    /// Number of slots that wait.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The draws.
    #[inline(always)]
    pub(super) fn noise(&self) -> &[f32] {
        &self.noise
    }

    /// For each 64 columns, which fire in each slot and which go up.
    fn words(&self) -> impl Iterator<Item = (&[u64], &[u64])> {
        let number = self.number;
        self.fired.iter().zip(&self.up).map(move |(fired, up)| (&fired[..number], &up[..number]))
    }
}

/// The pulses that wait on 64 columns.
#[derive(Clone, Copy)]
struct Waiting<'a> {
    /// Slot by slot, which columns fire and which go up.
    fired: &'a [u64],
    up: &'a [u64],
    /// See [`lively`].
    lively: u64,
    /// The draws of the row.
    noise: &'a [f32],
}

impl Waiting<'_> {
    #[inline(always)]
    fn slot(&self, slot: usize) -> (u64, u64) {
        (self.fired[slot], self.up[slot])
    }

    /// In which slots any of `number` neighbours from column `column` on fires, a bit for each.
    #[inline(always)]
    fn slots_of(&self, column: usize, number: usize) -> u64 {
        let bytes = &self.lively.to_le_bytes()[column % WORD / BYTE..][..number.div_ceil(BYTE)];
        u64::from(bytes.iter().fold(0, |any, slots| any | slots))
    }

    /// Whether two lanes at a time would not wait for each other's slots.
    #[inline(always)]
    fn dense(&self) -> bool {
        2 * self.lively.count_ones() as usize > BYTE * self.fired.len()
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// The pulses that wait on the devices of the row, a lane or two at a time.
    #[inline(always)]
    pub(super) fn step_row<S: Simd>(&mut self, simd: S, slots: &Slots) {
        let (mut places, weights) = (slots.starts, std::mem::take(&mut self.lists.persistent));
        for ((fired, up), (word, weights)) in slots.words().zip(weights.chunks_mut(WORD).enumerate()) {
            let waiting = Waiting { fired, up, lively: lively(fired), noise: slots.noise() };
            // The constants of more than two lanes with costly steps, or without AVX-512, find no room in registers.
            if !D::COSTLY && 4 * S::F32_LANES == WORD && weights.len() == WORD && waiting.dense() {
                self.step_four(simd, waiting, WORD * word, weights, &mut places);
                continue;
            }
            let pairs = if waiting.dense() { weights.len() / (2 * S::F32_LANES) } else { 0 };
            let (pairs, rest) = weights.split_at_mut(pairs * 2 * S::F32_LANES);
            let (first, behind) = (WORD * word, WORD * word + pairs.len());
            for (k, weights) in pairs.chunks_exact_mut(2 * S::F32_LANES).enumerate() {
                self.step_two(simd, waiting, first + 2 * k * S::F32_LANES, weights, &mut places);
            }
            for (k, weights) in rest.chunks_mut(S::F32_LANES).enumerate() {
                self.step_one(simd, waiting, behind + k * S::F32_LANES, weights, &mut places);
            }
        }
        self.lists.persistent = weights;
    }

    /// The pulses of a lane from column `column` on, slot by slot; `places` is where the next draws of each slot lie.
    #[inline(always)]
    fn step_one<S: Simd>(
        &self,
        simd: S,
        waiting: Waiting<'_>,
        column: usize,
        weights: &mut [f32],
        places: &mut [usize; TOGETHER],
    ) {
        let slots = waiting.slots_of(column, S::F32_LANES);
        if slots == 0 {
            return;
        }
        let mut lane = self.lane(simd, column, weights);
        for slot in ones(slots) {
            lane.pulse(simd, self.shared.device, waiting.slot(slot), waiting.noise, &mut places[slot]);
        }
        lane.weights.store_some(weights);
    }

    /// The same of two neighbouring lanes, whose steps do not wait for each other.
    #[inline(always)]
    fn step_two<S: Simd>(
        &self,
        simd: S,
        waiting: Waiting<'_>,
        column: usize,
        weights: &mut [f32],
        places: &mut [usize; TOGETHER],
    ) {
        let slots = waiting.slots_of(column, 2 * S::F32_LANES);
        if slots == 0 {
            return;
        }
        let (a_weights, b_weights) = weights.split_at_mut(S::F32_LANES);
        let mut a = self.lane(simd, column, a_weights);
        let mut b = self.lane(simd, column + S::F32_LANES, b_weights);
        for slot in ones(slots) {
            a.pulse(simd, self.shared.device, waiting.slot(slot), waiting.noise, &mut places[slot]);
            b.pulse(simd, self.shared.device, waiting.slot(slot), waiting.noise, &mut places[slot]);
        }
        a.weights.store_some(a_weights);
        b.weights.store_some(b_weights);
    }

    /// The same of the four lanes that 64 columns are with AVX-512, through all slots.
    #[inline(always)]
    fn step_four<S: Simd>(
        &self,
        simd: S,
        waiting: Waiting<'_>,
        column: usize,
        weights: &mut [f32],
        places: &mut [usize; TOGETHER],
    ) {
        let width = S::F32_LANES;
        let (ab, cd) = weights.split_at_mut(2 * width);
        let (a_weights, b_weights) = ab.split_at_mut(width);
        let (c_weights, d_weights) = cd.split_at_mut(width);
        let mut a = self.lane(simd, column, a_weights);
        let mut b = self.lane(simd, column + width, b_weights);
        let mut c = self.lane(simd, column + 2 * width, c_weights);
        let mut d = self.lane(simd, column + 3 * width, d_weights);
        for (slot, place) in (0..waiting.fired.len()).zip(places) {
            let (pulses, mut next) = (waiting.slot(slot), *place);
            a.pulse(simd, self.shared.device, pulses, waiting.noise, &mut next);
            b.pulse(simd, self.shared.device, pulses, waiting.noise, &mut next);
            c.pulse(simd, self.shared.device, pulses, waiting.noise, &mut next);
            d.pulse(simd, self.shared.device, pulses, waiting.noise, &mut next);
            *place = next;
        }
        a.weights.store_some(a_weights);
        b.weights.store_some(b_weights);
        c.weights.store_some(c_weights);
        d.weights.store_some(d_weights);
    }
}
