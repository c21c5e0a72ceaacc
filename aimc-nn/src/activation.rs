//! Element-wise activation functions, computed digitally.

use std::f64::consts::FRAC_1_SQRT_2;

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use aimc_device::error::ConfigError;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module};

/// An activation function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// 1/(1 + e⁻ˣ)
    #[default]
    Sigmoid,
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
    /// x above 0, x/100 below
    LeakyRelu,
    /// x·Φ(x), Φ the normal distribution (Hendrycks & Gimpel 2016, arXiv:1606.08415)
    Gelu,
    /// Its usual approximation, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
    GeluTanh,
    /// x/(1 + e⁻ˣ)
    Silu,
}

/// √(2/π)
const GELU_SLOPE: f32 = 0.797_884_6;

impl Activation {
    /// All functions.
    pub const ALL: [Self; 7] =
        [Self::Sigmoid, Self::Tanh, Self::Relu, Self::LeakyRelu, Self::Gelu, Self::GeluTanh, Self::Silu];

    /// The function's value.
    #[inline]
    #[must_use]
    pub fn value(self, x: f32) -> f32 {
        match self {
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::LeakyRelu => x.max(0.01 * x),
            Self::Gelu => x * normal_distribution(x),
            Self::GeluTanh => 0.5 * x * (1.0 + gelu_tanh(x)),
            Self::Silu => x * sigmoid(x),
        }
    }

    /// The derivative, from the argument `x` and the function's value `y`.
    #[inline]
    #[must_use]
    pub fn slope(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
            Self::Relu => f32::from(u8::from(y > 0.0)),
            Self::LeakyRelu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.01
                }
            }
            Self::Gelu => normal_distribution(x) + x * normal_density(x),
            Self::GeluTanh => {
                let t = gelu_tanh(x);
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_SLOPE * (1.0 + 3.0 * 0.044_715 * x * x)
            }
            Self::Silu => {
                let s = sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }
        }
    }
}

/// 1/(1 + e⁻ˣ)
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Φ(x). Of -x, so that the small values of its lower end are not differences of large ones.
fn normal_distribution(x: f32) -> f32 {
    (0.5 * erfc(-f64::from(x) * FRAC_1_SQRT_2)) as f32
}

/// Φ'(x)
fn normal_density(x: f32) -> f32 {
    0.5 * GELU_SLOPE * (-0.5 * x * x).exp()
}

fn gelu_tanh(x: f32) -> f32 {
    (GELU_SLOPE * (x + 0.044_715 * x * x * x)).tanh()
}

/// The layer's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivationConfig {
    /// Which one.
    pub function: Activation,
}

impl Record for ActivationConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok(inputs.to_vec())
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        Ok(Layer::Activation(self.function))
    }
}

impl<T> Module<T> for Activation {
    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        // The cheap ones by name, so that the loop holds nothing else.
        Ok(match self {
            Self::Relu => x.map(|x| Self::Relu.value(x)),
            Self::LeakyRelu => x.map(|x| Self::LeakyRelu.value(x)),
            _ => x.map(|x| self.value(x)),
        })
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        mut d: DMatrix<f32>,
        _into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        match self {
            Self::Relu => d.zip_zip_apply(pass.x, pass.y, |d, x, y| *d *= Self::Relu.slope(x, y)),
            Self::LeakyRelu => d.zip_zip_apply(pass.x, pass.y, |d, x, y| *d *= Self::LeakyRelu.slope(x, y)),
            _ => d.zip_zip_apply(pass.x, pass.y, |d, x, y| *d *= self.slope(x, y)),
        }
        Ok(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// Central difference with step h errs by h²/6·max|f‴| (below 4·h²/6 here) plus rounding 2ε/h.
        #[test]
        fn slopes_equal_finite_differences(x in -6.0_f32..6.0) {
            let h = 1.0 / 256.0;
            prop_assume!(x.abs() > h);
            let tolerance = 4.0 * h * h / 6.0 + 4.0 * f32::EPSILON / h;
            for f in Activation::ALL {
                let difference = (f.value(x + h) - f.value(x - h)) / (2.0 * h);
                // Unbounded values grow with x, and so does their rounding.
                let tolerance = tolerance * x.abs().max(1.0);
                assert_close!(f.slope(x, f.value(x)), difference, tolerance, "{f:?} at {x}");
            }
        }
    }
}
