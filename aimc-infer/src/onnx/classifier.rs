//! An ONNX graph that tells classes of samples apart.

use std::collections::BTreeSet;

use nalgebra::DMatrix;

use aimc_device::error::require;
use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_nn::Dataset;
use aimc_nn::import::Tensor as Array;
use aimc_nn::loss::count_correct;
use aimc_tile::{IdealTile, MatVec, TileSettings};

use super::{Coverage, OnnxError, OnnxGraph, OnnxModel};
use crate::classifier::Classifier;
use crate::config::InferenceTileConfig;
use crate::cost::{Estimate, Technology};
use crate::error::{EvaluationError, InferenceError};
use crate::matrix::{InferenceMatrix, ProgrammedMatrix};
use crate::settings::NetworkSettings;

/// A graph with one input, whose first output holds a number for every class.
///
/// Every run takes a whole batch; the last one of a data set is filled up with zeros. The draws of a sample depend on its
/// place in its batch, and so on the size of batches.
#[derive(Clone, Debug)]
pub struct OnnxClassifier {
    pub(super) graph: OnnxGraph,
    /// Shape of the input: samples of a batch, then that of a sample.
    shape: Vec<usize>,
    /// Of the circuits around the tiles of each matrix, by its name.
    settings: NetworkSettings,
}

impl OnnxClassifier {
    /// The graph in `bytes` for batches of `batch` samples of the shape `sample`.
    pub fn new(bytes: &[u8], batch: usize, sample: &[usize]) -> Result<Self, EvaluationError> {
        require::at_least_one("batch_size", batch)?;
        let shape: Vec<usize> = std::iter::once(batch).chain(sample.iter().copied()).collect();
        let graph = OnnxGraph::read(bytes, std::slice::from_ref(&shape))?;
        Ok(Self { graph, shape, settings: NetworkSettings::new() })
    }

    /// The same graph with settings of the circuits around its tiles, such as [`calibrate`](Self::calibrate) finds; refuses names
    /// that it does not have.
    pub fn with_settings(mut self, settings: NetworkSettings) -> Result<Self, EvaluationError> {
        let names: BTreeSet<String> = self.matrices()?.into_iter().map(|(name, _)| name).collect();
        for name in settings.keys() {
            let requirement = "is a matrix with settings, but not in the graph";
            require::that(names.contains(name), "matrix", name, requirement)?;
        }
        self.settings = settings;
        Ok(self)
    }

    /// Name and weights (outputs x inputs) of every matrix in the order of the graph.
    pub fn matrices(&self) -> Result<Vec<(String, DMatrix<f32>)>, EvaluationError> {
        let mut matrices = Vec::new();
        self.graph.on_tiles(|name, weights| {
            matrices.push((name.to_owned(), weights.clone()));
            Ok(Box::new(IdealTile::holding(weights)))
        })?;
        Ok(matrices)
    }

    pub(super) fn settings_of(&self, name: &str) -> &[TileSettings] {
        self.settings.get(name).map_or(&[], Vec::as_slice)
    }

    /// Samples of a batch.
    pub(super) fn batch(&self) -> usize {
        self.shape[0]
    }

    /// The samples of `data` that fill batches, since what fills up the last one is no data; `field` names `data` in the refusal of
    /// less than a batch.
    pub(super) fn full_batches(&self, data: &Dataset, field: &str) -> Result<Dataset, EvaluationError> {
        let whole = data.len() / self.batch() * self.batch();
        let requirement = format!("must be at least {}, the samples of a batch", self.batch());
        require::that(whole > 0, field, data.len(), &requirement)?;
        Ok(data.range(0..whole).expect("lies within"))
    }

    /// Share of right answers without devices.
    pub fn digital_accuracy(&self, data: &Dataset) -> Result<f64, EvaluationError> {
        self.accuracy(&mut self.graph.digital()?, data, RngKey::root(0))
    }

    /// Where every node is computed, with the products of one batch.
    pub fn coverage(&self) -> Result<Coverage, EvaluationError> {
        Ok(self.run_once()?.0)
    }

    /// What one sample costs on each of `technologies`, with converters and slices of `tile`; see [`Estimate::of`].
    pub fn costs(
        &self,
        tile: &InferenceTileConfig,
        technologies: &[Technology],
    ) -> Result<Vec<Estimate>, EvaluationError> {
        let (coverage, outputs) = self.run_once()?;
        let (sample, tile) = (self.shape[1..].iter().product::<usize>(), with_digital_biases(tile));
        let ends = sample + outputs / self.batch();
        let lay_out = |mapping: &_| Ok(coverage.summary(self.batch(), mapping));
        let of = |technology| Estimate::with_summary(lay_out, ends, &tile, technology);
        Ok(technologies.iter().map(of).collect::<Result<_, _>>()?)
    }

