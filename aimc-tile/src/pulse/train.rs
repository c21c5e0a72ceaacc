//! Stochastic pulse trains of one vector pair (Gokmen & Vlasov 2016, doi:10.3389/fnins.2016.00333).
//!
//! In every time slot each line fires on its own with its probability; a line's pulses are shared by all the
//! devices it reaches. A probability p is met to 2⁻³²: the line fires where a random word is below p·2³². Lines that cannot
//! fire take no words.

use aimc_device::{RngKey, Stream, rng::label};

use crate::pulse::PulseSource;
use crate::pulse::comparison::{BITS, not_above};
use crate::pulse::lagged_fibonacci::LaggedFibonacci;
use crate::pulse::probabilities::Probabilities;

/// The pulses of one vector pair, ready to meet at the devices. Lines are bits: bit k of word n is line 64·n + k.
#[derive(Clone, Debug, Default)]
pub struct Trains {
    /// Input lines that may fire and have x > 0.
    positive: Vec<u64>,
    /// Input lines that fire, slot after slot; as many words for each as `positive` has.
    columns: Vec<u64>,
    /// Output lines that fire at all, in ascending order.
    rows: Vec<u32>,
    /// Output lines that fire: one bit per slot, `words_per_row` words for each line.
    row_bits: Vec<u64>,
    words_per_row: usize,
}

impl Trains {
    /// Draws trains of `length` slots for input and output lines from the streams of `key`.
    pub(crate) fn draw(
        source: Source,
        length: u32,
        x: &Probabilities<'_>,
        d: &Probabilities<'_>,
        key: RngKey,
    ) -> Self {
        let (inputs, outputs) = (x.lines(), d.lines());
        let (slots, words) = (length as usize, inputs.div_ceil(BITS));
        let (mut x_lines, mut d_lines) = (LiveLines::new(x), LiveLines::new(d));
        let drawn = [x_lines.words(source, inputs), d_lines.words(source, outputs)];
        let mut chance = Chance::new(source, slots, drawn, key);
        let width = slots.div_ceil(BITS);
        let (mut columns, mut row_bits) = (vec![0; slots * words], vec![0; outputs * width]);
        for (slot, columns) in columns.chunks_mut(words).enumerate() {
            x_lines.fire(source, chance.x_words(slot), |line| columns[line / BITS] |= 1 << (line % BITS));
            d_lines.fire(source, chance.d_words(slot), |row| {
                row_bits[row * width + slot / BITS] |= 1 << (slot % BITS);
            });
        }
        let fires = |row: &u32| row_bits[*row as usize * width..][..width].iter().any(|&word| word != 0);
        let mut rows = d_lines.lines;
        rows.retain(fires);
        Self { positive: x_lines.positive, columns, rows, row_bits, words_per_row: width }
    }

    /// Input lines that may fire and have x > 0.
    pub fn positive(&self) -> &[u64] {
        &self.positive
    }

    /// Output lines that fire at all, in ascending order.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The input lines that fire together with output line `row`, slot by slot.
    pub fn coincidences(&self, row: usize) -> impl Iterator<Item = &[u64]> {
        let bits = &self.row_bits[row * self.words_per_row..(row + 1) * self.words_per_row];
        let fires = move |slot: usize| bits[slot / BITS] >> (slot % BITS) & 1 == 1;
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
}

/// Where the chance of pulses comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) kind: PulseSource,
    /// Whether AIHWKit rounds probabilities stochastically: `rand` then gives one number more for each line.
    pub(crate) rounds: bool,
}

impl Source {
    /// Whether lines that cannot fire take words as well.
    fn gives_all(self) -> bool {
        matches!(self.kind, PulseSource::LaggedFibonacci)
    }
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
    /// `inputs` and `outputs` are the words of a slot.
    fn new(source: Source, slots: usize, [inputs, outputs]: [usize; 2], key: RngKey) -> Self {
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

/// The lines that may fire at all. They alone take random words; AIHWKit's generator gives words to all.
struct LiveLines {
    /// Their numbers, ascending.
    lines: Vec<u32>,
    /// The largest random word with which each fires.
    thresholds: Vec<u32>,
    /// Those with a positive probability, of all lines.
    positive: Vec<u64>,
    /// Which of the live ones fire in a slot.
    fired: Vec<u64>,
}

impl LiveLines {
    fn new(probabilities: &Probabilities<'_>) -> Self {
        const WORDS: f64 = 4_294_967_296.0;
        let number = probabilities.lines();
        let mut live = Self {
            // Drawn for every vector: the lists must not grow bit by bit.
            lines: Vec::with_capacity(number),
            thresholds: Vec::with_capacity(number),
            positive: vec![0; number.div_ceil(BITS)],
            fired: Vec::new(),
        };
        probabilities.each(|line, p| {
            let words = (p.abs() * WORDS).min(WORDS) as i64;
            if words > 0 {
                live.lines.push(line as u32);
                live.thresholds.push((words - 1) as u32);
                live.positive[line / BITS] |= u64::from(p > 0.0) << (line % BITS);
            }
        });
        live.fired = vec![0; live.lines.len().div_ceil(BITS)];
        live
    }

    /// Random words of a slot, of which there are `all` lines.
    fn words(&self, source: Source, all: usize) -> usize {
        if source.gives_all() { all } else { self.lines.len() }
    }

    /// Draws a slot from its words: each line that fires.
    fn fire(&mut self, source: Source, words: &[u32], mut each: impl FnMut(usize)) {
        if source.gives_all() {
            let own: Vec<u32> = self.lines.iter().map(|line| words[*line as usize]).collect();
            not_above(&own, &self.thresholds, &mut self.fired);
        } else {
            not_above(words, &self.thresholds, &mut self.fired);
        }
        for (fired, lines) in self.fired.iter().zip(self.lines.chunks(BITS)) {
            let mut left = *fired;
            while left != 0 {
                each(lines[left.trailing_zeros() as usize] as usize);
                left &= left - 1;
            }
        }
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

    fn lines(values: &[f32]) -> Probabilities<'_> {
        Probabilities { values, scale: 1.0, bin: 0.0, dithers: None }
    }

    /// p = min(|x|, 1): lines of |x| ≥ 1 fire always, lines of 0 never.
    #[test]
    fn certain_lines_fire_in_every_slot_and_silent_ones_never() {
        let trains =
            Trains::draw(INDEPENDENT, 70, &lines(&[1.0, 0.0, -2.0]), &lines(&[1.0, 0.0]), RngKey::root(1));
        let slots: Vec<_> = trains.coincidences(0).collect();
        assert_eq!(slots.len(), 70);
        assert!(slots.iter().all(|slot| *slot == [0b101]));
        assert_eq!((trains.positive(), trains.rows()), (&[0b001][..], &[0][..]));
        assert!(trains.coincidences(1).next().is_none());
    }

    /// E[n] = BL·px·pd and Var[n] = BL·px·pd(1 - px·pd): n is binomial.
    #[test]
    fn coincidences_are_binomial() {
        let (px, pd, length, trials) = (0.3_f32, 0.45_f32, 20_u32, 20_000);
        let draw =
            |i| Trains::draw(INDEPENDENT, length, &lines(&[px]), &lines(&[pd]), RngKey::root(5).fold_in(i));
        let total: usize = (0..trials).map(|i| pulses(&draw(i), 0).1).sum();
        let n = u64::from(length) * trials;
        stats::assert_p(
            stats::proportion_test(total as u64, n, f64::from(px) * f64::from(pd)),
            stats::FALSE_ALARM,
        );
    }
}
