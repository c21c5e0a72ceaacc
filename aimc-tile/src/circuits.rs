//! The circuits around one array: those that read it forward and those that read it backward.

use nalgebra::{DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_device::state::{State, StateError, StatePart};

use crate::matmul::Weights;
use crate::periphery::{AnalogMvm, IoConfig};
use crate::tile::{SampleKeys, Shape, TileError};

/// The circuits of both directions, for weights of outputs x inputs stored row by row.
#[derive(Clone, Debug)]
pub struct Circuits {
    shape: Shape,
    /// Circuits of the forward direction; their running mean counts for both.
    pub forward: AnalogMvm,
    /// Circuits of the backward direction.
    pub backward: AnalogMvm,
}

impl Circuits {
    /// Validates both records; what is frozen in the circuits is drawn from `key`.
    pub fn new(
        forward: &IoConfig,
        backward: &IoConfig,
        shape: Shape,
        key: RngKey,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            shape,
            forward: AnalogMvm::forward(forward, shape, key).map_err(|error| error.within("forward"))?,
            backward: AnalogMvm::backward(backward, shape, key).map_err(|error| error.within("backward"))?,
        })
    }

    /// y = W x for every column; `x` is inputs x batch, `y` outputs x batch.
    pub fn read(
        &self,
        weights: &[f32],
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let weights = Weights::new(weights, self.shape.outputs, self.shape.inputs);
        self.forward.multiply(weights, &x, &mut y, draws)
    }

    /// z = Wᵀ d for every column; `d` is outputs x batch, `z` inputs x batch.
    pub fn read_back(
        &self,
        weights: &[f32],
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let weights = Weights::new(weights, self.shape.outputs, self.shape.inputs).transpose();
        self.backward.multiply_following(self.forward.average(), weights, &d, &mut z, draws)
    }

    /// For a checkpoint.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.nest("forward", self.forward.state());
        state.nest("backward", self.backward.state());
        state
    }

    /// Takes over what [`Circuits::state`] gave of circuits with the same records; an error changes nothing.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let mut next = self.clone();
        next.forward.restore(&state.part("forward"))?;
        next.backward.restore(&state.part("backward"))?;
        *self = next;
        Ok(())
    }
}
