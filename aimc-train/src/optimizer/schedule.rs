//! Learning rates over time, each in closed form.
//!
//! With e the epoch (whole, from 0), s the step (from 0) and S the number of all steps, the rate is η = η₀·w·f:
//!
//! | schedule | f |
//! |---|---|
//! | `Constant` | 1 |
//! | `Step` | factor^⌊e/every⌋ |
//! | `Exponential` | factor^e |
//! | `Cosine` | r + (1 - r)(1 + cos(π s/S))/2, r the `final_share` |
//!
//! and the linear warm-up w = min(1, (s + 1)/`warmup_steps`).

use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// How the learning rate changes, chosen by the field `model`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// A factor every so many epochs.
    Step {
        /// Factor of each step.
        factor: f32,
        /// Epochs between steps.
        every: usize,
    },
    /// Half a cosine from 1 to `final_share`.
    Cosine {
        /// Share of the rate that is left at the end.
        final_share: f32,
    },
    /// A factor every epoch.
    Exponential {
        /// Factor of each epoch.
        factor: f32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    factor: f32,
    every: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CosineFields {
    final_share: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExponentialFields {
    factor: f32,
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("Constant", |table| config::decode(table).map(|Nothing {}| Self::Constant)),
                ("Step", |table| {
                    config::decode(table).map(|StepFields { factor, every }| Self::Step { factor, every })
                }),
                ("Cosine", |table| {
                    config::decode(table).map(|CosineFields { final_share }| Self::Cosine { final_share })
                }),
                ("Exponential", |table| {
                    config::decode(table).map(|ExponentialFields { factor }| Self::Exponential { factor })
                }),
            ],
        )
    }
}

impl Schedule {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match *self {
            Self::Constant => Ok(()),
            Self::Step { factor, every } => {
                require::positive("factor", factor)?;
                require::at_least_one("every", every)
            }
            Self::Cosine { final_share } => require::within("final_share", final_share, 0.0, 1.0),
            Self::Exponential { factor } => require::positive("factor", factor),
        }
    }
}

/// A rate over the steps of a training.
///
/// ```
/// use aimc_train::{LearningRate, Schedule};
/// let schedule = Schedule::Step { factor: 0.5, every: 2 };
/// let rate = LearningRate { base: 0.5, schedule: &schedule, warmup_steps: 0, steps_per_epoch: 10, total: 50 };
/// assert_eq!([rate.at(0), rate.at(19), rate.at(20), rate.at(40)], [0.5, 0.5, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LearningRate<'a> {
    /// Rate η₀.
    pub base: f32,
    /// Its change.
    pub schedule: &'a Schedule,
    /// Steps of the linear warm-up; 0 for none.
    pub warmup_steps: u64,
    /// Steps of one epoch.
    pub steps_per_epoch: u64,
    /// All steps S.
    pub total: u64,
}

impl LearningRate<'_> {
    /// The rate of step `s`, from 0.
    #[must_use]
    pub fn at(&self, s: u64) -> f32 {
        let epoch = s / self.steps_per_epoch.max(1);
        let share = match *self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step { factor, every } => power(factor, epoch / (every as u64).max(1)),
            Schedule::Exponential { factor } => power(factor, epoch),
            Schedule::Cosine { final_share } => {
                let phase = std::f64::consts::PI * s as f64 / self.total.max(1) as f64;
                let left = f64::from(final_share);
                left + (1.0 - left) * (1.0 + phase.cos()) / 2.0
            }
        };
        let warmup = if s < self.warmup_steps { (s + 1) as f64 / self.warmup_steps as f64 } else { 1.0 };
        (f64::from(self.base) * share * warmup) as f32
    }
}

fn power(factor: f32, exponent: u64) -> f64 {
    f64::from(factor).powf(exponent as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rates(toml: &str, warmup_steps: u64) -> Vec<f32> {
        let schedule: Schedule = config::from_toml(toml).unwrap();
        schedule.validate().unwrap();
        let rate =
            LearningRate { base: 2.0, schedule: &schedule, warmup_steps, steps_per_epoch: 2, total: 8 };
        (0..8).map(|s| rate.at(s)).collect()
    }

    /// η/η₀: 1; f^⌊t/n⌋ per step or epoch; f + (1 - f)(1 + cos πt/T)/2; a ramp of t/warmup before.
    #[test]
    fn closed_forms() {
        assert_eq!(rates("model = \"Constant\"", 0), [2.0; 8]);
        assert_eq!(rates("model = \"Constant\"", 4), [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0]);
        let step = rates("model = \"Step\"\nfactor = 0.5\nevery = 2", 0);
        assert_eq!(step, [2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        let exponential = rates("model = \"Exponential\"\nfactor = 0.5", 0);
        assert_eq!(exponential, [2.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
        let cosine = rates("model = \"Cosine\"\nfinal_share = 0.5", 0);
        // Quarters of the half period: cos = 1, 1/√2, 0.
        let half = (1.0 + 0.5_f64.sqrt()) / 2.0;
        assert_eq!([cosine[0], cosine[2], cosine[4]], [2.0, (2.0 * (0.5 + 0.5 * half)) as f32, 1.5]);
    }

    #[test]
    fn mistakes_are_named() {
        for (toml, field) in [
            ("model = \"Step\"\nfactor = 0.5", "every"),
            ("model = \"Exponential\"\nfactor = nan", "factor"),
            ("model = \"Cosine\"\nfinal_share = 2.0", "final_share"),
            ("model = \"Constant\"\nfactor = 2.0", "factor"),
        ] {
            let error =
                config::from_toml::<Schedule>(toml).and_then(|schedule| schedule.validate()).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}
