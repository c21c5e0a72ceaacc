//! The lines of a vector that may fire at all, with the random words that make them fire.

use pulp::{Arch, Simd, WithSimd};

use crate::pulse::comparison::{BITS, lines_not_above, not_above, signs};
use crate::pulse::probabilities::Probabilities;

/// Number of random words, as a double.
const WORDS: f64 = 4_294_967_296.0;

/// Lines of [`BITS`] that are added one by one if there are fewer that carry anything.
const FEW: u32 = 20;

/// The lines that may fire. They alone take random words; AIHWKit's generator gives words to all.
pub(super) struct LiveLines {
    /// Number of all lines.
    all: usize,
    /// Those that may fire, ascending.
    lines: Vec<u32>,
    /// The largest random word with which each of them fires.
    thresholds: Vec<u32>,
    /// Those with a positive probability, of all lines.
    positive: Vec<u64>,
    /// Which of the live ones fire in a slot, and in any slot so far.
    fired: Vec<u64>,
    ever: Vec<u64>,
}

/// The largest random word with which a line of a signed probability fires; `None` if it never does.
pub(super) fn threshold(p: f64) -> Option<u32> {
    let words = (p.abs() * WORDS).min(WORDS) as i64;
    (words > 0).then(|| (words - 1) as u32)
}

impl LiveLines {
    pub(super) fn new(probabilities: &Probabilities<'_>) -> Self {
        let all = probabilities.lines();
        let mut live = Self {
            all,
            // Drawn for every vector: the lists must not grow bit by bit.
            lines: Vec::with_capacity(all),
            thresholds: Vec::with_capacity(all),
            positive: vec![0; all.div_ceil(BITS)],
            fired: Vec::new(),
            ever: Vec::new(),
        };
        if probabilities.bin > 0.0 {
            probabilities.each(|line, p| live.add(line, p));
        } else {
            let Probabilities { values, scale, .. } = *probabilities;
            Arch::new().dispatch(Plain { values, scale, live: &mut live });
        }
        live
    }

    /// Adds a line with its signed probability, if it may fire.
    fn add(&mut self, line: usize, p: f64) {
        if let Some(threshold) = threshold(p) {
            self.lines.push(line as u32);
            self.thresholds.push(threshold);
            self.positive[line / BITS] |= u64::from(p > 0.0) << (line % BITS);
        }
    }

    /// Number of those that may fire.
    pub(super) fn number(&self) -> usize {
        self.lines.len()
    }

    /// Those that may fire, ascending.
    pub(super) fn lines(&self) -> &[u32] {
        &self.lines
    }

    /// The largest random word with which each of them fires in a slot.
    pub(super) fn thresholds(&self) -> &[u32] {
        &self.thresholds
    }

    /// Those of all lines that may fire and have a positive probability.
    pub(super) fn into_positive(self) -> Vec<u64> {
        self.positive
    }

    /// Draws a slot from its words, one for each live line.
    pub(super) fn fire(&mut self, words: &[u32]) {
        // Not before: where lines only count, there are no slots.
        let width = self.lines.len().div_ceil(BITS);
        self.fired.resize(width, 0);
        self.ever.resize(width, 0);
        not_above(words, &self.thresholds, &mut self.fired);
        self.ever.iter_mut().zip(&self.fired).for_each(|(ever, fired)| *ever |= fired);
    }

    /// The same from words for all lines, of which those for dead ones are passed over.
    pub(super) fn fire_from_all(&mut self, words: &[u32]) {
        let own: Vec<u32> = self.lines.iter().map(|line| words[*line as usize]).collect();
        self.fire(&own);
    }

    /// The lines that fire in the slot, a bit for each of all lines.
    pub(super) fn mark(&self, bits: &mut [u64]) {
        if self.lines.len() == self.all {
            bits.copy_from_slice(&self.fired);
        } else {
            self.visit(|_, line| bits[line / BITS] |= 1 << (line % BITS));
        }
    }

    /// A number for each live line as one for each of all lines, [`BITS`] together; 0 for dead ones.
    pub(super) fn spread(&self, numbers: Vec<u8>) -> Vec<[u8; BITS]> {
        let mut all = vec![[0; BITS]; self.all.div_ceil(BITS)];
        for (line, number) in self.lines.iter().zip(numbers) {
            all[*line as usize / BITS][*line as usize % BITS] = number;
        }
        all
    }

    /// Visits the live lines that fire in the slot: number among the live ones, number of the line.
    pub(super) fn visit(&self, each: impl FnMut(usize, usize)) {
        self.visit_those(&self.fired, each);
    }

    /// The same for those that have fired in any slot, in ascending order.
    pub(super) fn visit_ever(&self, each: impl FnMut(usize, usize)) {
        self.visit_those(&self.ever, each);
    }

