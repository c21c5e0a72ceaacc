//! The range with the least error, found by trying.
//!
//! ```text
//! symmetric, or data of one sign:  (−t, t), or that half of it,  0 < t ≤ max|x| + margin
//! else:                            (t·low + kΔ, t·high + kΔ),    0 < t ≤ 1 + margin/max|x|,  |k| ≤ 2ᵇ/4
//! ```
//!
//! `Grid` tries `num_candidates` values of t and, with two sides, every whole k. `GoldenSection` narrows t, then k, by the golden
//! ratio, which finds the minimum of a function that has one. The extremes of the data are always among the candidates, so that
//! the result is never worse than they are.
//!
//! Reference: J. Kiefer 1953, Proc. Amer. Math. Soc. 4(3):502, doi:10.1090/S0002-9939-1953-0055639-3 (golden section).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use super::Quantiser;

/// How candidates are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SearchMethod {
    /// By the golden ratio.
    #[default]
    GoldenSection,
    /// All of a grid.
    Grid,
}

/// The search, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RangeSearch {
    /// How candidates are chosen.
    pub method: SearchMethod,
    /// Sizes of the range that a grid tries.
    pub num_candidates: usize,
    /// How far beyond the largest |x| the range may reach.
    pub range_margin: f32,
}

impl Default for RangeSearch {
    fn default() -> Self {
        Self { method: SearchMethod::GoldenSection, num_candidates: 100, range_margin: 0.5 }
    }
}

/// Narrowings of a golden section: 0.618⁴⁰ = 4·10⁻⁹ of the range is below the resolution of single precision.
const NARROWINGS: usize = 40;

impl RangeSearch {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::at_least_one("num_candidates", self.num_candidates)?;
        require::non_negative("range_margin", self.range_margin)
    }

    /// The range around data with the extremes `low` ≤ 0 and `high` ≥ 0 whose grid has the least `loss`.
    pub fn best(
        &self,
        (bits, symmetric): (u32, bool),
        (low, high): (f32, f32),
        loss: impl Fn(&Quantiser) -> f64,
    ) -> (f32, f32) {
        let largest = high.max(-low);
        if largest <= 0.0 {
            return (low, high);
        }
        let cost = |range: (f32, f32)| loss(&Quantiser::new(bits, symmetric, range));
        let widest = 1.0 + self.range_margin / largest;
        let two_sided = !symmetric && low < 0.0 && high > 0.0;
        // Symmetric grids depend on the larger end alone.
        let ends = |t: f32, shift: f32| {
            let shift = shift * t * (high - low) / ((1_u32 << bits) - 1) as f32;
            (t * low + shift, t * high + shift)
        };
        let most = if two_sided { (1_u32 << bits) as f32 / 4.0 } else { 0.0 };
        let found = match self.method {
            SearchMethod::Grid => {
                let sizes = (1..=self.num_candidates).map(|k| widest * k as f32 / self.num_candidates as f32);
                let shifts = || (-(most as i32)..=most as i32).map(|k| k as f32);
                let all = sizes.flat_map(|t| shifts().map(move |k| (t, k)));
                least(all.map(|(t, k)| ends(t, k)), cost)
            }
            SearchMethod::GoldenSection => {
                let t = golden((0.0, widest), |t| cost(ends(t, 0.0)));
                let k = if two_sided { golden((-most, most), |k| cost(ends(t, k))) } else { 0.0 };
                Some(least([ends(t, 0.0), ends(t, k)].into_iter(), cost).unwrap_or((low, high)))
            }
        };
        least([(low, high)].into_iter().chain(found), cost).unwrap_or((low, high))
    }
}

/// The candidate of least cost, the first of several.
fn least(
    candidates: impl Iterator<Item = (f32, f32)>,
    cost: impl Fn((f32, f32)) -> f64,
) -> Option<(f32, f32)> {
    candidates.map(|range| (cost(range), range)).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, range)| range)
}

/// Where `f` is least between the two limits, if it has one minimum there.
fn golden((mut low, mut high): (f32, f32), f: impl Fn(f32) -> f64) -> f32 {
    let ratio = 0.5 * (5.0_f32.sqrt() - 1.0);
    let inner = |low: f32, high: f32| (high - ratio * (high - low), low + ratio * (high - low));
    for _ in 0..NARROWINGS {
        let (a, b) = inner(low, high);
        if f(a) <= f(b) { high = b } else { low = a }
    }
    0.5 * (low + high)
}
