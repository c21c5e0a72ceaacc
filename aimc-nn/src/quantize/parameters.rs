//! Digital parameters in few bits: the vectors of embeddings and the factors of norm layers.
//!
//! A layer computes with q(p), p the numbers that learn; the gradient passes straight through. The grid is symmetric and reaches
//! to the largest |p|, which is known exactly, so there is nothing to estimate. Biases keep full precision, but for those
//! beside tiles, which have the precision of the tile's circuits ([`aimc_tile::mapping::periphery_quantization`]).
//!
//! Reference: B. Jacob et al. 2018, CVPR, arXiv:1712.05877.

use std::borrow::Cow;

use aimc_device::error::ConfigError;
use aimc_tile::mapping::PeripheryQuantization;

fn record(n_bits: u32) -> PeripheryQuantization {
    PeripheryQuantization { n_bits, symmetric: true }
}

/// Refuses numbers of bits that are no grid; 0 is full precision.
pub(crate) fn validate(n_bits: u32) -> Result<(), ConfigError> {
    record(n_bits).validate()
}

/// `parameters` in `n_bits` bits; 0 leaves them as they are.
///
/// ```
/// use aimc_nn::quantize::few_bits;
/// assert_eq!(*few_bits(3, &[-0.3, 0.75]), [-0.25, 0.75]);
/// ```
#[must_use]
pub fn few_bits(n_bits: u32, parameters: &[f32]) -> Cow<'_, [f32]> {
    record(n_bits).round(parameters)
}

/// For serde: full precision is not written.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands out a reference.
pub(crate) fn is_full(n_bits: &u32) -> bool {
    *n_bits == 0
}
