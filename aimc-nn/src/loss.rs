//! Losses and scores of a batch. Every loss is a mean over the batch, given with its gradient.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::config::{self, NoFields};
use aimc_device::error::{ConfigError, require};

use crate::log_softmax;

/// A loss of classification, chosen by the field `model`: outputs are classes x batch, labels one class per sample.
///
/// ```
/// use aimc_device::config;
/// use aimc_nn::Loss;
/// let loss: Loss = config::from_toml("model = \"CrossEntropy\"\nlabel_smoothing = 0.1")?;
/// assert_eq!(loss, Loss::CrossEntropy { label_smoothing: 0.1 });
/// # Ok::<(), aimc_device::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum Loss {
    /// Negative log-likelihood; the network ends in log-probabilities.
    #[default]
    NegativeLogLikelihood,
    /// The same of a network that ends in scores, whose log-softmax is taken here.
    CrossEntropy {
        /// ε: the target is 1 - ε + ε/classes at the label and ε/classes elsewhere (Szegedy et al. 2016,
        /// doi:10.1109/CVPR.2016.308).
        label_smoothing: f32,
    },
    /// Mean squared difference to 1 at the label and 0 elsewhere, over all outputs.
    MeanSquare,
    /// Binary cross entropy of σ(output) with 1 at the label and 0 elsewhere, mean over all outputs.
    BinaryCrossEntropy,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CrossEntropyFields {
    label_smoothing: f32,
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("NegativeLogLikelihood", |table| {
                    config::decode(table).map(|NoFields {}| Self::NegativeLogLikelihood)
                }),
                ("CrossEntropy", |table| {
                    config::decode(table)
                        .map(|CrossEntropyFields { label_smoothing }| Self::CrossEntropy { label_smoothing })
                }),
                ("MeanSquare", |table| config::decode(table).map(|NoFields {}| Self::MeanSquare)),
                ("BinaryCrossEntropy", |table| {
                    config::decode(table).map(|NoFields {}| Self::BinaryCrossEntropy)
                }),
            ],
        )
    }
}

impl Loss {
    /// Refuses a smoothing that is no probability.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match *self {
            Self::CrossEntropy { label_smoothing } => {
                require::probability("label_smoothing", label_smoothing)
            }
            _ => Ok(()),
        }
    }

    /// The loss of a batch and its gradient with respect to the outputs.
    ///
    /// # Panics
    /// If a label is no class, which a [`Dataset`](crate::Dataset) excludes.
    #[must_use]
    pub fn of(&self, outputs: &DMatrix<f32>, labels: &[usize]) -> (f64, DMatrix<f32>) {
        match *self {
            Self::NegativeLogLikelihood => negative_log_likelihood(outputs, labels),
            Self::CrossEntropy { label_smoothing } => cross_entropy(outputs, labels, label_smoothing),
            Self::MeanSquare => mean_square(outputs, &one_hot(outputs.nrows(), labels)),
            Self::BinaryCrossEntropy => binary_cross_entropy(outputs, &one_hot(outputs.nrows(), labels)),
        }
    }
}

/// 1 at the label of every sample, 0 elsewhere.
fn one_hot(classes: usize, labels: &[usize]) -> DMatrix<f32> {
    let mut targets = DMatrix::zeros(classes, labels.len());
    labels.iter().enumerate().for_each(|(sample, &label)| targets[(label, sample)] = 1.0);
    targets
}

/// Mean negative log-likelihood of the labels, and its gradient with respect to the log-probabilities.
///
/// `log_probabilities` is classes x batch, `labels` has one class per sample.
///
/// # Panics
/// If a label is no class, which a [`Dataset`](crate::Dataset) excludes.
#[must_use]
pub fn negative_log_likelihood(log_probabilities: &DMatrix<f32>, labels: &[usize]) -> (f64, DMatrix<f32>) {
    let share = 1.0 / labels.len() as f32;
    let mut gradient = DMatrix::zeros(log_probabilities.nrows(), labels.len());
    let mut loss = 0.0;
    for (sample, &label) in labels.iter().enumerate() {
        loss -= f64::from(log_probabilities[(label, sample)]);
        gradient[(label, sample)] = -share;
    }
    (loss / labels.len() as f64, gradient)
}

/// Mean cross entropy of the softmax of `scores` with smoothed labels, and its gradient: (softmax - target)/batch.
#[must_use]
pub fn cross_entropy(scores: &DMatrix<f32>, labels: &[usize], smoothing: f32) -> (f64, DMatrix<f32>) {
    let (classes, share) = (scores.nrows(), 1.0 / labels.len() as f32);
    let logs = log_softmax::forward(scores);
    let mut targets = one_hot(classes, labels);
    targets.apply(|target| *target = *target * (1.0 - smoothing) + smoothing / classes as f32);
    let terms = targets.iter().zip(&logs).map(|(target, log)| f64::from(*target) * f64::from(*log));
    let loss = -terms.sum::<f64>() / labels.len() as f64;
    (loss, logs.zip_map(&targets, |log, target| (log.exp() - target) * share))
}

/// Mean squared difference over all elements, and its gradient.
#[must_use]
pub fn mean_square(outputs: &DMatrix<f32>, targets: &DMatrix<f32>) -> (f64, DMatrix<f32>) {
    let (difference, count) = (outputs - targets, outputs.len() as f64);
    let loss = difference.iter().map(|&d| f64::from(d) * f64::from(d)).sum::<f64>() / count;
    (loss, difference * (2.0 / count as f32))
}

