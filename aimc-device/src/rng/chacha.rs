//! ChaCha with 8 rounds (Bernstein 2008, "ChaCha, a variant of Salsa20"), several blocks side by side.
//!
//! The words are those of `rand_chacha`, which makes them where there is no AVX2: the library works on four blocks at a time,
//! whose operations wait for each other, and hands them over through a list of its own. A block is a square of 4 × 4 words; here
//! a register holds the same row of two blocks (AVX2) or four (AVX-512), and three sets of registers take turns.

use pulp::{Arch, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
#[cfg(target_arch = "x86_64")]
use side_by_side::{several_streams, side_by_side};

/// Words of a block.
pub(super) type Block = [u32; 16];
/// Blocks are made in groups of so many.
pub(super) const GROUP: usize = 4;

/// Blocks of each stream where the beginnings of several are made.
pub(super) const BEGINNING: usize = 2;

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
    Arch::new().dispatch(Fill { address, first, blocks });
}

struct Fill<'a> {
    address: Address,
    first: u64,
    blocks: &'a mut [Block],
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        {
            use crate::lane::instructions;
            use pulp::x86::{V3, V4};
            if let Some(v4) = instructions::<V4>(&simd) {
                return side_by_side(*v4, self);
            }
            if let Some(v3) = instructions::<V3>(&simd) {
                return side_by_side(*v3, self);
            }
        }
        let _ = simd;
        by_the_library(self);
    }
}

/// Makes the beginnings of the streams number `index` of some keys.
pub(super) fn begin(keys: &[[u64; 2]], index: u64, streams: &mut [[Block; BEGINNING]]) {
    Arch::new().dispatch(Begin { keys, index, streams });
}

struct Begin<'a> {
    keys: &'a [[u64; 2]],
    index: u64,
    streams: &'a mut [[Block; BEGINNING]],
}

impl WithSimd for Begin<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        {
            use crate::lane::instructions;
            use pulp::x86::{V3, V4};
            if let Some(v4) = instructions::<V4>(&simd) {
                return several_streams(*v4, self);
            }
            if let Some(v3) = instructions::<V3>(&simd) {
                return several_streams(*v3, self);
            }
        }
        let _ = simd;
        for (key, blocks) in self.keys.iter().zip(self.streams) {
            by_the_library(Fill { address: Address { key: *key, index: self.index }, first: 0, blocks });
        }
    }
}

