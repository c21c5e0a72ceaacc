//! Golden reference data: numbers measured on another simulator, and the tolerances of comparing.
//!
//! A golden folder holds JSON files of format `aimc-golden/1`, one object each: `format`, `kind`,
//! `doc`, `source`, inputs shared by the cases, and `cases`. [`read_folder`] reads and checks them;
//! [`Node`] looks fields up with errors that name file, case and path; [`Comparison`] judges.
//!
//! ```
//! use aimc_testkit::golden::{Comparison, GoldenFile};
//!
//! let file = GoldenFile::parse("demo.json", r#"{
//!     "format": "aimc-golden/1", "kind": "demo", "doc": "y = gain * x", "source": {},
//!     "x": [1, 2],
//!     "cases": [{"name": "double", "y": [2, 4], "device": {
//!         "class": "Amplifier", "non_default": {"gain": 2}, "resolved": {"gain": 2, "limit": "inf"}}}]
//! }"#)?;
//! let x = file.shared("x")?.read::<Vec<f32>>()?;
//! let case = file.case("double")?;
//! let device = case.params("device")?;
//! assert_eq!(device.class, "Amplifier");
//! assert_eq!(device.resolved.f32("limit")?, f32::INFINITY);
//!
//! let gain = device.resolved.f32("gain")?;
//! let y: Vec<f32> = x.iter().map(|x| gain * x).collect();
//! let mut comparison = Comparison::new();
//! comparison.exact("y", &y, &case.vec_f32("y")?);
//! comparison.verdict().expect_pass();
//! # Ok::<(), aimc_testkit::golden::GoldenError>(())
//! ```

mod compare;
mod error;
mod file;
mod node;
mod params;
mod read;
mod verdict;

pub use compare::{Comparison, Estimates, GroupMean};
pub use error::GoldenError;
pub use file::{FORMAT, GoldenFile, read_folder};
pub use node::Node;
pub use params::Params;
pub use read::{FromGolden, Mismatch, Tensor};
pub use verdict::Verdict;
