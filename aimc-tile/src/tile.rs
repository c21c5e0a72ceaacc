//! What a tile is: the three operations of a crossbar, and the addresses of their random draws.
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::pulsed::PulseCount;
use aimc_device::state::{State, StateError, StatePart};

use crate::mapping::{PeripheryQuantization, TileSettings};
use crate::pulse::Note;
use crate::signals::{check_lines, check_shape};

/// Size of a tile: `outputs` bit lines by `inputs` word lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of outputs (rows of the weight matrix).
    pub outputs: usize,
    /// Number of inputs (columns of the weight matrix).
    pub inputs: usize,
}

/// What a tile is made of, and what its devices have been through.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_tile::{Shape, Tile, TileConfig};
/// let shape = Shape { outputs: 2, inputs: 3 };
/// let inventory = TileConfig::default().build(shape, RngKey::root(1))?.inventory();
/// assert_eq!((inventory.arrays, inventory.devices, inventory.pulses.total()), (1, 6, 0));
/// # Ok::<(), aimc_device::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Crossbars of devices, with circuits of their own; none for ideal storage.
    pub arrays: u64,
    /// Devices in them.
    pub devices: u64,
    /// Pulses that they have received since they were fabricated.
    pub pulses: PulseCount,
}

impl std::iter::Sum for Inventory {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            arrays: sum.arrays + part.arrays,
            devices: sum.devices + part.devices,
            pulses: sum.pulses + part.pulses,
        })
    }
}

/// A call that a tile refuses; nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TileError {
    /// A matrix of the wrong size.
    #[error("{what} has {found:?} rows x columns, the tile needs {expected:?}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// Size needed.
        expected: (usize, usize),
        /// Size given.
        found: (usize, usize),
    },
    /// NaN or infinity on a line.
    #[error("{what}: line {line} of sample {sample} carries {value}, which is not finite")]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Column of the matrix.
        sample: usize,
        /// Row of the matrix.
        line: usize,
        /// The offending value.
        value: f32,
    },
    /// A note that cannot be taken.
    #[error(
        "a note of column {} after sample {}: samples must ascend, and both must be among those of the update",
        .0.column, .0.after
    )]
    Note(Note),
    /// A learning rate that pulses cannot express.
    #[error("learning rate = {0}: must be a finite number, 0 or above")]
    LearningRate(f32),
}

/// Where the draws of consecutive samples are found: sample i of a call uses the address of number `first` + i.
///
/// They also say which pass draws, since a training pass may meet errors that evaluation does not; the mark of a training pass
/// travels with the addresses through all layers, which need not know of it.
///
/// Numbering samples over calls makes the draws of a sample independent of how a batch is split:
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_tile::SampleKeys;
/// let all = SampleKeys::new(RngKey::root(1));
/// assert_eq!(all.skip(3).sample(2), all.sample(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleKeys {
    key: RngKey,
    first: u64,
    training: bool,
}

impl SampleKeys {
    /// Addresses that number the samples from 0, in evaluation.
    #[must_use]
    pub fn new(key: RngKey) -> Self {
        Self { key, first: 0, training: false }
    }

    /// The same addresses in a training pass.
    #[must_use]
    pub fn in_training(self) -> Self {
        Self { training: true, ..self }
    }

    /// Whether this is a training pass.
    #[must_use]
    pub fn is_training(self) -> bool {
        self.training
    }

    /// The same addresses, starting `count` samples later.
    #[must_use]
    pub fn skip(self, count: u64) -> Self {
        Self { first: self.first + count, ..self }
    }

    /// Addresses for `count` vectors of each sample (time steps, patches of an image), sample after sample: vector v
    /// of sample i is vector number i·`count` + v of the call, however the batch is split.
    #[must_use]
    pub fn each(self, count: usize) -> Self {
        Self { first: self.first * count as u64, ..self }
    }

    /// The number of sample `index` of the call: the same in the forward and in the backward pass, whatever the key.
    #[must_use]
    pub fn number(self, index: usize) -> u64 {
        self.first + index as u64
    }

    /// The same sample numbers under another label, for another tile or another purpose.
    #[must_use]
    pub fn fold_in(self, label: u64) -> Self {
        Self { key: self.key.fold_in(label), ..self }
    }

    /// The key of sample `index` of the call.
    #[must_use]
    pub fn sample(self, index: usize) -> RngKey {
        self.key.fold_in(self.number(index))
    }
}

