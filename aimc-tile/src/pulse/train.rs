//! Stochastic pulse trains of one vector pair (Gokmen & Vlasov 2016, doi:10.3389/fnins.2016.00333).
//!
//! In every time slot each line fires on its own with its probability; a line's pulses are shared by all the
//! devices it reaches. A probability p is met to 2⁻³²: the line fires where a random word is below p·2³². Lines that cannot
//! fire take no words, and none take any where each is certain to fire in every slot or in none. Where a single output line may fire, each input line draws the number of its pulses instead, see
//! `binomial`, and the slots become rounds, in each of which those fire that still want to.

use aimc_device::{RngKey, Stream, rng::label};

use crate::pulse::binomial;
use crate::pulse::certain_lines::CertainLines;
use crate::pulse::comparison::BITS;
use crate::pulse::lagged_fibonacci::LaggedFibonacci;
use crate::pulse::live_lines::{LiveLines, set, threshold, visit_set};
use crate::pulse::probabilities::Probabilities;
use crate::pulse::{PulseSource, UpdateConfig};

/// Labels of the words of input and output lines.
const X_PULSES: &str = "x pulses";
const D_PULSES: &str = "d pulses";

/// The pulses of one vector pair, ready to meet at the devices. Lines are bits: bit k of word n is line 64·n + k.
#[derive(Clone, Debug, Default)]
pub struct Trains {
    /// Input lines that may fire and have x > 0.
    positive: Vec<u64>,
    /// Input lines that fire, slot after slot; as many words for each as `positive` has.
    columns: Vec<u64>,
    /// Output lines that may fire and have d > 0.
    positive_rows: Vec<u64>,
    /// Output lines that fire at all, in ascending order.
    rows: Vec<u32>,
    /// The slots in which they fire: one bit per slot, `words_per_row` words for each of them.
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
        let slots = length as usize;
        if !source.gives_all()
            && let Some(d_lines) = CertainLines::of(d)
            && let Some(x_lines) = CertainLines::of(x)
        {
            return Self::in_every_slot(slots, x_lines, d_lines);
        }
        Self::by_chance(source, slots, x, d, key)
    }

    /// The same where chance decides nothing.
    fn in_every_slot(slots: usize, x: CertainLines, d: CertainLines) -> Self {
        let words_per_row = slots.div_ceil(BITS);
        let mut rows = Vec::new();
        visit_set(&d.fire, |row| rows.push(row as u32));
        Self {
            positive: x.positive,
            columns: x.fire.repeat(slots),
            positive_rows: d.positive,
            row_bits: vec![u64::MAX; rows.len() * words_per_row],
            rows,
            words_per_row,
        }
    }

    /// The same from random words.
    fn by_chance(
        source: Source,
        slots: usize,
        x: &Probabilities<'_>,
        d: &Probabilities<'_>,
        key: RngKey,
    ) -> Self {
        let (inputs, outputs) = (x.lines(), d.lines());
        let words = inputs.div_ceil(BITS);
        let (mut x_lines, mut d_lines) = (LiveLines::new(x), LiveLines::new(d));
        let all = source.gives_all();
        if !all && d_lines.number() == 1 && slots <= binomial::MOST {
            return Self::on_a_single_row(slots, x_lines, d_lines, key);
        }
        let drawn = if all { [inputs, outputs] } else { [x_lines.number(), d_lines.number()] };
        let fire = if all { LiveLines::fire_from_all } else { LiveLines::fire };
        let [mut x_words, mut d_words] = SlotWords::of_both(source, slots, drawn, key);
        let width = slots.div_ceil(BITS);
        let (mut columns, mut live_bits) = (vec![0; slots * words], vec![0; d_lines.number() * width]);
        for (slot, columns) in columns.chunks_mut(words).enumerate() {
            fire(&mut x_lines, x_words.of(slot));
            x_lines.mark(columns);
            fire(&mut d_lines, d_words.of(slot));
            d_lines.visit(|place, _| live_bits[place * width + slot / BITS] |= 1 << (slot % BITS));
        }
        let (mut rows, mut row_bits) = (Vec::new(), Vec::new());
        d_lines.visit_ever(|place, row| {
            rows.push(row as u32);
            row_bits.extend_from_slice(&live_bits[place * width..][..width]);
        });
        Self {
            positive: x_lines.into_positive(),
            positive_rows: d_lines.into_positive(),
            columns,
            rows,
            row_bits,
            words_per_row: width,
        }
    }

    /// The pulses on the only output line that may fire, in rounds.
    fn on_a_single_row(slots: usize, x_lines: LiveLines, d_lines: LiveLines, key: RngKey) -> Self {
        let counts = x_lines.spread(firings_with_one(slots, &x_lines, d_lines.thresholds()[0], key));
        let columns = binomial::rounds(&counts);
        // Where no pulse arrives, no row fires.
        let rows = if columns.is_empty() { Vec::new() } else { d_lines.lines().to_vec() };
        Self {
            positive: x_lines.into_positive(),
            positive_rows: d_lines.into_positive(),
            columns,
            row_bits: vec![u64::MAX; rows.len()],
            rows,
            words_per_row: 1,
        }
    }

    /// Input lines that may fire and have x > 0.
    pub fn positive(&self) -> &[u64] {
        &self.positive
    }

    /// Whether an output line that may fire has d > 0.
    #[must_use]
    pub fn row_is_positive(&self, row: usize) -> bool {
        self.positive_rows[row / BITS] >> (row % BITS) & 1 == 1
    }

    /// Output lines that fire at all, in ascending order.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The input lines that fire together with number `place` of [`Trains::rows`], slot by slot.
    pub fn coincidences(&self, place: usize) -> impl Iterator<Item = &[u64]> {
        let width = self.positive.len();
        let number = self.columns.len() / width.max(1);
        let bits = &self.row_bits[place * self.words_per_row..(place + 1) * self.words_per_row];
        // Bits behind the last slot may be set.
        let slots = set(bits).take_while(move |slot| *slot < number);
        slots.map(move |slot| &self.columns[slot * width..][..width])
    }

    /// Largest possible number of pulses, for judging the amount of work.
    #[must_use]
    pub fn work(&self) -> usize {
        let fired: usize = self.columns.iter().map(|word| word.count_ones() as usize).sum();
        fired * self.row_bits.len() / self.words_per_row.max(1)
    }
}