/// Mean binary cross entropy of σ(`scores`) with `targets` between 0 and 1, and its gradient (σ - target)/count;
/// computed without overflow as max(s, 0) - s·t + ln(1 + e^-|s|).
#[must_use]
pub fn binary_cross_entropy(scores: &DMatrix<f32>, targets: &DMatrix<f32>) -> (f64, DMatrix<f32>) {
    let count = scores.len() as f64;
    let terms = scores.iter().zip(targets).map(|(&s, &t)| {
        let (s, t) = (f64::from(s), f64::from(t));
        s.max(0.0) - s * t + (-s.abs()).exp().ln_1p()
    });
    let loss = terms.sum::<f64>() / count;
    let gradient = scores.zip_map(targets, |s, t| (crate::activation::sigmoid(s) - t) / count as f32);
    (loss, gradient)
}

/// Number of samples whose largest output (the first of equals) is the label.
#[must_use]
pub fn count_correct(outputs: &DMatrix<f32>, labels: &[usize]) -> usize {
    outputs.column_iter().zip(labels).filter(|(output, label)| output.imax() == **label).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use nalgebra::dmatrix;
    use proptest::prelude::*;

    /// -Σ y[label]/n, Σ(y - t)²/n, Σ(ln(1 + eʸ) - t·y)/n, and their gradients.
    #[test]
    fn by_hand() {
        let outputs = dmatrix![-1.0, -3.0; -2.0, -0.5];
        let (loss, gradient) = negative_log_likelihood(&outputs, &[0, 0]);
        assert_eq!((loss, gradient), (2.0, dmatrix![-0.5, -0.5; 0.0, 0.0]));
        assert_eq!(count_correct(&outputs, &[0, 0]), 1);
        assert_eq!(count_correct(&dmatrix![0.5; 0.5], &[0]), 1, "the first of equal outputs");
        let (loss, gradient) = mean_square(&dmatrix![1.0; 3.0], &dmatrix![0.0; 1.0]);
        assert_eq!((loss, gradient), (2.5, dmatrix![1.0; 2.0]));
        let (loss, gradient) = binary_cross_entropy(&dmatrix![0.0; 200.0], &dmatrix![1.0; 1.0]);
        assert_eq!((loss, gradient), (std::f64::consts::LN_2 / 2.0, dmatrix![-0.25; 0.0]));
    }

    /// Without smoothing, cross entropy is log-softmax and negative log-likelihood one after the other. Both round a
    /// few operations on numbers below 10.
    #[test]
    fn cross_entropy_is_likelihood_of_softmax() {
        let scores = dmatrix![0.3, -2.0; 1.5, 0.0; -1.0, 4.0];
        let (loss, gradient) = cross_entropy(&scores, &[2, 0], 0.0);
        let logs = log_softmax::forward(&scores);
        let (expected, d) = negative_log_likelihood(&logs, &[2, 0]);
        assert_close!(loss, expected, 40.0 * f64::from(f32::EPSILON));
        assert!((gradient - log_softmax::backward(&logs, &d)).amax() < 4.0 * f32::EPSILON);
    }

    #[test]
    fn every_loss_is_found_by_name_and_mistakes_are_named() {
        for (name, loss) in [
            ("NegativeLogLikelihood", Loss::NegativeLogLikelihood),
            ("CrossEntropy", Loss::CrossEntropy { label_smoothing: 0.0 }),
            ("MeanSquare", Loss::MeanSquare),
            ("BinaryCrossEntropy", Loss::BinaryCrossEntropy),
        ] {
            assert_eq!(config::from_toml::<Loss>(&format!("model = \"{name}\"")).unwrap(), loss);
        }
        let refused = |text| config::from_toml::<Loss>(text).unwrap_err().field;
        assert_eq!(refused("model = \"MeanSquare\"\nlabel_smoothing = 0.1"), "label_smoothing");
        assert_eq!(refused("model = \"Hinge\""), "model");
        assert_eq!(refused("model = \"CrossEntropy\"\nlabel_smoothing = \"much\""), "label_smoothing");
        let too_much = Loss::CrossEntropy { label_smoothing: f32::NAN };
        assert_eq!(too_much.validate().unwrap_err().field, "label_smoothing");
    }

    proptest! {
        #![proptest_config(strategies::config(64))]

        /// A central difference errs by h²/6 of the third derivative (below 1/2 per sample) and by the rounding of the
        /// outputs, ε·|output|/h.
        #[test]
        fn gradients_equal_finite_differences(values in prop::collection::vec(-3.0_f32..3.0, 6), smoothing in 0.0_f32..1.0) {
            let outputs = DMatrix::from_vec(3, 2, values);
            let h = 1.0 / 128.0;
            let tolerance = f64::from(h * h) / 6.0 + 8.0 * f64::from(f32::EPSILON) * 4.0 / f64::from(h);
            for loss in [
                Loss::NegativeLogLikelihood,
                Loss::CrossEntropy { label_smoothing: smoothing },
                Loss::MeanSquare,
                Loss::BinaryCrossEntropy,
            ] {
                let (_, gradient) = loss.of(&outputs, &[2, 1]);
                for k in 0..6 {
                    let at = |step: f32| {
                        let mut moved = outputs.clone();
                        moved[k] += step;
                        loss.of(&moved, &[2, 1]).0
                    };
                    let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
                    assert_close!(difference, f64::from(gradient[k]), tolerance, "{loss:?} [{k}]");
                }
            }
        }
    }
}