/// Anything that multiplies vectors by a matrix W of [`Shape`] `outputs` x `inputs`.
///
/// A sample is a column of a matrix: contiguous, the memory of a row-major [batch, features] array.
pub trait MatVec: std::fmt::Debug + Send + Sync {
    /// Size of W.
    fn shape(&self) -> Shape;

    /// y = W x for every column; `x` is inputs x batch, `y` outputs x batch.
    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError>;

    /// Precision of the digital circuits that add a bias to what the tile gives; full precision unless it says more.
    fn periphery_precision(&self) -> PeripheryQuantization {
        PeripheryQuantization::default()
    }
}

/// How weights in digital memory move: gets the number of the first of them among all such weights of the tile, some weights,
/// and the gradient with respect to each.
pub type StepWeights<'a> = dyn FnMut(usize, &mut [f32], &[f32]) + 'a;

/// Who looks at the digital numbers of a tile, see [`Tile::visit_digital`].
pub type VisitDigital<'a> = dyn FnMut(usize, &mut [f32]) + 'a;

/// A tile that learns.
pub trait Tile: MatVec {
    /// z = Wᵀ d for every column; `d` is outputs x batch, `z` inputs x batch.
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError>;

    /// W ← W - lr·d xᵀ, sample after sample, as well as the devices can; `x` inputs x batch, `d` outputs x batch.
    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError>;

    /// What happens to the devices once per mini-batch, whatever the data: diffusion, then decay.
    fn end_of_step(&mut self, key: RngKey);

    /// Takes over digital factors, one per output, from the circuits around it: from then on output i is what it was times
    /// `factors[i]`. False, and nothing happens, where the tile has no scales of its own that move.
    fn absorb_factors(&mut self, _factors: &[f32]) -> bool {
        false
    }

    /// The weights, row by row, if they lie in digital memory and may be changed at will; `None` for analog tiles.
    fn digital_weights(&mut self) -> Option<&mut [f32]> {
        None
    }

    /// The devices behind the tile and their pulses; a tile made of tiles sums up those of all of them.
    fn inventory(&self) -> Inventory {
        Inventory::default()
    }

    /// Shows the numbers that [`Tile::update_by`] leaves to its caller, to be read or changed: the number of the first, and some of
    /// them; none of analog tiles. An output scale that is not finite and an input range that is not above 0 stay as they were.
    fn visit_digital(&mut self, visit: &mut VisitDigital<'_>) {
        if let Some(weights) = self.digital_weights() {
            visit(0, weights);
        }
    }

    /// Number of weights that [`Tile::update_by`] leaves to its caller; 0 for analog tiles.
    fn digital_len(&mut self) -> usize {
        self.digital_weights().map_or(0, |weights| weights.len())
    }

    /// As [`Tile::update`], but weights in digital memory move by `step`, called once or several times. Analog weights know
    /// no other way than their own.
    fn update_by(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
        step: &mut StepWeights<'_>,
    ) -> Result<(), TileError> {
        let Shape { outputs, inputs } = self.shape();
        let Some(weights) = self.digital_weights() else { return self.update(x, d, lr, draws) };
        check_lines("x", &x, inputs, x.ncols())?;
        check_lines("d", &d, outputs, x.ncols())?;
        // Weights lie row by row: the transpose of d xᵀ column by column.
        step(0, weights, (x * d.transpose()).as_slice());
        Ok(())
    }

    /// Everything needed to continue later.
    fn state(&self) -> State;

    /// Takes over a state that [`Tile::state`] gave on a tile of the same configuration.
    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError>;
}

/// Ideal access to the weights, which hardware does not have: for initialisation, evaluation and tests.
pub trait ReadOut {
    /// W, outputs x inputs.
    fn weights(&self) -> DMatrix<f32>;

    /// Sets W as far as the devices allow (bounds); `weights` is outputs x inputs.
    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError>;

    /// The analog bias, one value per output; `None` where a bias is digital, outside the tile.
    fn bias(&self) -> Option<Vec<f32>> {
        None
    }

    /// Sets the analog bias, one value per output; refused where there is none.
    fn set_bias(&mut self, bias: &[f32], _key: RngKey) -> Result<(), TileError> {
        check_shape("bias", (bias.len(), 1), (0, 1))
    }

    /// What the circuits around each tile of the matrix have learned, tile by tile along the rows of the grid; empty where
    /// there are no such circuits.
    fn settings(&self) -> Vec<TileSettings> {
        Vec::new()
    }
}

/// A tile that learns and can be read ideally: what a network in training is made of.
pub trait TrainableTile: Tile + ReadOut {}

impl<T: Tile + ReadOut + ?Sized> TrainableTile for T {}
