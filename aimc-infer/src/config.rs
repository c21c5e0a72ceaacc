//! The record of a tile for inference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::ConfigError;
use aimc_device::programmed::{ProgrammedDevice, ProgrammedDeviceConfig};
use aimc_tile::sliced::SliceConfig;
use aimc_tile::{IoConfig, KeptScales, PeripheryConfig};

use crate::compensation::{Compensation, Recalibration};
use crate::converter::{Converter, ConverterConfig};
use crate::programming::Programming;

/// From which conductances a tile drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DriftConversion {
    /// From those that were programmed: every device keeps its own conductance and drift exponent.
    #[default]
    Physical,
    /// From those that the *programmed weights* would be converted to, with the largest programmed |weight| as the
    /// new g_max; the exponents stay those drawn for the targets. This is what AIHWKit 1.1.0 does. Of each pair one
    /// device becomes empty again, so a weight has the noise of one device where physically it has that of two.
    Reconverted,
}

/// A whole tile for inference; defaults are AIHWKit's, but for [`DriftConversion`].
///
/// ```
/// use aimc_device::config;
/// use aimc_infer::InferenceTileConfig;
/// let text = "compensation = \"None\"\nforward.out_noise = 0.02\n[device]\nmodel = \"PcmLike\"\ng_max = 20.0";
/// let tile: InferenceTileConfig = config::from_toml(text).unwrap();
/// assert_eq!(tile.forward.out_noise, 0.02);
/// tile.validate().unwrap();
/// let text = "[converter]\nmodel = \"SinglePair\"\ng_min = 30.0";
/// let error = config::from_toml::<InferenceTileConfig>(text).unwrap().validate().unwrap_err();
/// assert_eq!(error.to_string(), "converter.g_min = 30.0: must be 0 or above and below g_max = 25 µS of the device");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InferenceTileConfig {
    /// The devices.
    pub device: ProgrammedDeviceConfig,
    /// How weights become conductances.
    pub converter: ConverterConfig,
    /// How the conductances get into the devices.
    pub programming: Programming,
    /// Circuits of the forward direction.
    pub forward: IoConfig,
    /// How a matrix is split over tiles, and the digital circuits around each of them.
    pub periphery: PeripheryConfig,
    /// Which scales of training stay digital, for weights that come from tiles with scales.
    pub kept_scales: KeptScales,
    /// Slices of different significance per weight, each with a converter and circuits of its own; none for one array.
    pub slices: Option<SliceConfig>,
    /// How drift is compensated.
    pub compensation: Compensation,
    /// When its factor is read out.
    pub recalibration: Recalibration,
    /// From which conductances the tile drifts.
    pub drift_conversion: DriftConversion,
}

impl InferenceTileConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.device.validate().map_err(|error| error.within("device"))?;
        self.converter.validate(self.device.g_max()).map_err(|error| error.within("converter"))?;
        self.programming.validate().map_err(|error| error.within("programming"))?;
        self.forward.validate().map_err(|error| error.within("forward"))?;
        self.periphery.validate(&self.forward).map_err(|error| error.within("periphery"))?;
        self.recalibration.validate().map_err(|error| error.within("recalibration"))?;
        self.slices.as_ref().map_or(Ok(()), SliceConfig::validate).map_err(|error| error.within("slices"))
    }
}
