//! Conversion of weights to conductances and back: one file per scheme.
//!
//! A scheme spreads a weight over one or more devices, its *slices*. The gain k (µS per unit of weight) is chosen
//! once per tile; the rest is a pure function of one weight. To add a scheme: write its file, then add one line
//! to the `registry!` below.

pub mod custom_pair;
pub mod fusion;
pub mod n_pair;
pub mod offset_column;
pub mod single_device;
pub mod single_pair;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::ConfigError;
use aimc_device::config;
use aimc_device::parallel;

pub use custom_pair::CustomPair;
pub use n_pair::NPair;
pub use offset_column::OffsetColumn;
pub use single_device::SingleDevice;
pub use single_pair::SinglePair;

/// Smallest max|W|, so that a tile of zeros converts.
pub(crate) const SMALLEST_WEIGHT: f32 = 1e-7;

/// The line between weights and conductances, chosen once per tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// µS per unit of weight.
    pub scale: f32,
    /// The weight to which the scheme refers: the smallest of the tile, or the largest |weight|; else 0.
    pub origin: f32,
}

impl Gain {
    /// Through the origin.
    #[must_use]
    pub fn linear(scale: f32) -> Self {
        Self { scale, origin: 0.0 }
    }
}

/// A scheme by which devices of conductance up to `g_max` (µS) represent weights.
pub trait Converter: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Refuses parameters outside their range.
    fn validate(&self, g_max: f32) -> Result<(), ConfigError>;

    /// Devices per weight.
    fn slices(&self) -> usize;

    /// Whether one row of devices serves this slice of all outputs.
    fn is_shared(&self, _slice: usize) -> bool {
        false
    }

    /// The gain k (µS per unit of weight) for a tile with these weights.
    fn gain(&self, weights: &[f32], g_max: f32) -> Gain;

    /// The target conductance (µS) of every slice of the weight `w`.
    fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]);

    /// The weight that conductances (µS), one per slice, represent: the inverse of [`Converter::conductances`].
    fn weight(&self, slices: &[f32], gain: Gain) -> f32;

    /// Hands the scheme itself to `visitor`, out of the enum of all schemes: loops over weights then contain its equations only.
    fn visit<V: Visitor>(&self, visitor: V) {
        visitor.scheme(self);
    }
}

/// What is done with a scheme that is known.
pub trait Visitor {
    /// Does it.
    fn scheme<C: Converter>(self, converter: &C);
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

            fn is_shared(&self, slice: usize) -> bool {
                match self { $(Self::$model(converter) => converter.is_shared(slice),)* }
            }

            fn gain(&self, weights: &[f32], g_max: f32) -> Gain {
                match self { $(Self::$model(converter) => converter.gain(weights, g_max),)* }
            }

            #[inline]
            fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]) {
                match self { $(Self::$model(converter) => converter.conductances(w, gain, g_max, slices),)* }
            }

            #[inline]
            fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
                match self { $(Self::$model(converter) => converter.weight(slices, gain),)* }
            }

            fn visit<V: Visitor>(&self, visitor: V) {
                match self { $(Self::$model(converter) => visitor.scheme(converter),)* }
            }
        }
    };
}

registry! {
    /// One device for positive, one for negative weights.
    SinglePair,
    /// Several pairs of unequal significance.
    NPair,
    /// Tabulated pairs.
    CustomPair,
    /// One device per weight.
    SingleDevice,
    /// One device per weight, and a column of shared reference devices.
    OffsetColumn,
}

impl Default for ConverterConfig {
    fn default() -> Self {
        Self::SinglePair(SinglePair::default())
    }
}

/// Weights that are converted by one thread at a time.
const BLOCK: usize = 4096;

/// Elementary operations (see [`parallel::worthwhile`]) of a conversion.
const COST: usize = 4;

/// Some weights, and where the conductances of one of their slices go.
struct Split<'a> {
    weights: &'a [f32],
    gain: Gain,
    g_max: f32,
    slice: usize,
    conductances: &'a mut [f32],
}

impl Visitor for Split<'_> {
    fn scheme<C: Converter>(self, converter: &C) {
        let Self { weights, gain, g_max, slice, conductances } = self;
        // Of pairs the compiler makes vectors.
        if converter.slices() == 2 {
            for (g, &w) in conductances.iter_mut().zip(weights) {
                let mut cell = [0.0; 2];
                converter.conductances(w, gain, g_max, &mut cell);
                *g = if slice == 0 { cell[0] } else { cell[1] };
            }
            return;
        }
        let mut cell = vec![0.0; converter.slices()];
        for (g, &w) in conductances.iter_mut().zip(weights) {
            converter.conductances(w, gain, g_max, &mut cell);
            *g = cell[slice];
        }
    }
}

/// The target conductances (µS) of many weights: one list per slice, in the order of the weights.
#[must_use]
pub fn to_conductances(converter: &impl Converter, weights: &[f32], gain: Gain, g_max: f32) -> Vec<Vec<f32>> {
    let slice = |slice| {
        parallel::list(COST * weights.len(), weights.len(), BLOCK, |(block, conductances)| {
            let weights = &weights[block * BLOCK..][..conductances.len()];
            converter.visit(Split { weights, gain, g_max, slice, conductances });
        })
    };
    (0..converter.slices()).map(slice).collect()
}

/// Where weights go, the first of which is number `first` of the array, and all slices.
struct Join<'a, S> {
    weights: &'a mut [f32],
    first: usize,
    slices: &'a [S],
    gain: Gain,
}

impl<S: AsRef<[f32]>> Visitor for Join<'_, S> {
    fn scheme<C: Converter>(self, converter: &C) {
        let Self { weights, first, slices, gain } = self;
        let own = first..first + weights.len();
        // Of pairs the compiler makes vectors.
        if let [a, b] = slices
            && let (Some(a), Some(b)) = (a.as_ref().get(own.clone()), b.as_ref().get(own))
        {
            for ((weight, a), b) in weights.iter_mut().zip(a).zip(b) {
                *weight = converter.weight(&[*a, *b], gain);
            }
            return;
        }
        let mut cell = vec![0.0; converter.slices()];
        for (i, weight) in (first..).zip(weights) {
            for (g, slice) in cell.iter_mut().zip(slices) {
                let slice = slice.as_ref();
                *g = slice[i % slice.len()];
            }
            *weight = converter.weight(&cell, gain);
        }
    }
}

/// The weights that `slices` represent: the inverse of [`to_conductances`]. A slice that is shared by all outputs may
/// hold its one row only.
///
/// # Panics
/// If there are fewer slices than the scheme has, which is an error of the caller.
#[must_use]
pub fn to_weights<S: AsRef<[f32]> + Sync>(converter: &impl Converter, slices: &[S], gain: Gain) -> Vec<f32> {
    let cells = slices[0].as_ref().len();
    parallel::list(COST * cells, cells, BLOCK, |(block, weights)| {
        converter.visit(Join { weights, first: block * BLOCK, slices, gain });
    })
}
