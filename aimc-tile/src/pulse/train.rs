//! Stochastic pulse trains of one vector pair (Gokmen & Vlasov 2016, doi:10.3389/fnins.2016.00333).
//!
//! In every time slot each line fires on its own with its probability; a line's pulses are shared by all the
//! devices it reaches. A probability p is met to 2⁻³²: the line fires where a random word is below p·2³². Lines that cannot
//! fire take no words.

use aimc_device::{RngKey, Stream, rng::label};

use crate::pulse::PulseSource;
use crate::pulse::lagged_fibonacci::LaggedFibonacci;

/// Signed pulse probabilities, line after line.
pub(crate) trait Probabilities: ExactSizeIterator<Item = f64> + Clone {}

impl<I: ExactSizeIterator<Item = f64> + Clone> Probabilities for I {}

/// The pulses of one vector pair, ready to meet at the devices. Lines are bits: bit k of word n is line 64·n + k.
#[derive(Clone, Debug, Default)]
pub struct Trains {
    /// Input lines with x > 0.
    positive: Vec<u64>,
    /// Input lines that fire, slot after slot; as many words for each as `positive` has.
    columns: Vec<u64>,
    /// Output lines that fire: one bit per slot, `words_per_row` words for each line.
    row_bits: Vec<u64>,
    words_per_row: usize,
}

impl Trains {
    /// Draws trains of `length` slots with the signed pulse probabilities `x` and `d` from the streams of `key`.
    pub(crate) fn draw(
        source: Source,
        length: u32,
        x: impl Probabilities,
        d: impl Probabilities,
        key: RngKey,
    ) -> Self {
        let (slots, words, outputs) = (length as usize, x.len().div_ceil(64), d.len());
        let mut positive = vec![0; words];
        x.clone().enumerate().for_each(|(line, x)| positive[line / 64] |= u64::from(x > 0.0) << (line % 64));
        let (x_lines, d_lines) = (LiveLines::new(source, x), LiveLines::new(source, d));
        let mut chance = Chance::new(source, slots, x_lines.0.len(), d_lines.0.len(), key);
        let mut trains = Self {
            positive,
            columns: vec![0; slots * words],
            row_bits: vec![0; outputs * slots.div_ceil(64)],
            words_per_row: slots.div_ceil(64),
        };
        for (slot, columns) in trains.columns.chunks_mut(words).enumerate() {
            x_lines.fire(chance.x_words(slot), |line, fires| columns[line / 64] |= fires << (line % 64));
            d_lines.fire(chance.d_words(slot), |row, fires| {
                trains.row_bits[row * trains.words_per_row + slot / 64] |= fires << (slot % 64);
            });
        }
        trains
    }

    /// Input lines with x > 0.
    pub fn positive(&self) -> &[u64] {
        &self.positive
    }

    /// Whether output line `row` fires at all.
    #[must_use]
    pub fn row_fires(&self, row: usize) -> bool {
        self.row_words(row).iter().any(|&word| word != 0)
    }

    /// The input lines that fire together with output line `row`, slot by slot.
    pub fn coincidences(&self, row: usize) -> impl Iterator<Item = &[u64]> {
        let bits = self.row_words(row);
        let fires = move |slot: usize| bits[slot / 64] >> (slot % 64) & 1 == 1;
        self.columns
            .chunks(self.positive.len())
            .enumerate()
            .filter(move |(slot, _)| fires(*slot))
            .map(|(_, slot)| slot)
    }

    /// Largest possible number of pulses, for judging the amount of work.
    #[must_use]
    pub fn work(&self) -> usize {
        let fired: usize = self.columns.iter().map(|word| word.count_ones() as usize).sum();
        fired * self.row_bits.len() / self.words_per_row.max(1)
    }

    fn row_words(&self, row: usize) -> &[u64] {
        &self.row_bits[row * self.words_per_row..(row + 1) * self.words_per_row]
    }
}

/// Where the chance of pulses comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) kind: PulseSource,
    /// Whether AIHWKit rounds probabilities stochastically: `rand` then gives one number more for each line.
    pub(crate) rounds: bool,
}

/// The random words that decide which lines fire, slot after slot.
enum Chance {
    Independent {
        x: Box<Stream>,
        d: Box<Stream>,
        words: Vec<u32>,
        inputs: usize,
    },
    /// All words of the vector pair: first the slots of each x line, then those of each d line.
    LaggedFibonacci {
        x: Vec<Vec<u32>>,
        d: Vec<Vec<u32>>,
    },
}

