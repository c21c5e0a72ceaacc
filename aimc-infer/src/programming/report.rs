//! What programming has reached, and what it has cost.

use serde::Serialize;

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
    /// Of pairs (found, wanted); all 0 for none.
    ///
    /// ```
    /// use aimc_infer::programming::Deviation;
    /// let off = Deviation::of([(1.0, 0.0), (-1.0, 0.0), (3.0, 3.0), (2.0, 0.0)]);
    /// assert_eq!((off.mean, off.rms, off.max), (0.5, 1.5_f64.sqrt(), 2.0));
    /// ```
    pub fn of(pairs: impl IntoIterator<Item = (f32, f32)>) -> Self {
        let (mut n, mut sum, mut squares, mut max) = (0.0_f64, 0.0, 0.0, 0.0_f64);
        // Inner iteration: chained lists are then plain loops.
        pairs.into_iter().for_each(|(found, wanted)| {
            let difference = f64::from(found) - f64::from(wanted);
            n += 1.0;
            sum += difference;
            squares += difference * difference;
            max = max.max(difference.abs());
        });
        let n = n.max(1.0);
        Self { mean: sum / n, rms: (squares / n).sqrt(), max }
    }
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
        let found = || arrays.iter().flat_map(|array| array.conductances().iter().copied());
        let pairs = || found().zip(job.targets.iter().flatten().copied());
        let devices: usize = arrays.iter().map(|array| array.conductances().len()).sum();
        let unit = largest_size(job.weights).max(f32::MIN_POSITIVE);
        let weights = weights.iter().zip(job.weights).map(|(found, wanted)| (found / unit, wanted / unit));
        let within = |band: f32| pairs().filter(|(found, wanted)| (found - wanted).abs() <= band).count();
        Self {
            devices: devices as u64,
            conductance_error: Deviation::of(pairs()),
            weight_error: Deviation::of(weights),
            within_band: band.map(|band| within(band) as f64 / devices as f64),
            effort,
        }
    }
}
