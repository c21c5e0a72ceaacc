//! Element-wise activation functions, computed digitally.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An activation function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// 1/(1 + e⁻ˣ)
    #[default]
    Sigmoid,
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
}

impl Activation {
    /// The function's value.
    #[must_use]
    pub fn value(self, x: f32) -> f32 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
        }
    }

    /// The derivative, from the function's value `y`.
    #[must_use]
    pub fn slope_at_value(self, y: f32) -> f32 {
        match self {
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
            Self::Relu => f32::from(u8::from(y > 0.0)),
        }
    }

    /// Gradient with respect to the input, from the output `y` and the gradient `dy` with respect to it.
    #[must_use]
    pub fn backward(self, y: &DMatrix<f32>, dy: &DMatrix<f32>) -> DMatrix<f32> {
        dy.zip_map(y, |dy, y| dy * self.slope_at_value(y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// Central difference with step h errs by h²/6·max|f‴| (at most 2·h²/6 here) plus rounding 2ε/h.
        #[test]
        fn slopes_equal_finite_differences(x in -6.0_f32..6.0) {
            let h = 1.0 / 256.0;
            prop_assume!(x.abs() > h);
            let tolerance = 2.0 * h * h / 6.0 + 4.0 * f32::EPSILON / h;
            for f in [Activation::Sigmoid, Activation::Tanh, Activation::Relu] {
                let difference = (f.value(x + h) - f.value(x - h)) / (2.0 * h);
                // Relu values grow with x, and so does their rounding.
                let tolerance = tolerance * x.abs().max(1.0);
                prop_assert!((f.slope_at_value(f.value(x)) - difference).abs() < tolerance, "{f:?} at {x}");
            }
        }
    }
}
