//! Programmed devices for inference: one file per model of programming noise, drift and read noise.
//!
//! Such a device is written once, to a conductance near its target, and then only read. Its life has three
//! stages, each a pure function of one cell, or of a [`Lane`] of them; conductances are in µS, times in s since the end of
//! programming. A [`Moment`] is a time with what all cells share at that time.
//!
//! ```text
//! write   g_p = program(g_target, ξ),  ν = drift_exponent(g_target, ξ)     once; fixed for life
//! wait    g_d(t) = drifted(g_p, ν, t)                                      deterministic
//! read    g(t) = read(g_p, g_d, t, ξ)                                      fresh ξ for every read
//! ```
//!
//! Loops over devices live in [`ProgrammedArray`]. To add a model: write its file, then add one line to the
//! `registry!` below.

pub mod array;
pub(crate) mod curves;
pub mod custom_drift;
pub mod hermes;
pub mod pcm;
pub mod reram_cmo;
pub mod reram_wan;
pub mod state_independent;
pub mod tabulated;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config;
use crate::error::ConfigError;
use crate::lane::Lane;

pub use array::ProgrammedArray;
pub use curves::Moment;
pub use custom_drift::CustomDriftPcmLike;
pub use hermes::Hermes;
pub use pcm::PcmLike;
pub use reram_cmo::ReRamCmo;
pub use reram_wan::ReRamWan2022;
pub use state_independent::StateIndependent;
pub use tabulated::Tabulated;

/// A model of a device that is written once and then read. Every `xi` is a standard normal draw.
pub trait ProgrammedDevice: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Refuses parameters outside their physical range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Largest conductance that is programmed (µS).
    fn g_max(&self) -> f32;

    /// Std of the programmed conductance (µS) around the target `g_target` (µS), before it is cut at 0.
    fn programming_std<L: Lane>(&self, g_target: L) -> L;

    /// Conductance right after programming (µS): never negative.
    #[inline(always)]
    fn program<L: Lane>(&self, g_target: L, xi: L) -> L {
        (g_target + self.programming_std(g_target) * xi).not_negative()
    }

    /// The drift exponent ν of a device that was programmed towards `g_target` (µS).
    fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L;

    /// The time `t` (s) since programming, with what this model makes of it for all cells alike.
    fn moment(&self, t: f32) -> Moment;

    /// Conductance (µS) of a device that was programmed to `g_programmed` (µS), without read noise.
    fn drifted_at<L: Lane>(&self, g_programmed: L, nu: L, moment: Moment) -> L;

    /// Std (µS) of one read of a device that has drifted from `g_programmed` to `g_drifted` (µS).
    fn read_noise_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment) -> L;

    /// Conductance (µS) as one read finds it: never negative.
    #[inline(always)]
    fn read_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment, xi: L) -> L {
        (g_drifted + self.read_noise_at(g_programmed, g_drifted, moment) * xi).not_negative()
    }

    /// [`drifted_at`](ProgrammedDevice::drifted_at) the time `t` (s).
    #[inline(always)]
    fn drifted<L: Lane>(&self, g_programmed: L, nu: L, t: f32) -> L {
        self.drifted_at(g_programmed, nu, self.moment(t))
    }

    /// [`read_noise_at`](ProgrammedDevice::read_noise_at) the time `t` (s).
    #[inline(always)]
    fn read_noise_std<L: Lane>(&self, g_programmed: L, g_drifted: L, t: f32) -> L {
        self.read_noise_at(g_programmed, g_drifted, self.moment(t))
    }

    /// [`read_at`](ProgrammedDevice::read_at) the time `t` (s).
    #[inline(always)]
    fn read<L: Lane>(&self, g_programmed: L, g_drifted: L, t: f32, xi: L) -> L {
        self.read_at(g_programmed, g_drifted, self.moment(t), xi)
    }

    /// Hands the model itself to `visitor`, out of the enum of all models: loops over devices then contain its equations only.
    #[inline]
    fn visit<V: Visitor>(&self, visitor: V) {
        visitor.model(self);
    }
}

