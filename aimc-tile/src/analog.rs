//! The analog tile: a crossbar of devices between converters, written by pulses.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::pulsed::{DeviceArray, Ideal, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::ideal::{check_update, from_matrix, gather, to_matrix};
use crate::matmul::{Weights, subtract_outer_products};
use crate::periphery::{AnalogMvm, IoConfig};
use crate::pulse::outer_product::pulsed_update;
use crate::pulse::{PulseType, UpdateConfig};
use crate::tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

/// What sits at every crossing, chosen by the field `model`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum UnitCell {
    /// Exact storage, model name `Ideal`.
    Ideal(#[schemars(with = "IdealSchema")] IdealCell),
    /// One pulsed device.
    Pulsed(PulsedDeviceConfig),
}

/// The ideal device under its model name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "model", rename = "Ideal")]
pub struct IdealCell {
    /// Its parameters.
    #[serde(flatten)]
    pub device: Ideal,
}

// What the schema says of `IdealCell`: schemars gives a tag to variants only.
#[derive(JsonSchema)]
#[serde(tag = "model")]
#[schemars(rename = "IdealCell")]
#[expect(dead_code, reason = "only its schema is used")]
enum IdealSchema {
    /// Exact storage.
    Ideal(Ideal),
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
        Self::Ideal(IdealCell { device: Ideal::default() })
    }

    /// Refuses parameters outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Ideal(cell) => cell.device.validate(),
            Self::Pulsed(device) => device.validate(),
        }
    }
}

impl<'de> Deserialize<'de> for UnitCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = serde_json::Value::deserialize(deserializer)?;
        let decoded = if table.get("model").and_then(|name| name.as_str()) == Some("Ideal") {
            let mut table = table;
            if let Some(table) = table.as_object_mut() {
                table.remove("model");
            }
            config::decode(table).map(|device| Self::Ideal(IdealCell { device }))
        } else {
            config::decode(table).map(Self::Pulsed)
        };
        decoded.map_err(config::carry)
    }
}

/// A whole tile.
///
/// ```
/// use aimc_device::config;
/// use aimc_tile::TileConfig;
/// let text = "forward.out_noise = 0.02\n[device]\nmodel = \"SoftBounds\"\nw_max = 0.5";
/// let tile: TileConfig = config::from_toml(text).unwrap();
/// assert_eq!(tile.forward.out_noise, 0.02);
/// let error = config::from_toml::<TileConfig>("[device]\nmodel = \"SoftBounds\"\nw_mx = 1").unwrap_err();
/// assert_eq!(error.field, "device.w_mx");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TileConfig {
    /// What sits at every crossing.
    pub device: UnitCell,
    /// Circuits of the forward direction.
    pub forward: IoConfig,
    /// Circuits of the backward direction; bound management has no effect there.
    pub backward: IoConfig,
    /// Pulses of the update.
    pub update: UpdateConfig,
}

impl TileConfig {
    /// Exact products, exact updates: floating point.
    #[must_use]
    pub fn ideal() -> Self {
        Self {
            device: UnitCell::ideal(),
            forward: IoConfig::perfect(),
            backward: IoConfig::perfect(),
            update: UpdateConfig::exact(),
        }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.device.validate().map_err(|error| error.within("device"))?;
        self.forward.validate().map_err(|error| error.within("forward"))?;
        self.backward.validate().map_err(|error| error.within("backward"))?;
        self.update.validate().map_err(|error| error.within("update"))
    }

    /// Validates, then fabricates a tile with weights 0.
    pub fn build(&self, shape: Shape, key: RngKey) -> Result<AnalogTile, ConfigError> {
        AnalogTile::new(self, shape, key)
    }
}

#[derive(Debug)]
enum Array {
    Ideal(IdealArray),
    Pulsed(Box<dyn DeviceArray>),
}

