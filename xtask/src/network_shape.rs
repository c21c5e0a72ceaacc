//! Multi-layer perceptrons by their hidden layers alone; inputs and outputs follow from the data.

use aimc_device::ConfigError;
use aimc_device::error::require;
use aimc_nn::{Activation, NetworkConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hidden layers; inputs and outputs follow from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkShape {
    /// Sizes of the hidden layers.
    pub(crate) hidden: Vec<usize>,
    /// Function after each hidden layer.
    pub(crate) activation: Activation,
}

impl NetworkShape {
    /// Refuses layers without outputs.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut sizes = self.hidden.iter().enumerate();
        sizes.try_for_each(|(i, &size)| require::at_least_one(&format!("hidden[{i}]"), size))
    }

    /// Numbers of inputs, hidden neurons and outputs, layer by layer.
    pub(crate) fn sizes(&self, inputs: usize, outputs: usize) -> Vec<usize> {
        [&[inputs], self.hidden.as_slice(), &[outputs]].concat()
    }

    /// The network; it ends in log-probabilities.
    pub(crate) fn network(&self, inputs: usize, outputs: usize) -> NetworkConfig {
        NetworkConfig::mlp(&self.sizes(inputs, outputs), self.activation)
    }
}
