//! Digital factors that come from elsewhere: the same logical weights, held by the tile in other units.

use aimc_device::RngKey;

use super::LogicalTile;
use crate::mapping::{KeptScales, TileSettings};
use crate::tile::{MatVec, ReadOut, TileError};

impl<T: MatVec + ReadOut> LogicalTile<T> {
    /// Writes the same logical weights, with the digital factors that `kept` says; `settings` must be valid for this tile.
    ///
    /// An output whose factor is 0 holds zeros behind a factor of 1.
    pub fn keep_scales(
        &mut self,
        settings: &TileSettings,
        kept: KeptScales,
        key: RngKey,
    ) -> Result<(), TileError> {
        let TileSettings { scales, out_scales, .. } = settings;
        let given = |values: &[f32], i: usize| values.get(i).copied().filter(|scale| *scale != 0.0);
        let learned = |i| if kept == KeptScales::None { 1.0 } else { given(out_scales, i).unwrap_or(1.0) };
        let learned: Vec<f32> = (0..self.shape.outputs).map(learned).collect();
        let mut all = self.logical();
        all.row_iter_mut().zip(&learned).for_each(|(mut row, alpha)| row /= *alpha);
        if kept == KeptScales::All && !scales.is_empty() {
            all.row_iter_mut().zip(scales).for_each(|(mut row, scale)| row /= *scale);
            self.tile.set_weights(&all, key)?;
            self.scales.copy_from_slice(scales);
        } else {
            self.write(all, key)?;
        }
        self.out_scales = learned;
        Ok(())
    }

    /// What this tile has learned; scales of the tile inside count as its own.
    pub(super) fn learned(&self) -> TileSettings {
        let mut scales = self.scales.clone();
        if let [inner] = &self.tile.settings()[..] {
            scales.iter_mut().zip(&inner.scales).for_each(|(scale, inner)| *scale *= inner);
        }
        TileSettings {
            input_range: self.input_range(),
            out_bound: None,
            scales,
            out_scales: self.out_scales.clone(),
        }
    }
}
