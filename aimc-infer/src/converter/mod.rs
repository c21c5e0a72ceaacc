//! Conversion of weights to conductances and back: one file per scheme.
//!
//! A scheme spreads a weight over one or more devices, its *slices*. The gain k (µS per unit of weight) is chosen
//! once per tile; the rest is a pure function of one weight. To add a scheme: write its file, then add one line
//! to the `registry!` below.

pub mod single_pair;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::ConfigError;
use aimc_device::config;

pub use single_pair::SinglePair;

/// A scheme by which devices of conductance up to `g_max` (µS) represent weights.
pub trait Converter: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Refuses parameters outside their range.
    fn validate(&self, g_max: f32) -> Result<(), ConfigError>;

    /// Devices per weight.
    fn slices(&self) -> usize;

    /// The gain k (µS per unit of weight) for a tile with these weights.
    fn gain(&self, weights: &[f32], g_max: f32) -> f32;

    /// The target conductance (µS) of every slice of the weight `w`.
    fn conductances(&self, w: f32, gain: f32, g_max: f32, slices: &mut [f32]);

    /// The weight that conductances (µS), one per slice, represent: the inverse of [`Converter::conductances`].
    fn weight(&self, slices: &[f32], gain: f32) -> f32;
}

/// Lists the schemes once: from it follow the config enum, its parser and its equations.
macro_rules! registry {
    ($($(#[$doc:meta])* $model:ident,)*) => {
        /// Any scheme, chosen by the field `model` of a configuration.
        ///
        /// ```
        /// use aimc_device::config;
        /// use aimc_infer::converter::{Converter, ConverterConfig};
        /// let pair: ConverterConfig = config::from_toml("model = \"SinglePair\"\ng_min = 2.0").unwrap();
        /// assert_eq!(pair.slices(), 2);
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "model")]
        pub enum ConverterConfig {
            $($(#[$doc])* $model($model),)*
        }

        impl<'de> Deserialize<'de> for ConverterConfig {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                config::tagged(deserializer, "model", &[
                    $((stringify!($model), |table| config::decode(table).map(Self::$model)),)*
                ])
            }
        }

        impl Converter for ConverterConfig {
            fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
                match self { $(Self::$model(converter) => converter.validate(g_max),)* }
            }

            fn slices(&self) -> usize {
                match self { $(Self::$model(converter) => converter.slices(),)* }
            }

            fn gain(&self, weights: &[f32], g_max: f32) -> f32 {
                match self { $(Self::$model(converter) => converter.gain(weights, g_max),)* }
            }

            #[inline]
            fn conductances(&self, w: f32, gain: f32, g_max: f32, slices: &mut [f32]) {
                match self { $(Self::$model(converter) => converter.conductances(w, gain, g_max, slices),)* }
            }

            #[inline]
            fn weight(&self, slices: &[f32], gain: f32) -> f32 {
                match self { $(Self::$model(converter) => converter.weight(slices, gain),)* }
            }
        }
    };
}

registry! {
    /// One device for positive, one for negative weights.
    SinglePair,
}

impl Default for ConverterConfig {
    fn default() -> Self {
        Self::SinglePair(SinglePair::default())
    }
}

/// The target conductances (µS) of many weights: one list per slice, in the order of the weights.
#[must_use]
pub fn to_conductances(converter: &impl Converter, weights: &[f32], gain: f32, g_max: f32) -> Vec<Vec<f32>> {
    let mut slices = vec![vec![0.0; weights.len()]; converter.slices()];
    let mut cell = vec![0.0; converter.slices()];
    for (i, &w) in weights.iter().enumerate() {
        converter.conductances(w, gain, g_max, &mut cell);
        slices.iter_mut().zip(&cell).for_each(|(slice, &g)| slice[i] = g);
    }
    slices
}

/// The weights that `slices` of equal length represent: the inverse of [`to_conductances`].
///
/// # Panics
/// If there are fewer slices than the scheme has, which is an error of the caller.
#[must_use]
pub fn to_weights<S: AsRef<[f32]>>(converter: &impl Converter, slices: &[S], gain: f32) -> Vec<f32> {
    let mut cell = vec![0.0; converter.slices()];
    let weight = |i| {
        cell.iter_mut().zip(slices).for_each(|(g, slice)| *g = slice.as_ref()[i]);
        converter.weight(&cell, gain)
    };
    (0..slices[0].as_ref().len()).map(weight).collect()
}
