//! Standard normals from random words, many at a time: the hottest function of the project.
//!
//! Box & Muller 1958 (doi:10.1214/aoms/1177706645): with U, V uniform, √(-2 ln U)·(sin 2πV, cos 2πV)
//! are two independent standard normals. U takes 31 bits of a word; the angle takes the last bit and half of
//! another word, so that it is one of N = 2¹⁷ that lie evenly. For them the mean of exp(i t·z) over the angles is that over
//! the whole turn, J₀(|t| r), but for 2 J_N(|t| r) and less (Jacobi & Anger), which vanishes below |t| = N/r:
//! no structure above 2π r/N, 10⁻⁴ of a standard deviation, differs from that of the normal distribution, in one number or in the pair.
//!
//! Logarithm and sine are minimax polynomials in single precision, free of branches, so that the compiler works on
//! 16 lanes at once. Only +, ×, fused multiply-add and √ occur, each exactly rounded: every processor
//! gives the same bits, with or without vector units.

use std::f32::consts::{LN_2, PI};

use pulp::{Arch, Simd, WithSimd};

/// Pairs per block.
const LANES: usize = 16;
/// Numbers per block.
pub(crate) const BLOCK: usize = 2 * LANES;
/// Words per block: one for the radius of each pair, then one for the angles of two pairs.
pub(super) const WORDS: usize = LANES + LANES / 2;

/// Turns words into normals, [`WORDS`] into [`BLOCK`]; both lengths must be the same multiple of these.
pub(super) fn normals_from_words(words: &[u32], out: &mut [f32]) {
    debug_assert!(words.len().is_multiple_of(WORDS) && words.len() / WORDS * BLOCK == out.len());
    normals_of_streams(words, &[words.len()], 1, out);
}

/// The same for the words of some streams, each a `number` of so many words; what is left over at the end of one is not used.
pub(super) fn normals_of_streams(words: &[u32], numbers: &[usize], so_many: usize, out: &mut [f32]) {
    Arch::new().dispatch(Blocks { words, numbers, so_many, out });
}

/// The loop over the blocks of each stream. A closure would do, were it not for the shim through which it is called: compilers
/// do not always inline that, and without inlining the vector units stay idle (20 times slower).
struct Blocks<'a> {
    words: &'a [u32],
    numbers: &'a [usize],
    so_many: usize,
    out: &'a mut [f32],
}

impl WithSimd for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let (mut words, (mut out, _)) = (self.words, self.out.as_chunks_mut());
        for number in self.numbers {
            let (own, rest) = words.split_at(number * self.so_many);
            words = rest;
            let (own, _) = own.as_chunks();
            let (normals, rest) = out.split_at_mut(own.len());
            out = rest;
            for (words, normals) in own.iter().zip(normals) {
                block(words, normals);
            }
        }
    }
}

/// The normals of a block.
#[inline(always)]
fn block(words: &[u32; WORDS], out: &mut [f32; BLOCK]) {
    let mut radii = [0.0; LANES];
    let mut angles = [0; LANES];
    for lane in 0..LANES {
        radii[lane] = minus_two_ln(open_unit(words[lane] >> 1));
    }
    for lane in 0..LANES / 2 {
        let pair = words[LANES + lane];
        (angles[lane], angles[LANES / 2 + lane]) = ((pair << 16) as i32 >> 16, pair as i32 >> 16);
    }
    for lane in 0..LANES {
        let (sine, cosine) = sin_cos_half_turn(angles[lane]);
        // The last bit turns both by half a turn.
        let radius = f32::from_bits(radii[lane].sqrt().to_bits() ^ (words[lane] << 31));
        out[lane] = radius * sine;
        out[LANES + lane] = radius * cosine;
    }
}

/// 31 bits as a number in (0, 1]: at least 2⁻³², which bounds the normals by √(-2 ln 2⁻³²) = 6.66.
#[inline(always)]
fn open_unit(bits: u32) -> f32 {
    (bits as i32 as f32).mul_add(1.0 / 2_147_483_648.0, 1.0 / 4_294_967_296.0)
}

/// -2 ln x of a positive normal number.
#[inline(always)]
fn minus_two_ln(x: f32) -> f32 {
    // x = m·2^e with m in [√½, √2).
    const SQRT_HALF: u32 = 0x3F35_04F3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = ((shifted as i32) >> 23) as f32;
    let mantissa = f32::from_bits((shifted & 0x007F_FFFF).wrapping_add(SQRT_HALF));
    // (-2 ln m + 2t)/t² with t = m - 1; pairs of powers at a time, for short chains of operations.
    let t = mantissa - 1.0;
    let (t2, t4) = (t * t, t * t * (t * t));
    let low =
        (-0.399_241_45_f32).mul_add(t, 0.500_035_1).mul_add(t2, (-0.666_679_f32).mul_add(t, 0.999_999_8));
    let high =
        (-0.174_696_9_f32).mul_add(t, 0.286_150_46).mul_add(t2, (-0.298_359_48_f32).mul_add(t, 0.331_410_17));
    let series = high.mul_add(t4, low).mul_add(t2, -2.0 * t);
    exponent.mul_add(-2.0 * LN_2, series)
}

