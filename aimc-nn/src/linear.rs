//! Fully connected layer: a tile for the weights, a digital bias.

use nalgebra::{DMatrix, DMatrixView, DVector};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile, TileError};

/// y = W x + b; W on a tile, b in digital memory.
#[derive(Clone, Debug)]
pub struct Linear<T> {
    /// The tile that holds W, outputs x inputs.
    pub tile: T,
    /// The bias, one value per output; `None` for a layer without bias.
    pub bias: Option<DVector<f32>>,
}

impl<T: MatVec> Linear<T> {
    /// y = W x + b for every column of `x`, inputs x batch.
    pub fn forward(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut y = DMatrix::zeros(self.tile.shape().outputs, x.ncols());
        self.tile.forward(x, y.as_view_mut(), draws)?;
        if let Some(bias) = &self.bias {
            y.column_iter_mut().for_each(|mut y| y += bias);
        }
        Ok(y)
    }
}

impl<T: Tile> Linear<T> {
    /// Gradient with respect to the input, from `d` with respect to the output, outputs x batch.
    pub fn backward(&self, d: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut z = DMatrix::zeros(self.tile.shape().inputs, d.ncols());
        self.tile.backward(d, z.as_view_mut(), draws)?;
        Ok(z)
    }

    /// One step of gradient descent: the tile by its own update, the bias exactly.
    pub fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.tile.update(x, d, lr, draws)?;
        if let Some(bias) = &mut self.bias {
            d.column_iter().for_each(|d| bias.axpy(-lr, &d, 1.0));
        }
        Ok(())
    }

    /// Everything needed to continue later.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.nest("tile", self.tile.state());
        if let Some(bias) = &self.bias {
            state.put("bias", bias.as_slice().to_vec());
        }
        state
    }

    /// Takes over a state that [`Linear::state`] gave.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        if let Some(bias) = &mut self.bias {
            let stored = state.floats("bias", bias.len())?;
            bias.as_mut_slice().copy_from_slice(stored);
        }
        self.tile.restore(&state.part("tile"))
    }
}

impl<T: MatVec + ReadOut> Linear<T> {
    /// Weights and bias uniform in ± 1/√inputs, as far as the devices allow.
    pub fn initialise(&mut self, key: RngKey) -> Result<(), TileError> {
        let shape = self.tile.shape();
        let limit = 1.0 / (shape.inputs as f32).sqrt();
        let uniform = |values: &mut [f32], key: RngKey| {
            key.stream(0).fill_uniform(values);
            values.iter_mut().for_each(|v| *v = (2.0 * *v - 1.0) * limit);
        };
        let mut weights = DMatrix::zeros(shape.outputs, shape.inputs);
        uniform(weights.as_mut_slice(), key.fold_in(label("weights")));
        if let Some(bias) = &mut self.bias {
            uniform(bias.as_mut_slice(), key.fold_in(label("bias")));
        }
        self.tile.set_weights(&weights, key.fold_in(label("write")))
    }
}
