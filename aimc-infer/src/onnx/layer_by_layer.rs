//! Which node of a graph costs the accuracy, as [`matrix_errors`](crate::matrix_errors) and [`sensitivity`](crate::sensitivity())
//! tell it of networks of our own layers.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::Dataset;
use aimc_tile::IdealTile;

use super::OnnxClassifier;
use crate::classifier::Classifier;
use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::matrix::ProgrammedMatrix;
use crate::matrix_errors::{Compared, MatrixError};
use crate::sensitivity::Sensitivity;
use crate::summary::Summary;

impl OnnxClassifier {
    /// The errors of the products of each matrix, `t_seconds` after programming, on the full batches of `data`; every matrix
    /// sees the inputs of the exact graph.
    pub fn matrix_errors(
        &self,
        programmed: &[ProgrammedMatrix],
        t_seconds: f32,
        data: &Dataset,
        key: RngKey,
    ) -> Result<Vec<MatrixError>, EvaluationError> {
        let data = self.full_batches(data, "samples of the data")?;
        let mut all = Vec::new();
        let read = (t_seconds, key.fold_in(label("read")));
        let mut model = self.mounted(programmed, read, |_, weights, aged| {
            let compared = Compared::new(weights, aged);
            all.push(compared.sums.clone());
            Ok(Box::new(compared))
        })?;
        self.each_batch(&mut model, &data, key.fold_in(label("forward")), |_, _| {})?;
        let names = self.matrices()?.into_iter().map(|(name, _)| name);
        Ok(names.zip(&all).map(|(name, sums)| MatrixError::of(name, sums)).collect())
    }

    /// The accuracy with each matrix alone on devices, `t_seconds` after programming, over `repeats` programming events.
    ///
    /// The devices of a matrix are the same in event r as those in event r of [`evaluate`](crate::evaluate()) with this key.
    pub fn sensitivity(
        &self,
        tile: &InferenceTileConfig,
        data: &Dataset,
        (t_seconds, repeats): (f32, usize),
        key: RngKey,
    ) -> Result<Vec<Sensitivity>, EvaluationError> {
        let names: Vec<String> = self.matrices()?.into_iter().map(|(name, _)| name).collect();
        let mut accuracies = vec![Vec::with_capacity(repeats); names.len()];
        for repeat in 0..repeats as u64 {
            let key = key.fold_in(label("repeat")).fold_in(repeat);
            let programmed = self.program(tile, key.fold_in(label("program")))?;
            let key = key.fold_in(label("sensitivity"));
            let read = (t_seconds, key.fold_in(label("read")));
            for (wanted, accuracies) in accuracies.iter_mut().enumerate() {
                let mut model = self.mounted(&programmed, read, |i, weights, aged| {
                    Ok(if i == wanted { Box::new(aged) } else { Box::new(IdealTile::holding(weights)) })
                })?;
                accuracies.push(self.accuracy(&mut model, data, key.fold_in(label("forward")))?);
            }
        }
        let all = names.into_iter().zip(accuracies);
        Ok(all.map(|(name, accuracies)| Sensitivity { name, summary: Summary::of(&accuracies) }).collect())
    }
}
