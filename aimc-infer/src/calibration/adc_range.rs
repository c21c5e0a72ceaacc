//! Range of the ADC by the currents of the bit lines: out_bound = quantile(|current|, q).
//!
//! The currents are those behind the input range and noise management, with noise, of all outputs and slices of a tile, whose
//! converters share one range. With q = 1 nothing that was seen is cut; a smaller q trades cut peaks for finer steps.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4 (why ranges of converters matter).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::IoConfig;
use aimc_tile::periphery::mv_type::MvType;

use super::test_bench::{Ranges, TestBench};
use crate::error::InferenceError;
use crate::quantile::quantile;

/// The rule, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdcRange {
    /// q.
    pub quantile: f32,
}

impl Default for AdcRange {
    fn default() -> Self {
        Self { quantile: 1.0 }
    }
}

impl AdcRange {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::probability("quantile", self.quantile)
    }

    /// The range for the tile on the bench, if there is any current.
    pub(super) fn range(&self, bench: &TestBench<'_>, ranges: Ranges) -> Result<Option<f32>, InferenceError> {
        let currents = bench.currents(ranges)?;
        let range = if currents.is_empty() { 0.0 } else { quantile(&currents, f64::from(self.quantile)) };
        Ok(Some(range as f32).filter(|range| range.is_normal()))
    }
}

/// Refuses circuits whose converters have no range that could be found from the current of a product.
pub(super) fn check_converters(forward: &IoConfig) -> Result<(), ConfigError> {
    require::that(
        !forward.is_perfect,
        "is_perfect",
        true,
        "must be false: there is no converter to calibrate",
    )?;
    let one_conversion = matches!(forward.mv_type, MvType::OnePass | MvType::PosNegSeparate);
    let requirement = "must be OnePass or PosNegSeparate: others convert parts of a product one by one";
    require::that(one_conversion, "mv_type", forward.mv_type, requirement)
}
