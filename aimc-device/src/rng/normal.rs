//! Standard normals from random words, many at a time: the hottest function of the project.
//!
//! Box & Muller 1958 (doi:10.1214/aoms/1177706645): with U, V uniform, √(-2 ln U)·(sin 2πV, cos 2πV)
//! are two independent standard normals. Logarithm and sine are minimax polynomials in single precision
//! (coefficients of the Cephes library, Moshier 1989), free of branches, so that the compiler works on
//! 16 lanes at once. Only +, ×, fused multiply-add and √ occur, each exactly rounded: every processor
//! gives the same bits, with or without vector units.

use pulp::{Arch, Simd, WithSimd};

/// Pairs per block: the first `LANES` words of a block are the U, the others the V.
const LANES: usize = 16;
/// Numbers per block.
pub(super) const BLOCK: usize = 2 * LANES;
/// Blocks in work at a time.
const TOGETHER: usize = 8;

/// Turns words into as many normals; both lengths must be the same multiple of [`BLOCK`].
pub(super) fn normals_from_words(words: &[u32], out: &mut [f32]) {
    debug_assert!(words.len() == out.len() && out.len().is_multiple_of(BLOCK));
    Arch::new().dispatch(Blocks { words, out });
}

/// The loop over blocks. A closure would do, were it not for the shim through which it is called: compilers
/// do not always inline that, and without inlining the vector units stay idle (20 times slower).
struct Blocks<'a> {
    words: &'a [u32],
    out: &'a mut [f32],
}

impl WithSimd for Blocks<'_> {
    type Output = ();

    /// Several blocks go through each stage together: stages need few registers, and blocks do not wait for each other's
    /// roots.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let mut radii = [0.0; TOGETHER * LANES];
        let groups = self.words.chunks(TOGETHER * BLOCK).zip(self.out.chunks_mut(TOGETHER * BLOCK));
        for (words, out) in groups {
            let blocks = words.chunks_exact(BLOCK).zip(radii.chunks_exact_mut(LANES));
            blocks.for_each(|(words, radii)| squares(words, radii));
            radii.iter_mut().for_each(|radius| *radius = radius.sqrt());
            let blocks = words.chunks_exact(BLOCK).zip(out.chunks_exact_mut(BLOCK));
            blocks.zip(radii.chunks_exact(LANES)).for_each(|((words, out), radii)| turn(words, radii, out));
        }
    }
}

/// The squared radii of a block.
#[inline(always)]
fn squares(words: &[u32], radii: &mut [f32]) {
    for lane in 0..LANES {
        radii[lane] = -2.0 * ln(open_unit(words[lane]));
    }
}

/// The normals of a block from its radii.
#[inline(always)]
fn turn(words: &[u32], radii: &[f32], out: &mut [f32]) {
    let (first, second) = out.split_at_mut(LANES);
    for lane in 0..LANES {
        let (sine, cosine) = sin_cos_turn(words[LANES + lane]);
        first[lane] = radii[lane] * sine;
        second[lane] = radii[lane] * cosine;
    }
}

/// A word as a number in (0, 1]: at least 2⁻³³, which bounds the normals by √(-2 ln 2⁻³³) = 6.76.
#[inline(always)]
fn open_unit(word: u32) -> f32 {
    // Two halves, because vector units convert signed integers only.
    let high = (word >> 16) as i32 as f32;
    let low = (word & 0xFFFF) as i32 as f32;
    high.mul_add(1.0 / 65_536.0, low.mul_add(1.0 / 4_294_967_296.0, 0.5 / 4_294_967_296.0))
}

/// Natural logarithm of a positive normal number.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = m·2^e with m in [√½, √2).
    const SQRT_HALF: u32 = 0x3F35_04F3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = ((shifted as i32) >> 23) as f32;
    let mantissa = f32::from_bits((shifted & 0x007F_FFFF).wrapping_add(SQRT_HALF));
    let t = mantissa - 1.0;
    let t2 = t * t;
    let mut p = 7.037_683_6e-2_f32;
    p = p.mul_add(t, -1.151_461e-1);
    p = p.mul_add(t, 1.167_699_87e-1);
    p = p.mul_add(t, -1.242_014_1e-1);
    p = p.mul_add(t, 1.424_932_3e-1);
    p = p.mul_add(t, -1.666_805_8e-1);
    p = p.mul_add(t, 2.000_071_5e-1);
    p = p.mul_add(t, -2.499_999_4e-1);
    p = p.mul_add(t, 0.333_333_3);
    // ln 2 in two parts, the first exact in few bits.
    let tail = exponent.mul_add(-2.121_944_4e-4, p * t * t2);
    let tail = t2.mul_add(-0.5, tail);
    exponent.mul_add(0.693_359_4, t + tail)
}