/// Sine and cosine of the angle π·(v + ½)/2¹⁶, within ±π/2 for 16 bits with a sign.
#[inline(always)]
fn sin_cos_half_turn(v: i32) -> (f32, f32) {
    let t = (v as f32).mul_add(PI / 65_536.0, PI / 131_072.0);
    let t2 = t * t;
    let sine = 2.600_054_8e-6_f32
        .mul_add(t2, -1.980_661_5e-4)
        .mul_add(t2, 8.333_017e-3)
        .mul_add(t2, -0.166_666_57)
        .mul_add(t2 * t, t);
    let cosine = 2.319_438_7e-5_f32
        .mul_add(t2, -1.385_592_7e-3)
        .mul_add(t2, 4.166_399e-2)
        .mul_add(t2, -0.499_999_3)
        .mul_add(t2, 1.0);
    (sine, cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// |-2 ln x - exact| ≤ 2 ulp (4·10⁻⁸ near x = 1) for 32,000 arguments down to 2⁻³².
    #[test]
    fn logarithm_is_accurate_over_the_whole_unit_interval() {
        for exponent in 0..32 {
            for step in 0..1000 {
                let x = (1.0 + step as f32 / 1000.0) * 2.0_f32.powi(-exponent - 1);
                let exact = -2.0 * f64::from(x).ln();
                let ulp = f64::from(f32::EPSILON) * exact.abs().max(f64::from(f32::MIN_POSITIVE));
                // The polynomial is good to 1 ulp; near x = 1 its error is absolute.
                assert_close!(f64::from(minus_two_ln(x)), exact, 2.0 * ulp.max(2e-8), "-2 ln {x}");
            }
        }
    }

    /// (sin, cos) of π(v + ½)/2¹⁶ within 2 ε of the exact values, for all v of 16 bits.
    #[test]
    fn sine_and_cosine_are_accurate_over_the_half_turn() {
        for v in i32::from(i16::MIN)..=i32::from(i16::MAX) {
            let (exact_sine, exact_cosine) =
                (std::f64::consts::PI * (f64::from(v) + 0.5) / 65_536.0).sin_cos();
            let (sine, cosine) = sin_cos_half_turn(v);
            assert_close!(f64::from(sine), exact_sine, 2.0 * f64::from(f32::EPSILON), "sine of {v}");
            assert_close!(f64::from(cosine), exact_cosine, 2.0 * f64::from(f32::EPSILON), "cosine of {v}");
        }
    }

    /// The mean of cos(k θ) over all 2¹⁷ angles is 0 for k = 1, …, 64, that of 1 is 1: they lie evenly on the circle.
    /// Rounding errs by at most k·ε·π each.
    #[test]
    fn the_angles_share_the_turn_evenly() {
        let mut sums = [[0.0_f64; 2]; 65];
        for angle in 0..=u16::MAX {
            for half in 0..2 {
                let mut words = [0; WORDS];
                // A radius above 0: U = e⁻² or so.
                words[0] = 290_000_000 << 1 | half;
                words[LANES] = u32::from(angle);
                let mut out = [0.0; BLOCK];
                block(&words, &mut out);
                let theta = f64::from(out[0]).atan2(f64::from(out[LANES]));
                for (k, [cosine, sine]) in sums.iter_mut().enumerate() {
                    *cosine += (k as f64 * theta).cos();
                    *sine += (k as f64 * theta).sin();
                }
            }
        }
        let angles = f64::from(1 << 17);
        assert_close!(sums[0][0], angles, 0.0);
        for (k, sums) in sums.iter().enumerate().skip(1) {
            for sum in sums {
                let bound = k as f64 * f64::from(f32::EPSILON) * std::f64::consts::PI;
                assert_close!(sum / angles, 0.0, bound, "harmonic {k}");
            }
        }
    }

    /// |z| ≤ √(2 ln 2³²) = 6.66 < 6.7, also for the smallest and the largest words.
    #[test]
    fn the_extreme_words_stay_finite() {
        for u in [0, 1, u32::MAX - 1, u32::MAX] {
            for v in [0, 0x7FFF_7FFF, 0x8000_8000, u32::MAX] {
                let mut words = [u; WORDS];
                words[LANES..].fill(v);
                let mut out = [f32::NAN; BLOCK];
                normals_from_words(&words, &mut out);
                assert!(out.iter().all(|z| z.is_finite() && z.abs() < 6.7), "{u} {v}: {out:?}");
            }
        }
    }

    /// The vectorised path must equal plain scalar evaluation bit for bit.
    #[test]
    fn vector_units_change_no_bit() {
        let words: Vec<u32> = (0..64 * WORDS as u32).map(|i| i.wrapping_mul(2_654_435_769)).collect();
        let mut fast = vec![0.0; words.len() / WORDS * BLOCK];
        normals_from_words(&words, &mut fast);
        for (words, fast) in words.as_chunks().0.iter().zip(fast.chunks_exact(BLOCK)) {
            let mut plain = [0.0; BLOCK];
            block(words, &mut plain);
            assert!(fast.iter().zip(&plain).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
