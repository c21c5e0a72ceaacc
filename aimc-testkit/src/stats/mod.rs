//! Statistical tests, one per file, with p-values instead of tuned tolerances.
//!
//! | question | test |
//! |---|---|
//! | does the sample follow this continuous law? | [`ks_test`] |
//! | do two samples follow the same law? | [`ks_two_sample`] |
//! | do the counts of bins follow these probabilities? | [`chi_squared`], [`chi_squared_uniform`] |
//! | is the mean this, for a known spread? | [`mean_test`] |
//! | is the variance this? | [`variance_test`] |
//! | do skewness and kurtosis fit a normal? | [`skewness_test`], [`kurtosis_test`] |
//! | are two samples correlated as stated? | [`correlation_test`] |
//! | does an event occur this often? | [`proportion_test`], [`poisson_test`] |
//!
//! Samples are slices of anything that converts to `f64` without loss (`f32`, `f64`, `u32`, …). A
//! NaN in the sample or an empty sample gives a NaN p-value, which [`assert_p`] refuses.
//!
//! ```
//! use aimc_testkit::stats::{Moments, expect_mean};
//!
//! let sample = [0.9_f32, 1.1, 1.05, 0.95];
//! let moments: Moments = sample.iter().map(|&x| f64::from(x)).collect();
//! assert_eq!(moments.count(), 4);
//! expect_mean(&sample, 1.0, 0.1);
//! ```

mod band;
mod chi_squared;
mod correlation;
mod counts;
mod expect;
mod kolmogorov;
mod ks;
mod ks_two_sample;
mod mean;
mod moments;
mod outcome;
mod shape;
mod variance;

#[cfg(test)]
mod test_random;

pub use band::Finding;
pub use chi_squared::{MIN_EXPECTED, chi_squared, chi_squared_uniform};
pub use correlation::{correlation, correlation_test};
pub use counts::{poisson_test, proportion_test};
pub use expect::{expect_mean, expect_normal, expect_std};
pub use kolmogorov::kolmogorov_sf;
pub use ks::ks_test;
pub use ks_two_sample::ks_two_sample;
pub use mean::mean_test;
pub use moments::Moments;
pub use outcome::{FALSE_ALARM, Outcome, assert_p};
pub use shape::{kurtosis_test, skewness_test};
pub use variance::{Kurtosis, variance_test};

use statrs::distribution::{ContinuousCDF, Normal};

/// Two-sided p-value of a standard normal statistic: `2 (1 - Φ(|z|))`. NaN stays NaN.
fn two_sided_normal(z: f64) -> f64 {
    // sf(0) may round to an ulp above one half; `min` alone would turn a NaN into 1.
    if z.is_nan() { z } else { (2.0 * Normal::standard().sf(z.abs())).min(1.0) }
}

/// `difference / standard_error`, where a standard error of zero means that only a difference of
/// zero is possible: 0 if there is none, infinite otherwise.
fn z_score(difference: f64, standard_error: f64) -> f64 {
    if standard_error == 0.0 && difference == 0.0 { 0.0 } else { difference / standard_error }
}
