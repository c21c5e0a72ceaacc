//! Labelled samples, checked once when they are put together.
//!
//! Every later stage (training, inference, comparison) may rely on what [`Dataset::new`] promises: at least one
//! sample, one label per sample, every label below the class count, and no NaN or infinity among the features.

use std::fmt;
use std::ops::Range;

use nalgebra::DMatrix;
use thiserror::Error;

use aimc_tile::gathered;

/// Why samples cannot form a [`Dataset`], or why a part of one cannot be taken.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// There is no sample, or a sample has no feature.
    #[error("the data set is empty ({features} features x {samples} samples); give at least one of each")]
    Empty {
        /// Rows of the feature matrix.
        features: usize,
        /// Columns of the feature matrix.
        samples: usize,
    },
    /// Features and labels speak of different numbers of samples.
    #[error("{samples} samples came with {labels} labels; give one label per sample (column)")]
    LabelCount {
        /// Columns of the feature matrix.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label names a class that does not exist.
    #[error("sample {sample} has label {label}, but with {classes} classes a label is below {classes}")]
    LabelOutOfRange {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A feature is NaN or infinite.
    #[error("sample {sample}, feature {feature} is {value}; every feature must be a finite number")]
    NotFinite {
        /// Index of the sample.
        sample: usize,
        /// Index of the feature in the sample.
        feature: usize,
        /// What stood there.
        value: f32,
    },
    /// A range of samples is empty or leaves the data set.
    #[error("samples {start}..{end} were asked for; give a non-empty range within 0..{len}")]
    BadRange {
        /// First sample.
        start: usize,
        /// One past the last sample.
        end: usize,
        /// Number of samples there are.
        len: usize,
    },
    /// A batch asks for a sample that is not there.
    #[error("sample {index} was asked for; the data set has samples 0..{len}")]
    IndexOutOfRange {
        /// The index.
        index: usize,
        /// Number of samples there are.
        len: usize,
    },
}

/// Labelled samples: a matrix of features (one **column** per sample) and one class per sample.
///
/// ```
/// use aimc_nn::Dataset;
/// use nalgebra::DMatrix;
///
/// // Three samples of two features each.
/// let features = DMatrix::from_column_slice(2, 3, &[0.0, 0.1, 1.0, 1.1, 2.0, 2.1]);
/// let data = Dataset::new(features, vec![0, 1, 1], 2)?;
/// assert_eq!((data.feature_count(), data.len(), data.classes()), (2, 3, 2));
///
/// let (batch, labels) = data.select(&[2, 0])?;
/// assert_eq!(batch.as_slice(), &[2.0, 2.1, 0.0, 0.1]);
/// assert_eq!(labels, vec![1, 0]);
/// # Ok::<(), aimc_nn::DatasetError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Dataset {
    features: DMatrix<f32>,
    labels: Vec<usize>,
    classes: usize,
}

impl Dataset {
    /// Checks and keeps samples: `features` is `[features x samples]`, `labels` holds one class per column.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] when there is no sample, the counts differ, a label is not below `classes`, or a feature is
    /// not finite.
    pub fn new(features: DMatrix<f32>, labels: Vec<usize>, classes: usize) -> Result<Self, DatasetError> {
        let (rows, samples) = features.shape();
        if rows == 0 || samples == 0 {
            return Err(DatasetError::Empty { features: rows, samples });
        }
        if labels.len() != samples {
            return Err(DatasetError::LabelCount { samples, labels: labels.len() });
        }
        if let Some((sample, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            return Err(DatasetError::LabelOutOfRange { sample, label, classes });
        }
        // Column-major storage: the flat position is sample * rows + feature.
        if let Some((at, &value)) = features.as_slice().iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(DatasetError::NotFinite { sample: at / rows, feature: at % rows, value });
        }
        Ok(Self { features, labels, classes })
    }

    /// All features, `[features x samples]`.
    #[must_use]
    pub fn features(&self) -> &DMatrix<f32> {
        &self.features
    }

    /// The class of every sample.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Number of classes; every label is below it.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of samples, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Number of features of a sample, at least one.
    #[must_use]
    pub fn feature_count(&self) -> usize {
        self.features.nrows()
    }