/// What is done with a device whose model is known.
pub trait Visitor {
    /// Does it.
    fn model<D: ProgrammedDevice>(self, device: &D);
}

/// Lists the models once: from it follow the config enum, its parser and its equations.
macro_rules! registry {
    ($($(#[$doc:meta])* $model:ident,)*) => {
        /// Any programmed device, chosen by the field `model` of a configuration.
        ///
        /// ```
        /// use aimc_device::config;
        /// use aimc_device::programmed::{ProgrammedDevice, ProgrammedDeviceConfig};
        /// let device: ProgrammedDeviceConfig = config::from_toml("model = \"PcmLike\"\ng_max = 20.0").unwrap();
        /// assert_eq!(device.g_max(), 20.0);
        /// let error = config::from_toml::<ProgrammedDeviceConfig>("model = \"Pcm\"").unwrap_err();
        /// assert!(error.to_string().starts_with("model = \"Pcm\": must be one of PcmLike, "));
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "model")]
        pub enum ProgrammedDeviceConfig {
            $($(#[$doc])* $model($model),)*
        }

        impl<'de> Deserialize<'de> for ProgrammedDeviceConfig {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                config::tagged(deserializer, "model", &[
                    $((stringify!($model), |table| config::decode(table).map(Self::$model)),)*
                ])
            }
        }

        impl ProgrammedDevice for ProgrammedDeviceConfig {
            fn validate(&self) -> Result<(), ConfigError> {
                match self { $(Self::$model(device) => device.validate(),)* }
            }

            #[inline]
            fn g_max(&self) -> f32 {
                match self { $(Self::$model(device) => ProgrammedDevice::g_max(device),)* }
            }

            #[inline(always)]
            fn programming_std<L: Lane>(&self, g_target: L) -> L {
                match self { $(Self::$model(device) => device.programming_std(g_target),)* }
            }

            #[inline(always)]
            fn program<L: Lane>(&self, g_target: L, xi: L) -> L {
                match self { $(Self::$model(device) => device.program(g_target, xi),)* }
            }

            #[inline(always)]
            fn drift_exponent<L: Lane>(&self, g_target: L, xi: L) -> L {
                match self { $(Self::$model(device) => device.drift_exponent(g_target, xi),)* }
            }

            fn moment(&self, t: f32) -> Moment {
                match self { $(Self::$model(device) => device.moment(t),)* }
            }

            #[inline(always)]
            fn drifted_at<L: Lane>(&self, g_programmed: L, nu: L, moment: Moment) -> L {
                match self { $(Self::$model(device) => device.drifted_at(g_programmed, nu, moment),)* }
            }

            #[inline(always)]
            fn read_noise_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment) -> L {
                match self { $(Self::$model(device) => device.read_noise_at(g_programmed, g_drifted, moment),)* }
            }

            #[inline(always)]
            fn read_at<L: Lane>(&self, g_programmed: L, g_drifted: L, moment: Moment, xi: L) -> L {
                match self { $(Self::$model(device) => device.read_at(g_programmed, g_drifted, moment, xi),)* }
            }

            #[inline]
            fn visit<V: Visitor>(&self, visitor: V) {
                match self { $(Self::$model(device) => visitor.model(device),)* }
            }
        }
    };
}

registry! {
    /// Phase-change memory.
    PcmLike,
    /// Phase-change memory with measured drift exponents.
    CustomDriftPcmLike,
    /// Phase-change memory of the 64-core chip.
    Hermes,
    /// Resistive memory of the NeuRRAM chip.
    ReRamWan2022,
    /// CMO/HfOx resistive memory.
    ReRamCmo,
    /// One drift law for all states.
    StateIndependent,
    /// A user's tables.
    Tabulated,
}

impl Default for ProgrammedDeviceConfig {
    fn default() -> Self {
        Self::PcmLike(PcmLike::default())
    }
}