impl Chance {
    fn new(source: Source, slots: usize, inputs: usize, outputs: usize, key: RngKey) -> Self {
        match source.kind {
            PulseSource::Independent => Self::Independent {
                x: Box::new(key.fold_in(label("x pulses")).stream(0)),
                d: Box::new(key.fold_in(label("d pulses")).stream(0)),
                words: vec![0; inputs + outputs],
                inputs,
            },
            PulseSource::LaggedFibonacci => {
                let mut generator = LaggedFibonacci::new(&mut key.fold_in(label("rand")).stream(0));
                let mut lines = |count| {
                    let mut words = vec![vec![0; count]; slots];
                    for line in 0..count {
                        if source.rounds {
                            generator.next_u31();
                        }
                        words.iter_mut().for_each(|slot| slot[line] = generator.next_u31() << 1);
                    }
                    words
                };
                Self::LaggedFibonacci { x: lines(inputs), d: lines(outputs) }
            }
        }
    }

    fn x_words(&mut self, slot: usize) -> &[u32] {
        match self {
            Self::Independent { x, words, inputs, .. } => {
                x.fill_u32(&mut words[..*inputs]);
                &words[..*inputs]
            }
            Self::LaggedFibonacci { x, .. } => &x[slot],
        }
    }

    fn d_words(&mut self, slot: usize) -> &[u32] {
        match self {
            Self::Independent { d, words, inputs, .. } => {
                d.fill_u32(&mut words[*inputs..]);
                &words[*inputs..]
            }
            Self::LaggedFibonacci { d, .. } => &d[slot],
        }
    }
}

/// The lines that take random words, those that may fire at all: number and threshold; words below it, out of 2³², fire.
/// AIHWKit's generator gives words to all.
struct LiveLines(Vec<(usize, u64)>);

impl LiveLines {
    fn new(source: Source, probabilities: impl Probabilities) -> Self {
        const WORDS: f64 = 4_294_967_296.0;
        let all = matches!(source.kind, PulseSource::LaggedFibonacci);
        let threshold = |p: f64| if p == 0.0 { 0 } else { (p.abs() * WORDS).min(WORDS) as u64 };
        // Drawn for every vector: the list must not grow bit by bit.
        let mut live = Vec::with_capacity(probabilities.len());
        let lines = probabilities.map(threshold).enumerate();
        live.extend(lines.filter(|(_, threshold)| all || *threshold > 0));
        Self(live)
    }

    /// Says of each line whether it fires (1) or not (0).
    fn fire(&self, words: &[u32], mut say: impl FnMut(usize, u64)) {
        let lines = self.0.iter().zip(words);
        lines.for_each(|(&(line, threshold), &word)| say(line, u64::from(u64::from(word) < threshold)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::stats;

    const INDEPENDENT: Source = Source { kind: PulseSource::Independent, rounds: false };

    /// Slots in which line `row` fires and the number of coincidences with column 0.
    fn pulses(trains: &Trains, row: usize) -> (usize, usize) {
        let met = trains.coincidences(row).map(|lines| lines[0] & 1 == 1);
        met.fold((0, 0), |(slots, hits), hit| (slots + 1, hits + usize::from(hit)))
    }

    /// p = min(|x|, 1): lines of |x| ≥ 1 fire always, lines of 0 never.
    #[test]
    fn certain_lines_fire_in_every_slot_and_silent_ones_never() {
        let trains = Trains::draw(
            INDEPENDENT,
            70,
            [1.0, 0.0, -2.0].into_iter(),
            [1.0, 0.0].into_iter(),
            RngKey::root(1),
        );
        let slots: Vec<_> = trains.coincidences(0).collect();
        assert_eq!(slots.len(), 70);
        assert!(slots.iter().all(|slot| *slot == [0b101]));
        assert_eq!(trains.positive(), [0b001]);
        assert!(!trains.row_fires(1) && trains.coincidences(1).next().is_none());
    }

    /// E[n] = BL·px·pd and Var[n] = BL·px·pd(1 - px·pd): n is binomial.
    #[test]
    fn coincidences_are_binomial() {
        let (px, pd, length, trials) = (0.3_f64, 0.45_f64, 20_u32, 20_000);
        let draw = |i| {
            Trains::draw(INDEPENDENT, length, [px].into_iter(), [pd].into_iter(), RngKey::root(5).fold_in(i))
        };
        let total: usize = (0..trials).map(|i| pulses(&draw(i), 0).1).sum();
        let n = u64::from(length) * trials;
        stats::assert_p(stats::proportion_test(total as u64, n, px * pd), stats::FALSE_ALARM);
    }
}
