//! Weight modifiers: what hardware-aware training does to a copy of the weights, so that the network learns to bear it.
//!
//! | type | W' | file |
//! |---|---|---|
//! | `AddNormal` | W + A·std_dev·ξ | [`additive_normal`] |
//! | `MultNormal` | W(1 + A·std_dev·ξ) | [`multiplicative_normal`] |
//! | `Discretize` | W on a grid | [`discretize`] |
//! | `DiscretizeAddNormal` | the same, then noise | [`discretize_add_normal`] |
//! | `DoReFa` | tanh(W) scaled, on a grid | [`dorefa`] |
//! | `Poly` | noise that depends on the weight | [`polynomial`] |
//! | `ProgNoise` | the same, keeping the sign | [`programming_noise`] |
//! | `PCMNoise` | programming, drift, read noise and faults of PCM | [`pcm_noise`] |
//! | `DropConnect`, `Copy` | W, some missing | [`drop_connect`] |
//! | `None` | W | |
//!
//! A = max|W| of the tile in analog units (1 for an empty tile), or `assumed_wmax`. The files hold pure functions of one weight
//! and its draws; the loop is here. Row r of a matrix draws from stream r of its key, so that draws depend neither on other rows
//! nor on the number of threads. After the type, each weight is dropped with probability `pdrop`.

pub mod additive_normal;
mod config;
pub mod discretize;
pub mod discretize_add_normal;
pub mod dorefa;
pub mod drop_connect;
pub mod multiplicative_normal;
pub mod pcm_noise;
pub mod polynomial;
pub mod programming_noise;

use aimc_device::parallel;
use aimc_device::rng::{RngKey, Stream, label};

use crate::signals::largest_size;

pub use config::{WeightModifierConfig, WeightModifierType};
use pcm_noise::{Draws, PcmNoise};

/// Elementary operations (see [`parallel::worthwhile`]) that one weight costs: a few draws.
const COST: usize = 8;

