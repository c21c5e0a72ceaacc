//! Bit-slicing: one weight on several arrays of different significance, each read through circuits of its own.
//!
//! ```text
//! W = Σₖ B⁻ᵏ Wₖ,  B = 2^bits_per_slice       y = Σₖ B⁻ᵏ tileₖ(x)   (digital shift and add)
//! setting W:  Wₖ = clamp(rint(B·Bᵏ·R), ±B)/B,  R ← R - B⁻ᵏ·Wₖ,  from the most significant k = 0;  the last takes Bᵏ·R
//! ```
//!
//! All but the last slice hold multiples of 1/B, so every step of the decomposition is exact in binary arithmetic, and
//! the sum gives W back bit for bit if the arrays store what they are told. Rounding to the nearest digit leaves at most
//! B⁻ᵏ/2 to slice k: lower slices use half of their range, the other half is room for updates. Independent errors of
//! variance σₖ² in the slices add up to Σₖ B⁻²ᵏ σₖ².
//!
//! | update rule | ΔWₖ | |
//! |---|---|---|
//! | [`SliceUpdate::Carry`] | only the last: -Bᵏ·lr·d xᵀ | every `carry_every` mini-batches carries are resolved |
//! | [`SliceUpdate::Gradient`] | -B⁻ᵏ/(Σⱼ B⁻²ʲ)·lr·d xᵀ | every slice by its own gradient, scaled so that ΣB⁻ᵏΔWₖ = -lr·d xᵀ |
//!
//! Resolving carries reads all slices, adds them up and sets the sum again, which moves whole digits upward and gives the
//! last slice its room back. Between two carries the last slice saturates at its bounds.
//!
//! Not modelled: errors of the reading and programming while carries are resolved, beyond what `set_weights` of the array does.
//!
//! References: A. Shafiee et al. 2016 (ISAAC), ISCA, doi:10.1109/ISCA.2016.12 (slices with an ADC each, shift and add);
//! A. Ankit et al. 2020 (PANTHER), IEEE Trans. Comput. 69(8), doi:10.1109/TC.2020.2998456 (training and carry resolution).
//!
//! ```
//! use aimc_tile::sliced::SliceConfig;
//! let config = SliceConfig { slices: 3, bits_per_slice: 2, ..SliceConfig::default() };
//! // 11/16 = 3/4 - 1/4·1/4.
//! assert_eq!(config.decompose(0.6875), [0.75, -0.25, 0.0]);
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::grid::restore_all;
use crate::ideal::check_update;
use crate::signals::{check_lines, check_shape};
use crate::tile::{Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

/// Which slices take the pulses of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SliceUpdate {
    /// The least significant slice; carries are resolved from time to time.
    #[default]
    Carry,
    /// All slices, each along its own gradient.
    Gradient,
}

/// Bit-slicing, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SliceConfig {
    /// Number of slices.
    pub slices: u32,
    /// Bits by which the significance falls from slice to slice.
    pub bits_per_slice: u32,
    /// Which slices learn.
    pub update: SliceUpdate,
    /// Mini-batches between two resolutions of carries; 0 is never.
    pub carry_every: u64,
}

impl Default for SliceConfig {
    fn default() -> Self {
        Self { slices: 2, bits_per_slice: 2, update: SliceUpdate::Carry, carry_every: 1024 }
    }
}

impl SliceConfig {
    /// Refuses numbers of bits that single precision cannot carry.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::that((1..=8).contains(&self.slices), "slices", self.slices, "must lie between 1 and 8")?;
        let bits = self.bits_per_slice;
        require::that((1..=8).contains(&bits), "bits_per_slice", bits, "must lie between 1 and 8")?;
        let all = self.slices * bits;
        require::that(
            all <= 24,
            "slices",
            self.slices,
            "must be at most 24/bits_per_slice: digits of a weight",
        )
    }

    /// B.
    fn base(&self) -> f32 {
        (1_u32 << self.bits_per_slice) as f32
    }

    /// B⁻ᵏ of every slice.
    #[must_use]
    pub fn significances(&self) -> Vec<f32> {
        (0..self.slices as i32).map(|k| self.base().powi(-k)).collect()
    }

    /// What each slice holds of the weight `w`.
    #[must_use]
    pub fn decompose(&self, w: f32) -> Vec<f32> {
        let (base, significances) = (self.base(), self.significances());
        let last = significances.len() - 1;
        let mut rest = w;
        let digit = |(k, significance): (usize, &f32)| {
            let scaled = rest / significance;
            let digit =
                if k == last { scaled } else { (base * scaled).round_ties_even().clamp(-base, base) / base };
            rest -= significance * digit;
            digit
        };
        significances.iter().enumerate().map(digit).collect()
    }

    /// Validates, then builds the slices of a matrix, of which `tile` fabricates each.
    pub fn build<T: MatVec>(
        &self,
        shape: Shape,
        key: RngKey,
        mut tile: impl FnMut(Shape, RngKey) -> Result<T, ConfigError>,
    ) -> Result<SlicedTile<T>, ConfigError> {
        self.validate()?;
        let build = |k| tile(shape, key.fold_in(label("slice")).fold_in(k));
        let slices = (0..u64::from(self.slices)).map(build).collect::<Result<Vec<T>, _>>()?;
        Ok(SlicedTile { config: self.clone(), shape, slices, significances: self.significances(), steps: 0 })
    }
}

