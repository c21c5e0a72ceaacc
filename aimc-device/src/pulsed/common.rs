//! The parameters that every pulsed device shares, and the macro that declares a device record with them.
//!
//! Defaults are those of AIHWKit for the same names. Weights are normalised and dimensionless; `dtod` is
//! device-to-device variation, drawn once at fabrication; `std` is cycle-to-cycle noise, drawn per event.

use crate::error::{ConfigError, require};
use crate::lane::Lane;

/// 1 + σ_c ξ, by which cycle-to-cycle noise of `std` σ_c multiplies a step.
#[inline(always)]
pub(super) fn noise_factor<L: Lane>(xi: L, std: f32) -> L {
    xi.mul_add(xi.splat(std), xi.splat(1.0))
}

/// Passes all common fields on to the macro `$then`.
macro_rules! common_fields {
    ($then:tt { $($own:tt)* }) => {
        $crate::pulsed::common::spread_fields! { [$crate::pulsed::common::with_means] { $then { $($own)* } } }
    };
}

/// Puts the means of step and bounds before the other common fields.
macro_rules! with_means {
    ({ [$($then:tt)*] { $($own:tt)* } } $($spread:tt)*) => {
        $($then)*! {
            { $($own)* }
            /// Mean weight change of one pulse.
            dw_min: f32 = 0.001,
            /// Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
            up_down: f32 = 0.0,
            /// Mean upper bound of the weight, at least 0.
            w_max: f32 = 0.6,
            /// Mean lower bound of the weight, at most 0.
            w_min: f32 = -0.6,
            $($spread)*
        }
    };
}

/// Passes the common fields but the means of step and bounds on to the macro `$then`.
macro_rules! spread_fields {
    ([$($then:tt)*] { $($own:tt)* }) => {
        $($then)*! {
            { $($own)* }
            /// Relative device-to-device std of the step, common to both directions.
            dw_min_dtod: f32 = 0.3,
            /// Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
            dw_min_dtod_log_normal: bool = false,
            /// Cycle-to-cycle std of a step, relative to the step.
            dw_min_std: f32 = 0.3,
            /// Device-to-device std of the asymmetry, in units of dw_min.
            up_down_dtod: f32 = 0.01,
            /// Relative device-to-device std of the upper bound.
            w_max_dtod: f32 = 0.3,
            /// Relative device-to-device std of the lower bound.
            w_min_dtod: f32 = 0.3,
            /// Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
            enforce_consistency: bool = true,
            /// Give the last column ideal steps and bounds a hundred times as wide.
            perfect_bias: bool = false,
            /// Probability that a device is stuck.
            corrupt_devices_prob: f32 = 0.0,
            /// Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
            corrupt_devices_range: f32 = 0.1,
            /// Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
            diffusion: f32 = 0.0,
            /// Relative device-to-device std of the diffusion.
            diffusion_dtod: f32 = 0.0,
            /// Time constant of the decay in mini-batches; 0 switches decay off.
            lifetime: f32 = 0.0,
            /// Relative device-to-device std of the lifetime.
            lifetime_dtod: f32 = 0.0,
            /// Mean weight after a reset, and the weight that decay tends to.
            reset: f32 = 0.0,
            /// Device-to-device std of the reset weight (absolute).
            reset_dtod: f32 = 0.0,
            /// Cycle-to-cycle std of the weight after a reset (absolute).
            reset_std: f32 = 0.01,
            /// Power-law drift; acts only when the drift operation is called.
            drift: crate::pulsed::PowerLawDrift = Default::default(),
            /// Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
            construction_seed: u64 = 0,
            /// Count the up and down pulses that every device receives.
            count_pulses: bool = false,
        }
    };
}

macro_rules! emit_common {
    ({} $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*) => {
        /// The common part of a device record, see the fields.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Common { $($(#[$doc])* pub $field: $type,)* }

        impl Default for Common {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

common_fields!([emit_common] {});

/// The record of a device, from its own fields and those passed on.
macro_rules! emit_record {
    (
        {
            $(#[$meta:meta])*
            pub struct $name:ident { $($(#[$own_meta:meta])* $own:ident: $own_type:ty = $own_default:expr,)* }
        }
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            $($(#[$own_meta])* pub $own: $own_type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* $($own: $own_default,)* }
            }
        }
    };
}

/// The record of a device with all common fields.
macro_rules! emit_device {
    (
        { $(#[$meta:meta])* pub struct $name:ident { $($own:tt)* } }
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*
    ) => {
        $crate::pulsed::common::emit_record! {
            { $(#[$meta])* pub struct $name { $($own)* } }
            $($(#[$doc])* $field: $type = $default,)*
        }

        impl $name {
            /// The parameters shared by all pulsed devices.
            #[must_use]
            pub fn common(&self) -> $crate::pulsed::Common {
                $crate::pulsed::Common { $($field: self.$field,)* }
            }
        }
    };
}

/// The record of a device whose method `means` gives the means of step and bounds.
macro_rules! emit_derived_device {
    (
        { $(#[$meta:meta])* pub struct $name:ident { $($own:tt)* } }
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*
    ) => {
        $crate::pulsed::common::emit_record! {
            { $(#[$meta])* pub struct $name { $($own)* } }
            $($(#[$doc])* $field: $type = $default,)*
        }

        impl $name {
            /// The parameters shared by all pulsed devices, with the derived means of step and bounds.
            #[must_use]
            pub fn common(&self) -> $crate::pulsed::Common {
                $crate::pulsed::Common { $($field: self.$field,)* ..self.means() }
            }
        }
    };
}

/// Declares the record of a pulsed device: its own fields with defaults; the common ones are added.
macro_rules! pulsed_device {
    ($($record:tt)*) => {
        $crate::pulsed::common::common_fields! { [$crate::pulsed::common::emit_device] { $($record)* } }
    };
}

/// The same for a device that derives the means of step and bounds from fields of its own.
macro_rules! derived_pulsed_device {
    ($($record:tt)*) => {
        $crate::pulsed::common::spread_fields! {
            [$crate::pulsed::common::emit_derived_device] { $($record)* }
        }
    };
}

pub(crate) use {
    common_fields, derived_pulsed_device, emit_derived_device, emit_device, emit_record, pulsed_device,
    spread_fields, with_means,
};

impl Common {
    /// Number of distinct weights (w_max - w_min) / `granularity`, from mean parameters.
    #[must_use]
    pub fn n_states(&self, granularity: f32) -> f32 {
        (self.w_max - self.w_min) / granularity
    }

    /// Refuses values outside their physical range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::positive("dw_min", self.dw_min)?;
        for (field, value) in [
            ("dw_min_dtod", self.dw_min_dtod),
            ("dw_min_std", self.dw_min_std),
            ("up_down_dtod", self.up_down_dtod),
            ("w_max", self.w_max),
            ("w_max_dtod", self.w_max_dtod),
            ("w_min_dtod", self.w_min_dtod),
            ("corrupt_devices_range", self.corrupt_devices_range),
            ("diffusion", self.diffusion),
            ("diffusion_dtod", self.diffusion_dtod),
            ("lifetime", self.lifetime),
            ("lifetime_dtod", self.lifetime_dtod),
            ("reset_dtod", self.reset_dtod),
            ("reset_std", self.reset_std),
        ] {
            require::non_negative(field, value)?;
        }
        require::non_positive("w_min", self.w_min)?;
        require::within("up_down", self.up_down, -1.0, 1.0)?;
        require::finite("reset", self.reset)?;
        require::probability("corrupt_devices_prob", self.corrupt_devices_prob)?;
        self.drift.validate().map_err(|error| error.within("drift"))
    }
}
