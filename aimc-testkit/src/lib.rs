//! What the tests of all aimc crates share: statistical tests with a stated false-alarm rate, a
//! reader of the golden reference data, and proptest strategies. Dev-only, never published.
//!
//! * [`stats`]: one test per file, each returning an [`stats::Outcome`] with a p-value.
//!   [`stats::assert_p`] turns it into a pass or a panic that names statistic, p and n.
//! * [`golden`]: the folders of `aimc-golden/1` JSON files and the tolerances they are compared at.
//! * [`close`]: numbers that must agree with an equation within a tolerance.
//! * [`strategies`]: bounded floats, matrices and seeds, and a reproducible proptest configuration.
//!
//! With the environment variable `AIMC_FINDINGS` set to the name of a file, every assertion of [`stats`] and [`close`] writes down
//! what it has measured and what it expected; `cargo xtask verify` makes a table of it.
//!
//! # Tolerances
//!
//! No tolerance here is tuned until a test passes. A statistical limit is the quantile of the
//! statistic's distribution at [`stats::FALSE_ALARM`]; a golden limit is the one that the measured
//! data state for themselves.
//!
//! ```
//! use aimc_testkit::stats::{FALSE_ALARM, assert_p, ks_test};
//!
//! // 1000 evenly spread points cannot be told from a uniform sample ...
//! let even: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
//! assert_p(ks_test(&even, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
//! // ... but their squares can.
//! let squares: Vec<f64> = even.iter().map(|x| x * x).collect();
//! assert!(ks_test(&squares, |x| x.clamp(0.0, 1.0)).p_value < FALSE_ALARM);
//! ```

pub mod close;
pub mod golden;
mod record;
pub mod stats;
pub mod strategies;
