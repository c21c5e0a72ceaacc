//! ChaCha with 8 rounds (Bernstein 2008, "ChaCha, a variant of Salsa20"), several blocks side by side.
//!
//! The words are those of `rand_chacha`, which makes them where there is no AVX2: the library works on four blocks at a time,
//! whose operations wait for each other, and hands them over through a list of its own. A block is a square of 4 × 4 words; here
//! a register holds the same row of two blocks (AVX2) or four (AVX-512), see `rows`, or the same word of sixteen, see `words`.

#[cfg(target_arch = "x86_64")]
mod rows;
#[cfg(target_arch = "x86_64")]
mod words;

use pulp::{Arch, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Words of a block.
pub(super) type Block = [u32; 16];
/// Blocks of one stream are made in groups of so many.
pub(super) const GROUP: usize = 4;

/// The first row of every block: "expand 32-byte k".
#[cfg(target_arch = "x86_64")]
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574];

/// A stream of words: the first half of the key, of which the other is 0, and the number of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    pub(super) key: [u64; 2],
    pub(super) index: u64,
}

/// Makes the words of a stream from block number `next` on, whole groups of blocks, and goes on to the block behind them.
pub(super) fn fill(address: Address, next: &mut u64, words: &mut [u32]) {
    let (blocks, rest) = words.as_chunks_mut();
    debug_assert!(blocks.len().is_multiple_of(GROUP) && rest.is_empty());
    let first = *next;
    *next = first.wrapping_add(blocks.len() as u64);
    Arch::new().dispatch(Made(Fill { address, first, blocks }));
}

/// Makes the blocks with which streams number `index` of some keys begin, as many of each as its `number` says.
pub(super) fn begin(keys: &[[u64; 2]], numbers: &[usize], index: u64, blocks: &mut [Block]) {
    Arch::new().dispatch(Made(Begin { streams: Beginnings::new(keys, numbers), index, blocks }));
}

/// Blocks that are to be made, by the vector units that the processor has.
trait Make {
    #[cfg(target_arch = "x86_64")]
    fn by_rows<S: rows::Rows>(self, simd: S);
    #[cfg(target_arch = "x86_64")]
    fn by_words(self, simd: pulp::x86::V4);
    fn by_the_library(self);
}

struct Made<M>(M);

impl<M: Make> WithSimd for Made<M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        {
            use crate::lane::instructions;
            use pulp::x86::{V3, V4};
            if let Some(v4) = instructions::<V4>(&simd) {
                return self.0.by_words(*v4);
            }
            if let Some(v3) = instructions::<V3>(&simd) {
                return self.0.by_rows(*v3);
            }
        }
        let _ = simd;
        self.0.by_the_library();
    }
}

/// The blocks of a stream from number `first` on.
struct Fill<'a> {
    address: Address,
    first: u64,
    blocks: &'a mut [Block],
}

impl Make for Fill<'_> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn by_rows<S: rows::Rows>(self, simd: S) {
        let Self { address, mut first, mut blocks } = self;
        while !blocks.is_empty() {
            let made = rows::of_one(simd, address, first, blocks);
            first = first.wrapping_add(made as u64);
            blocks = &mut blocks[made..];
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn by_words(self, simd: pulp::x86::V4) {
        let Self { address, mut first, blocks } = self;
        let (groups, blocks) = blocks.as_chunks_mut();
        for group in groups {
            words::of_one(simd, address, first, group);
            first = first.wrapping_add(group.len() as u64);
        }
        Fill { address, first, blocks }.by_rows(simd);
    }

    fn by_the_library(self) {
        let Self { address: Address { key, index }, first, blocks } = self;
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(key) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut words = ChaCha8Rng::from_seed(seed);
        words.set_stream(index);
        words.set_word_pos(u128::from(first) * size_of::<Block>() as u128 / 4);
        words.fill_bytes(bytemuck::cast_slice_mut(blocks));
        if cfg!(target_endian = "big") {
            blocks.as_flattened_mut().iter_mut().for_each(|word| *word = u32::from_le(*word));
        }
    }
}

