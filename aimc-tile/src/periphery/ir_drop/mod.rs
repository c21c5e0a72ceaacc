//! IR drop: the resistance of the wires takes voltage from the devices far along a line. Three levels:
//!
//! | model | what it knows | cost beside the product |
//! |---|---|---|
//! | `ClosedForm` ([`closed_form`]) | the load of a bit line, by its sum | a second product |
//! | `Ladder` ([`ladder`]) | the bit line as a chain of segments; word lines are ideal | one pass over the weights |
//! | `Nodal` ([`nodal`]) | every segment of every line, drivers and sense amplifiers: Kirchhoff's laws | seconds for 512x512 |
//!
//! `ir_drop` scales the wire resistance in all of them, and 0 switches them off. The nodal solver is the oracle for the
//! other two.

pub mod closed_form;
pub mod ladder;
pub mod nodal;
pub mod resistive_grid;

use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::matmul::Weights;
use crate::signals::largest_size;

pub use ladder::Ladder;
pub use nodal::Nodal;

/// How the resistance of the wires is reckoned with, chosen by the field `model`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum IrDropModel {
    /// A law of the load of the line; its parameter is `ir_drop_g_ratio`.
    #[default]
    ClosedForm,
    /// A ladder of segments per bit line.
    Ladder(Ladder),
    /// Kirchhoff's laws at every node.
    Nodal(Nodal),
}

impl<'de> Deserialize<'de> for IrDropModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("ClosedForm", |table| config::decode::<config::NoFields>(table).map(|_| Self::ClosedForm)),
                ("Ladder", |table| config::decode(table).map(Self::Ladder)),
                ("Nodal", |table| config::decode(table).map(Self::Nodal)),
            ],
        )
    }
}

impl IrDropModel {
    /// How weights are conductances; the default where the wires do not depend on it.
    #[must_use]
    pub fn conductance(&self) -> PairConductance {
        match self {
            Self::ClosedForm => PairConductance::default(),
            Self::Ladder(ladder) => ladder.conductance.clone(),
            Self::Nodal(nodal) => nodal.conductance.clone(),
        }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::ClosedForm => Ok(()),
            Self::Ladder(ladder) => ladder.validate(),
            Self::Nodal(nodal) => nodal.validate(),
        }
    }
}

/// Conductances of weights on pairs of devices: one of each pair holds |w|·k + g_min, the other g_min.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PairConductance {
    /// Largest conductance (µS).
    pub g_max: f32,
    /// Smallest conductance (µS).
    pub g_min: f32,
    /// Weight of a device at `g_max`; 0 for the largest |weight| on the array at the time of the product.
    pub w_at_g_max: f32,
}

impl Default for PairConductance {
    fn default() -> Self {
        Self { g_max: 25.0, g_min: 0.0, w_at_g_max: 0.0 }
    }
}

impl PairConductance {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::positive("g_max", self.g_max)?;
        require::non_negative("g_min", self.g_min)?;
        require::that(self.g_min < self.g_max, "g_min", self.g_min, "must be below g_max")?;
        require::non_negative("w_at_g_max", self.w_at_g_max)
    }

    /// µS per unit of weight; for an array of zeros, whose weights need none, that of the weight 1.
    #[must_use]
    pub fn per_weight(&self, weights: Weights<'_>) -> f32 {
        let largest = match self.w_at_g_max {
            w if w > 0.0 => w,
            _ => largest_size(weights.values()),
        };
        (self.g_max - self.g_min) / if largest > 0.0 { largest } else { 1.0 }
    }
}
