//! Losses and scores of a batch.

use nalgebra::DMatrix;

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

/// Number of samples whose largest output (the first of equals) is the label.
#[must_use]
pub fn count_correct(outputs: &DMatrix<f32>, labels: &[usize]) -> usize {
    outputs.column_iter().zip(labels).filter(|(output, label)| output.imax() == **label).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn by_hand() {
        let outputs = dmatrix![-1.0, -3.0; -2.0, -0.5];
        let (loss, gradient) = negative_log_likelihood(&outputs, &[0, 0]);
        assert_eq!((loss, gradient), (2.0, dmatrix![-0.5, -0.5; 0.0, 0.0]));
        assert_eq!(count_correct(&outputs, &[0, 0]), 1);
        assert_eq!(count_correct(&dmatrix![0.5; 0.5], &[0]), 1, "the first of equal outputs");
    }
}
