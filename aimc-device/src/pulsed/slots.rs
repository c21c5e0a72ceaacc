//! Time slots whose pulses wait for the devices of a row, so that several pass over the devices at a time.

use crate::pulsed::Direction;
use crate::pulsed::spread::LINED_UP;
use crate::rng::Stream;

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
    /// Draws of the devices that fire, slot by slot in the order of the columns, with some room behind so that a lane may
    /// be read anywhere.
    noise: Vec<f32>,
    /// Where the draws of each slot begin; behind the last slot, where the next ones go.
    starts: [usize; TOGETHER + 1],
}

/// In which of up to [`TOGETHER`] slots any of 8 neighbours fires: bit s of byte k is for slot s and the neighbours from
/// column 8·k on, given the bits of 64 columns for each slot.
#[inline(always)]
pub(super) fn lively(fired: &[u64]) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let mut lively = 0;
    for (slot, fired) in fired.iter().enumerate() {
        // The highest bit of each byte is set if any of its bits is: no byte carries into the next.
        let any = ((fired & (127 * LOW)) + 127 * LOW) | fired;
        lively |= (any >> 7 & LOW) << slot;
    }
    lively
}

/// In which slots any of `number` neighbours from column `column` on fires, a bit for each, given [`lively`] of its 64 columns.
#[inline(always)]
pub(super) fn any_of(lively: u64, column: usize, number: usize) -> u8 {
    let bytes = &lively.to_le_bytes()[column % 64 / 8..][..number.div_ceil(8)];
    bytes.iter().fold(0, |any, slots| any | slots)
}

/// Number of bits that are set.
#[inline(always)]
pub(super) fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// Number of bits that are set before that of a column.
#[inline(always)]
pub(super) fn rank(words: &[u64], column: usize) -> usize {
    let (word, bit) = (column / 64, column % 64);
    count(&words[..word]) + (words[word] & ((1 << bit) - 1)).count_ones() as usize
}

/// Visits the columns whose bits are set, in order: number among these, column.
#[inline(always)]
pub(super) fn visit(words: impl Iterator<Item = u64>, mut visit: impl FnMut(usize, usize)) {
    let mut place = 0;
    for (word, mut left) in words.enumerate() {
        while left != 0 {
            visit(place, 64 * word + left.trailing_zeros() as usize);
            place += 1;
            left &= left - 1;
        }
    }
}

/// The direction of a column.
#[inline(always)]
pub(super) fn direction(up: u64, column: usize) -> Direction {
    if up >> (column % 64) & 1 == 1 { Direction::Up } else { Direction::Down }
}

impl Slots {
    /// How many more may come.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        TOGETHER - self.number
    }

    /// Adds slots, no more than there is room for, of one vector pair: which columns fire, slot after slot, and which of
    /// them upwards. Draws come from `draws`, or are 0.
    #[inline(always)]
    pub(super) fn push(&mut self, fired: &[u64], up: &[u64], draws: Option<&mut Stream>) {
        let first = self.starts[self.number];
        self.fired.resize(up.len(), [0; TOGETHER]);
        self.up.resize(up.len(), [0; TOGETHER]);
        self.noise.resize(64 * up.len() * TOGETHER + LINED_UP, 0.0);
        for slot in fired.chunks_exact(up.len()) {
            let here = self.number;
            for ((word, fired), up) in slot.iter().enumerate().zip(up) {
                (self.fired[word][here], self.up[word][here]) = (*fired, *up);
            }
            self.starts[here + 1] = self.starts[here] + count(slot);
            self.number += 1;
        }
        if let Some(draws) = draws {
            draws.fill_normal(&mut self.noise[first..self.starts[self.number]]);
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
    pub(super) fn noise(&self) -> &[f32] {
        &self.noise
    }

    /// Where the draws of each slot begin.
    pub(super) fn starts(&self) -> [usize; TOGETHER] {
        std::array::from_fn(|slot| self.starts[slot])
    }

    /// For each 64 columns, which fire in each slot and which go up.
    pub(super) fn words(&self) -> impl Iterator<Item = (&[u64], &[u64])> {
        let number = self.number;
        self.fired.iter().zip(&self.up).map(move |(fired, up)| (&fired[..number], &up[..number]))
    }
}