/// Sine and cosine of a uniform angle: two bits of the word choose the quadrant axis, the others the
/// angle within ±π/4 around it, so that 2³² words share the turn evenly.
#[inline(always)]
fn sin_cos_turn(word: u32) -> (f32, f32) {
    let quadrant = word >> 30;
    let within = ((word << 2) as i32 >> 8) as f32 * (1.0 / 16_777_216.0);
    let t = within * std::f32::consts::FRAC_PI_2;
    let t2 = t * t;
    let sine = t2.mul_add(-1.951_529_6e-4, 8.332_161e-3).mul_add(t2, -1.666_665_5e-1).mul_add(t2 * t, t);
    let cosine = t2
        .mul_add(2.443_315_7e-5, -1.388_731_6e-3)
        .mul_add(t2, 4.166_664_6e-2)
        .mul_add(t2 * t2, t2.mul_add(-0.5, 1.0));
    let swap = quadrant & 1 != 0;
    let (a, b) = if swap { (cosine, sine) } else { (sine, cosine) };
    let a = f32::from_bits(a.to_bits() ^ ((quadrant & 2) << 30));
    let b = f32::from_bits(b.to_bits() ^ (((quadrant + 1) & 2) << 30));
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// |ln x - exact| ≤ 2 ulp (2·10⁻⁸ near x = 1) for 33,000 arguments down to 2⁻³³.
    #[test]
    fn logarithm_is_accurate_over_the_whole_unit_interval() {
        for exponent in 0..33 {
            for step in 0..1000 {
                let x = (1.0 + step as f32 / 1000.0) * 2.0_f32.powi(-exponent - 1);
                let exact = f64::from(x).ln();
                let ulp = f64::from(f32::EPSILON) * exact.abs().max(f64::from(f32::MIN_POSITIVE));
                // The polynomial is good to 1 ulp; near x = 1 its error is absolute.
                assert_close!(f64::from(ln(x)), exact, 2.0 * ulp.max(1e-8), "ln {x}");
            }
        }
    }

    /// sin² + cos² = 1 within 4 ε for 4096 angles.
    #[test]
    fn sine_and_cosine_lie_on_the_circle_and_reach_every_quadrant() {
        let mut corners = [false; 4];
        for step in 0..4096_u32 {
            let (s, c) = sin_cos_turn(step << 20);
            let norm = f64::from(s).powi(2) + f64::from(c).powi(2);
            assert_close!(norm, 1.0, 4.0 * f64::from(f32::EPSILON), "step {step}");
            corners[usize::from(s > 0.0) * 2 + usize::from(c > 0.0)] = true;
        }
        assert_eq!(corners, [true; 4]);
    }

    /// |z| ≤ √(2 ln 2³³) = 6.76 < 6.8, also for the smallest and the largest words.
    #[test]
    fn the_extreme_words_stay_finite() {
        for u in [0, 1, u32::MAX] {
            for v in [0, 1 << 30, 1 << 31, u32::MAX] {
                let mut words = [u; BLOCK];
                words[LANES..].fill(v);
                let mut out = [f32::NAN; BLOCK];
                normals_from_words(&words, &mut out);
                assert!(out.iter().all(|z| z.is_finite() && z.abs() < 6.8), "{u} {v}: {out:?}");
            }
        }
    }

    /// The vectorised path must equal plain scalar evaluation bit for bit.
    #[test]
    fn vector_units_change_no_bit() {
        let words: Vec<u32> = (0..64 * BLOCK as u32).map(|i| i.wrapping_mul(2_654_435_769)).collect();
        let mut fast = vec![0.0; words.len()];
        normals_from_words(&words, &mut fast);
        for (words, fast) in words.chunks_exact(BLOCK).zip(fast.chunks_exact(BLOCK)) {
            let (mut radii, mut plain) = ([0.0; LANES], [0.0; BLOCK]);
            squares(words, &mut radii);
            turn(words, &radii.map(f32::sqrt), &mut plain);
            assert!(fast.iter().zip(&plain).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