/// In how many of `slots` ≤ [`binomial::MOST`] slots each of the lines that may fire does so together with the only one of the other
/// side, given its threshold.
fn firings_with_one(slots: usize, lines: &LiveLines, threshold: u32, key: RngKey) -> Vec<u8> {
    let mut words = vec![0; slots.max(lines.number())];
    let mut fires = slots;
    if threshold < u32::MAX {
        key.fold_in(label(D_PULSES)).stream(0).fill_u32(&mut words[..slots]);
        fires = words[..slots].iter().filter(|word| **word <= threshold).count();
    }
    key.fold_in(label(X_PULSES)).stream(0).fill_u32(&mut words[..lines.number()]);
    binomial::firings(&words, lines.thresholds(), fires)
}

/// How many pulses each of some lines gets at its crossing with one line, from trains of `length` slots.
pub(crate) fn pulses_with_one(
    source: Source,
    length: u32,
    lines: &Probabilities<'_>,
    one: &Probabilities<'_>,
    key: RngKey,
) -> Vec<u32> {
    let mut pulses = vec![0; lines.lines()];
    let slots = length as usize;
    if !source.gives_all() && slots <= binomial::MOST {
        let (live, mut of_one) = (LiveLines::new(lines), None);
        one.each(|_, p| of_one = threshold(p));
        if let Some(threshold) = of_one {
            let firings = firings_with_one(slots, &live, threshold, key);
            live.lines().iter().zip(firings).for_each(|(line, n)| pulses[*line as usize] = u32::from(n));
        }
        return pulses;
    }
    let trains = Trains::draw(source, length, lines, one, key);
    for slot in (0..trains.rows().len()).flat_map(|place| trains.coincidences(place)) {
        visit_set(slot, |line| pulses[line] += 1);
    }
    pulses
}

/// Where the chance of pulses comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) kind: PulseSource,
    /// Whether AIHWKit rounds probabilities stochastically: `rand` then gives one number more for each line.
    pub(crate) rounds: bool,
}

impl Source {
    pub(crate) fn of(config: &UpdateConfig) -> Self {
        Self { kind: config.pulse_source, rounds: config.sto_round && config.bins().0 > 0.0 }
    }

    /// Whether lines that cannot fire take words as well.
    fn gives_all(self) -> bool {
        matches!(self.kind, PulseSource::LaggedFibonacci)
    }
}

