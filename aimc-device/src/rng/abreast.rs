//! Blocks of ChaCha side by side.
use pulp::x86::{V3, V4};
use pulp::{Simd, WithSimd, Arch};
use crate::lane::instructions;

const ROUNDS: usize = 8;
pub(super) const BLOCK: usize = 16;

trait Rows: Copy {
    type Row: Copy;
    const BLOCKS: usize;
    fn spread(self, row: [u32; 4]) -> Self::Row;
    fn counters(self, first: u64, index: u64) -> Self::Row;
    fn add(self, a: Self::Row, b: Self::Row) -> Self::Row;
    fn xor_rotate<const LEFT: i32, const RIGHT: i32>(self, a: Self::Row, b: Self::Row) -> Self::Row;
    fn turn<const ORDER: i32>(self, a: Self::Row) -> Self::Row;
    fn store(self, rows: [Self::Row; 4], out: &mut [[u32; BLOCK]]);
}

impl Rows for V4 {
    type Row = pulp::u32x16;
    const BLOCKS: usize = 4;
    #[inline(always)]
    fn spread(self, row: [u32; 4]) -> Self::Row { bytemuck::cast([row; 4]) }
    #[inline(always)]
    fn counters(self, first: u64, index: u64) -> Self::Row {
        let n = |k: u64| { [first.wrapping_add(k), index] };
        bytemuck::cast([n(0), n(1), n(2), n(3)])
    }
    #[inline(always)]
    fn add(self, a: Self::Row, b: Self::Row) -> Self::Row {
        bytemuck::cast(self.avx512f._mm512_add_epi32(bytemuck::cast(a), bytemuck::cast(b)))
    }
    #[inline(always)]
    fn xor_rotate<const LEFT: i32, const RIGHT: i32>(self, a: Self::Row, b: Self::Row) -> Self::Row {
        bytemuck::cast(self.avx512f._mm512_rol_epi32::<LEFT>(self.avx512f._mm512_xor_si512(bytemuck::cast(a), bytemuck::cast(b))))
    }
    #[inline(always)]
    fn turn<const ORDER: i32>(self, a: Self::Row) -> Self::Row {
        bytemuck::cast(self.avx512f._mm512_shuffle_epi32::<ORDER>(bytemuck::cast(a)))
    }
    #[inline(always)]
    fn store(self, rows: [Self::Row; 4], out: &mut [[u32; BLOCK]]) {
        let rows: [[[u32; 4]; 4]; 4] = bytemuck::cast(rows);
        for (k, out) in out[..4].iter_mut().enumerate() {
            *out = bytemuck::cast([rows[0][k], rows[1][k], rows[2][k], rows[3][k]]);
        }
    }
}

#[inline(always)]
fn group<R: Rows, const CHAINS: usize>(simd: R, seed: &[[u32; 4]; 2], index: u64, first: u64, out: &mut [[u32; BLOCK]]) {
    let top = simd.spread([0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574]);
    let (b0, c0) = (simd.spread(seed[0]), simd.spread(seed[1]));
    let mut start = [[top, b0, c0, top]; CHAINS];
    for (k, s) in start.iter_mut().enumerate() {
        s[3] = simd.counters(first.wrapping_add((k * R::BLOCKS) as u64), index);
    }
    let mut x = start;
    for _ in 0..ROUNDS / 2 {
        quarter::<R, CHAINS>(simd, &mut x);
        for x in &mut x { x[1] = simd.turn::<0b00_11_10_01>(x[1]); x[2] = simd.turn::<0b01_00_11_10>(x[2]); x[3] = simd.turn::<0b10_01_00_11>(x[3]); }
        quarter::<R, CHAINS>(simd, &mut x);
        for x in &mut x { x[1] = simd.turn::<0b10_01_00_11>(x[1]); x[2] = simd.turn::<0b01_00_11_10>(x[2]); x[3] = simd.turn::<0b00_11_10_01>(x[3]); }
    }
    for (k, (x, s)) in x.iter().zip(&start).enumerate() {
        let rows = [simd.add(x[0], s[0]), simd.add(x[1], s[1]), simd.add(x[2], s[2]), simd.add(x[3], s[3])];
        simd.store(rows, &mut out[k * R::BLOCKS..]);
    }
}

#[inline(always)]
fn quarter<R: Rows, const CHAINS: usize>(simd: R, x: &mut [[R::Row; 4]; CHAINS]) {
    for x in x.iter_mut() { x[0] = simd.add(x[0], x[1]); x[3] = simd.xor_rotate::<16, 16>(x[3], x[0]); }
    for x in x.iter_mut() { x[2] = simd.add(x[2], x[3]); x[1] = simd.xor_rotate::<12, 20>(x[1], x[2]); }
    for x in x.iter_mut() { x[0] = simd.add(x[0], x[1]); x[3] = simd.xor_rotate::<8, 24>(x[3], x[0]); }
    for x in x.iter_mut() { x[2] = simd.add(x[2], x[3]); x[1] = simd.xor_rotate::<7, 25>(x[1], x[2]); }
}

pub(super) fn fill(seed: &[u8; 32], index: u64, first: u64, out: &mut [u32]) -> usize {
    Arch::new().dispatch(Fill { seed, index, first, out })
}

struct Fill<'a> { seed: &'a [u8; 32], index: u64, first: u64, out: &'a mut [u32] }

impl WithSimd for Fill<'_> {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let (blocks, _) = self.out.as_chunks_mut::<BLOCK>();
        let seed: [[u32; 4]; 2] = bytemuck::cast(*self.seed);
        let mut done = 0;
        if let Some(v4) = instructions::<V4>(&simd) {
            while blocks.len() - done >= 12 {
                group::<V4, 3>(*v4, &seed, self.index, self.first.wrapping_add(done as u64), &mut blocks[done..done + 12]);
                done += 12;
            }
            while blocks.len() - done >= 4 {
                group::<V4, 1>(*v4, &seed, self.index, self.first.wrapping_add(done as u64), &mut blocks[done..done + 4]);
                done += 4;
            }
        }
        done * BLOCK
    }
}
