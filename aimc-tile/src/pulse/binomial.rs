//! How often lines fire in a number of slots, without drawing slot after slot.
//!
//! Where a single row fires, the devices of the row do not learn of each other's slots: only how many of the n slots of the row a
//! line fires in matters, which is binomial. One random word u in [0, 1) per line gives it by inversion,
//!
//! ```text
//! count = #{k < n: u ≥ F(k)},   F(k) = Σ_{i ≤ k} f(i),   f(0) = (1 - p)ⁿ,   f(k + 1) = f(k)·(n - k)/(k + 1)·p/(1 - p)
//! ```
//!
//! with n - count and 1 - p for p > 1/2, so that f(0) stays far above the smallest double. Every probability is met to 2⁻³², as
//! slots meet p.
//!
//! Reference: L. Devroye 1986, *Non-Uniform Random Variate Generation*, chapter III.2.

use pulp::{Arch, Simd, WithSimd};

use crate::pulse::comparison::{BITS, above};

/// The most slots for which this is done: 2⁻⁶⁴ is a number like any other.
pub(super) const MOST: usize = 64;

/// Lines that are counted side by side.
const ABREAST: usize = 16;

/// Part of a word in [0, 1).
const WORD: f64 = 1.0 / 4_294_967_296.0;

/// In how many of `slots` ≤ [`MOST`] slots each line fires whose random word of a slot is not above its threshold; each takes one of
/// `words`.
///
/// # Panics
/// If there are fewer words than thresholds, which is an error of the caller.
pub(super) fn firings(words: &[u32], thresholds: &[u32], slots: usize) -> Vec<u8> {
    let mut counts = vec![0; thresholds.len()];
    let words = &words[..thresholds.len()];
    Arch::new().dispatch(Firings { words, thresholds, slots, counts: &mut counts });
    counts
}

struct Firings<'a> {
    words: &'a [u32],
    thresholds: &'a [u32],
    slots: usize,
    counts: &'a mut [u8],
}

impl WithSimd for Firings<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let lines = self.words.chunks(ABREAST).zip(self.thresholds.chunks(ABREAST));
        for ((words, thresholds), counts) in lines.zip(self.counts.chunks_mut(ABREAST)) {
            let found = side_by_side(filled(words), filled(thresholds), self.slots);
            counts.iter_mut().zip(found).for_each(|(count, found)| *count = found as u8);
        }
    }
}

/// A group of numbers, 0 where there are fewer.
#[inline(always)]
fn filled(numbers: &[u32]) -> [u32; ABREAST] {
    let mut group = [0; ABREAST];
    group[..numbers.len()].copy_from_slice(numbers);
    group
}

/// Round after round, the lines that still want to fire, a bit for each: as many words for a round as there are groups of lines.
pub(super) fn rounds(counts: &[[u8; BITS]]) -> Vec<u64> {
    let number = counts.iter().flatten().copied().max().unwrap_or(0);
    let mut bits = vec![0; usize::from(number) * counts.len()];
    Arch::new().dispatch(Rounds { counts, bits: &mut bits });
    bits
}

struct Rounds<'a> {
    counts: &'a [[u8; BITS]],
    bits: &'a mut [u64],
}

impl WithSimd for Rounds<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (done, bits) in (0..).zip(self.bits.chunks_mut(self.counts.len().max(1))) {
            bits.iter_mut().zip(self.counts).for_each(|(bits, counts)| *bits = above(simd, counts, done));
        }
    }
}

/// See [`firings`].
#[inline(always)]
fn side_by_side(words: [u32; ABREAST], thresholds: [u32; ABREAST], slots: usize) -> [u64; ABREAST] {
    let u = words.map(|word| f64::from(word) * WORD);
    let p = thresholds.map(|threshold| (f64::from(threshold) + 1.0) * WORD);
    let small = p.map(|p| if p > 0.5 { 1.0 - p } else { p });
    let odds = small.map(|p| p / (1.0 - p));
    let mut exactly = power(small.map(|p| 1.0 - p), slots);
    let (mut at_most, mut counts) = (exactly, [0; ABREAST]);
    for k in 0..slots {
        let mut reached = 1;
        for line in 0..ABREAST {
            // The sign of the difference: 1 where the word lies below the sum.
            let below = (u[line] - at_most[line]).to_bits() >> 63;
            counts[line] += 1 - below;
            reached &= below;
        }
        if reached == 1 {
            break;
        }
        let factor = (slots - k) as f64 / (k + 1) as f64;
        for line in 0..ABREAST {
            exactly[line] *= odds[line] * factor;
            at_most[line] += exactly[line];
        }
    }
    for line in 0..ABREAST {
        counts[line] = if p[line] > 0.5 { slots as u64 - counts[line] } else { counts[line] };
    }
    counts
}

