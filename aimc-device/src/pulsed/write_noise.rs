//! Write noise of a row: what is read of a device after its pulses.
//!
//! Every vector pair draws it anew for the devices that it pulsed, but only the last draw of a device is ever read. The draws
//! therefore wait until the row is finished or read.

use crate::pulsed::PulsedDevice;
use crate::pulsed::row::Row;
use crate::pulsed::slots::{WORD, count, ones, rank};
use crate::rng::{RngKey, Stream};

/// A vector pair whose write noise waits.
pub(super) struct Written {
    /// Which devices fired in any slot.
    any: Vec<u64>,
    /// Key of the draws, and how many of them the pulses took.
    key: RngKey,
    before: usize,
}

impl Written {
    /// The draws for the devices that fired in a row, from that with so many before it on.
    #[inline(always)]
    fn draws(&self, row: usize, rank: usize) -> Stream {
        let mut draws = self.key.stream(row as u64);
        draws.skip_normals(self.before + rank);
        draws
    }

    /// The draw of a device in a row; `None` if it did not fire.
    #[inline(always)]
    pub(super) fn draw_of(&self, row: usize, column: usize) -> Option<f32> {
        let fired = self.any[column / WORD] >> (column % WORD) & 1 == 1;
        fired.then(|| self.draws(row, rank(&self.any, column)).normal())
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// Draws write noise anew for devices that fired, see [`Row::write`]: for all of them, and uses it where they are `left`.
    #[inline(always)]
    pub(super) fn write_those(&mut self, fired: &[u64], left: &[u64], draws: &mut Stream) {
        let noise = &mut self.scratch.read;
        noise.resize(count(fired), 0.0);
        draws.fill_normal(noise);
        let mut before = 0;
        for (word, (fired, left)) in fired.iter().zip(left).enumerate() {
            for place in ones(fired & left) {
                let rank = before + (fired & ((1 << place) - 1)).count_ones() as usize;
                let column = WORD * word + place;
                self.lists.apparent[column] =
                    self.lists.persistent[column] + self.shared.write_std * noise[rank];
            }
            before += fired.count_ones() as usize;
        }
    }

    /// Lets the write noise of a vector pair wait: its slots of so many words each, and the key of its draws, of which so many come before.
    #[inline(always)]
    pub(super) fn read_later(&mut self, fired: &[u64], words: usize, key: RngKey, before: usize) {
        let mut any = fired[..words].to_vec();
        for slot in fired.chunks_exact(words).skip(1) {
            any.iter_mut().zip(slot).for_each(|(any, fired)| *any |= fired);
        }
        self.scratch.written.push(Written { any, key, before });
    }

    /// Draws the write noise that waits. What is read depends on the last pulse only: the vector pairs are gone through
    /// from the last, and those that have no device left are not drawn.
    #[inline(always)]
    pub(super) fn write(&mut self) {
        let mut left = vec![u64::MAX; self.lists.persistent.len().div_ceil(64)];
        let mut written = std::mem::take(&mut self.scratch.written);
        for written in written.drain(..).rev() {
            let fired = &written.any;
            if fired.iter().zip(&left).any(|(fired, left)| fired & left != 0) {
                self.write_those(fired, &left, &mut written.draws(self.lists.row, 0));
                left.iter_mut().zip(fired).for_each(|(left, fired)| *left &= !fired);
            }
        }
        self.scratch.written = written;
    }
}
