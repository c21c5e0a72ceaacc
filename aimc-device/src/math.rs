//! Exponential, logarithm and power, the same bits on every platform and without branches, so that lanes of them vectorise.
//!
//! The functions of the standard library come from the platform's C library: their last bit is not promised. These
//! consist of IEEE operations only. Errors stay below 2 units in the last place (tested against double precision), those of powers for
//! exponents up to 64; exponentials and powers below √2·2⁻¹²⁶, the smallest normal numbers, are 0.

use crate::lane::Lane;

/// Adding and subtracting 1.5·2²³ rounds a number to a whole one, which its lowest bits then hold.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts, of which the first has few bits, so that its products with small whole numbers are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e to the sum of x and of a small number, which counts where x lies within the limits of [`exp`].
///
/// x = n·ln 2 + r; (eʳ - 1 - r)/r² is a minimax polynomial, which errs by 3·10⁻⁹ of eʳ.
#[inline(always)]
fn exp_sum(x: f32, small: f32) -> f32 {
    // Comparisons, since NaN counts as the lower limit.
    let within = if x > -87.5 { x } else { -87.5 };
    let within = if within < 89.0 { within } else { 89.0 };
    let small = if within == x { small } else { 0.0 };
    let shifted = within.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, within)) + small;
    let r2 = r * r;
    // 2eʳ, pairs of powers at a time, for short chains of operations.
    let low = 0.333_330_42_f32.mul_add(r, 0.999_999_9);
    let high = 1.673_744_8e-2_f32.mul_add(r, 8.333_678e-2);
    let series = 2.762_916_7e-3_f32.mul_add(r2, high).mul_add(r2, low);
    let twice = series.mul_add(r2, r + r) + 2.0;
    // 2ⁿ⁻¹ is normal, or 0 for the least n.
    let half_power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(126 << 23));
    twice * half_power
}

/// eˣ; 0 below -87 (eˣ < √2·2⁻¹²⁶) and for NaN; infinite above 88.8.
///
/// ```
/// assert_eq!(aimc_device::math::exp(0.0), 1.0);
/// assert_eq!(aimc_device::math::exp(1.0), std::f32::consts::E);
/// ```
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    exp_sum(x, 0.0)
}

/// ln x as a sum of two numbers, the second one small; for 0, negative numbers and those too small to be normal, the first is
/// `otherwise`.
///
/// x = 2ᵉm with m in [√½, √2) and ln m = S + S³/12 + S⁵/80 + …, S = 2 (m - 1)/(m + 1), |S| < 0.344: the series to S¹¹ errs by less
/// than 10⁻¹⁰ of ln m. Only S and e·ln 2 need more than single precision; with the roundings of the rest, which is a hundredth of
/// them, the sum errs by less than 7·10⁻¹⁰ of itself, and by 2.1·10⁻⁹ where m = x or x/2.
#[inline(always)]
fn ln<L: Lane>(x: L, otherwise: f32) -> (L, L) {
    const SQRT_HALF: i32 = 0x3F35_04F3;
    let all = |value| x.splat(value);
    // Operations on bits one after another, without checks for overflow: only few at a time become vector code.
    let above = |x: f32| (x.to_bits() as i32).wrapping_sub(SQRT_HALF);
    let e = x.map(|x| (above(x) >> 23) as f32);
    let m = x.map(|x| f32::from_bits((above(x) & 0x007F_FFFF).wrapping_add(SQRT_HALF) as u32));
    // m - 1 is exact, m + 1 is `sum` + `rest`.
    let (difference, sum) = (m - 1.0, m + 1.0);
    let rest = m - (sum - 1.0);
    let factor = all(2.0) / sum;
    let s = difference * factor;
    let half = s * -0.5;
    // What s is short of S.
    let missing = half.mul_add(rest, half.mul_add(sum, difference)) * factor;
    let q = s * s;
    let series = all(1.0 / 11_264.0)
        .mul_add(q, all(1.0 / 2304.0))
        .mul_add(q, all(1.0 / 448.0))
        .mul_add(q, all(1.0 / 80.0))
        .mul_add(q, all(1.0 / 12.0))
        * (q * s);
    let small = e.mul_add(all(LN_2_LOW), missing.mul_add(q * 0.25, missing)) + series;
    // e·LN_2_HIGH is exact and, but for e = 0, above S, so that nothing of their sum is lost.
    let whole = e * LN_2_HIGH;
    let large = whole + s;
    let small = (s - (large - whole)) + small;
    let high = large + small;
    let above_normal = x - f32::MIN_POSITIVE.next_down();
    (above_normal.if_positive(high, all(otherwise)), small - (high - large))
}

/// The same of a lane, see [`log`].
#[inline(always)]
pub(crate) fn logarithm<L: Lane>(x: L) -> L {
    ln(x, f32::NEG_INFINITY).0
}

