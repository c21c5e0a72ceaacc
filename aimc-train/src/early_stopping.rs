//! When to end a training whose score no longer improves.
//!
//! Every `every_epochs` epochs a score is taken, for hardware-aware training that of the network on drifted devices. The network
//! with the first of the best scores is kept; training ends once `patience` scores in a row were not better. A decision
//! is a function of all scores so far, so that an interrupted training decides the same.
//!
//! The score must come from samples that neither train the network nor judge the result: the best of several noisy scores is
//! too good an estimate of itself.
//!
//! Reference: L. Prechelt 1998, *Early Stopping - But When?*, doi:10.1007/3-540-49430-8_3 (criterion UP).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

/// How often to look and how long to wait, see the [module](self).
///
/// ```
/// use aimc_train::EarlyStopping;
/// let rule = EarlyStopping { every_epochs: 1, patience: 2 };
/// let verdict = rule.verdict(&[0.8, 0.9, 0.9, 0.85]);
/// assert_eq!((verdict.best, verdict.ends), (Some(1), true));
/// assert!(!rule.verdict(&[0.8, 0.9, 0.9]).ends);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs between two scores.
    pub every_epochs: usize,
    /// Scores in a row without improvement that end the training.
    pub patience: usize,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { every_epochs: 1, patience: 3 }
    }
}

/// What the scores so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Number of the best score, from 0, the first of equals; none before the first score, and of scores that are no numbers.
    pub best: Option<usize>,
    /// Whether to end.
    pub ends: bool,
}

impl EarlyStopping {
    /// Refuses 0.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::at_least_one("every_epochs", self.every_epochs)?;
        require::at_least_one("patience", self.patience)
    }

    /// Whether a score is due after so many epochs.
    #[must_use]
    pub fn is_due(&self, epochs: usize) -> bool {
        epochs > 0 && epochs.is_multiple_of(self.every_epochs)
    }

    /// What `scores`, in the order of time, say.
    #[must_use]
    pub fn verdict(&self, scores: &[f64]) -> Verdict {
        let mut best: Option<usize> = None;
        for (i, score) in scores.iter().enumerate() {
            if !score.is_nan() && best.is_none_or(|best| *score > scores[best]) {
                best = Some(i);
            }
        }
        let waited = scores.len() - best.map_or(0, |best| best + 1);
        Verdict { best, ends: waited >= self.patience }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The best is the first of the largest, and a training that goes on has one among its last `patience` scores.
        #[test]
        fn the_best_is_kept_and_waited_for(scores in prop::collection::vec(0_u8..5, 0..12), patience in 1_usize..5) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let rule = EarlyStopping { every_epochs: 1, patience };
            let Verdict { best, ends } = rule.verdict(&scores);
            prop_assert_eq!(best.is_none(), scores.is_empty());
            if let Some(best) = best {
                prop_assert!(scores[..best].iter().all(|score| *score < scores[best]));
                prop_assert!(scores[best..].iter().all(|score| *score <= scores[best]));
                prop_assert_eq!(ends, scores.len() > best + patience);
            }
            // Rising scores never end, and what has ended stays so without a better score.
            let rising: Vec<f64> = (0..scores.len()).map(|i| i as f64).collect();
            prop_assert!(!rule.verdict(&rising).ends);
            let mut longer = scores.clone();
            longer.push(0.0);
            prop_assert!(!ends || rule.verdict(&longer).ends);
        }
    }

    /// A training ends after `patience` scores without a better one; NaN is never the best.
    #[test]
    fn scores_are_due_every_few_epochs_and_no_number_is_no_best() {
        let rule = EarlyStopping { every_epochs: 3, patience: 2 };
        assert_eq!([0, 1, 3, 5, 6].map(|epochs| rule.is_due(epochs)), [false, false, true, false, true]);
        assert_eq!(rule.verdict(&[f64::NAN, f64::NAN]), Verdict { best: None, ends: true });
        assert_eq!(rule.verdict(&[f64::NAN, 0.5]), Verdict { best: Some(1), ends: false });
        assert_eq!(EarlyStopping { patience: 0, ..rule }.validate().unwrap_err().field, "patience");
        assert_eq!(EarlyStopping { every_epochs: 0, ..rule }.validate().unwrap_err().field, "every_epochs");
    }
}
