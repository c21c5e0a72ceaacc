//! Vectors whose lines fire in every slot or never: there, chance decides nothing, and no words are drawn.
//!
//! Whole granules that mixed precision writes are such vectors as long as none is larger than the others.

use pulp::{Arch, Simd, WithSimd};

use crate::pulse::comparison::{BITS, signs};
use crate::pulse::probabilities::Probabilities;

/// The lines that fire in every slot, a bit for each of all lines.
#[derive(Debug)]
pub(super) struct CertainLines {
    pub(super) fire: Vec<u64>,
    /// Those of them with a positive probability.
    pub(super) positive: Vec<u64>,
}

impl CertainLines {
    /// Whether there is no line that may fire in some slots and not in others.
    pub(super) fn are(Probabilities { values, scale, bin, .. }: &Probabilities<'_>) -> bool {
        let smallest = f32::from_bits(Arch::new().dispatch(SmallestSize(values)));
        *bin == 0.0 && f64::from(smallest) * scale >= 1.0
    }

    /// `None` where chance decides.
    pub(super) fn of(probabilities: &Probabilities<'_>) -> Option<Self> {
        if !Self::are(probabilities) {
            return None;
        }
        let values = probabilities.values;
        let words = values.len().div_ceil(BITS);
        let mut lines = Self { fire: vec![0; words], positive: vec![0; words] };
        Arch::new().dispatch(Marks { values, lines: &mut lines });
        Some(lines)
    }
}

/// The bits of the smallest size above 0; of 0 where there is none.
struct SmallestSize<'a>(&'a [f32]);

impl WithSimd for SmallestSize<'_> {
    type Output = u32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> u32 {
        // Twice the bits of a number, without its sign, are ordered as sizes are; 0 goes round to the largest number.
        let smallest = self.0.iter().fold(u32::MAX, |least, v| least.min((v.to_bits() << 1).wrapping_sub(1)));
        smallest.wrapping_add(1) >> 1
    }
}

struct Marks<'a> {
    values: &'a [f32],
    lines: &'a mut CertainLines,
}

impl WithSimd for Marks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let CertainLines { fire, positive } = self.lines;
        for (values, (fire, positive)) in self.values.chunks(BITS).zip(fire.iter_mut().zip(positive)) {
            (*fire, *positive) = signs(simd, values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// Where every |v|·scale is 0 or at least 1, the marks are those of v ≠ 0 and v > 0; otherwise there are none.
        #[test]
        fn marks_are_signs(
            values in proptest::collection::vec(prop_oneof![Just(0.0_f32), Just(-2.0), Just(1.0), Just(3.5)], 1..200),
            scale in 0.2_f64..1.5, bin in prop_oneof![3 => Just(0.0_f32), 1 => Just(0.1)],
        ) {
            let lines = CertainLines::of(&Probabilities { values: &values, scale, bin, dithers: None });
            let certain = values.iter().filter(|v| **v != 0.0).all(|v| f64::from(v.abs()) * scale >= 1.0);
            let expected = certain && bin == 0.0 && values.iter().any(|v| *v != 0.0);
            prop_assert_eq!(lines.is_some(), expected);
            if let Some(lines) = lines {
                for (line, v) in values.iter().enumerate() {
                    let bit = |words: &[u64]| words[line / BITS] >> (line % BITS) & 1 == 1;
                    prop_assert_eq!((bit(&lines.fire), bit(&lines.positive)), (*v != 0.0, *v > 0.0));
                }
            }
        }
    }
}
