//! What the digital circuits around a tile learn: gradients of output scales and of the input range, and their step.

use nalgebra::{DMatrix, DMatrixView};

use aimc_device::rng::label;

use super::LogicalTile;
use crate::ideal::{check_update, gathered};
use crate::tile::{SampleKeys, StepWeights, Tile, TileError, VisitDigital};

/// What the digital side learns from one batch.
pub(super) struct DigitalGradients {
    out_scales: Option<Vec<f32>>,
    range: Option<f32>,
}

impl<T: Tile> LogicalTile<T> {
    /// One update: `write` gets the tile, what its input and output lines carry, and the rate; `step` moves digital numbers.
    pub(super) fn descend(
        &mut self,
        (x, d, lr, draws): (&DMatrixView<f32>, &DMatrixView<f32>, f32, SampleKeys),
        step: &mut StepWeights<'_>,
        write: impl FnOnce(
            &mut T,
            DMatrixView<f32>,
            DMatrixView<f32>,
            f32,
            &mut StepWeights<'_>,
        ) -> Result<(), TileError>,
    ) -> Result<(), TileError> {
        check_update(self.shape, x, d, lr)?;
        let compensation = self.lr_compensation();
        let lines = self.lines(x);
        let gradients = self.digital_gradients(x, d, &lines, draws)?;
        let r = self.input_range().unwrap_or(1.0);
        let mut errors = gathered(d);
        for mut errors in errors.column_iter_mut() {
            let factors = self.out_scales.iter().zip(&self.scales);
            for (d, (alpha, scale)) in errors.as_mut_slice().iter_mut().zip(factors) {
                *d = r * alpha * *d / (scale * compensation);
            }
        }
        let weights = self.tile.digital_len();
        write(&mut self.tile, lines.as_view(), errors.as_view(), lr * compensation, step)?;
        self.learn(x, gradients, weights, step);
        Ok(())
    }

    pub(super) fn digital_gradients(
        &self,
        x: &DMatrixView<f32>,
        d: &DMatrixView<f32>,
        lines: &DMatrix<f32>,
        draws: SampleKeys,
    ) -> Result<DigitalGradients, TileError> {
        let range = self.range.as_ref().filter(|range| range.record.learn_input_range);
        let clipping = range.is_some_and(|range| range.record.manage_output_clipping);
        let raw = if self.mapping.learn_out_scaling || clipping {
            Some(self.raw(lines, draws.in_training().fold_in(label("outputs read again")))?)
        } else {
            None
        };
        let range = match range {
            None => None,
            Some(range) => {
                let mut z = DMatrix::zeros(x.nrows(), x.ncols());
                let draws = draws.in_training().fold_in(label("errors read again"));
                self.backward(*d, z.as_view_mut(), draws)?;
                let clipped = raw.as_ref().map_or(0.0, |raw| self.clipped(raw, x.len()));
                Some(range.gradient(x, &z, clipped))
            }
        };
        let raw = raw.filter(|_| self.mapping.learn_out_scaling);
        Ok(DigitalGradients { out_scales: raw.map(|raw| self.out_scale_gradient(d, &raw)), range })
    }

    /// Numbers that learn beside the weights: α of every output, then r.
    pub(super) fn learned_len(&self) -> usize {
        let scales = if self.mapping.learn_out_scaling { self.shape.outputs } else { 0 };
        scales + usize::from(self.range.as_ref().is_some_and(|range| range.record.learn_input_range))
    }

    /// Lets `step` move α and r, which it knows as numbers `first` and following; what is not finite stays as it was, and so
    /// does a range that is not above 0.
    pub(super) fn learn(
        &mut self,
        x: &DMatrixView<f32>,
        gradients: DigitalGradients,
        mut first: usize,
        step: &mut StepWeights<'_>,
    ) {
        if let Some(g) = gradients.out_scales {
            self.move_out_scales(|scales| step(first, scales, &g));
            first += g.len();
        }
        if let Some(range) = &mut self.range {
            range.observe(x);
            if let Some(g) = gradients.range {
                let mut next = [range.value];
                step(first, &mut next, &[g]);
                range.move_to(next[0]);
            }
        }
    }

    /// Lets `change` at α of every output.
    fn move_out_scales(&mut self, change: impl FnOnce(&mut [f32])) {
        let before = self.out_scales.clone();
        change(&mut self.out_scales);
        let moved = self.out_scales.iter_mut().zip(before);
        moved.filter(|(alpha, _)| !alpha.is_finite()).for_each(|(alpha, before)| *alpha = before);
    }

    /// Shows α and r to `visit`, which knows them as [`Self::learn`] does.
    pub(super) fn visit_learned(&mut self, mut first: usize, visit: &mut VisitDigital<'_>) {
        if self.mapping.learn_out_scaling {
            self.move_out_scales(|scales| visit(first, scales));
            first += self.shape.outputs;
        }
        if let Some(range) = self.range.as_mut().filter(|range| range.record.learn_input_range) {
            let mut next = [range.value];
            visit(first, &mut next);
            range.move_to(next[0]);
        }
    }

    /// Σ over samples of d·(s·r·tile), one for each output, or the sum for all.
    fn out_scale_gradient(&self, d: &DMatrixView<f32>, raw: &DMatrix<f32>) -> Vec<f32> {
        let r = f64::from(self.input_range().unwrap_or(1.0));
        let per_output: Vec<f64> = (0..self.shape.outputs)
            .map(|i| {
                let products = (0..d.ncols()).map(|j| f64::from(d[(i, j)]) * f64::from(raw[(i, j)]));
                products.sum::<f64>() * f64::from(self.scales[i]) * r
            })
            .collect();
        let total: f64 = per_output.iter().sum();
        let columnwise = self.mapping.out_scaling_columnwise;
        per_output.into_iter().map(|g| if columnwise { g } else { total } as f32).collect()
    }

    /// Clipped outputs of the tile per input value.
    fn clipped(&self, raw: &DMatrix<f32>, inputs: usize) -> f32 {
        let at_bound = |y: &&f32| self.out_bound > 0.0 && y.abs() >= self.out_bound;
        raw.iter().filter(at_bound).count() as f32 / inputs.max(1) as f32
    }
}
