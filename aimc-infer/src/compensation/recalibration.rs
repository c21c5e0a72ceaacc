//! When the factor of drift compensation is read out: before every read, or at given instants, as deployed hardware does.
//!
//! ```text
//! α(t) = α read out at the last instant ≤ t; until the first one the factor of the time right after programming
//! ```
//!
//! Right after programming α is 1, since the baseline was read just then; only the scheme with exact reference has to read
//! the tile out, once. A readout at an instant draws from an address made of the programming event and that instant alone: all
//! later reads use the same factor. With uniform exponents ν the outputs fall, between two instants a and b, by
//! ((b + t_0)/(a + t_0))^-ν at most.
//!
//! The cost is in products: one per input of the tile and readout (one-hot vectors), during which the tile does nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

/// When drift compensation is read out, see the [module](self).
///
/// ```
/// use aimc_infer::Recalibration;
/// let daily: Recalibration = aimc_device::config::from_toml::<std::collections::BTreeMap<String, Recalibration>>(
///     "recalibration = { Every = 86400.0 }").unwrap()["recalibration"].clone();
/// assert_eq!(daily, Recalibration::Every(86_400.0));
/// assert_eq!(daily.readouts_until(604_800.0), Some(7));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Recalibration {
    /// Anew at every time at which the tile is evaluated.
    #[default]
    EveryRead,
    /// Every so many seconds after programming.
    Every(f32),
    /// At these seconds after programming, ascending.
    At(Vec<f32>),
}

/// The readout whose factor is in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Valid {
    /// One that is made now.
    Now,
    /// One that was made at a time (s).
    Since(f32),
    /// None yet.
    None,
}

impl Recalibration {
    /// Refuses intervals that are not positive and times that are not ascending, finite and 0 or above.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::EveryRead => Ok(()),
            Self::Every(seconds) => require::positive("Every", *seconds),
            Self::At(times) => require::ascending_times("At", times),
        }
    }

    /// The readout whose factor is in use at `t` (s).
    pub(crate) fn valid_at(&self, t: f32) -> Valid {
        match self {
            Self::EveryRead => Valid::Now,
            Self::Every(seconds) => match whole(t, *seconds) {
                0 => Valid::None,
                n => Valid::Since(((n as f64 * f64::from(*seconds)) as f32).min(t)),
            },
            Self::At(times) => match times.partition_point(|&time| time <= t) {
                0 => Valid::None,
                n => Valid::Since(times[n - 1]),
            },
        }
    }

    /// Readouts from programming until `t` (s), that time included; `None`: one before every read.
    #[must_use]
    pub fn readouts_until(&self, t: f32) -> Option<u64> {
        match self {
            Self::EveryRead => None,
            Self::Every(seconds) => Some(whole(t, *seconds)),
            Self::At(times) => Some(times.partition_point(|&time| time <= t) as u64),
        }
    }
}

/// ⌊t/interval⌋.
fn whole(t: f32, interval: f32) -> u64 {
    (f64::from(t) / f64::from(interval)).floor() as u64
}

/// Products of one tile that drift compensation costs.
///
/// ```
/// use aimc_infer::compensation::CompensationReads;
/// let reads = CompensationReads { baseline: 512, per_readout: 512, readouts: Some(7) };
/// assert_eq!(reads.total(), Some(8 * 512));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CompensationReads {
    /// Right after programming.
    pub baseline: u64,
    /// For each readout.
    pub per_readout: u64,
    /// Number of readouts; `None`: one before every read.
    pub readouts: Option<u64>,
}

impl CompensationReads {
    /// All together; `None` where the number of readouts is that of the reads.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.readouts.map(|readouts| self.baseline + self.per_readout * readouts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every T: the factor at t ≥ T is from T·⌊t/T⌋; listed: from the latest time that is not after t.
    #[test]
    fn the_last_readout_counts() {
        let daily = Recalibration::Every(86_400.0);
        for (t, valid, readouts) in [
            (0.0, Valid::None, 0),
            (86_399.0, Valid::None, 0),
            (86_400.0, Valid::Since(86_400.0), 1),
            (200_000.0, Valid::Since(172_800.0), 2),
        ] {
            assert_eq!((daily.valid_at(t), daily.readouts_until(t)), (valid, Some(readouts)), "{t}");
        }
        let listed = Recalibration::At(vec![0.0, 60.0, 3600.0]);
        for (t, valid, readouts) in
            [(0.0, Valid::Since(0.0), 1), (59.0, Valid::Since(0.0), 1), (1e7, Valid::Since(3600.0), 3)]
        {
            assert_eq!((listed.valid_at(t), listed.readouts_until(t)), (valid, Some(readouts)), "{t}");
        }
        assert_eq!(Recalibration::EveryRead.valid_at(5.0), Valid::Now);
        assert_eq!(Recalibration::EveryRead.readouts_until(5.0), None);
    }

    /// Whatever the rounding, a readout is never later than the read that uses it, nor an interval older.
    #[test]
    fn readouts_are_never_in_the_future() {
        for interval in [0.1_f32, 0.3, 7.7, 86_400.0] {
            for n in 1..2000 {
                let t = n as f32 * interval;
                let Valid::Since(since) = Recalibration::Every(interval).valid_at(t) else { continue };
                assert!(
                    since <= t && f64::from(t - since) <= f64::from(interval) * (1.0 + 1e-3),
                    "{interval} {t}"
                );
            }
        }
    }

    #[test]
    fn schedules_that_make_no_sense_are_refused() {
        let field = |schedule: Recalibration| schedule.validate().unwrap_err().field;
        assert_eq!(field(Recalibration::Every(0.0)), "Every");
        assert_eq!(field(Recalibration::Every(f32::NAN)), "Every");
        assert_eq!(field(Recalibration::At(vec![])), "At");
        assert_eq!(field(Recalibration::At(vec![1.0, 1.0])), "At[1]");
        assert_eq!(field(Recalibration::At(vec![-1.0])), "At[0]");
    }
}
