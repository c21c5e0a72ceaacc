//! What programming has reached, and what it has cost.

use std::hint::black_box;

use pulp::{Arch, Simd, WithSimd};
use serde::Serialize;

use aimc_device::parallel;
use aimc_device::programmed::ProgrammedArray;
use aimc_tile::largest_size;

use super::Job;

/// Pulses and reads of a procedure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Programming pulses, of all devices together.
    pub pulses: u64,
    /// Reads of single devices.
    pub device_reads: u64,
    /// Products of the whole array.
    pub products: u64,
}

impl std::ops::AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.pulses += other.pulses;
        self.device_reads += other.device_reads;
        self.products += other.products;
    }
}

/// How far values are from what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// Mean of the differences.
    pub mean: f64,
    /// Root of the mean square of the differences.
    pub rms: f64,
    /// Largest |difference|.
    pub max: f64,
}

impl Deviation {
    /// Of `found` from `wanted`, as far as the shorter one goes; all 0 for none.
    ///
    /// ```
    /// use aimc_infer::programming::Deviation;
    /// let off = Deviation::of(&[1.0, -1.0, 3.0, 2.0], &[0.0, 0.0, 3.0, 0.0]);
    /// assert_eq!((off.mean, off.rms, off.max), (0.5, 1.5_f64.sqrt(), 2.0));
    /// ```
    pub fn of(found: &[f32], wanted: &[f32]) -> Self {
        Sums::of(found, wanted).deviation(1.0)
    }
}

/// Pairs of numbers that one thread adds up at a time, and in one go.
const BLOCK: usize = 4096;
const TOGETHER: usize = 8;

/// What deviations are made of.
#[derive(Clone, Copy, Default)]
struct Sums {
    pairs: usize,
    differences: f64,
    squares: f64,
    largest: f64,
}

impl Sums {
    /// Block by block, so that no rounding depends on the number of threads.
    fn of(found: &[f32], wanted: &[f32]) -> Self {
        let blocks: Vec<_> = found.chunks(BLOCK).zip(wanted.chunks(BLOCK)).collect();
        let of_block = |(found, wanted): &(&[f32], &[f32])| Arch::new().dispatch(Block { found, wanted });
        let sums = parallel::map(found.len(), &blocks, of_block);
        sums.into_iter().fold(Self::default(), Self::and)
    }

    #[inline(always)]
    fn of_pair(found: f32, wanted: f32) -> Self {
        let difference = f64::from(found) - f64::from(wanted);
        Self {
            pairs: 1,
            differences: difference,
            squares: difference * difference,
            largest: difference.abs(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            pairs: self.pairs + other.pairs,
            differences: self.differences + other.differences,
            squares: self.squares + other.squares,
            largest: larger(self.largest, other.largest),
        }
    }

    /// In units of `unit`.
    fn deviation(self, unit: f64) -> Deviation {
        let n = self.pairs.max(1) as f64;
        Deviation {
            mean: self.differences / n / unit,
            rms: (self.squares / n).sqrt() / unit,
            max: self.largest / unit,
        }
    }
}

/// The loop over the pairs of a block.
struct Block<'a> {
    found: &'a [f32],
    wanted: &'a [f32],
}

impl WithSimd for Block<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Sums {
        let ((found, found_rest), (wanted, wanted_rest)) =
            (self.found.as_chunks::<TOGETHER>(), self.wanted.as_chunks::<TOGETHER>());
        let (mut differences, mut squares, mut largest) =
            ([0.0; TOGETHER], [0.0; TOGETHER], [0.0_f64; TOGETHER]);
        for (found, wanted) in found.iter().zip(wanted) {
            for i in 0..TOGETHER {
                let pair = Sums::of_pair(found[i], wanted[i]);
                differences[i] += pair.differences;
                squares[i] += pair.squares;
                largest[i] = larger(largest[i], pair.largest);
            }
        }
        // Hidden, as compilers else make vectors across the three sums, from here up to the loop.
        let (differences, squares, largest) = black_box((differences, squares, largest));
        let together = Sums {
            pairs: TOGETHER * found.len(),
            differences: differences.iter().sum(),
            squares: squares.iter().sum(),
            largest: largest.into_iter().fold(0.0, larger),
        };
        let rest = found_rest.iter().zip(wanted_rest).map(|(found, wanted)| Sums::of_pair(*found, *wanted));
        rest.fold(together, Sums::and)
    }
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// The outcome of programming one array, right afterwards and without read noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProgrammingReport {
    /// Devices written.
    pub devices: u64,
    /// Error of the conductances (µS). Gradient descent moves devices without regard to their own targets, so that only the
    /// error of the weights counts there.
    pub conductance_error: Deviation,
    /// Error of the weights, in units of the largest |weight| of the array.
    pub weight_error: Deviation,
    /// Share of the devices whose conductance lies within the acceptance band; `None` where the procedure has no band.
    pub within_band: Option<f64>,
    /// What it has cost; all 0 for one-shot programming, whose costs are unknown.
    pub effort: Effort,
}

impl ProgrammingReport {
    /// Of `arrays`, which hold `weights` (row by row) now.
    pub(crate) fn new(
        job: &Job<'_>,
        (arrays, weights): (&[ProgrammedArray], &[f32]),
        band: Option<f32>,
        effort: Effort,
    ) -> Self {
        let pairs = || arrays.iter().map(ProgrammedArray::conductances).zip(job.targets);
        let devices: usize = arrays.iter().map(|array| array.conductances().len()).sum();
        let conductances =
            pairs().map(|(found, wanted)| Sums::of(found, wanted)).fold(Sums::default(), Sums::and);
        let unit = largest_size(job.weights).max(f32::MIN_POSITIVE);
        let within = |band: f32| {
            let devices = pairs().flat_map(|(found, wanted)| found.iter().zip(wanted));
            devices.filter(|(found, wanted)| (*found - *wanted).abs() <= band).count()
        };
        Self {
            devices: devices as u64,
            conductance_error: conductances.deviation(1.0),
            weight_error: Sums::of(weights, job.weights).deviation(f64::from(unit)),
            within_band: band.map(|band| within(band) as f64 / devices as f64),
            effort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// mean Δ, √mean Δ² and max |Δ| of many pairs, on one thread and on two to the same bits. Each rounding of a sum of n is
    /// below n·ε/2 of the sum of sizes.
    #[test]
    fn deviations_of_long_lists() {
        let n = 40_003;
        let found: Vec<f32> = (0..n).map(|i| (i % 1009) as f32 / 64.0).collect();
        let wanted: Vec<f32> = (0..n).map(|i| (i % 31) as f32 / 4.0).collect();
        let differences = || found.iter().zip(&wanted).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Deviation::of(&found, &wanted))
        };
        let off = of(2);
        assert_eq!(off, of(1));
        let mean = |term: fn(f64) -> f64| differences().map(term).sum::<f64>() / n as f64;
        let tolerance = |size: f64| n as f64 * f64::EPSILON * size;
        assert_close!(off.mean, mean(|d| d), tolerance(mean(f64::abs)));
        let rms = mean(|d| d * d).sqrt();
        assert_close!(off.rms, rms, tolerance(rms));
        assert_eq!(off.max, differences().fold(0.0, |largest: f64, d| largest.max(d.abs())));
    }
}