    fn visit_those(&self, words: &[u64], mut each: impl FnMut(usize, usize)) {
        visit_set(words, |place| each(place, self.lines[place] as usize));
    }
}

/// Visits the places of bits that are set.
#[inline(always)]
pub(crate) fn visit_set(words: &[u64], mut each: impl FnMut(usize)) {
    for place in set(words) {
        each(place);
    }
}

/// The places of bits that are set.
#[inline(always)]
pub(crate) fn set(words: &[u64]) -> impl Iterator<Item = usize> {
    let (mut next, mut left) = (0, 0_u64);
    std::iter::from_fn(move || {
        while left == 0 {
            left = *words.get(next)?;
            next += 1;
        }
        let place = (next - 1) * BITS + left.trailing_zeros() as usize;
        left &= left - 1;
        Some(place)
    })
}

/// Lines whose probabilities are not rounded, [`BITS`] at a time.
struct Plain<'a> {
    values: &'a [f32],
    /// Probability per unit of value.
    scale: f64,
    live: &'a mut LiveLines,
}

impl WithSimd for Plain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        /// Its sum with a whole number below 2³² has the bits of that number at its end.
        const WHOLE: f64 = 4_503_599_627_370_496.0;
        let Self { values, scale, live } = self;
        let words = scale * WORDS;
        for (group, values) in values.chunks(BITS).enumerate() {
            let mut sizes = [0.0; BITS];
            sizes[..values.len()].copy_from_slice(values);
            let (some, above) = signs(simd, &sizes);
            if some.count_ones() < FEW {
                visit_set(&[some], |line| live.add(BITS * group + line, f64::from(sizes[line]) * scale));
                continue;
            }
            let (mut thresholds, mut dead) = ([0; BITS], [0; BITS]);
            for line in 0..BITS {
                let fires = f64::from(sizes[line].abs()) * words;
                let fires = if fires < WORDS { fires } else { WORDS };
                thresholds[line] = ((fires.floor() + WHOLE).to_bits() as u32).wrapping_sub(1);
                dead[line] = u32::from(fires < 1.0);
            }
            let alive = lines_not_above(simd, &dead, &[0; BITS]);
            live.positive[group] = alive & above;
            let first = group * BITS;
            if alive.count_ones() as usize == values.len() {
                live.lines.extend(first as u32..(first + values.len()) as u32);
                live.thresholds.extend_from_slice(&thresholds[..values.len()]);
            } else {
                visit_set(&[alive], |line| {
                    live.lines.push((first + line) as u32);
                    live.thresholds.push(thresholds[line]);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    /// A vector whose entries are 0 more or less often.
    fn values() -> impl Strategy<Value = Vec<f32>> {
        let entry = prop_oneof![Just(0.0_f32), -1.5_f32..1.5, -1e-9_f32..1e-9];
        proptest::collection::vec(entry, 1..200)
    }

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// Whole groups of lines give what one line after another gives: threshold min(|p|, 1)·2³² - 1, rounded down, for lines
        /// that reach 1 of 2³² words.
        #[test]
        fn groups_equal_single_lines(values in values(), scale in 0.0_f64..3.0) {
            let probabilities = Probabilities { values: &values, scale, bin: 0.0, dithers: None };
            let fast = LiveLines::new(&probabilities);
            let mut slow = LiveLines { lines: Vec::new(), thresholds: Vec::new(), ..LiveLines::new(&probabilities) };
            slow.positive.fill(0);
            probabilities.each(|line, p| slow.add(line, p));
            prop_assert_eq!(fast.lines, slow.lines);
            prop_assert_eq!(fast.thresholds, slow.thresholds);
            prop_assert_eq!(fast.positive, slow.positive);
        }

        /// A line fires where its word is not above its threshold; the marks, the visits and the record agree.
        #[test]
        fn lines_fire_up_to_their_threshold(values in values(), words in proptest::collection::vec(any::<u32>(), 200)) {
            let probabilities = Probabilities { values: &values, scale: 1.0, bin: 0.0, dithers: None };
            let mut live = LiveLines::new(&probabilities);
            live.fire_from_all(&words[..values.len()]);
            let expected: Vec<u32> = (0..values.len() as u32)
                .filter(|line| {
                    let chance = (f64::from(values[*line as usize].abs()) * WORDS).min(WORDS).floor();
                    f64::from(words[*line as usize]) < chance
                })
                .collect();
            let mut marks = vec![0; values.len().div_ceil(BITS)];
            live.mark(&mut marks);
            let mut marked = Vec::new();
            visit_set(&marks, |line| marked.push(line as u32));
            let mut ever = Vec::new();
            live.visit_ever(|_, line| ever.push(line as u32));
            prop_assert_eq!(&marked, &expected);
            prop_assert_eq!(ever, expected);
        }
    }
}
