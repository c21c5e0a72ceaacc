//! Registers that hold the same row of several blocks, in sets of four for the whole blocks; sets take turns.

use super::{Address, Beginnings, Block, CONSTANTS};
use pulp::Simd;
use pulp::x86::{V3, V4};

/// A vector unit whose registers hold the same row of several blocks.
pub(super) trait Rows: Simd {
    const BLOCKS: usize;
    /// 0, 1, … for the first, second, … block, in the place of its number.
    const COUNT: Self::u64s;

    /// The same row for all blocks.
    fn spread(self, row: [u64; 2]) -> Self::u32s;
    /// A row for each block; those of the first ones.
    fn each(self, rows: [[u64; 2]; 4]) -> Self::u32s;
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
    fn each(self, rows: [[u64; 2]; 4]) -> pulp::u32x16 {
        bytemuck::cast(rows)
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
    fn each(self, [a, b, _, _]: [[u64; 2]; 4]) -> pulp::u32x8 {
        bytemuck::cast([a, b])
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

/// Sets that take turns, at most.
const SETS: usize = 3;

/// Blocks that are made at a time, at most, on any processor.
pub(super) const MOST: usize = 4 * SETS;

/// Makes the next blocks of a stream, from number `first` on, and returns how many these are.
#[inline(always)]
pub(super) fn of_one<S: Rows>(simd: S, address: Address, first: u64, blocks: &mut [Block]) -> usize {
    match blocks.len() / S::BLOCKS {
        1 => sets::<S, 1>(simd, address, first, blocks),
        2 => sets::<S, 2>(simd, address, first, blocks),
        _ => sets::<S, SETS>(simd, address, first, blocks),
    }
}

/// Makes the next blocks of some streams of number `index`, and returns how many these are.
#[inline(always)]
pub(super) fn of_each<S: Rows>(
    simd: S,
    next: &mut Beginnings<'_>,
    index: u64,
    blocks: &mut [Block],
) -> usize {
    match blocks.len().div_ceil(S::BLOCKS) {
        1 => sets_of_each::<S, 1>(simd, next, index, blocks),
        2 => sets_of_each::<S, 2>(simd, next, index, blocks),
        _ => sets_of_each::<S, SETS>(simd, next, index, blocks),
    }
}

/// Makes as many blocks as `SETS` sets of registers hold, of which there may be fewer.
#[inline(always)]
fn sets_of_each<S: Rows, const SETS: usize>(
    simd: S,
    next: &mut Beginnings<'_>,
    index: u64,
    made: &mut [Block],
) -> usize {
    let (mut keys, mut numbers) = ([simd.spread([0; 2]); SETS], [simd.spread([0; 2]); SETS]);
    for (keys, numbers) in keys.iter_mut().zip(&mut numbers) {
        let mut rows = ([[0; 2]; 4], [[0; 2]; 4]);
        for (of_keys, of_numbers) in rows.0.iter_mut().zip(&mut rows.1).take(S::BLOCKS) {
            if let Some((key, number, _)) = next.run(1) {
                (*of_keys, *of_numbers) = (key, [u64::from(number), index]);
            }
        }
        (*keys, *numbers) = (simd.each(rows.0), simd.each(rows.1));
    }
    let whole = SETS * S::BLOCKS;
    if made.len() >= whole {
        blocks(simd, keys, numbers, made);
        return whole;
    }
    let mut room = [[0; 16]; MOST];
    blocks(simd, keys, numbers, &mut room);
    made.copy_from_slice(&room[..made.len()]);
    made.len()
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
    let constants = simd.spread(bytemuck::cast(CONSTANTS));
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

/// Four quarter rounds of what four registers hold, for each set of these.
#[inline(always)]
pub(super) fn round<S: Simd, const SETS: usize>(simd: S, sets: &mut [[S::u32s; 4]; SETS]) {
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
