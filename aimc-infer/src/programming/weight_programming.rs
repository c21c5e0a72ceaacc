//! Weight programming: the search for a converter that suits a device.
//!
//! ```text
//! loss = mean over times and weights of (10 (αŴ(t) - W)/max|W|)²         Ŵ(t): programmed, drifted, read
//! ```
//!
//! The converter is a [`CustomPair`] with 6 nodes for weights from 0 to the largest, mirrored below or, not `symmetric`, with 5
//! nodes of their own there: all conductances that represent a weight are free. Per node w and pair p, with c = k_w w still to be
//! represented, span_p = f_p (g_max - g_min) and R_p = Σ_{q>p} span_q:
//!
//! ```text
//! f_pΔ_p = lo + x_Δ (hi - lo),  lo = max(c - R_p, -span_p),  hi = min(c + R_p, span_p);   c ← c - f_pΔ_p
//! g⁺ = lo + x_g (hi - lo),      lo = g_min + max(Δ, 0),      hi = g_max + min(Δ, 0);      g⁻ = g⁺ - Δ
//! k_w = (0.95 x_k + 0.05) Σ span_p        f_p = x_f (f_max - f_min) + f_min, where it is to be found
//! ```
//!
//! so that every point x of a cube is a valid converter; x_g = 0, x_k = 1 with one pair is the single pair. All candidates meet
//! the same draws, which makes the loss a smooth function of x. As they could suit just these draws, winner and baseline are
//! compared on fresh ones: the result is whichever is better there, so that its loss is never above that of the baseline.
//!
//! The loss depends on the device and its programming, the compensation and the times, not on the circuits, which count as
//! ideal here. AIHWKit's `WeightProgrammingOptimizer` ends with L-BFGS-B instead of a compass search, and does not compare on
//! fresh draws. Not offered: its `g_err` (0 there), conductances beyond the range that are clipped, as such a table is not linear
//! any more and has no inverse.
//!
//! Reference: C. Mackin et al. 2022, Nat. Commun. 13:3765, doi:10.1038/s41467-022-31405-1.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::programmed::ProgrammedDevice;
use aimc_device::rng::label;
use aimc_tile::{IoConfig, TileError};

use super::differential_evolution::DifferentialEvolution;
use crate::config::InferenceTileConfig;
use crate::converter::{ConverterConfig, CustomPair};
use crate::error::InferenceError;
use crate::program::ProgrammedTile;

/// Nodes of the table from weight 0 to the largest.
const NODES: usize = 6;
/// Smallest share of the conductance range that is used.
const LEAST_USE: f64 = 0.05;

/// The search for a converter, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightProgramming {
    /// Significance of every pair; 0: to be found between `f_min` and `f_max`.
    pub f_lst: Vec<f32>,
    /// Smallest significance to be found.
    pub f_min: f32,
    /// Largest significance to be found.
    pub f_max: f32,
    /// Smallest conductance (µS) of a table.
    pub g_min: f32,
    /// Whether the whole range of conductances must be used.
    pub use_max_kw: bool,
    /// Whether a negative weight is represented as the positive one, with exchanged devices; otherwise on its own, at twice the
    /// cost of the search.
    pub symmetric: bool,
    /// Seconds after programming at which weights shall be right, ascending.
    pub times_seconds: Vec<f32>,
    /// Weights that represent all others.
    pub samples: usize,
    /// Outputs of the array in which they are programmed.
    pub test_out_features: usize,
    /// The search ends when the loss is this share below that of the baseline; 0: when all generations are spent.
    pub loss_margin: f32,
    /// Programming events of the comparison on fresh draws.
    pub comparison_repeats: usize,
    /// How it is searched.
    pub search: DifferentialEvolution,
}

impl Default for WeightProgramming {
    fn default() -> Self {
        Self {
            f_lst: vec![1.0],
            f_min: 0.1,
            f_max: 5.0,
            g_min: 0.0,
            use_max_kw: false,
            symmetric: true,
            times_seconds: vec![1.0, 3600.0, 86_400.0, 2_592_000.0],
            samples: 2000,
            test_out_features: 20,
            loss_margin: 0.0,
            comparison_repeats: 10,
            search: DifferentialEvolution::default(),
        }
    }
}

/// What the search has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundConverter {
    /// The better of the best custom pair and the baseline.
    pub converter: ConverterConfig,
    /// Whether the custom pair is better.
    pub improved: bool,
    /// Loss of `converter` on fresh draws.
    pub loss: f64,
    /// Loss of the baseline on the same draws.
    pub baseline_loss: f64,
    /// Candidates tried.
    pub evaluations: usize,
}

