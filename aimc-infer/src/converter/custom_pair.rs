//! Pairs whose conductances are tabulated over the weight.
//!
//! ```text
//! T(u) = Σₚ fₚ (gₚ⁺(u) - gₚ⁻(u)),  u = W/max|W|         k = max|T|/max|W|
//! gₚ± = polygon through the table at u                 W = Σₚ fₚ (gₚ⁺ - gₚ⁻)/k
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | fₚ | `f_lst` | 1 | significance of pair p |
//! | gₚ⁺, gₚ⁻ | `g_lst` | µS | lists g₁⁺, g₁⁻, g₂⁺, g₂⁻ …, at equidistant u from -1 to 1 |
//!
//! Limits: T must be proportional to u within 10⁻⁴ of its largest value, or the conversion had no inverse; the
//! table is refused otherwise. As AIHWKit's `CustomPairConductanceConverter`.
//!
//! Reference: C. Mackin et al. 2022, Nat. Commun. 13:3765, doi:10.1038/s41467-022-31405-1 (optimised weight
//! programming, which makes such tables).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::largest_size;

use crate::converter::n_pair::weighted;
use crate::converter::{Converter, Gain, SMALLEST_WEIGHT};

/// Largest deviation of the table from a straight line, relative to its largest value.
const NONLINEARITY: f32 = 1e-4;

/// Tabulated pairs, see the [module](self).
///
/// ```
/// use aimc_infer::converter::{Converter, CustomPair};
/// let pair = CustomPair::default();
/// let gain = pair.gain(&[2.0], 25.0);
/// let mut g = [0.0; 2];
/// pair.conductances(1.0, gain, 25.0, &mut g);
/// assert_eq!(g, [18.75, 6.25]); // both devices move: 12.5 ± 6.25
/// assert_eq!(pair.weight(&g, gain), 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustomPair {
    /// Significance of every pair.
    pub f_lst: Vec<f32>,
    /// Conductances (µS) of every device over equidistant weights.
    pub g_lst: Vec<Vec<f32>>,
}

impl Default for CustomPair {
    /// One pair whose devices move in opposite directions, between 0 and 25 µS.
    fn default() -> Self {
        Self { f_lst: vec![1.0], g_lst: vec![vec![0.0, 25.0], vec![25.0, 0.0]] }
    }
}

impl CustomPair {
    /// T at every node of the table.
    fn table(&self) -> Vec<f32> {
        let nodes = self.g_lst.first().map_or(0, Vec::len);
        let at = |i| weighted(&self.f_lst, &self.g_lst.iter().map(|g| g[i]).collect::<Vec<_>>());
        (0..nodes).map(at).collect()
    }
}

impl Converter for CustomPair {
    fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        require::that(!self.f_lst.is_empty(), "f_lst", &self.f_lst, "must hold at least one factor")?;
        let mut factors = self.f_lst.iter().enumerate();
        factors.try_for_each(|(p, &f)| require::positive(&format!("f_lst[{p}]"), f))?;
        let (lists, nodes) = (self.g_lst.len(), self.g_lst.first().map_or(0, Vec::len));
        require::that(lists == 2 * self.f_lst.len(), "g_lst", lists, "must hold two lists per factor")?;
        for (i, list) in self.g_lst.iter().enumerate() {
            let fits = list.len() == nodes && nodes >= 2 && list.iter().all(|g| (0.0..=g_max).contains(g));
            let range =
                format!("must be as long as the others, two or more, between 0 and g_max = {g_max} µS");
            require::that(fits, &format!("g_lst[{i}]"), list, &range)?;
        }
        let table = self.table();
        let (most, last) = (largest_size(&table), (nodes - 1) as f32);
        let off =
            |(i, t): (usize, &f32)| (t - most * (2.0 * i as f32 / last - 1.0)).abs() > NONLINEARITY * most;
        let linear = most > 0.0 && !table.iter().enumerate().any(off);
        require::that(linear, "g_lst", &table, "must give differences proportional to the weight")
    }

    fn slices(&self) -> usize {
        self.g_lst.len()
    }

    fn gain(&self, weights: &[f32], _g_max: f32) -> Gain {
        let largest_weight = largest_size(weights).max(SMALLEST_WEIGHT);
        Gain { scale: largest_size(&self.table()) / largest_weight, origin: largest_weight }
    }

    #[inline]
    fn conductances(&self, w: f32, gain: Gain, _g_max: f32, slices: &mut [f32]) {
        for (g, list) in slices.iter_mut().zip(&self.g_lst) {
            let last = list.len() - 1;
            let place = ((w / gain.origin + 1.0) * 0.5 * last as f32).clamp(0.0, last as f32);
            let node = (place as usize).min(last - 1);
            *g = list[node] + (place - node as f32) * (list[node + 1] - list[node]);
        }
    }

    #[inline]
    fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
        weighted(&self.f_lst, slices) / gain.scale
    }
}
