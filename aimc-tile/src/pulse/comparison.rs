//! Many random words against as many thresholds at once: which lines fire in a slot.

#[cfg(target_arch = "x86_64")]
use aimc_device::lane::instructions;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};
use pulp::{Arch, Simd, WithSimd};

/// Lines that are compared at a time, a bit for each.
pub(crate) const BITS: usize = 64;

/// For every [`BITS`] words which of them are not above their thresholds; the last ones may be fewer.
pub(crate) fn not_above(words: &[u32], thresholds: &[u32], bits: &mut [u64]) {
    Arch::new().dispatch(Comparison { words, thresholds, bits });
}

struct Comparison<'a> {
    words: &'a [u32],
    thresholds: &'a [u32],
    bits: &'a mut [u64],
}

impl WithSimd for Comparison<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let groups = self.words.chunks(BITS).zip(self.thresholds.chunks(BITS));
        for ((words, thresholds), bits) in groups.zip(self.bits) {
            *bits = lines_not_above(simd, words, thresholds);
        }
    }
}

/// The same for up to [`BITS`] words.
#[inline(always)]
pub(crate) fn lines_not_above<S: Simd>(simd: S, words: &[u32], thresholds: &[u32]) -> u64 {
    let (mut all, mut place) = (0, 0);
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = instructions::<V4>(&simd) {
        for (words, thresholds) in words.as_chunks::<16>().0.iter().zip(thresholds.as_chunks::<16>().0) {
            let (words, thresholds) = (bytemuck::cast(*words), bytemuck::cast(*thresholds));
            all |= u64::from(v4.avx512f._mm512_cmple_epu32_mask(words, thresholds)) << place;
            place += 16;
        }
    }
    let (word_lanes, words) = words[place..].as_chunks::<8>();
    let (threshold_lanes, thresholds) = thresholds[place..].as_chunks::<8>();
    for (words, thresholds) in word_lanes.iter().zip(threshold_lanes) {
        all |= u64::from(eight_not_above(simd, words, thresholds)) << place;
        place += 8;
    }
    for (word, threshold) in words.iter().zip(thresholds) {
        all |= u64::from(word <= threshold) << place;
        place += 1;
    }
    all
}

/// Which of up to [`BITS`] numbers are not 0, and which of them are above 0.
#[inline(always)]
pub(crate) fn signs<S: Simd>(simd: S, numbers: &[f32]) -> (u64, u64) {
    if let Some(numbers) = numbers.as_array() {
        return signs_of_all(simd, numbers);
    }
    let mut all = [0.0; BITS];
    all[..numbers.len()].copy_from_slice(numbers);
    signs_of_all(simd, &all)
}

/// The same of as many numbers.
#[inline(always)]
fn signs_of_all<S: Simd>(simd: S, numbers: &[f32; BITS]) -> (u64, u64) {
    let bits: &[u32; BITS] = bytemuck::cast_ref(numbers);
    let mut sizes = [0; BITS];
    for (size, bits) in sizes.iter_mut().zip(bits) {
        *size = bits << 1;
    }
    let some = !lines_not_above(simd, &sizes, &[0; BITS]);
    (some, some & lines_not_above(simd, bits, &[i32::MAX as u32; BITS]))
}

/// Which of [`BITS`] numbers, all below 128, are above another such number.
#[inline(always)]
pub(crate) fn above<S: Simd>(simd: S, numbers: &[u8; BITS], least: u8) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = instructions::<V4>(&simd) {
        let least = v4.avx512f._mm512_set1_epi8(least as i8);
        return v4.avx512bw._mm512_cmpgt_epi8_mask(bytemuck::cast(*numbers), least);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = instructions::<V3>(&simd) {
        let halves: [[u8; BITS / 2]; 2] = bytemuck::cast(*numbers);
        let least = v3.avx._mm256_set1_epi8(least as i8);
        let above = |half: [u8; BITS / 2]| v3.avx2._mm256_cmpgt_epi8(bytemuck::cast(half), least);
        let [low, high] = halves.map(|half| v3.avx2._mm256_movemask_epi8(above(half)) as u32);
        return u64::from(low) | u64::from(high) << 32;
    }
    let _ = simd;
    numbers.iter().enumerate().fold(0, |bits, (k, number)| bits | u64::from(*number > least) << k)
}

/// The same for eight words.
#[inline(always)]
fn eight_not_above<S: Simd>(simd: S, words: &[u32; 8], thresholds: &[u32; 8]) -> u8 {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = instructions::<V4>(&simd) {
        return v4.avx512vl._mm256_cmple_epu32_mask(bytemuck::cast(*words), bytemuck::cast(*thresholds));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = instructions::<V3>(&simd) {
        let words = bytemuck::cast(*words);
        let smaller = v3.avx2._mm256_min_epu32(words, bytemuck::cast(*thresholds));
        let holds = v3.avx2._mm256_cmpeq_epi32(words, smaller);
        return v3.avx._mm256_movemask_ps(bytemuck::cast(holds)) as u8;
    }
    let _ = simd;
    words.iter().zip(thresholds).enumerate().fold(0, |bits, (k, (w, t))| bits | u8::from(w <= t) << k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    struct Signs<'a>(&'a [f32]);

    impl WithSimd for Signs<'_> {
        type Output = (u64, u64);

        fn with_simd<S: Simd>(self, simd: S) -> (u64, u64) {
            signs(simd, self.0)
        }
    }

    proptest! {
        #![proptest_config(strategies::config(64))]

        /// Every bit says word ≤ threshold, on every path.
        #[test]
        fn bits_are_comparisons(
            pairs in proptest::collection::vec((any::<u32>(), any::<u32>(), any::<bool>()), 1..200),
        ) {
            let words: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
            let thresholds: Vec<u32> = pairs.iter().map(|pair| if pair.2 { pair.0 } else { pair.1 }).collect();
            for arch in [Arch::new(), Arch::Scalar] {
                let mut bits = vec![u64::MAX; words.len().div_ceil(BITS)];
                arch.dispatch(Comparison { words: &words, thresholds: &thresholds, bits: &mut bits });
                for line in 0..bits.len() * BITS {
                    let expected = line < words.len() && words[line] <= thresholds[line];
                    prop_assert_eq!(bits[line / BITS] >> (line % BITS) & 1 == 1, expected);
                }
            }
        }

        /// A bit for every number that is not 0, and for every one above 0; 0 has two signs.
        #[test]
        fn signs_are_comparisons(
            numbers in proptest::collection::vec(prop_oneof![Just(0.0_f32), Just(-0.0), -1.0_f32..1.0], 0..=BITS),
        ) {
            let bits = |of: fn(&f32) -> bool| {
                numbers.iter().enumerate().fold(0_u64, |bits, (line, v)| bits | u64::from(of(v)) << line)
            };
            let expected = (bits(|v| *v != 0.0), bits(|v| *v > 0.0));
            for arch in [Arch::new(), Arch::Scalar] {
                prop_assert_eq!(arch.dispatch(Signs(&numbers)), expected);
            }
        }
    }
}