/// ln x; -∞ for 0, negative numbers and those too small to be normal.
///
/// ```
/// assert_eq!(aimc_device::math::log(1.0), 0.0);
/// assert_eq!(aimc_device::math::log(2.0), std::f32::consts::LN_2);
/// ```
#[inline(always)]
#[must_use]
pub fn log(x: f32) -> f32 {
    logarithm(x)
}

/// xʸ for x ≥ 0; a base too small to be normal counts as 0: 0⁰ = 1, 0 to a negative power is infinite.
///
/// ```
/// assert_eq!(aimc_device::math::pow(0.25, 0.5), 0.5);
/// assert_eq!(aimc_device::math::pow(0.0, 2.0), 0.0);
/// ```
#[inline(always)]
#[must_use]
pub fn pow(x: f32, y: f32) -> f32 {
    Base::new(x).to(y)
}

/// The base of many powers, whose logarithm is taken once.
///
/// ```
/// let base = aimc_device::math::Base::new(0.25);
/// assert_eq!([base.to(0.5), base.to(-1.0)], [0.5, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Base<L = f32> {
    /// The logarithm, and what is missing to it.
    high: L,
    low: L,
}

impl<L: Lane> Base<L> {
    /// The base x ≥ 0; one too small to be normal counts as 0.
    #[inline(always)]
    #[must_use]
    pub fn new(x: L) -> Self {
        let (high, low) = ln(x, -1e38);
        Self { high, low }
    }

    /// xʸ, see [`pow`].
    #[inline(always)]
    #[must_use]
    pub fn to(self, y: L) -> L {
        let exponent = y * self.high;
        exponent.zip(y.mul_add(self.high, -exponent) + y * self.low, exp_sum)
    }

    /// ln x, see [`log`].
    #[inline(always)]
    #[must_use]
    pub fn log(self) -> L {
        (self.high + 1e37).if_positive(self.high, self.high.splat(f32::NEG_INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    /// Distance from the exact value in units in the last place of the nearest single.
    fn ulps(found: f32, exact: f64) -> f64 {
        let nearest = exact as f32;
        if nearest.is_infinite() || exact == 0.0 {
            return if found == nearest { 0.0 } else { f64::INFINITY };
        }
        let unit = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
        (f64::from(found) - exact).abs() / unit
    }

    /// Whether an exponential or power is within 2 ulp of the exact one, or 0 where that is below √2·2⁻¹²⁶.
    fn accurate(found: f32, exact: f64) -> bool {
        // The limit itself is rounded.
        let smallest = 2.0_f64.sqrt() * f64::from(f32::MIN_POSITIVE) * (1.0 + 1e-5);
        ulps(found, exact) < 2.0 || found == 0.0 && exact < smallest
    }

    /// exp(-∞) = 0, x⁰ = 1, 0⁻¹ = ∞, log(0) = -∞; logarithms of negative and subnormal numbers are -∞, too.
    #[test]
    fn ends_of_the_range() {
        assert_eq!((exp(-200.0), exp(f32::NEG_INFINITY), exp(200.0)), (0.0, 0.0, f32::INFINITY));
        assert_eq!((exp(-87.4), exp(f32::NAN), exp(88.8)), (0.0, 0.0, f32::INFINITY));
        assert_eq!((pow(0.0, 0.0), pow(0.0, -1.0), pow(1.0, 1e30)), (1.0, f32::INFINITY, 1.0));
        assert_eq!(
            (log(0.0), log(-1.0), log(1e-45)),
            (f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY)
        );
        assert_eq!((pow(0.5, f32::INFINITY), pow(0.5, 1e38)), (0.0, 0.0));
    }

    proptest! {
        #![proptest_config(strategies::config(4096))]

        /// exp(x) is within 2 ulp of the one in double precision, or 0 below √2·2⁻¹²⁶.
        #[test]
        fn exponentials_are_accurate(x in -110.0_f32..95.0) {
            prop_assert!(accurate(exp(x), f64::from(x).exp()), "{x}");
        }

        /// ln(x) is within 2 ulp of the one in double precision.
        #[test]
        fn logarithms_are_accurate(x in 1e-37_f32..1e37, near in 0.5_f32..2.0) {
            for x in [x, near] {
                let off = ulps(log(x), f64::from(x).ln());
                prop_assert!(off < 2.0, "{x}: {off}");
            }
        }

        /// x^y, -64 ≤ y ≤ 64, is within 2 ulp of the one in double precision, or 0 below √2·2⁻¹²⁶.
        #[test]
        fn powers_are_accurate(x in 0.0_f32..4.0, y in -8.0_f32..8.0, near in 0.5_f32..2.0, large in -64.0_f32..64.0) {
            for (x, y) in [(x, y), (near, large)] {
                prop_assert!(accurate(pow(x, y), f64::from(x).powf(f64::from(y))), "{x}^{y}");
            }
        }
    }
}
