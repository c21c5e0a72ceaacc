//! Numbers that lie one after another, put to the places of a lane whose bits are set.

use pulp::Simd;

/// Places that a byte of bits stands for.
pub(super) const LINED_UP: usize = 8;

/// +1 where a bit of the index is set, otherwise -1.
pub(super) static SIGNS: [[f32; LINED_UP]; 256] = signs();

/// For every place, how many bits of the index are set before it.
static RANKS: [[u32; LINED_UP]; 256] = ranks();

const fn signs() -> [[f32; LINED_UP]; 256] {
    let mut table = [[-1.0; LINED_UP]; 256];
    let mut at = 0;
    while at < 256 * LINED_UP {
        let (bits, place) = (at / LINED_UP, at % LINED_UP);
        if bits >> place & 1 == 1 {
            table[bits][place] = 1.0;
        }
        at += 1;
    }
    table
}

const fn ranks() -> [[u32; LINED_UP]; 256] {
    let mut table = [[0; LINED_UP]; 256];
    let mut at = 0;
    while at < 256 * LINED_UP {
        let (bits, place) = (at / LINED_UP, at % LINED_UP);
        table[bits][place] = (bits & ((1 << place) - 1)).count_ones();
        at += 1;
    }
    table
}

/// A lane that holds `numbers` in their order where `bits` are set, and any of them elsewhere.
///
/// At least [`LINED_UP`] numbers must follow, used or not.
#[inline(always)]
pub(super) fn spread<S: Simd>(simd: S, numbers: &[f32], bits: usize) -> S::f32s {
    let (numbers, ranks) = (&numbers[..LINED_UP], &RANKS[bits]);
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = (&simd as &dyn std::any::Any).downcast_ref::<pulp::x86::V3>() {
        let numbers: [f32; LINED_UP] = std::array::from_fn(|k| numbers[k]);
        let spread = v3.avx2._mm256_permutevar8x32_ps(bytemuck::cast(numbers), bytemuck::cast(*ranks));
        return bytemuck::cast(spread);
    }
    let mut lane = simd.splat_f32s(0.0);
    let places: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut lane));
    places.iter_mut().zip(ranks).for_each(|(place, rank)| *place = numbers[*rank as usize]);
    lane
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    /// Spreads 1, 2, … by every set of bits and looks at the places that are set.
    struct Check;

    impl WithSimd for Check {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let numbers: Vec<f32> = (1..=LINED_UP as u8).map(f32::from).collect();
            let sets = 1 << S::F32_LANES.min(LINED_UP);
            for (bits, signs) in SIGNS.iter().enumerate().take(sets) {
                let lane = spread(simd, &numbers, bits);
                let places: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&lane));
                let set = (0..places.len()).filter(|place| bits >> place & 1 == 1);
                let found: Vec<f32> = set.map(|place| places[place]).collect();
                assert_eq!(found, numbers[..found.len()], "{bits:#b}");
                assert!((0..LINED_UP).all(|k| (signs[k] > 0.0) == (bits >> k & 1 == 1)));
            }
        }
    }

    /// The k-th number stands at the k-th set bit, for all sets of 8 bits, in vector and scalar code.
    #[test]
    fn numbers_come_in_order_where_bits_are_set() {
        Arch::new().dispatch(Check);
        Arch::Scalar.dispatch(Check);
    }
}
