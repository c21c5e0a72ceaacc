//! The record of a unit cell, chosen by the field `model`.

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::error::ConfigError;
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::pulsed::{Ideal, PulsedDeviceConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::pulse::PulseType;
use crate::tile::Shape;
use crate::unit_cell::CellArray;
use crate::unit_cell::ideal::IdealCells;
use crate::unit_cell::one_sided::{OneSidedCell, OneSidedCells};
use crate::unit_cell::single::SingleCells;
use crate::unit_cell::vector::{ReferenceCell, VectorCell, VectorCells};

/// What sits at every crossing: `model` is the name of a pulsed device or of a [`CompoundCell`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum UnitCell {
    /// Several devices, or none.
    Compound(CompoundCell),
    /// One pulsed device.
    Pulsed(PulsedDeviceConfig),
}

/// Cells that are not just one pulsed device.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum CompoundCell {
    /// Exact storage.
    Ideal(Ideal),
    /// Several devices per weight.
    Vector(VectorCell),
    /// A device and its reference.
    Reference(ReferenceCell),
    /// A one-sided pair.
    OneSided(Box<OneSidedCell>),
}

const COMPOUND: &[config::Variant<CompoundCell>] = &[
    ("Ideal", |table| config::decode(table).map(CompoundCell::Ideal)),
    ("Vector", |table| config::decode(table).map(CompoundCell::Vector)),
    ("Reference", |table| config::decode(table).map(CompoundCell::Reference)),
    ("OneSided", |table| config::decode(table).map(Box::new).map(CompoundCell::OneSided)),
];

impl<'de> Deserialize<'de> for UnitCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Value::deserialize(deserializer)?;
        let model = table.get("model").and_then(Value::as_str);
        let is_compound = COMPOUND.iter().any(|(name, _)| Some(*name) == model);
        let decoded = if is_compound {
            config::tagged(table, "model", COMPOUND)
                .map(Self::Compound)
                .map_err(|error| config::uncarry(&error))
        } else {
            config::decode(table).map(Self::Pulsed)
        };
        decoded.map_err(config::carry)
    }
}

impl Default for UnitCell {
    fn default() -> Self {
        Self::Pulsed(PulsedDeviceConfig::ConstantStep(Default::default()))
    }
}

impl UnitCell {
    /// An ideal unit cell.
    #[must_use]
    pub fn ideal() -> Self {
        Self::Compound(CompoundCell::Ideal(Ideal::default()))
    }

    /// Refuses parameters outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Pulsed(device) => device.validate(),
            Self::Compound(CompoundCell::Ideal(device)) => device.validate(),
            Self::Compound(CompoundCell::Vector(cell)) => cell.validate(),
            Self::Compound(CompoundCell::Reference(cell)) => cell.as_vector()?.validate(),
            Self::Compound(CompoundCell::OneSided(cell)) => cell.validate(),
        }
    }

    /// Fabricates an array of cells at weight 0; without pulses every cell is ideal storage.
    pub fn build(
        &self,
        pulses: PulseType,
        shape: Shape,
        key: RngKey,
    ) -> Result<Box<dyn CellArray>, ConfigError> {
        let ideal = |device: &Ideal| -> Result<Box<dyn CellArray>, ConfigError> {
            let array = IdealArray::new(device.clone(), shape.outputs * shape.inputs)?;
            Ok(Box::new(IdealCells { shape, array }))
        };
        Ok(match self {
            Self::Compound(CompoundCell::Ideal(device)) => ideal(device)?,
            _ if pulses == PulseType::None => ideal(&Ideal::default())?,
            Self::Compound(CompoundCell::Vector(cell)) => Box::new(VectorCells::new(cell, shape, key)?),
            Self::Compound(CompoundCell::Reference(cell)) => {
                Box::new(VectorCells::new(&cell.as_vector()?, shape, key)?)
            }
            Self::Compound(CompoundCell::OneSided(cell)) => Box::new(OneSidedCells::new(cell, shape, key)?),
            Self::Pulsed(device) => Box::new(SingleCells(device.build(shape.outputs, shape.inputs, key)?)),
        })
    }
}