/// A weight matrix on several tiles of falling significance, see the [module](self).
#[derive(Clone, Debug)]
pub struct SlicedTile<T> {
    config: SliceConfig,
    shape: Shape,
    slices: Vec<T>,
    significances: Vec<f32>,
    /// Mini-batches so far.
    steps: u64,
}

impl<T> SlicedTile<T> {
    /// The slices, the most significant first.
    #[must_use]
    pub fn slices(&self) -> &[T] {
        &self.slices
    }

    /// The same slices of what `convert` makes of every tile and of the key of its place.
    pub fn try_map<U, E>(
        &self,
        key: RngKey,
        mut convert: impl FnMut(&T, RngKey) -> Result<U, E>,
    ) -> Result<SlicedTile<U>, E> {
        let slices = (0..).zip(&self.slices);
        let slices = slices.map(|(k, tile)| convert(tile, key.fold_in(label("slice")).fold_in(k)));
        Ok(SlicedTile {
            config: self.config.clone(),
            shape: self.shape,
            slices: slices.collect::<Result<_, E>>()?,
            significances: self.significances.clone(),
            steps: self.steps,
        })
    }

    /// Slices with their number and significance.
    fn numbered(&self) -> impl Iterator<Item = (u64, f32, &T)> {
        (0..).zip(&self.slices).zip(&self.significances).map(|((k, tile), s)| (k, *s, tile))
    }
}

/// The draws of slice `k`.
fn of_slice(draws: SampleKeys, k: u64) -> SampleKeys {
    draws.fold_in(label("slice")).fold_in(k)
}

impl<T: MatVec> MatVec for SlicedTile<T> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("x", &x, self.shape.inputs, x.ncols())?;
        check_shape("y", y.shape(), (self.shape.outputs, x.ncols()))?;
        let mut sum = DMatrix::zeros(self.shape.outputs, x.ncols());
        for (k, significance, tile) in self.numbered() {
            let mut partial = DMatrix::zeros(self.shape.outputs, x.ncols());
            tile.forward(x, partial.as_view_mut(), of_slice(draws, k))?;
            sum += significance * partial;
        }
        y.copy_from(&sum);
        Ok(())
    }
}

impl<T: Tile + ReadOut> SlicedTile<T> {
    /// The factor on lr·d xᵀ for every slice; 0 leaves it alone.
    fn shares(&self) -> Vec<f32> {
        let all = &self.significances;
        match self.config.update {
            SliceUpdate::Gradient => {
                let norm: f32 = all.iter().map(|s| s * s).sum();
                all.iter().map(|s| s / norm).collect()
            }
            SliceUpdate::Carry => {
                let last = all.len() - 1;
                all.iter().enumerate().map(|(k, s)| if k == last { 1.0 / s } else { 0.0 }).collect()
            }
        }
    }
}

impl<T: Tile + ReadOut> Tile for SlicedTile<T> {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("d", &d, self.shape.outputs, d.ncols())?;
        check_shape("z", z.shape(), (self.shape.inputs, d.ncols()))?;
        let mut sum = DMatrix::zeros(self.shape.inputs, d.ncols());
        for (k, significance, tile) in self.numbered() {
            let mut partial = DMatrix::zeros(self.shape.inputs, d.ncols());
            tile.backward(d, partial.as_view_mut(), of_slice(draws, k))?;
            sum += significance * partial;
        }
        z.copy_from(&sum);
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        let shares = self.shares();
        let largest = shares.iter().fold(0.0_f32, |largest, share| largest.max(*share));
        // Refused here, before the first slice has learned.
        check_update(self.shape, &x, &d, lr * largest)?;
        for (k, (tile, share)) in (0..).zip(self.slices.iter_mut().zip(shares)) {
            if share > 0.0 {
                tile.update(x, d, lr * share, of_slice(draws, k))?;
            }
        }
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        for (k, tile) in (0..).zip(&mut self.slices) {
            tile.end_of_step(key.fold_in(label("slice")).fold_in(k));
        }
        self.steps += 1;
        let carry = self.config.update == SliceUpdate::Carry && self.config.carry_every > 0;
        if carry && self.steps.is_multiple_of(self.config.carry_every) {
            let sum = self.weights();
            // Refused only where exact storage has overflowed; the slices then stay as they are.
            let _ = self.set_weights(&sum, key.fold_in(label("carry")));
        }
    }

    fn inventory(&self) -> Inventory {
        self.slices.iter().map(Tile::inventory).sum()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        for (k, tile) in self.slices.iter().enumerate() {
            state.nest(&format!("slice{k}"), tile.state());
        }
        state.put("steps", vec![self.steps]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let steps = state.counts("steps", 1)?[0];
        let slices = self.slices.iter_mut().enumerate().map(|(k, tile)| (format!("slice{k}"), tile));
        restore_all(slices, state)?;
        self.steps = steps;
        Ok(())
    }
}

impl<T: MatVec + ReadOut> ReadOut for SlicedTile<T> {
    fn weights(&self) -> DMatrix<f32> {
        let zero = DMatrix::zeros(self.shape.outputs, self.shape.inputs);
        self.numbered().fold(zero, |sum, (_, significance, tile)| sum + significance * tile.weights())
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        check_lines("weights", &weights.as_view(), self.shape.outputs, self.shape.inputs)?;
        for (k, tile) in self.slices.iter_mut().enumerate() {
            let slice = weights.map(|w| self.config.decompose(w)[k]);
            tile.set_weights(&slice, key.fold_in(label("slice")).fold_in(k as u64))?;
        }
        Ok(())
    }
}