impl WeightProgramming {
    /// Refuses values outside their range.
    pub fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        require::that(!self.f_lst.is_empty(), "f_lst", &self.f_lst, "must hold at least one factor")?;
        let mut factors = self.f_lst.iter().enumerate();
        factors.try_for_each(|(p, f)| require::non_negative(&format!("f_lst[{p}]"), *f))?;
        require::positive("f_min", self.f_min)?;
        require::that(
            self.f_max.is_finite() && self.f_max >= self.f_min,
            "f_max",
            self.f_max,
            "must be a finite number, f_min or above",
        )?;
        let range = format!("must be 0 or above and below g_max = {g_max} µS of the device");
        require::that((0.0..g_max).contains(&self.g_min), "g_min", self.g_min, &range)?;
        require::ascending_times("times_seconds", &self.times_seconds)?;
        require::at_least_one("test_out_features", self.test_out_features)?;
        let enough = self.samples >= self.test_out_features;
        require::that(enough, "samples", self.samples, "must be test_out_features or more")?;
        require::that(
            (0.0..1.0).contains(&self.loss_margin),
            "loss_margin",
            self.loss_margin,
            "must be 0 or above and below 1",
        )?;
        require::at_least_one("comparison_repeats", self.comparison_repeats)?;
        self.search.validate().map_err(|error| error.within("search"))
    }

    /// Finds a converter for `weights` on tiles like `tile`, whose own converter is the baseline.
    ///
    /// Weights of several matrices should be divided by the largest |weight| of their own array before.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_infer::InferenceTileConfig;
    /// use aimc_infer::programming::{WeightProgramming, differential_evolution::DifferentialEvolution};
    /// let search = DifferentialEvolution { population: 1, generations: 2, ..DifferentialEvolution::default() };
    /// let wanted = WeightProgramming { samples: 100, search, ..WeightProgramming::default() };
    /// let weights = [1.0, -0.5, 0.0, 0.25];
    /// let found = wanted.find(&weights, &InferenceTileConfig::default(), RngKey::root(1))?;
    /// assert!(found.loss <= found.baseline_loss);
    /// # Ok::<(), aimc_infer::InferenceError>(())
    /// ```
    pub fn find(
        &self,
        weights: &[f32],
        tile: &InferenceTileConfig,
        key: RngKey,
    ) -> Result<FoundConverter, InferenceError> {
        let g_max = tile.device.g_max();
        self.validate(g_max)?;
        let ideal = InferenceTileConfig { forward: IoConfig::perfect(), ..tile.clone() };
        let baseline = Trial::new(self, &ideal, self.sample(weights, key.fold_in(label("sample")))?);
        let search = key.fold_in(label("search"));
        let draws = key.fold_in(label("draws"));
        let start = baseline.loss(&tile.converter, draws)?;
        let enough = start * (1.0 - f64::from(self.loss_margin));
        let enough = if self.loss_margin > 0.0 { enough } else { f64::NEG_INFINITY };
        let candidate = |x: &[f64]| ConverterConfig::CustomPair(self.decode(x, g_max));
        // A candidate that the checks of a converter refuse, for rounding, counts as the worst.
        let loss = |x: &[f64]| baseline.loss(&candidate(x), draws).unwrap_or(f64::INFINITY);
        let minimum = self.search.minimise(self.dimensions(), &[self.plain()], loss, enough, search);
        let fresh = |converter: &ConverterConfig| {
            let repeats = 0..self.comparison_repeats as u64;
            let losses =
                repeats.map(|i| baseline.loss(converter, key.fold_in(label("comparison")).fold_in(i)));
            Ok::<_, InferenceError>(losses.sum::<Result<f64, _>>()? / self.comparison_repeats as f64)
        };
        let (best, baseline_loss) = (candidate(&minimum.x), fresh(&tile.converter)?);
        let loss = fresh(&best).unwrap_or(f64::INFINITY);
        let improved = loss < baseline_loss;
        let converter = if improved { best } else { tile.converter.clone() };
        let loss = if improved { loss } else { baseline_loss };
        Ok(FoundConverter { converter, improved, loss, baseline_loss, evaluations: minimum.evaluations })
    }

    /// Nodes of the table that are free.
    fn nodes(&self) -> usize {
        if self.symmetric { NODES } else { 2 * NODES - 1 }
    }

    /// Coordinates that choose conductances: (2P - 1) per node.
    fn shares(&self) -> usize {
        self.nodes() * (2 * self.f_lst.len() - 1)
    }

    /// Coordinates of a candidate: those of its nodes, one per factor to be found, k_w.
    fn dimensions(&self) -> usize {
        self.shares() + self.f_lst.iter().filter(|f| **f == 0.0).count() + usize::from(!self.use_max_kw)
    }

    /// The candidate whose devices are as empty as can be, over the whole range: the single pair, if there is one pair.
    fn plain(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.dimensions()];
        x[self.shares()..].fill(1.0);
        x
    }

    /// The converter at a point of the cube.
    fn decode(&self, x: &[f64], g_max: f32) -> CustomPair {
        let mut x = x.iter().copied();
        // As the nodes come first, they wait for the factors behind them.
        let nodes: Vec<f64> = x.by_ref().take(self.shares()).collect();
        let (low, high) = (f64::from(self.f_min), f64::from(self.f_max));
        let mut next = || x.next().unwrap_or(1.0);
        let factors: Vec<f64> = self
            .f_lst
            .iter()
            .map(|f| if *f == 0.0 { low + next() * (high - low) } else { f64::from(*f) })
            .collect();
        let range = f64::from(g_max) - f64::from(self.g_min);
        let span: f64 = factors.iter().map(|f| f * range).sum();
        let use_of_range = if self.use_max_kw { 1.0 } else { LEAST_USE + (1.0 - LEAST_USE) * next() };
        let mut table = vec![Vec::with_capacity(2 * NODES - 1); 2 * factors.len()];
        let largest = (NODES - 1) as f64;
        for (i, x) in nodes.chunks(2 * factors.len() - 1).enumerate() {
            let w = (i + NODES) as f64 - self.nodes() as f64;
            let rest = use_of_range * span * w / largest;
            let cell = conductances(x, rest, &factors, (f64::from(self.g_min), f64::from(g_max)));
            table.iter_mut().zip(cell).for_each(|(list, g)| list.push(g as f32));
        }
        let mirrored = |i: usize| table[i ^ 1].iter().skip(1).rev().chain(&table[i]).copied().collect();
        let g_lst = if self.symmetric { (0..table.len()).map(mirrored).collect() } else { table };
        CustomPair { f_lst: factors.into_iter().map(|f| f as f32).collect(), g_lst }
    }

    /// `samples` quantiles of the weights, shuffled into the matrix that is programmed.
    fn sample(&self, weights: &[f32], key: RngKey) -> Result<DMatrix<f32>, InferenceError> {
        require::at_least_one("weights", weights.len())?;
        if let Some(at) = weights.iter().position(|w| !w.is_finite()) {
            let value = weights[at];
            return Err(TileError::NotFinite { what: "weights", sample: 0, line: at, value }.into());
        }
        let mut sorted = weights.to_vec();
        sorted.sort_by(f32::total_cmp);
        let (outputs, inputs) = (self.test_out_features, self.samples / self.test_out_features);
        let count = outputs * inputs;
        let quantile = |i: usize| {
            let place = i as f64 / (count.max(2) - 1) as f64 * (sorted.len() - 1) as f64;
            let (below, share) = (place as usize, place.fract() as f32);
            let above = sorted[(below + 1).min(sorted.len() - 1)];
            sorted[below] + share * (above - sorted[below])
        };
        let order = key.stream(0).permutation(count);
        Ok(DMatrix::from_iterator(outputs, inputs, order.into_iter().map(quantile)))
    }
}