/// The random words that decide which lines of one side fire, slot after slot.
enum SlotWords {
    Independent(Box<Stream>, Vec<u32>),
    /// Those of all slots.
    LaggedFibonacci(Vec<Vec<u32>>),
}

impl SlotWords {
    /// Of x and d, which take `inputs` and `outputs` words in a slot.
    fn of_both(source: Source, slots: usize, [inputs, outputs]: [usize; 2], key: RngKey) -> [Self; 2] {
        match source.kind {
            PulseSource::Independent => [(X_PULSES, inputs), (D_PULSES, outputs)].map(|(purpose, count)| {
                Self::Independent(Box::new(key.fold_in(label(purpose)).stream(0)), vec![0; count])
            }),
            // One generator: first the slots of each x line, then those of each d line.
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
                [inputs, outputs].map(|count| Self::LaggedFibonacci(lines(count)))
            }
        }
    }

    /// Those of a slot, which come one after another.
    fn of(&mut self, slot: usize) -> &[u32] {
        match self {
            Self::Independent(stream, words) => {
                stream.fill_u32(words);
                words
            }
            Self::LaggedFibonacci(slots) => &slots[slot],
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
        let Some(place) = trains.rows().iter().position(|fires| *fires as usize == row) else {
            return (0, 0);
        };
        let met = trains.coincidences(place).map(|lines| lines[0] & 1 == 1);
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
        assert_eq!(pulses(&trains, 1), (0, 0));
    }

    /// E[n] = BL·px·pd and Var[n] = BL·px·pd(1 - px·pd): n is binomial, of a row alone, whose lines count their pulses, as of one
    /// of two rows, whose lines fire slot after slot.
    #[test]
    fn coincidences_are_binomial() {
        let (px, pd, length, trials) = (0.3_f32, 0.45_f32, 20_u32, 20_000);
        for rows in [&[pd][..], &[pd, pd]] {
            let draw = |i| {
                let key = RngKey::root(5).fold_in(i);
                Trains::draw(INDEPENDENT, length, &lines(&[px]), &lines(rows), key)
            };
            let total: usize = (0..trials).map(|i| pulses(&draw(i), 0).1).sum();
            let n = u64::from(length) * trials;
            let p = stats::proportion_test(total as u64, n, f64::from(px) * f64::from(pd));
            stats::assert_p(p, stats::FALSE_ALARM / 2.0);
        }
    }

    /// A row alone: two certain lines fire whenever the row does, so that their pulses are equal in number; a silent one never.
    #[test]
    fn lines_share_the_slots_of_a_row_alone() {
        for seed in 0..50 {
            let x = [1.0, 0.0, -3.0, 0.5];
            let trains = Trains::draw(INDEPENDENT, 12, &lines(&x), &lines(&[0.0, 0.4]), RngKey::root(seed));
            let counts = (0..trains.rows().len())
                .flat_map(|place| trains.coincidences(place))
                .fold([0; 4], |counts: [u64; 4], slot| {
                    std::array::from_fn(|line| counts[line] + (slot[0] >> line & 1))
                });
            assert!(counts[0] == counts[2] && counts[1] == 0 && counts[3] <= counts[0], "{counts:?}");
            assert_eq!((trains.positive()[0], counts[0] > 0), (0b1001, trains.rows() == [1]));
        }
    }

    /// Where every line fires always or never, the trains without words are those that words would give, in one row or in several.
    #[test]
    fn certain_lines_need_no_words() {
        let x = [1.0, 0.0, -2.0, 1.5];
        for d in [&[-1.0_f32][..], &[0.0, 3.0], &[1.0, 0.0, -1.0]] {
            for length in [1, 5, 70] {
                let (x, d, key) = (lines(&x), lines(d), RngKey::root(4));
                let trains = Trains::draw(INDEPENDENT, length, &x, &d, key);
                let drawn = Trains::by_chance(INDEPENDENT, length as usize, &x, &d, key);
                assert_eq!((trains.positive(), trains.rows()), (drawn.positive(), drawn.rows()));
                assert_eq!(trains.work(), drawn.work());
                for (place, row) in trains.rows().iter().enumerate() {
                    assert!(trains.coincidences(place).eq(drawn.coincidences(place)));
                    assert_eq!(trains.row_is_positive(*row as usize), drawn.row_is_positive(*row as usize));
                }
            }
        }
    }
}
