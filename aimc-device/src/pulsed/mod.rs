//! Pulsed devices for training in memory: one file per unit-cell model.
//!
//! A model is a record (its parameters), an equation ([`PulsedDevice::step`]) and the constants that
//! differ from device to device. Everything that models share lives beside them: device-to-device sampling
//! ([`fabrication`]), retention ([`retention`], [`drift`]) and the array that loops over devices
//! ([`Population`]).
//!
//! To add a model: write its file, then add one line to the `registry!` below.

pub(crate) mod common;
pub mod constant_step;
pub mod drift;
pub mod fabrication;
pub mod ideal;
pub mod population;
pub mod retention;
pub mod soft_bounds;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config;
use crate::error::ConfigError;
use crate::rng::{RngKey, Stream};

pub use common::Common;
pub use constant_step::ConstantStep;
pub use drift::PowerLawDrift;
pub use ideal::Ideal;
pub use population::{DeviceArray, Population, RowPort};
pub use soft_bounds::SoftBounds;

/// Which way a pulse moves the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards larger weights.
    Up,
    /// Towards smaller weights.
    Down,
}

/// The constants of one device that all models have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// Size of the up step, a⁺.
    pub up: f32,
    /// Size of the down step, a⁻ (positive for a physical device).
    pub down: f32,
    /// Upper bound b⁺ of the weight.
    pub w_max: f32,
    /// Lower bound b⁻ of the weight.
    pub w_min: f32,
}

impl Cell {
    /// The weight cut to this device's bounds.
    #[inline(always)]
    #[must_use]
    pub fn clip(&self, w: f32) -> f32 {
        w.max(self.w_min).min(self.w_max)
    }
}

/// How the weight that is read differs from the persistent one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WriteNoise {
    /// Std of the difference, absolute; 0 switches write noise off.
    pub std: f32,
    /// Draw it also when weights are set from outside.
    pub on_set: bool,
}

/// A unit-cell model: the equation of one pulse on one device.
pub trait PulsedDevice: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Per-device constants beyond [`Cell`].
    type Extra: Copy + Send + Sync + std::fmt::Debug + 'static;

    /// The shared parameters.
    fn common(&self) -> Common;

    /// Refuses parameters outside their physical range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Mean weight change of one pulse at w = 0, from mean parameters: the unit in which pulses are planned.
    fn granularity(&self) -> f32 {
        self.common().dw_min
    }

    /// Write noise; none unless the model has it.
    fn write_noise(&self) -> WriteNoise {
        WriteNoise::default()
    }

    /// Draws the model's own constants of one device; may adjust the common ones.
    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Self::Extra;

    /// Names of the model's own constants, in the order of [`PulsedDevice::extra_values`].
    fn extra_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The model's own constants of one device as numbers.
    fn extra_values(_extra: &Self::Extra) -> Vec<f32> {
        Vec::new()
    }

    /// The inverse of [`PulsedDevice::extra_values`].
    fn extra_from_values(&self, values: &[f32]) -> Self::Extra;

    /// THE equation: the persistent weight after one pulse on a device that holds `w`, hard bounds included.
    /// `xi` is the standard normal draw of this pulse.
    fn step(&self, cell: Cell, extra: Self::Extra, w: f32, direction: Direction, xi: f32) -> f32;
}

/// Lists the models once: from it follow the config enum, its parser and the constructor of arrays.
macro_rules! registry {
    ($($(#[$doc:meta])* $model:ident,)*) => {
        /// Any pulsed device, chosen by the field `model` of a configuration.
        ///
        /// ```
        /// use aimc_device::{config, pulsed::PulsedDeviceConfig};
        /// let text = "model = \"SoftBounds\"\nw_max = 0.8";
        /// let device: PulsedDeviceConfig = config::from_toml(text).unwrap();
        /// assert_eq!(device.common().w_max, 0.8);
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "model")]
        pub enum PulsedDeviceConfig {
            $($(#[$doc])* $model($model),)*
        }

        impl<'de> Deserialize<'de> for PulsedDeviceConfig {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                config::tagged(deserializer, "model", &[
                    $((stringify!($model), |table| config::decode(table).map(Self::$model)),)*
                ])
            }
        }

        impl PulsedDeviceConfig {
            /// The shared parameters.
            #[must_use]
            pub fn common(&self) -> Common {
                match self { $(Self::$model(device) => device.common(),)* }
            }

            /// Mean weight change of one pulse at w = 0, see [`PulsedDevice::granularity`].
            #[must_use]
            pub fn granularity(&self) -> f32 {
                match self { $(Self::$model(device) => PulsedDevice::granularity(device),)* }
            }

            /// Refuses parameters outside their physical range.
            pub fn validate(&self) -> Result<(), ConfigError> {
                match self { $(Self::$model(device) => PulsedDevice::validate(device),)* }
            }

            /// Validates, then fabricates `rows` x `columns` devices, all at weight 0 (cut to their bounds).
            pub fn build(&self, rows: usize, columns: usize, key: RngKey) -> Result<Box<dyn DeviceArray>, ConfigError> {
                Ok(match self {
                    $(Self::$model(device) => Box::new(Population::new(device.clone(), rows, columns, key)?),)*
                })
            }
        }
    };
}

registry! {
    /// Constant step between hard bounds.
    ConstantStep,
    /// Step that vanishes linearly towards the bounds.
    SoftBounds,
}
