//! One-shot programming: the outcome of whatever procedure the devices were measured with.
//!
//! ```text
//! g = program(g_T, ξ)       by the noise law of the programmed device, once per device
//! ```
//!
//! Costs are not known: published noise laws contain the program-and-verify of their measurement, but not its pulses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::programmed::ProgrammedArray;

use super::Job;
use crate::program::slice_key;

/// One-shot programming, see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneShot {}

/// Programs every slice.
pub(crate) fn write(job: &Job<'_>, key: RngKey) -> Vec<ProgrammedArray> {
    let slices = job.targets.iter().enumerate();
    slices
        .map(|(i, g)| ProgrammedArray::program(job.device, g, job.shape.inputs, slice_key(key, i)))
        .collect()
}