/// A crossbar of devices with its circuits.
#[derive(Debug)]
pub struct AnalogTile {
    shape: Shape,
    array: Array,
    forward: AnalogMvm,
    backward: AnalogMvm,
    update: UpdateConfig,
}

impl AnalogTile {
    /// Validates `config`, then fabricates the devices from `key`; weights start at 0.
    pub fn new(config: &TileConfig, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        config.validate()?;
        require::at_least_one("outputs", shape.outputs)?;
        require::at_least_one("inputs", shape.inputs)?;
        let array = match (&config.device, config.update.pulse_type) {
            (UnitCell::Ideal(cell), _) => {
                Array::Ideal(IdealArray::new(cell.device.clone(), shape.outputs * shape.inputs)?)
            }
            (UnitCell::Pulsed(_), PulseType::None) => {
                Array::Ideal(IdealArray::new(Ideal::default(), shape.outputs * shape.inputs)?)
            }
            (UnitCell::Pulsed(device), PulseType::StochasticCompressed) => {
                Array::Pulsed(device.build(shape.outputs, shape.inputs, key)?)
            }
        };
        Ok(Self {
            shape,
            array,
            forward: AnalogMvm::forward(&config.forward)?,
            backward: AnalogMvm::backward(&config.backward)?,
            update: config.update.clone(),
        })
    }

    /// The pulsed devices; `None` for ideal storage.
    #[must_use]
    pub fn devices(&self) -> Option<&dyn DeviceArray> {
        match &self.array {
            Array::Ideal(_) => None,
            Array::Pulsed(array) => Some(array.as_ref()),
        }
    }

    /// The pulsed devices, to act on them; `None` for ideal storage.
    pub fn devices_mut(&mut self) -> Option<&mut (dyn DeviceArray + 'static)> {
        match &mut self.array {
            Array::Ideal(_) => None,
            Array::Pulsed(array) => Some(array.as_mut()),
        }
    }

    fn matrix(&self) -> Weights<'_> {
        let values = match &self.array {
            Array::Ideal(array) => array.weights(),
            Array::Pulsed(array) => array.weights(),
        };
        Weights::new(values, self.shape.outputs, self.shape.inputs)
    }
}

impl MatVec for AnalogTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.forward.multiply(self.matrix(), &x, &mut y, draws)
    }
}

impl Tile for AnalogTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.backward.multiply(self.matrix().transpose(), &d, &mut z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        let (x, d) = (gather(&x), gather(&d));
        let Shape { outputs, inputs } = self.shape;
        match &mut self.array {
            Array::Ideal(array) => subtract_outer_products(array.weights_mut(), outputs, inputs, &x, &d, lr),
            Array::Pulsed(array) => pulsed_update(array.as_mut(), &self.update, &x, &d, lr, draws),
        }
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        let (diffusion, decay) = (key.fold_in(label("diffusion")), key.fold_in(label("decay")));
        match &mut self.array {
            Array::Ideal(array) => {
                array.diffuse(diffusion);
                array.decay(1.0);
            }
            Array::Pulsed(array) => {
                let (decays, diffuses) = array.forgets();
                if diffuses {
                    array.diffuse(diffusion);
                }
                if decays {
                    array.decay(1.0, decay);
                }
            }
        }
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest(
            "devices",
            match &self.array {
                Array::Ideal(array) => array.state(),
                Array::Pulsed(array) => array.state(),
            },
        );
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        match &mut self.array {
            Array::Ideal(array) => array.restore(&state.part("devices")),
            Array::Pulsed(array) => array.restore(&state.part("devices")),
        }
    }
}

impl ReadOut for AnalogTile {
    fn weights(&self) -> DMatrix<f32> {
        to_matrix(self.matrix().values(), self.shape)
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let values = from_matrix(weights, self.shape)?;
        match &mut self.array {
            Array::Ideal(array) => array.weights_mut().copy_from_slice(&values),
            Array::Pulsed(array) => array.set_weights(&values, key),
        }
        Ok(())
    }
}