    /// The samples of `range`, as a data set with the same classes.
    ///
    /// ```
    /// # use aimc_nn::Dataset;
    /// # use nalgebra::DMatrix;
    /// # let data = Dataset::new(DMatrix::from_row_slice(1, 3, &[5.0, 6.0, 7.0]), vec![0, 1, 0], 2)?;
    /// let tail = data.range(1..3)?;
    /// assert_eq!(tail.features().as_slice(), &[6.0, 7.0]);
    /// assert!(data.range(2..4).is_err());
    /// # Ok::<(), aimc_nn::DatasetError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DatasetError::BadRange`] when the range is empty or leaves the data set.
    pub fn range(&self, range: Range<usize>) -> Result<Self, DatasetError> {
        let Range { start, end } = range;
        if start >= end || end > self.len() {
            return Err(DatasetError::BadRange { start, end, len: self.len() });
        }
        Ok(Self {
            features: gathered(&self.features.columns(start, end - start)),
            labels: self.labels[start..end].to_vec(),
            classes: self.classes,
        })
    }

    /// Gathers a batch: the samples at `indices`, in that order; an index may come more than once.
    ///
    /// # Errors
    ///
    /// [`DatasetError::IndexOutOfRange`] names the first index that is not in the data set.
    pub fn select(&self, indices: &[usize]) -> Result<(DMatrix<f32>, Vec<usize>), DatasetError> {
        if let Some(&index) = indices.iter().find(|&&index| index >= self.len()) {
            return Err(DatasetError::IndexOutOfRange { index, len: self.len() });
        }
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Ok((self.features.select_columns(indices), labels))
    }
}

/// Shapes only: a dump of a million pixels helps nobody.
impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("samples", &self.len())
            .field("features", &self.feature_count())
            .field("classes", &self.classes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Dataset {
        let features = DMatrix::from_column_slice(2, 3, &[0.0, 1.0, 10.0, 11.0, 20.0, 21.0]);
        Dataset::new(features, vec![2, 0, 1], 3).unwrap()
    }

    #[test]
    fn select_gathers_columns_in_the_order_asked() {
        let (batch, labels) = three().select(&[2, 0, 2]).unwrap();
        assert_eq!(batch.as_slice(), &[20.0, 21.0, 0.0, 1.0, 20.0, 21.0]);
        assert_eq!(labels, [1, 2, 1]);
        let (none, labels) = three().select(&[]).unwrap();
        assert_eq!((none.shape(), labels.len()), ((2, 0), 0));
    }

    #[test]
    fn range_keeps_samples_and_classes() {
        let part = three().range(1..3).unwrap();
        assert_eq!(part.features().as_slice(), &[10.0, 11.0, 20.0, 21.0]);
        assert_eq!((part.labels(), part.classes()), (&[0, 1][..], 3));
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "the reversed range is the bad input")]
    fn parts_outside_are_refused() {
        let data = three();
        for range in [0..4, 3..3, 2..1, usize::MAX - 1..usize::MAX] {
            assert!(matches!(data.range(range), Err(DatasetError::BadRange { len: 3, .. })));
        }
        assert_eq!(data.select(&[1, 3]), Err(DatasetError::IndexOutOfRange { index: 3, len: 3 }));
    }

    #[test]
    fn a_feature_that_is_not_finite_is_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let features = DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 0.0, bad]);
            let error = Dataset::new(features, vec![0, 0], 1).unwrap_err();
            assert!(matches!(error, DatasetError::NotFinite { sample: 1, feature: 1, .. }), "{error}");
            assert!(error.to_string().starts_with(&format!("sample 1, feature 1 is {bad}")), "{error}");
        }
    }

    #[test]
    fn wrong_counts_labels_and_empty_data_are_refused() {
        let zeros = |r, c| DMatrix::<f32>::zeros(r, c);
        let labels = Dataset::new(zeros(2, 3), vec![0, 0], 1).unwrap_err();
        assert_eq!(labels, DatasetError::LabelCount { samples: 3, labels: 2 });
        let label = Dataset::new(zeros(2, 2), vec![0, 5], 5).unwrap_err();
        assert_eq!(label, DatasetError::LabelOutOfRange { sample: 1, label: 5, classes: 5 });
        for (rows, columns) in [(0, 0), (0, 4), (4, 0)] {
            let error = Dataset::new(zeros(rows, columns), vec![0; columns], 1).unwrap_err();
            assert_eq!(error, DatasetError::Empty { features: rows, samples: columns });
        }
    }

    #[test]
    fn debug_stays_short() {
        assert_eq!(format!("{:?}", three()), "Dataset { samples: 3, features: 2, classes: 3 }");
    }
}
