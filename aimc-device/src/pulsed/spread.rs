//! Sets of the devices of a lane as bits, and numbers that lie one after another, put to the places of such a set.

use pulp::Simd;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

#[cfg(target_arch = "x86_64")]
use crate::lane::instructions;

/// Devices of the widest lane there is; the narrower ones divide it.
pub(super) const LINED_UP: usize = 16;

/// Places that a byte of bits stands for.
pub(super) const BYTE: usize = 8;

/// The bit of each place.
static PLACES: [u32; BYTE] = [1, 2, 4, 8, 16, 32, 64, 128];

/// For every place, how many bits of the index are set before it.
static RANKS: [[u8; BYTE]; 256] = ranks();

const fn ranks() -> [[u8; BYTE]; 256] {
    let mut table = [[0; BYTE]; 256];
    let mut at = 0;
    while at < 256 * BYTE {
        let (bits, place) = (at / BYTE, at % BYTE);
        table[bits][place] = (bits & ((1 << place) - 1)).count_ones() as u8;
        at += 1;
    }
    table
}

/// All places of a lane.
#[inline(always)]
pub(super) fn all<S: Simd>() -> u64 {
    (1 << S::F32_LANES.min(LINED_UP)) - 1
}

/// For every place, whether its bit of the index is set: all bits or none.
#[cfg(target_arch = "x86_64")]
static CHOSEN: [[i8; BYTE]; 256] = {
    let mut table = [[0; BYTE]; 256];
    let mut at = 0;
    while at < 256 * BYTE {
        let (bits, place) = (at / BYTE, at % BYTE);
        table[bits][place] = -((bits >> place & 1) as i8);
        at += 1;
    }
    table
};

/// `mask` as one of the instructions `S`, if it is.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn as_mask<S: Simd, M: 'static>(mask: M) -> Option<S::m32s> {
    (&mask as &dyn std::any::Any).downcast_ref().copied()
}

/// The places of a lane whose bits are set.
#[inline(always)]
pub(super) fn chosen<S: Simd>(simd: S, bits: u64) -> S::m32s {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(chosen) = as_mask::<S, _>(pulp::b16(bits as u16)) {
            return chosen;
        }
        if let Some(v3) = instructions::<V3>(&simd) {
            let places: [u64; 2] = [bytemuck::cast(CHOSEN[bits as usize]), 0];
            let chosen: pulp::m32x8 = bytemuck::cast(v3.avx2._mm256_cvtepi8_epi32(bytemuck::cast(places)));
            if let Some(chosen) = as_mask::<S, _>(chosen) {
                return chosen;
            }
        }
    }
    let places = S::as_simd_u32s(&PLACES[..S::F32_LANES]).0[0];
    simd.equal_u32s(simd.and_u32s(simd.splat_u32s(bits as u32), places), places)
}

/// The first of `numbers`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn first(numbers: &[f32]) -> [f32; BYTE] {
    numbers.as_chunks().0[0]
}

/// A lane that holds `numbers` in their order where `bits` are set, and any of them elsewhere.
///
/// At least [`LINED_UP`] numbers must follow, used or not.
#[inline(always)]
pub(super) fn spread<S: Simd>(simd: S, numbers: &[f32], bits: u64) -> S::f32s {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = instructions::<V4>(&simd) {
        // Byte by byte: one instruction would do, which on some processors takes longer than these.
        let (low, high) = (bits & 0xFF, bits >> BYTE);
        let (numbers, next) = (&numbers[..LINED_UP], low.count_ones() as usize);
        let halves = [first(numbers), first(&numbers[next..])];
        let ranks = [RANKS[low as usize], RANKS[high as usize]].map(u64::from_le_bytes);
        let places =
            v4.avx512f._mm512_cvtepu8_epi32(bytemuck::cast([ranks[0], ranks[1] | 0x0808_0808_0808_0808]));
        return bytemuck::cast(v4.avx512f._mm512_permutexvar_ps(places, bytemuck::cast(halves)));
    }
    let (numbers, ranks) = (&numbers[..BYTE], &RANKS[bits as usize]);
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = instructions::<V3>(&simd) {
        let ranks = v3.avx2._mm256_cvtepu8_epi32(bytemuck::cast([u64::from_le_bytes(*ranks), 0]));
        let spread = v3.avx2._mm256_permutevar8x32_ps(bytemuck::cast(first(numbers)), ranks);
        return bytemuck::cast(spread);
    }
    let mut lane = simd.splat_f32s(0.0);
    let places: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut lane));
    places.iter_mut().zip(ranks).for_each(|(place, rank)| *place = numbers[usize::from(*rank)]);
    lane
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::units;
    use pulp::{Arch, WithSimd};

    /// Spreads 1, 2, … by every set of bits and looks at the places that are set, and at those that are not.
    struct Check;

    impl WithSimd for Check {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let numbers: Vec<f32> = (1..=LINED_UP as u8).map(f32::from).collect();
            for bits in 0..=all::<S>() {
                let (lane, rest) = (spread(simd, &numbers, bits), simd.splat_f32s(-1.0));
                let lane = simd.select_f32s(chosen(simd, bits), lane, rest);
                let places: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&lane));
                let mut next = numbers.iter();
                for (place, found) in places.iter().enumerate() {
                    let expected = if bits >> place & 1 == 1 { next.next() } else { Some(&-1.0) };
                    assert_eq!(Some(found), expected, "{bits:#b}");
                }
            }
        }
    }

    /// The k-th number stands at the k-th set bit, for all sets of bits, in vector code of every width and in scalar code.
    #[test]
    fn numbers_come_in_order_where_bits_are_set() {
        units().into_iter().for_each(|arch| arch.dispatch(Check));
        Arch::Scalar.dispatch(Check);
    }
}
