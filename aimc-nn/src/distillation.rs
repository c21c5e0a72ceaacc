//! Distillation: a student learns from the outputs of a teacher beside the labels.
//!
//! ```text
//! L = (1 - α)·L₀ + α·T²·KL(p‖q)       p = softmax(t/T), q = softmax(z/T), mean over the batch
//! ∂L/∂z = (1 - α)·∂L₀/∂z + α·T·(q - p)/batch
//! ```
//!
//! | symbol | field | meaning |
//! |---|---|---|
//! | α | `weight` | share of the teacher |
//! | T | `temperature` | above 1, small probabilities of the teacher count more; T² keeps the size of the gradient |
//! | t, z | | outputs of teacher and student: scores, or log-probabilities, which have the same softmax |
//!
//! For large T the second term becomes α·Σ(z̃ - t̃)²/(2·classes), with z̃ and t̃ the scores less their mean.
//!
//! Reference: G. Hinton, O. Vinyals & J. Dean 2015, *Distilling the Knowledge in a Neural Network*, arXiv:1503.02531.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::log_softmax;

/// How much and at which temperature a teacher counts, see the [module](self).
///
/// ```
/// use aimc_nn::Distillation;
/// use nalgebra::dmatrix;
/// let teacher = Distillation { weight: 0.25, temperature: 2.0 };
/// let (scores, hard) = (dmatrix![1.0; -1.0], (0.5, dmatrix![0.5; -0.5]));
/// // Who knows all that the teacher knows learns from the labels alone.
/// assert_eq!(teacher.mix(hard, &scores, &scores), (0.375, dmatrix![0.375; -0.375]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Distillation {
    /// Share α of the teacher, from 0 to 1.
    pub weight: f32,
    /// Temperature T, above 0.
    pub temperature: f32,
}

impl Default for Distillation {
    fn default() -> Self {
        Self { weight: 0.5, temperature: 2.0 }
    }
}

impl Distillation {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::probability("weight", self.weight)?;
        require::positive("temperature", self.temperature)
    }

    /// The whole loss and its gradient, from the loss `hard` of the labels with its gradient, and the outputs of student and
    /// teacher: classes x batch, both.
    #[must_use]
    pub fn mix(
        &self,
        hard: (f64, DMatrix<f32>),
        student: &DMatrix<f32>,
        teacher: &DMatrix<f32>,
    ) -> (f64, DMatrix<f32>) {
        let (alpha, t) = (self.weight, self.temperature);
        let logs = |outputs: &DMatrix<f32>| log_softmax::forward(&(outputs / t));
        let (student, teacher) = (logs(student), logs(teacher));
        let terms = teacher.iter().zip(&student).map(|(p, q)| f64::from(p.exp()) * f64::from(p - q));
        let soft = f64::from(t).powi(2) * terms.sum::<f64>() / student.ncols() as f64;
        let share = alpha * t / student.ncols() as f32;
        let gradient = student.zip_map(&teacher, |q, p| share * (q.exp() - p.exp()));
        (f64::from(1.0 - alpha) * hard.0 + f64::from(alpha) * soft, hard.1 * (1.0 - alpha) + gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loss;
    use aimc_device::config;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use nalgebra::dmatrix;
    use proptest::prelude::*;

    const SCORES: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };

    proptest! {
        #![proptest_config(strategies::config(64))]

        /// A central difference errs by h²/6 of the third derivative (below 1/2 for either loss at T ≥ 1) and by the
        /// rounding of the outputs, ε·|output|·T/h.
        #[test]
        fn the_gradient_equals_finite_differences(
            values in prop::collection::vec(-3.0_f32..3.0, 12), weight in 0.0_f32..=1.0, temperature in 1.0_f32..4.0,
        ) {
            let (student, teacher) = (DMatrix::from_vec(3, 2, values[..6].to_vec()), DMatrix::from_vec(3, 2, values[6..].to_vec()));
            let record = Distillation { weight, temperature };
            let of = |z: &DMatrix<f32>| record.mix(SCORES.of(z, &[2, 1]), z, &teacher);
            let gradient = of(&student).1;
            let h = 1.0 / 128.0;
            let tolerance = f64::from(h * h) / 6.0 + 8.0 * f64::from(f32::EPSILON) * 4.0 * f64::from(temperature.powi(2) / h);
            for k in 0..6 {
                let at = |step: f32| {
                    let mut moved = student.clone();
                    moved[k] += step;
                    of(&moved).0
                };
                let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
                assert_close!(difference, f64::from(gradient[k]), tolerance);
            }
        }

        /// KL is 0 for equals and above 0 for others; a constant added to all scores of a sample changes nothing.
        #[test]
        fn only_differences_of_probability_count(values in prop::collection::vec(-3.0_f32..3.0, 4), shift in -2.0_f32..2.0) {
            let (z, t) = (DMatrix::from_column_slice(2, 1, &values[..2]), DMatrix::from_column_slice(2, 1, &values[2..]));
            let all = Distillation { weight: 1.0, temperature: 1.5 };
            let nothing = || (0.0, DMatrix::zeros(2, 1));
            prop_assert_eq!(all.mix(nothing(), &z, &z), nothing());
            let (loss, gradient) = all.mix(nothing(), &z, &t);
            // Rounding of logarithms of size 6.
            prop_assert!(loss >= -64.0 * f64::from(f32::EPSILON));
            let (shifted, same) = all.mix(nothing(), &z.add_scalar(shift), &t);
            prop_assert!((loss - shifted).abs() < 1e-5 && (gradient - same).amax() < 1e-5);
        }
    }

    /// At high temperature the loss is half the mean square of the difference of centred scores; the next order is
    /// |z̃ - t̃|³/T, about 2/100.
    #[test]
    fn hot_teachers_ask_for_their_scores() {
        let (z, t) = (dmatrix![1.0; -1.0; 0.0], dmatrix![0.0; 1.0; -1.0]);
        let hot = Distillation { weight: 1.0, temperature: 100.0 };
        let (loss, gradient) = hot.mix((0.0, DMatrix::zeros(3, 1)), &z, &t);
        assert_close!(loss, 6.0 / (2.0 * 3.0), 0.02);
        assert!((gradient - (z - t) / 3.0).amax() < 0.02);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, field) in [("weight = 1.5", "weight"), ("temperature = 0.0", "temperature")] {
            let record: Distillation = config::from_toml(text).unwrap();
            assert_eq!(record.validate().unwrap_err().field, field);
        }
        assert_eq!(config::from_toml::<Distillation>("alpha = 0.5").unwrap_err().field, "alpha");
    }
}
