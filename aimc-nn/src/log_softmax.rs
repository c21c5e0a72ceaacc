//! Log-softmax over the classes of every sample.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::ConfigError;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module};

/// The layer and its record: log-probabilities over all features of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {}

impl Record for LogSoftmax {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok(inputs.to_vec())
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        Ok(Layer::LogSoftmax(*self))
    }
}

impl<T> Module<T> for LogSoftmax {
    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        Ok(forward(x))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        _into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        Ok(backward(pass.y, &d))
    }
}

/// yᵢ = xᵢ - ln Σⱼ eˣʲ per column, computed without overflow.
#[must_use]
pub fn forward(x: &DMatrix<f32>) -> DMatrix<f32> {
    let mut y = x.clone();
    for mut column in y.column_iter_mut() {
        let largest = column.max();
        // The largest goes first: a sum of huge numbers would round away the small result.
        column.add_scalar_mut(-largest);
        let log_sum = column.iter().map(|x| x.exp()).sum::<f32>().ln();
        column.add_scalar_mut(-log_sum);
    }
    y
}

/// Gradient with respect to x, from the output `y` and the gradient `dy`: dy - eʸ Σ dy per column.
#[must_use]
pub fn backward(y: &DMatrix<f32>, dy: &DMatrix<f32>) -> DMatrix<f32> {
    let mut dx = dy.clone();
    for (mut dx, y) in dx.column_iter_mut().zip(y.column_iter()) {
        let sum = dx.sum();
        dx.zip_apply(&y, |dx, y| *dx -= y.exp() * sum);
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use nalgebra::dmatrix;

    /// Σ exp(y) = 1 for inputs of 1000; ln ½ for equal inputs.
    #[test]
    fn probabilities_add_up_even_for_huge_inputs() {
        let y = forward(&dmatrix![1000.0, 0.0; 999.0, 0.0]);
        assert_close!(y.column(0).map(f32::exp).sum(), 1.0, 4.0 * f32::EPSILON);
        assert_close!(y[(0, 1)], 0.5_f32.ln(), 2.0 * f32::EPSILON);
    }

    /// With dy = -1 at one class the gradient is softmax - one-hot, which sums to 0.
    #[test]
    fn gradient_of_one_class_is_softmax_minus_one_hot() {
        let y = forward(&dmatrix![0.3; -0.2; 1.0]);
        let dx = backward(&y, &dmatrix![0.0; -1.0; 0.0]);
        for i in 0..3 {
            let expected = y[i].exp() - f32::from(u8::from(i == 1));
            assert_close!(dx[i], expected, 2.0 * f32::EPSILON);
        }
    }
}
