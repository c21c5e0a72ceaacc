//! What a layer is to its network: a function with a gradient, and a place where tiles and parameters lie.

use nalgebra::{DMatrix, Dyn};

use aimc_tile::{MatVec, SampleKeys, Tile, TileError};

/// A layer that refuses its input; nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LayerError {
    /// What the layer's tile said.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// An embedding was asked for a token that it does not have.
    #[error(
        "token {token} at position {position} of sample {sample}: must be a whole number below {vocabulary}"
    )]
    Token {
        /// What stood there.
        token: f32,
        /// Position in the sequence.
        position: usize,
        /// Number of the sample in the batch.
        sample: usize,
        /// Number of tokens there are.
        vocabulary: usize,
    },
    /// A quantiser was used before it had seen any data.
    #[error("the range of the quantiser is unknown: train or calibrate first")]
    RangeUnknown,
    /// An input of the wrong size for a digital layer.
    #[error("the input has {found} features, the layer needs {expected}")]
    Features {
        /// Features given.
        found: usize,
        /// Features needed.
        expected: usize,
    },
}

/// What a forward pass keeps for the backward pass, besides the input and output of the layer.
#[derive(Clone, Debug)]
pub enum Saved {
    /// Nothing more is needed.
    Nothing,
    /// Matrices, in an order that the layer knows.
    Matrices(Vec<DMatrix<f32>>),
    /// Positions of the inputs that were chosen, one per output.
    Chosen(Vec<u32>),
    /// What inner layers kept, chain by chain.
    Chains(Vec<crate::chain::Passed>),
}

impl Saved {
    /// The matrices; none where something else was kept.
    #[must_use]
    pub fn matrices(&self) -> &[DMatrix<f32>] {
        if let Self::Matrices(matrices) = self { matrices } else { &[] }
    }
}