    /// Coverage of a run on exact tiles, and how many numbers it gives.
    fn run_once(&self) -> Result<(Coverage, usize), EvaluationError> {
        let mut model = self.graph.on_tiles(|_, weights| Ok(Box::new(IdealTile::holding(weights))))?;
        let zeros = vec![0.0; self.shape.iter().product()];
        let outputs = model.run(&[Array { shape: self.shape.clone(), values: zeros }], RngKey::root(0))?;
        Ok((model.coverage(), outputs.iter().map(|output| output.values.len()).sum()))
    }

    /// The graph on the tiles that `make` gives for the number and the weights of a matrix and its `programmed` copy, read at a time
    /// (s) with a key.
    pub(super) fn mounted(
        &self,
        programmed: &[ProgrammedMatrix],
        (t_seconds, read): (f32, RngKey),
        mut make: impl FnMut(usize, &DMatrix<f32>, InferenceMatrix) -> Result<Box<dyn MatVec>, InferenceError>,
    ) -> Result<OnnxModel, EvaluationError> {
        let mut next = programmed.iter().enumerate();
        let model = self.graph.on_tiles(|name, weights| {
            let foreign = || ConfigError::new("programmed", programmed.len(), "must be a copy of this graph");
            let (i, matrix) = next.next().ok_or_else(foreign)?;
            make(i, weights, matrix.at(t_seconds, read.fold_in(label(name)).fold_in(i as u64))?)
        })?;
        Ok(model)
    }

    pub(super) fn accuracy(
        &self,
        model: &mut OnnxModel,
        data: &Dataset,
        key: RngKey,
    ) -> Result<f64, EvaluationError> {
        let mut correct = 0;
        self.each_batch(model, data, key, |scores, labels| correct += count_correct(scores, labels))?;
        Ok(correct as f64 / data.len() as f64)
    }

    /// Runs all samples and shows the scores (classes x samples) and labels of each batch.
    pub(super) fn each_batch(
        &self,
        model: &mut OnnxModel,
        data: &Dataset,
        key: RngKey,
        mut visit: impl FnMut(&DMatrix<f32>, &[usize]),
    ) -> Result<(), EvaluationError> {
        let (batch, features) = (self.batch(), self.shape[1..].iter().product::<usize>());
        let found = data.feature_count();
        let needed = format!("must be {features}, the numbers of a sample of shape {:?}", &self.shape[1..]);
        require::that(found == features, "features of the data", found, &needed)?;
        for (number, labels) in data.labels().chunks(batch).enumerate() {
            let samples = data.features().columns(number * batch, labels.len());
            let mut values: Vec<f32> = samples.iter().copied().collect();
            values.resize(batch * features, 0.0);
            let input = Array { shape: self.shape.clone(), values };
            let outputs = model.run(&[input], key.fold_in(number as u64))?;
            let scores = outputs.first().map_or(&[][..], |output| &output.values);
            let classes = scores.len() / batch;
            if classes < data.classes() {
                return Err(EvaluationError::Classes { outputs: classes, classes: data.classes() });
            }
            let scores = DMatrix::from_column_slice(classes, labels.len(), &scores[..classes * labels.len()]);
            visit(&scores, labels);
        }
        Ok(())
    }
}

/// The configuration of a chip on which biases stay beside the tiles, as a graph has them.
pub(super) fn with_digital_biases(tile: &InferenceTileConfig) -> InferenceTileConfig {
    let mut tile = tile.clone();
    tile.periphery.mapping.digital_bias = true;
    tile
}

impl Classifier for OnnxClassifier {
    /// The matrices in the order of the graph.
    type Programmed = Vec<ProgrammedMatrix>;

    /// Biases stay beside the tiles, where the graph has them.
    fn program(&self, tile: &InferenceTileConfig, key: RngKey) -> Result<Self::Programmed, EvaluationError> {
        let tile = with_digital_biases(tile);
        let mut programmed = Vec::new();
        self.graph.on_tiles(|name, weights| {
            let key = key.fold_in(label(name)).fold_in(programmed.len() as u64);
            programmed.push(ProgrammedMatrix::program_with(
                weights,
                None,
                self.settings_of(name),
                &tile,
                key,
            )?);
            Ok(Box::new(IdealTile::holding(weights)))
        })?;
        Ok(programmed)
    }

    fn accuracy_at(
        &self,
        programmed: &Self::Programmed,
        t_seconds: f32,
        (data, _): (&Dataset, usize),
        key: RngKey,
    ) -> Result<f64, EvaluationError> {
        let read = key.fold_in(label("read"));
        let mut model = self.mounted(programmed, (t_seconds, read), |_, _, aged| Ok(Box::new(aged)))?;
        self.accuracy(&mut model, data, key.fold_in(label("forward")))
    }
}

impl From<OnnxError> for EvaluationError {
    fn from(error: OnnxError) -> Self {
        Self::Onnx(Box::new(error))
    }
}
