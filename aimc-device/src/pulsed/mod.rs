//! Pulsed devices for training in memory: one file per unit-cell model.
//!
//! A model is a record (its parameters), an equation ([`PulsedDevice::step`]) and the constants that
//! differ from device to device. Everything that models share lives beside them: device-to-device sampling
//! ([`fabrication`]), retention ([`retention`], [`drift`]) and the array that loops over devices
//! ([`Population`]).
//!
//! To add a model: write its file, then add one line to the `registry!` below.

pub mod affine;
pub mod bursts;
pub(crate) mod common;
pub mod constant_step;
pub mod constants;
pub mod device_array;
mod device_lane;
pub mod direction;
pub mod drift;
pub mod exp_step;
pub mod fabrication;
pub(crate) mod hidden_parameters;
pub mod hidden_step;
pub mod ideal;
mod incoming;
pub mod linear_step;
mod packed;
pub mod piecewise_step;
pub mod population;
pub mod pow_step;
pub mod pow_step_reference;
pub mod pulse_count;
pub mod reference;
pub mod retention;
mod rounds;
mod row;
mod row_lists;
mod slots;
pub mod soft_bounds;
pub mod soft_bounds_pmax;
pub mod soft_bounds_reference;
mod spread;
pub mod table_step;
mod write_noise;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config;
use crate::error::ConfigError;
use crate::lane::Lane;
use crate::rng::{RngKey, Stream};

pub use bursts::Burst;
pub use common::Common;
pub use constant_step::ConstantStep;
pub use constants::Constants;
pub use device_array::{DeviceArray, RowPort};
pub use direction::{Direction, Way};
pub use drift::PowerLawDrift;
pub use exp_step::ExpStep;
pub use hidden_step::HiddenStep;
pub use ideal::Ideal;
pub use linear_step::LinearStep;
pub use piecewise_step::PiecewiseStep;
pub use population::Population;
pub use pow_step::PowStep;
pub use pow_step_reference::PowStepReference;
pub use pulse_count::PulseCount;
pub use reference::ReferenceRule;
pub use soft_bounds::SoftBounds;
pub use soft_bounds_pmax::SoftBoundsPmax;
pub use soft_bounds_reference::SoftBoundsReference;
pub use table_step::TableStep;

/// The constants that all models have, of one device or of a lane of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell<L = f32> {
    /// Size of the up step, a⁺.
    pub up: L,
    /// Size of the down step, a⁻ (positive for a physical device).
    pub down: L,
    /// Upper bound b⁺ of the weight.
    pub w_max: L,
    /// Lower bound b⁻ of the weight.
    pub w_min: L,
}

impl<L: Lane> Cell<L> {
    /// The weight cut to this device's bounds.
    #[inline(always)]
    #[must_use]
    pub fn clip(&self, w: L) -> L {
        w.at_least(self.w_min).at_most(self.w_max)
    }
}

/// A model's own constants of a lane of devices.
pub type Extra<D, L> = <<D as PulsedDevice>::Extra as Constants>::Lanes<L>;

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
    type Extra: Constants;

    /// Whether a device holds a hidden number besides its weight, see [`PulsedDevice::accumulate`].
    const HIDDEN: bool = false;

    /// Whether a step takes an exponential or a power. What comes out does not depend on it, only how pulses wait.
    const COSTLY: bool = false;

    /// The shared parameters.
    fn common(&self) -> Common;

    /// Refuses parameters outside their physical range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Mean weight change of one pulse at w = 0, from mean parameters: the unit in which pulses are planned.
    fn granularity(&self) -> f32 {
        self.common().dw_min
    }

    /// Mean size of a step at w = 0 as [`Cell`] has it, up and down together, from mean parameters.
    fn mean_step(&self) -> f32 {
        let Common { dw_min, up_down, .. } = self.common();
        dw_min * (1.0 - 0.5 * up_down.abs())
    }

    /// Write noise; none unless the model has it.
    fn write_noise(&self) -> WriteNoise {
        WriteNoise::default()
    }

    /// Draws the model's own constants of one device; may adjust the common ones.
    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Self::Extra;

    /// What the model adds to the reset weight β drawn for a device.
    fn reset_shift(&self, _cell: Cell, _extra: Self::Extra) -> f32 {
        0.0
    }

    /// The weight cut to what the device can hold: its bounds, unless the model shifts them.
    #[inline(always)]
    fn clip(&self, cell: Cell, _extra: Self::Extra, w: f32) -> f32 {
        cell.clip(w)
    }

    /// One pulse on the hidden state of a device: the new state, and the step that the pulse releases, if
    /// any. Only called where [`PulsedDevice::HIDDEN`]; elsewhere every pulse is a step.
    #[inline(always)]
    fn accumulate(
        &self,
        _extra: Self::Extra,
        hidden: f32,
        direction: Direction,
        _xi: f32,
    ) -> (f32, Option<Direction>) {
        (hidden, Some(direction))
    }

    /// THE equation: the persistent weights after one pulse on devices that hold `w`, hard bounds included, for one
    /// device (`f32`) or a lane of them. `way` says where the pulse moves each, `xi` are its standard normal draws.
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, extra: Extra<Self, L>, w: L, way: W, xi: L) -> L;
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
    /// Soft bounds given by the pulses that sweep the weight range.
    SoftBoundsPmax,
    /// Soft bounds read against a reference.
    SoftBoundsReference,
    /// Step that changes linearly with the weight.
    LinearStep,
    /// Step that saturates exponentially.
    ExpStep,
    /// Step that is a power of the distance to the bound.
    PowStep,
    /// Power step read against a reference.
    PowStepReference,
    /// Step interpolated between the nodes of a table.
    PiecewiseStep,
    /// Step with mean and noise interpolated between the nodes of tables.
    TableStep,
    /// Constant step that several pulses release together.
    HiddenStep,
}