fn by_the_library(Fill { address: Address { key, index }, first, blocks }: Fill) {
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

#[cfg(target_arch = "x86_64")]
mod side_by_side {
    use super::{Address, BEGINNING, Begin, Block, Fill};
    use pulp::Simd;
    use pulp::x86::{V3, V4};

    /// A vector unit whose registers hold the same row of several blocks.
    pub(super) trait Rows: Simd {
        const BLOCKS: usize;
        /// 0, 1, … for the first, second, … block, in the place of its number.
        const COUNT: Self::u64s;

        /// The same row for all blocks.
        fn spread(self, row: [u64; 2]) -> Self::u32s;
        /// A row for every [`BEGINNING`] blocks: the keys of streams.
        fn keys(self, rows: &[[u64; 2]]) -> Self::u32s;
        /// The numbers of these blocks, in streams of number `index`.
        fn numbers(self, index: u64) -> Self::u32s;
        /// Each row in the order `ORDER`, two bits for a word, the last word's first.
        fn permute<const ORDER: i32>(self, rows: Self::u32s) -> Self::u32s;
        /// Puts four rows of each block together.
        fn assemble(self, rows: [Self::u32s; 4], blocks: &mut [Block]);
    }

    impl Rows for V4 {
        const BLOCKS: usize = 4;
        const COUNT: pulp::u64x8 = pulp::u64x8(0, 0, 1, 0, 2, 0, 3, 0);

        #[inline(always)]
        fn spread(self, row: [u64; 2]) -> pulp::u32x16 {
            bytemuck::cast([row; 4])
        }

        #[inline(always)]
        fn keys(self, rows: &[[u64; 2]]) -> pulp::u32x16 {
            bytemuck::cast([rows[0], rows[0], rows[1], rows[1]])
        }

        #[inline(always)]
        fn numbers(self, index: u64) -> pulp::u32x16 {
            bytemuck::cast([[0, index], [1, index], [0, index], [1, index]])
        }

        #[inline(always)]
        fn permute<const ORDER: i32>(self, rows: pulp::u32x16) -> pulp::u32x16 {
            bytemuck::cast(self.avx512f._mm512_shuffle_epi32::<ORDER>(bytemuck::cast(rows)))
        }

        #[inline(always)]
        fn assemble(self, rows: [pulp::u32x16; 4], blocks: &mut [Block]) {
            const LOWER: i32 = 0b01_00_01_00;
            const UPPER: i32 = 0b11_10_11_10;
            const EVEN: i32 = 0b10_00_10_00;
            const ODD: i32 = 0b11_01_11_01;
            let unit = self.avx512f;
            let [a, b, c, d] = rows.map(bytemuck::cast);
            let ab = unit._mm512_shuffle_i32x4::<LOWER>(a, b);
            let cd = unit._mm512_shuffle_i32x4::<LOWER>(c, d);
            blocks[0] = bytemuck::cast(unit._mm512_shuffle_i32x4::<EVEN>(ab, cd));
            blocks[1] = bytemuck::cast(unit._mm512_shuffle_i32x4::<ODD>(ab, cd));
            let ab = unit._mm512_shuffle_i32x4::<UPPER>(a, b);
            let cd = unit._mm512_shuffle_i32x4::<UPPER>(c, d);
            blocks[2] = bytemuck::cast(unit._mm512_shuffle_i32x4::<EVEN>(ab, cd));
            blocks[3] = bytemuck::cast(unit._mm512_shuffle_i32x4::<ODD>(ab, cd));
        }
    }

    impl Rows for V3 {
        const BLOCKS: usize = 2;
        const COUNT: pulp::u64x4 = pulp::u64x4(0, 0, 1, 0);

        #[inline(always)]
        fn spread(self, row: [u64; 2]) -> pulp::u32x8 {
            bytemuck::cast([row; 2])
        }

        #[inline(always)]
        fn keys(self, rows: &[[u64; 2]]) -> pulp::u32x8 {
            bytemuck::cast([rows[0]; 2])
        }

        #[inline(always)]
        fn numbers(self, index: u64) -> pulp::u32x8 {
            bytemuck::cast([[0, index], [1, index]])
        }

        #[inline(always)]
        fn permute<const ORDER: i32>(self, rows: pulp::u32x8) -> pulp::u32x8 {
            bytemuck::cast(self.avx2._mm256_shuffle_epi32::<ORDER>(bytemuck::cast(rows)))
        }

        #[inline(always)]
        fn assemble(self, rows: [pulp::u32x8; 4], blocks: &mut [Block]) {
            const FIRST: i32 = 0x20;
            const SECOND: i32 = 0x31;
            let unit = self.avx2;
            let [a, b, c, d] = rows.map(bytemuck::cast);
            blocks[0] = bytemuck::cast([
                unit._mm256_permute2x128_si256::<FIRST>(a, b),
                unit._mm256_permute2x128_si256::<FIRST>(c, d),
            ]);
            blocks[1] = bytemuck::cast([
                unit._mm256_permute2x128_si256::<SECOND>(a, b),
                unit._mm256_permute2x128_si256::<SECOND>(c, d),
            ]);
        }
    }

    #[inline(always)]
    pub(super) fn side_by_side<S: Rows>(simd: S, Fill { address, mut first, mut blocks }: Fill) {
        while !blocks.is_empty() {
            let made = match blocks.len() / S::BLOCKS {
                1 => sets::<S, 1>(simd, address, first, blocks),
                2 => sets::<S, 2>(simd, address, first, blocks),
                _ => sets::<S, 3>(simd, address, first, blocks),
            };
            first = first.wrapping_add(made as u64);
            blocks = &mut blocks[made..];
        }
    }

    /// See [`super::begin`]: as many streams at a time as three sets of registers hold.
    #[inline(always)]
    pub(super) fn several_streams<S: Rows>(simd: S, Begin { keys, index, streams }: Begin) {
        const SETS: usize = 3;
        let (in_set, number) = (S::BLOCKS / BEGINNING, SETS * S::BLOCKS / BEGINNING);
        let numbers = simd.numbers(index);
        let mut made = [[0; 16]; 4 * SETS];
        for (keys, streams) in keys.chunks(number).zip(streams.chunks_mut(number)) {
            let mut all = [[0; 2]; 2 * SETS];
            all[..keys.len()].copy_from_slice(keys);
            let keys = std::array::from_fn(|set| simd.keys(&all[set * in_set..]));
            blocks::<S, SETS>(simd, keys, [numbers; SETS], &mut made);
            streams.copy_from_slice(&made.as_chunks().0[..streams.len()]);
        }
    }

    /// Makes as many blocks of a stream as `SETS` sets of registers hold, and returns how many these are.
    #[inline(always)]
    fn sets<S: Rows, const SETS: usize>(
        simd: S,
        Address { key, index }: Address,
        first: u64,
        made: &mut [Block],
    ) -> usize {
        let numbers: [S::u32s; SETS] = std::array::from_fn(|set| {
            let first = simd.spread([first.wrapping_add((set * S::BLOCKS) as u64), index]);
            bytemuck::cast(simd.add_u64s(bytemuck::cast(first), S::COUNT))
        });
        blocks(simd, [simd.spread(key); SETS], numbers, made);
        SETS * S::BLOCKS
    }

    /// Makes the blocks of `SETS` sets of registers with these rows of keys and numbers.
    #[inline(always)]
    fn blocks<S: Rows, const SETS: usize>(
        simd: S,
        keys: [S::u32s; SETS],
        numbers: [S::u32s; SETS],
        made: &mut [Block],
    ) {
        let constants = simd.spread([0x3320_646E_6170_7865, 0x6B20_6574_7962_2D32]);
        let zero = simd.spread([0, 0]);
        let mut sets: [_; SETS] = std::array::from_fn(|set| [constants, keys[set], zero, numbers[set]]);
        for _ in 0..4 {
            round(simd, &mut sets);
            for [_, b, c, d] in &mut sets {
                *b = simd.permute::<0b00_11_10_01>(*b);
                *c = simd.permute::<0b01_00_11_10>(*c);
                *d = simd.permute::<0b10_01_00_11>(*d);
            }
            round(simd, &mut sets);
            for [_, b, c, d] in &mut sets {
                *b = simd.permute::<0b10_01_00_11>(*b);
                *c = simd.permute::<0b01_00_11_10>(*c);
                *d = simd.permute::<0b00_11_10_01>(*d);
            }
        }
        for (set, [a, b, c, d]) in sets.into_iter().enumerate() {
            let rows =
                [simd.add_u32s(a, constants), simd.add_u32s(b, keys[set]), c, simd.add_u32s(d, numbers[set])];
            simd.assemble(rows, &mut made[set * S::BLOCKS..]);
        }
    }

    /// The four quarter rounds of each block.
    #[inline(always)]
    fn round<S: Rows, const SETS: usize>(simd: S, sets: &mut [[S::u32s; 4]; SETS]) {
        for [a, b, _, d] in &mut *sets {
            *a = simd.add_u32s(*a, *b);
            *d = rotated::<S, 16>(simd.xor_u32s(*d, *a));
        }
        for [_, b, c, d] in &mut *sets {
            *c = simd.add_u32s(*c, *d);
            *b = rotated::<S, 12>(simd.xor_u32s(*b, *c));
        }
        for [a, b, _, d] in &mut *sets {
            *a = simd.add_u32s(*a, *b);
            *d = rotated::<S, 8>(simd.xor_u32s(*d, *a));
        }
        for [_, b, c, d] in &mut *sets {
            *c = simd.add_u32s(*c, *d);
            *b = rotated::<S, 7>(simd.xor_u32s(*b, *c));
        }
    }

    /// Every word turned left by some bits.
    #[inline(always)]
    fn rotated<S: Simd, const BITS: u32>(mut words: S::u32s) -> S::u32s {
        let elements: &mut [u32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut words));
        elements.iter_mut().for_each(|word| *word = word.rotate_left(BITS));
        words
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
        /// number of the block comes to its end.
        #[test]
        fn the_words_are_those_of_the_library(
            key: [u64; 2],
            index: u64,
            first in prop_oneof![0..100_u64, any::<u64>(), u64::MAX - 30..=u64::MAX],
            groups in 0..9_usize,
        ) {
            let address = Address { key, index };
            let mut expected = vec![[0; 16]; groups * GROUP];
            by_the_library(Fill { address, first, blocks: &mut expected });
            for unit in lane::units() {
                let mut blocks = vec![[0; 16]; groups * GROUP];
                unit.dispatch(Fill { address, first, blocks: &mut blocks });
                prop_assert_eq!(&blocks, &expected);
            }
        }

        /// The beginnings of several streams are those of each.
        #[test]
        fn streams_begin_as_they_do_alone(keys in proptest::collection::vec(any::<[u64; 2]>(), 0..20), index: u64) {
            let begin = |key: &[u64; 2]| {
                let mut blocks = [[0; 16]; BEGINNING];
                by_the_library(Fill { address: Address { key: *key, index }, first: 0, blocks: &mut blocks });
                blocks
            };
            let expected: Vec<_> = keys.iter().map(begin).collect();
            for unit in lane::units().into_iter().chain([Arch::Scalar]) {
                let mut streams = vec![[[0; 16]; BEGINNING]; keys.len()];
                unit.dispatch(Begin { keys: &keys, index, streams: &mut streams });
                prop_assert_eq!(&streams, &expected);
            }
        }
    }
}