/// The conductances g₁⁺, g₁⁻, … of one node that represent `rest` (µS), chosen by `x`.
fn conductances(x: &[f64], mut rest: f64, factors: &[f64], (g_min, g_max): (f64, f64)) -> Vec<f64> {
    let range = g_max - g_min;
    let mut later: f64 = factors.iter().map(|f| f * range).sum();
    let mut cell = Vec::with_capacity(2 * factors.len());
    for (p, f) in factors.iter().enumerate() {
        let span = f * range;
        later = (later - span).max(0.0);
        let last = p + 1 == factors.len();
        let (low, high) = ((rest - later).max(-span), (rest + later).min(span));
        let part = if last { rest.clamp(-span, span) } else { low + x[factors.len() + p] * (high - low) };
        rest -= part;
        let difference = part / f;
        let (low, high) = (g_min + difference.max(0.0), g_max + difference.min(0.0));
        let plus = (low + x[p] * (high - low)).clamp(g_min, g_max);
        cell.extend([plus, (plus - difference).clamp(g_min, g_max)]);
    }
    cell
}

/// The array on which candidates are tried.
struct Trial<'a> {
    wanted: &'a WeightProgramming,
    tile: &'a InferenceTileConfig,
    weights: DMatrix<f32>,
}

impl<'a> Trial<'a> {
    fn new(wanted: &'a WeightProgramming, tile: &'a InferenceTileConfig, weights: DMatrix<f32>) -> Self {
        Self { wanted, tile, weights }
    }

    /// The loss of a converter on the draws of `key`.
    fn loss(&self, converter: &ConverterConfig, key: RngKey) -> Result<f64, InferenceError> {
        let config = InferenceTileConfig { converter: converter.clone(), ..self.tile.clone() };
        let programmed = ProgrammedTile::program(&self.weights, &config, key.fold_in(label("program")))?;
        let unit = f64::from(self.weights.amax().max(f32::MIN_POSITIVE));
        let mut sum = 0.0;
        for &t in &self.wanted.times_seconds {
            let read =
                programmed.at(t, key.fold_in(label("time")).fold_in(u64::from((t + 0.0).to_bits())))?;
            let pairs = read.compensated_weights();
            let errors = pairs.iter().zip(self.weights.iter()).map(|(found, w)| f64::from(found - w) / unit);
            sum += errors.map(|error| 100.0 * error * error).sum::<f64>();
        }
        Ok(sum / (self.wanted.times_seconds.len() * self.weights.len()) as f64)
    }
}

#[cfg(test)]
#[path = "weight_programming_tests.rs"]
mod tests;