/// A modifier with all that depends on the tile but not on the weight.
#[derive(Clone, Debug)]
enum Law<'a> {
    Unmodified,
    AddNormal { std: f32 },
    MultNormal { relative_std: f32 },
    Discretize { wmax: f32, res: f32, stochastic: bool },
    DiscretizeAddNormal { wmax: f32, res: f32, stochastic: bool, std: f32 },
    DoReFa { scale: f32, res: f32, stochastic: bool },
    Poly { wmax: f32, coeffs: &'a [f32], std_dev: f32 },
    ProgNoise { wmax: f32, coeffs: &'a [f32], std_dev: f32 },
    Pcm { wmax: f32, noise: PcmNoise },
}

impl<'a> Law<'a> {
    /// The law of `record` on a tile whose largest weight is `wmax`.
    fn new(record: &'a WeightModifierConfig, wmax: f32) -> Self {
        let (std_dev, stochastic, res) = (record.std_dev, record.sto_round, record.step());
        let std = std_dev * wmax;
        match record.kind {
            WeightModifierType::None | WeightModifierType::Copy | WeightModifierType::DropConnect => {
                Self::Unmodified
            }
            WeightModifierType::AddNormal => Self::AddNormal { std },
            WeightModifierType::MultNormal => {
                Self::MultNormal { relative_std: if record.mult_of_wmax { std } else { std_dev } }
            }
            WeightModifierType::Discretize => Self::Discretize { wmax, res, stochastic },
            WeightModifierType::DiscretizeAddNormal => {
                Self::DiscretizeAddNormal { wmax, res, stochastic, std }
            }
            WeightModifierType::DoReFa => {
                Self::DoReFa { scale: dorefa::scale(record.dorefa_clip, wmax), res, stochastic }
            }
            WeightModifierType::Poly => Self::Poly { wmax, coeffs: &record.coeffs, std_dev },
            WeightModifierType::ProgNoise => {
                Self::ProgNoise { wmax, coeffs: &record.coeffs, std_dev: std_dev / record.g_max }
            }
            WeightModifierType::PcmNoise => Self::Pcm { wmax, noise: PcmNoise::new(record) },
        }
    }

    /// Modifies the weights of a row, with the next draws of its stream.
    fn modify(&self, row: &mut [f32], stream: &mut Stream) {
        match *self {
            Self::Unmodified => {}
            Self::AddNormal { std } => {
                with_normals(row, stream, |w, xi| additive_normal::modified(w, std, xi));
            }
            Self::MultNormal { relative_std } => {
                with_normals(row, stream, |w, xi| multiplicative_normal::modified(w, relative_std, xi));
            }
            Self::Discretize { wmax, res, stochastic } => {
                with_chances(row, stochastic, stream, |w, u| discretize::modified(w, wmax, res, u));
            }
            Self::DiscretizeAddNormal { wmax, res, stochastic: false, std } => {
                let modified = discretize_add_normal::modified;
                with_normals(row, stream, |w, xi| modified(w, wmax, res, None, std, xi));
            }
            Self::DiscretizeAddNormal { wmax, res, stochastic: true, std } => {
                for w in row {
                    let u = Some(stream.uniform());
                    *w = discretize_add_normal::modified(*w, wmax, res, u, std, stream.normal());
                }
            }
            Self::DoReFa { scale, res, stochastic } => {
                with_chances(row, stochastic, stream, |w, u| dorefa::modified(w, scale, res, u));
            }
            Self::Poly { wmax, coeffs, std_dev } => with_normals(row, stream, |w, xi| {
                polynomial::modified(w, wmax, polynomial::std(w, wmax, coeffs, std_dev), xi)
            }),
            Self::ProgNoise { wmax, coeffs, std_dev } => with_normals(row, stream, |w, xi| {
                let std = wmax * polynomial::std(w, wmax, coeffs, std_dev);
                programming_noise::modified(w, std, xi)
            }),
            Self::Pcm { wmax, ref noise } => {
                row.iter_mut().for_each(|w| *w = noise.modified(*w, wmax, Draws::next(stream)));
            }
        }
    }
}

/// Weights for which draws are made at a time.
const TOGETHER: usize = 256;

/// Modifies every weight of a row with the next of the draws that `fill` makes.
fn with_draws(row: &mut [f32], mut fill: impl FnMut(&mut [f32]), modified: impl Fn(f32, f32) -> f32) {
    let mut draws = [0.0; TOGETHER];
    for row in row.chunks_mut(TOGETHER) {
        let draws = &mut draws[..row.len()];
        fill(draws);
        row.iter_mut().zip(draws).for_each(|(w, draw)| *w = modified(*w, *draw));
    }
}

/// With a standard normal.
fn with_normals(row: &mut [f32], stream: &mut Stream, modified: impl Fn(f32, f32) -> f32) {
    with_draws(row, |draws| stream.fill_normal(draws), modified);
}

/// With a uniform number in [0, 1).
fn with_uniforms(row: &mut [f32], stream: &mut Stream, modified: impl Fn(f32, f32) -> f32) {
    with_draws(row, |draws| stream.fill_uniform(draws), modified);
}

/// The same if rounding is `stochastic`, else with none.
fn with_chances(
    row: &mut [f32],
    stochastic: bool,
    stream: &mut Stream,
    modified: impl Fn(f32, Option<f32>) -> f32,
) {
    if stochastic {
        with_uniforms(row, stream, |w, u| modified(w, Some(u)));
    } else {
        row.iter_mut().for_each(|w| *w = modified(*w, None));
    }
}

impl WeightModifierConfig {
    /// A copy of `weights`, rows of `inputs` entries in analog units, modified with draws from `key`.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType};
    /// let grid = WeightModifierConfig {
    ///     kind: WeightModifierType::Discretize,
    ///     res: 0.25,
    ///     ..WeightModifierConfig::default()
    /// };
    /// // Steps of a quarter of the largest weight.
    /// assert_eq!(grid.modified(&[0.5, -2.0, 1.2, -0.2], 2, RngKey::root(1)), [0.5, -2.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    pub fn modified(&self, weights: &[f32], inputs: usize, key: RngKey) -> Vec<f32> {
        let mut modified = vec![0.0; weights.len()];
        self.modify_into(weights, inputs, key, &mut modified);
        modified
    }

    /// The same into a list of as many entries.
    pub(crate) fn modify_into(&self, weights: &[f32], inputs: usize, key: RngKey, modified: &mut [f32]) {
        let law = Law::new(self, self.wmax(weights, inputs));
        let dropping = key.fold_in(label("drop"));
        let pdrop = if self.is_active() { self.pdrop } else { 0.0 };
        // The column of an analog bias is no weight.
        let columns = inputs - usize::from(self.copy_last_column);
        let each = |(r, row): (usize, &mut [f32])| {
            row.copy_from_slice(&weights[r * inputs..][..inputs]);
            let row = &mut row[..columns];
            law.modify(row, &mut key.stream(r as u64));
            if pdrop > 0.0 {
                let drop = |w, u| drop_connect::modified(w, pdrop, u);
                with_uniforms(row, &mut dropping.stream(r as u64), drop);
            }
        };
        parallel::each_chunk(weights.len() * COST, modified, inputs, each);
    }

    /// A of the tile that holds `weights`.
    fn wmax(&self, weights: &[f32], inputs: usize) -> f32 {
        if !self.rel_to_actual_wmax {
            return self.assumed_wmax;
        }
        let columns = inputs - usize::from(self.copy_last_column);
        let rows: Vec<&[f32]> = weights.chunks(inputs).collect();
        let largest = parallel::map(weights.len() / 8, &rows, |row| largest_size(&row[..columns]));
        let largest = largest.into_iter().fold(0.0, f32::max);
        if largest > 0.0 { largest } else { 1.0 }
    }
}