/// The blocks with which some streams begin.
struct Begin<'a> {
    streams: Beginnings<'a>,
    index: u64,
    blocks: &'a mut [Block],
}

impl Make for Begin<'_> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn by_rows<S: rows::Rows>(self, simd: S) {
        let Self { mut streams, index, mut blocks } = self;
        while !blocks.is_empty() {
            let made = rows::of_each(simd, &mut streams, index, blocks);
            blocks = &mut blocks[made..];
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn by_words(self, simd: pulp::x86::V4) {
        let Self { mut streams, index, mut blocks } = self;
        while blocks.len() > rows::MOST {
            let made = words::of_each(simd, &mut streams, index, blocks);
            blocks = &mut blocks[made..];
        }
        Begin { streams, index, blocks }.by_rows(simd);
    }

    fn by_the_library(self) {
        let Self { mut streams, index, mut blocks } = self;
        while let Some((key, first, length)) = streams.run(blocks.len()) {
            let (own, rest) = blocks.split_at_mut(length);
            Fill { address: Address { key, index }, first: first.into(), blocks: own }.by_the_library();
            blocks = rest;
        }
    }
}

/// Goes through the first blocks of streams, as many of each as there are to be.
struct Beginnings<'a> {
    keys: &'a [[u64; 2]],
    numbers: &'a [usize],
    block: usize,
}

impl<'a> Beginnings<'a> {
    fn new(keys: &'a [[u64; 2]], numbers: &'a [usize]) -> Self {
        Self { keys, numbers, block: 0 }
    }

    /// Up to `most` blocks that come next and are of one stream: its key, number of the first block, how many. `None` behind the
    /// last one.
    #[inline(always)]
    fn run(&mut self, most: usize) -> Option<([u64; 2], u32, usize)> {
        if most == 0 {
            return None;
        }
        while let (Some(key), Some(number)) = (self.keys.first(), self.numbers.first()) {
            let first = self.block;
            if first < *number {
                let length = most.min(number - first);
                self.block += length;
                return Some((*key, first as u32, length));
            }
            (self.keys, self.numbers, self.block) = (&self.keys[1..], &self.numbers[1..], 0);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(64))]

        /// Whatever the processor, the words are those of the library: all keys, streams and numbers of groups, also where the
        /// number of the block, or its lower half, comes to its end.
        #[test]
        fn the_words_are_those_of_the_library(
            key: [u64; 2],
            index: u64,
            first in prop_oneof![0..100_u64, any::<u64>(), (1 << 32) - 30..=1_u64 << 32, u64::MAX - 30..=u64::MAX],
            groups in 0..13_usize,
        ) {
            let address = Address { key, index };
            let mut expected = vec![[0; 16]; groups * GROUP];
            Fill { address, first, blocks: &mut expected }.by_the_library();
            for unit in lane::units() {
                let mut blocks = vec![[0; 16]; groups * GROUP];
                unit.dispatch(Made(Fill { address, first, blocks: &mut blocks }));
                prop_assert_eq!(&blocks, &expected);
            }
        }

        /// The beginnings of several streams are those of each.
        #[test]
        fn streams_begin_as_they_do_alone(
            streams in proptest::collection::vec((any::<[u64; 2]>(), 0..20_usize), 0..20),
            index: u64,
        ) {
            let (keys, numbers): (Vec<_>, Vec<_>) = streams.into_iter().unzip();
            let mut expected = Vec::new();
            for (key, number) in keys.iter().zip(&numbers) {
                let mut blocks = vec![[0; 16]; *number];
                Fill { address: Address { key: *key, index }, first: 0, blocks: &mut blocks }.by_the_library();
                expected.append(&mut blocks);
            }
            for unit in lane::units().into_iter().chain([Arch::Scalar]) {
                let mut blocks = vec![[0; 16]; expected.len()];
                let streams = Beginnings::new(&keys, &numbers);
                unit.dispatch(Made(Begin { streams, index, blocks: &mut blocks }));
                prop_assert_eq!(&blocks, &expected);
            }
        }
    }
}