/// The part of a network that a name stands for.
#[derive(Debug)]
pub enum Part<'a, T> {
    /// A weight matrix on a tile.
    Tile(&'a T),
    /// Digital numbers that learn.
    Parameters(&'a [f32]),
    /// Digital numbers that are measured, not learnt.
    Statistics(&'a [f32]),
}

/// The same, to be changed.
#[derive(Debug)]
pub enum PartMut<'a, T> {
    /// A weight matrix on a tile.
    Tile(&'a mut T),
    /// Digital numbers that learn.
    Parameters(&'a mut [f32]),
    /// Digital numbers that are measured, not learnt.
    Statistics(&'a mut [f32]),
}

/// Sees the parts of a network with their names, in a fixed order.
pub type Visit<'v, 'a, T> = dyn FnMut(String, Part<'a, T>) + 'v;
/// The same, to change them.
pub type VisitMut<'v, 'a, T> = dyn FnMut(String, PartMut<'a, T>) + 'v;

/// The vectors with which one tile is updated.
#[derive(Clone, Debug)]
pub struct TileGradient {
    /// Name of the tile.
    pub name: String,
    /// Inputs, inputs x vectors: sample after sample, and within a sample in the order of time or place.
    pub x: DMatrix<f32>,
    /// Gradients with respect to the outputs, outputs x vectors.
    pub d: DMatrix<f32>,
    /// Vectors of one sample.
    pub per_sample: usize,
}

/// The gradient with respect to digital parameters.
#[derive(Clone, Debug)]
pub struct DigitalGradient {
    /// Name of the parameters.
    pub name: String,
    /// One number per parameter.
    pub values: Vec<f32>,
}

/// Measured numbers that move by a share of the difference to those of the batch.
#[derive(Clone, Debug)]
pub struct MeasuredStatistics {
    /// Name of the statistics.
    pub name: String,
    /// Numbers of the batch.
    pub values: Vec<f32>,
    /// Share of the difference; [`WIDENS`] takes in the batch instead.
    pub momentum: f32,
}

/// Instead of a share: the numbers are the ends of a range, which widens to hold those of the batch.
pub const WIDENS: f32 = -1.0;

impl MeasuredStatistics {
    /// Moves `values`.
    pub fn apply(&self, values: &mut [f32]) {
        let ends = values.len();
        for (i, (value, new)) in values.iter_mut().zip(&self.values).enumerate() {
            *value = match self.momentum {
                WIDENS if 2 * i < ends => value.min(*new),
                WIDENS => value.max(*new),
                share => *value + share * (new - *value),
            };
        }
    }
}

/// Everything that a backward pass finds out.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// For the tiles, last layer first.
    pub tiles: Vec<TileGradient>,
    /// For the digital parameters.
    pub digital: Vec<DigitalGradient>,
    /// For the measured statistics.
    pub statistics: Vec<MeasuredStatistics>,
}

impl Gradients {
    /// Adds the vectors of a tile.
    pub fn tile(&mut self, name: String, x: DMatrix<f32>, d: DMatrix<f32>, per_sample: usize) {
        self.tiles.push(TileGradient { name, x, d, per_sample });
    }

    /// Adds the gradient of parameters.
    pub fn parameters(&mut self, name: String, values: Vec<f32>) {
        self.digital.push(DigitalGradient { name, values });
    }

    /// Adds measured statistics.
    pub fn measured(&mut self, name: String, values: Vec<f32>, momentum: f32) {
        self.statistics.push(MeasuredStatistics { name, values, momentum });
    }

    /// The gradients of a loss that counts by the factor `share`.
    pub fn scale(&mut self, share: f32) {
        self.tiles.iter_mut().for_each(|tile| tile.d *= share);
        self.digital.iter_mut().flat_map(|digital| &mut digital.values).for_each(|value| *value *= share);
    }

    /// Takes in the gradients of further samples of the same network, as if both batches had been one.
    pub fn append(&mut self, further: Self) {
        if self.tiles.is_empty() && self.digital.is_empty() && self.statistics.is_empty() {
            *self = further;
            return;
        }
        for (tile, further) in self.tiles.iter_mut().zip(further.tiles) {
            tile.x = beside(&tile.x, &further.x);
            tile.d = beside(&tile.d, &further.d);
        }
        for (digital, further) in self.digital.iter_mut().zip(further.digital) {
            digital.values.iter_mut().zip(further.values).for_each(|(sum, value)| *sum += value);
        }
        self.statistics.extend(further.statistics);
    }
}

/// Two matrices side by side.
fn beside(a: &DMatrix<f32>, b: &DMatrix<f32>) -> DMatrix<f32> {
    let values: Vec<f32> = a.iter().chain(b.iter()).copied().collect();
    DMatrix::from_vec(a.nrows(), a.ncols() + b.ncols(), values)
}

/// One backward pass through one layer.
#[derive(Clone, Copy, Debug)]
pub struct Backward<'a> {
    /// Name of the layer.
    pub name: &'a str,
    /// Input of the forward pass.
    pub x: &'a DMatrix<f32>,
    /// Output of the forward pass.
    pub y: &'a DMatrix<f32>,
    /// What else the forward pass kept.
    pub saved: &'a Saved,
    /// Addresses of the draws.
    pub draws: SampleKeys,
    /// Whether anybody needs the gradient with respect to the input; if not, an empty matrix will do.
    pub wants_input: bool,
}

impl<'a> Backward<'a> {
    /// Name of a part of the layer.
    #[must_use]
    pub fn part(&self, part: &str) -> String {
        join(self.name, part)
    }
}

/// Name of a part of the layer `name`.
#[must_use]
pub fn join(name: &str, part: &str) -> String {
    if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") }
}

/// A layer over tiles of type `T`. A sample is a column; an image lies in it channel by channel and row by row, a
/// sequence step by step.
pub trait Module<T> {
    /// Shows all parts, named below `name`.
    fn visit<'a>(&'a self, _name: &str, _visit: &mut Visit<'_, 'a, T>) {}

    /// Shows all parts to be changed, in the order of [`Module::visit`].
    fn visit_mut<'a>(&'a mut self, _name: &str, _visit: &mut VisitMut<'_, 'a, T>) {}

    /// The output in use: nothing is dropped, measured statistics stand still.
    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec;

    /// The output in training, and what its gradient needs.
    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        Ok((self.forward(x, draws)?, Saved::Nothing))
    }

    /// Adds the gradients of all parts to `into`; gives the gradient with respect to the input from `d`, that with
    /// respect to the output.
    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile;
}

/// The same numbers read as columns of `rows`; the caller knows that they divide.
#[must_use]
pub fn reread(matrix: DMatrix<f32>, rows: usize) -> DMatrix<f32> {
    let columns = matrix.len() / rows.max(1);
    matrix.reshape_generic(Dyn(rows), Dyn(columns))
}

/// Refuses an input of the wrong number of features.
pub(crate) fn check_features(x: &DMatrix<f32>, expected: usize) -> Result<(), LayerError> {
    if x.nrows() == expected { Ok(()) } else { Err(LayerError::Features { found: x.nrows(), expected }) }
}
