//! Low-precision digital arithmetic: numbers between tiles are rounded to few bits.
//!
//! ```text
//! layer → Quantize → layer            q = quantiser(x), its range from a range estimator
//! gradient                            passes where x lies inside the range, else 0 (straight through)
//! ```
//!
//! [`Quantiser`] is the grid, [`range_estimator`] finds where it should lie, [`layer`] puts both between layers,
//! [`calibrate()`] lets them measure without learning, [`parameters`] rounds embeddings and the factors of norm layers. Weights are
//! rounded by their tile: a hardware-aware tile whose modifier is `Discretize` with `res` = 2ᵇ⁻¹ - 1 (steps per largest weight),
//! `from_first_batch` and `enable_during_test` has weights of b bits, with remapping one range for every output.
//!
//! References: B. Jacob et al. 2018, CVPR, arXiv:1712.05877 (training through rounding); M. Nagel et al. 2021, *A White Paper on
//! Neural Network Quantization*, arXiv:2106.08295 (ranges); S. K. Esser et al. 2020, ICLR, arXiv:1902.08153 (learned steps).

pub mod calibrate;
pub mod layer;
pub mod parameters;
pub mod range_estimator;
pub mod range_search;

pub use aimc_tile::uniform_quantiser::Quantiser;
pub use calibrate::calibrate;
pub use layer::{Quantize, QuantizeConfig};
pub use parameters::few_bits;
pub use range_estimator::RangeEstimator;
pub use range_search::RangeSearch;