/// `base`ⁿ by repeated squares.
#[inline(always)]
fn power(mut base: [f64; ABREAST], mut n: usize) -> [f64; ABREAST] {
    let mut power = [1.0; ABREAST];
    while n > 0 {
        if n % 2 == 1 {
            power.iter_mut().zip(&base).for_each(|(power, base)| *power *= base);
        }
        base = base.map(|base| base * base);
        n /= 2;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;
    use aimc_testkit::{stats, strategies};
    use proptest::prelude::*;

    /// F(k) of n slots with probability p, term by term from binomial coefficients.
    fn distribution(n: usize, p: f64) -> Vec<f64> {
        let (mut coefficient, mut sum) = (1.0, 0.0);
        let term = |k: usize| {
            let here = coefficient * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32);
            coefficient *= (n - k) as f64 / (k + 1) as f64;
            sum += here;
            sum
        };
        (0..=n).map(term).collect()
    }

    proptest! {
        #![proptest_config(strategies::config(128))]

        /// count = k where F(k - 1) ≤ u < F(k), with u from above for p > 1/2; rounding moves F by at most 2n + 10 units of 2⁻⁵³
        /// of it, words that close are left out. The count of a line does not depend on its neighbours.
        #[test]
        fn counts_invert_the_distribution(
            lines in proptest::collection::vec((any::<u32>(), any::<u32>()), 1..40), slots in 1_usize..=MOST,
        ) {
            let (words, thresholds): (Vec<u32>, Vec<u32>) = lines.iter().copied().unzip();
            for (found, (word, threshold)) in firings(&words, &thresholds, slots).into_iter().zip(lines) {
                let (u, p) = (f64::from(word) * WORD, (f64::from(threshold) + 1.0) * WORD);
                let mirrored = p > 0.5;
                let below = distribution(slots, if mirrored { 1.0 - p } else { p });
                let slack = (2 * slots + 10) as f64 * f64::EPSILON;
                if below.iter().all(|below| (below - u).abs() > slack) {
                    let count = below.iter().filter(|below| u >= **below).count().min(slots);
                    prop_assert_eq!(usize::from(found), if mirrored { slots - count } else { count });
                }
            }
        }
    }

    /// Lines that fire always have p = 1, those that fire in one of 2³² slots do not fire with any word but the last ones.
    #[test]
    fn certain_and_silent_lines() {
        assert_eq!(firings(&[0, 7, u32::MAX], &[u32::MAX; 3], 31), [31; 3]);
        assert_eq!(firings(&[0, 7, u32::MAX - 31], &[0; 3], 31), [0; 3]);
        assert!(firings(&[], &[], 31).is_empty());
    }

    /// Counts are distributed as those of as many slots, one after another: the same test, whose null hypothesis is the binomial
    /// law, accepts both.
    #[test]
    fn counts_are_binomial() {
        let (slots, threshold, lines) = (13, (0.3 / WORD) as u32, 20_000);
        let mut words = vec![0; lines];
        RngKey::root(8).stream(0).fill_u32(&mut words);
        let counts = firings(&words, &vec![threshold; lines], slots);
        let below = distribution(slots, (f64::from(threshold) + 1.0) * WORD);
        for (k, below) in below.iter().enumerate().take(9) {
            let found = counts.iter().filter(|count| usize::from(**count) <= k).count();
            // Nine looks at the same counts share the false-alarm rate.
            let p = stats::proportion_test(found as u64, lines as u64, *below);
            stats::assert_p(p, stats::FALSE_ALARM / 9.0);
        }
    }

    /// Bit k of word n of a round is line 64·n + k; a line of count c fires in the first c rounds.
    #[test]
    fn rounds_by_hand() {
        let mut counts = [[0; BITS]; 2];
        (counts[0][1], counts[1][0], counts[1][40]) = (1, 2, 3);
        let late = 1 << 40;
        assert_eq!(rounds(&counts), [0b10, late | 1, 0, late | 1, 0, late]);
        assert!(rounds(&[[0; BITS]; 2]).is_empty());
        assert!(rounds(&[]).is_empty());
    }
}
