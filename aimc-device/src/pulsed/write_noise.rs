//! Write noise of a row: what is read of a device after its pulses.
//!
//! Every vector pair draws it anew for the devices that it pulsed, but only the last draw of a device is ever read. The draws
//! therefore wait until the row is finished or read.

use crate::pulsed::PulsedDevice;
use crate::pulsed::row::Row;
use crate::pulsed::slots::{WORD, count, ones};
use crate::rng::Stream;

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

    /// Lets the write noise of a vector pair wait: its slots of so many words each, and the stream of its draws.
    #[inline(always)]
    pub(super) fn read_later(&mut self, fired: &[u64], words: usize, draws: Stream) {
        let mut any = fired[..words].to_vec();
        for slot in fired.chunks_exact(words).skip(1) {
            any.iter_mut().zip(slot).for_each(|(any, fired)| *any |= fired);
        }
        self.scratch.written.push((any, draws));
    }

    /// Draws the write noise that waits. What is read depends on the last pulse only: the vector pairs are gone through
    /// from the last, and those that have no device left are not drawn.
    #[inline(always)]
    pub(super) fn write(&mut self) {
        let mut left = vec![u64::MAX; self.lists.persistent.len().div_ceil(64)];
        let mut written = std::mem::take(&mut self.scratch.written);
        for (fired, mut draws) in written.drain(..).rev() {
            if fired.iter().zip(&left).any(|(fired, left)| fired & left != 0) {
                self.write_those(&fired, &left, &mut draws);
                left.iter_mut().zip(&fired).for_each(|(left, fired)| *left &= !fired);
            }
        }
        self.scratch.written = written;
    }
}
