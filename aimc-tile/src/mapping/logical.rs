//! One tile with its digital periphery: bias column, weight scales, output scales and input range.
//!
//! ```text
//! forward   y = α·s·r·tile([clip(x)/r; 1/r])           the last line is the analog bias, if there is one
//! backward  z = tileᵀ(α·s·d)                            without the line of the bias; straight through the clipping
//! update    tile: lr·c, [clip(x)/r; 1/r], r·α·d/(s·c)   c = 1/mean(s) with lr compensation, else 1
//!           α ← α - lr·Σ d·(s·r·tile)                   α: summed over outputs too unless columnwise
//! ```
//!
//! So sŴ moves by -lr·α·d·clip(x)ᵀ on average and α by its own gradient: gradient descent in (sŴ, α) at any r. AIHWKit's
//! pulsed and inference tiles leave the factor r out of the update, and leave the bias line undivided. The gradients of α and r
//! need products, which `update` reads once more from the tile with draws of its own. The bias line is not cut to ±r.
//!
//! Not modelled: AIHWKit's mask of errors at clipped outputs in the backward pass; a backward pass here does not see x.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::ideal::check_update;
use crate::mapping::input_range::InputRange;
use crate::mapping::{MappingConfig, PeripheryConfig, scales};
use crate::tile::{
    MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile, TileError, check_lines, check_shape,
};

/// A tile and its digital periphery, see the [module](self).
#[derive(Debug)]
pub struct LogicalTile<T> {
    tile: T,
    shape: Shape,
    mapping: MappingConfig,
    range: Option<InputRange>,
    /// Range of the outputs of the tile; 0 or below is infinite.
    out_bound: f32,
    /// s of every output.
    scales: Vec<f32>,
    /// α of every output.
    out_scales: Vec<f32>,
}

impl<T: MatVec> LogicalTile<T> {
    /// Builds the tile, with one more input for an analog bias.
    pub(crate) fn new(
        config: &PeripheryConfig,
        out_bound: f32,
        shape: Shape,
        key: RngKey,
        build: &mut impl FnMut(Shape, RngKey) -> Result<T, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let physical = Shape { inputs: shape.inputs + usize::from(!config.mapping.digital_bias), ..shape };
        let tile = build(physical, key)?;
        let found = format!("{:?}", tile.shape());
        require::that(tile.shape() == physical, "shape", found, "must be the shape that was asked for")?;
        Ok(Self {
            tile,
            shape,
            mapping: config.mapping.clone(),
            range: config.input_range.enable.then(|| InputRange::new(&config.input_range)),
            out_bound,
            scales: vec![1.0; shape.outputs],
            out_scales: vec![1.0; shape.outputs],
        })
    }

    /// The tile inside.
    #[must_use]
    pub fn tile(&self) -> &T {
        &self.tile
    }

    /// The weight scale s of every output.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// The trained scale α of every output.
    #[must_use]
    pub fn out_scales(&self) -> &[f32] {
        &self.out_scales
    }

    /// The input range r, if there is one.
    #[must_use]
    pub fn input_range(&self) -> Option<f32> {
        self.range.as_ref().map(|range| range.value)
    }

    /// Sets the input range, as calibration does; ends the statistics. Without a range nothing happens.
    pub fn set_input_range(&mut self, value: f32) -> Result<(), ConfigError> {
        require::positive("input_range", value)?;
        if let Some(range) = &mut self.range {
            range.value = value;
            range.seen = range.record.init_from_data;
        }
        Ok(())
    }

    fn has_bias(&self) -> bool {
        !self.mapping.digital_bias
    }

    /// What the input lines of the tile carry.
    fn lines(&self, x: &DMatrixView<f32>) -> DMatrix<f32> {
        let rows = self.shape.inputs + usize::from(self.has_bias());
        let r = self.input_range().unwrap_or(1.0);
        DMatrix::from_fn(rows, x.ncols(), |i, sample| match &self.range {
            _ if i == self.shape.inputs => 1.0 / r,
            Some(range) => range.normalise(x[(i, sample)]),
            None => x[(i, sample)],
        })
    }

    /// The outputs of the tile, before any digital factor.
    fn raw(&self, lines: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut y = DMatrix::zeros(self.shape.outputs, lines.ncols());
        self.tile.forward(lines.as_view(), y.as_view_mut(), draws)?;
        Ok(y)
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

impl<T: MatVec> MatVec for LogicalTile<T> {
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
        let raw = self.raw(&self.lines(&x), draws)?;
        let r = self.input_range().unwrap_or(1.0);
        for i in 0..self.shape.outputs {
            let factor = self.out_scales[i] * self.scales[i] * r;
            y.row_mut(i).iter_mut().zip(raw.row(i).iter()).for_each(|(y, raw)| *y = factor * raw);
        }
        Ok(())
    }
}

/// What the digital side learns from one batch.
struct DigitalGradients {
    out_scales: Option<Vec<f32>>,
    range: Option<f32>,
}

impl<T: Tile> LogicalTile<T> {
    fn digital_gradients(
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
                self.backward(
                    d.clone_owned().as_view(),
                    z.as_view_mut(),
                    draws.in_training().fold_in(label("errors read again")),
                )?;
                let clipped = raw.as_ref().map_or(0.0, |raw| self.clipped(raw, x.len()));
                Some(range.gradient(&x.clone_owned(), &z, clipped))
            }
        };
        let raw = raw.filter(|_| self.mapping.learn_out_scaling);
        Ok(DigitalGradients { out_scales: raw.map(|raw| self.out_scale_gradient(d, &raw)), range })
    }

    /// One update: `write` gets the tile and what its input and output lines carry.
    fn descend(
        &mut self,
        (x, d, lr, draws): (&DMatrixView<f32>, &DMatrixView<f32>, f32, SampleKeys),
        compensation: f32,
        write: impl FnOnce(&mut T, DMatrixView<f32>, DMatrixView<f32>) -> Result<(), TileError>,
    ) -> Result<(), TileError> {
        check_update(self.shape, x, d, lr)?;
        let lines = self.lines(x);
        let gradients = self.digital_gradients(x, d, &lines, draws)?;
        let r = self.input_range().unwrap_or(1.0);
        let errors = DMatrix::from_fn(d.nrows(), d.ncols(), |i, j| {
            r * self.out_scales[i] * d[(i, j)] / (self.scales[i] * compensation)
        });
        write(&mut self.tile, lines.as_view(), errors.as_view())?;
        self.learn(x, gradients, lr);
        Ok(())
    }

    fn learn(&mut self, x: &DMatrixView<f32>, gradients: DigitalGradients, lr: f32) {
        for (alpha, g) in self.out_scales.iter_mut().zip(gradients.out_scales.unwrap_or_default()) {
            let next = *alpha - lr * g;
            if next.is_finite() {
                *alpha = next;
            }
        }
        if let Some(range) = &mut self.range {
            range.observe(&x.clone_owned());
            range.step(lr, gradients.range.unwrap_or(0.0));
        }
    }
}

impl<T: Tile> Tile for LogicalTile<T> {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("d", &d, self.shape.outputs, d.ncols())?;
        check_shape("z", z.shape(), (self.shape.inputs, d.ncols()))?;
        let d =
            DMatrix::from_fn(d.nrows(), d.ncols(), |i, j| self.out_scales[i] * self.scales[i] * d[(i, j)]);
        let mut lines = DMatrix::zeros(self.tile.shape().inputs, d.ncols());
        self.tile.backward(d.as_view(), lines.as_view_mut(), draws)?;
        z.copy_from(&lines.rows(0, self.shape.inputs));
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let compensation = if self.mapping.weight_scaling_lr_compensation {
            self.scales.len() as f32 / self.scales.iter().sum::<f32>()
        } else {
            1.0
        };
        self.descend((&x, &d, lr, draws), compensation, |tile, x, d| {
            tile.update(x, d, lr * compensation, draws)
        })
    }

    fn digital_len(&mut self) -> usize {
        self.tile.digital_len()
    }

    /// Output scales and the input range move by plain gradient descent, whatever `step` does with the weights.
    fn update_by(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
        step: &mut StepWeights<'_>,
    ) -> Result<(), TileError> {
        if self.tile.digital_len() == 0 {
            return self.update(x, d, lr, draws);
        }
        self.descend((&x, &d, lr, draws), 1.0, |tile, x, d| tile.update_by(x, d, lr, draws, step))
    }

    fn end_of_step(&mut self, key: RngKey) {
        if self.mapping.learn_out_scaling && self.tile.absorb_factors(&self.out_scales) {
            self.out_scales.fill(1.0);
        }
        self.tile.end_of_step(key);
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("tile", self.tile.state());
        state.put("scales", self.scales.clone());
        state.put("out_scales", self.out_scales.clone());
        if let Some(range) = &self.range {
            state.put("input_range", vec![range.value]);
            state.put("input_range_seen", vec![range.seen]);
        }
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let scales = state.floats("scales", self.shape.outputs)?.to_vec();
        let out_scales = state.floats("out_scales", self.shape.outputs)?.to_vec();
        let range = match &self.range {
            None => None,
            Some(range) => {
                let value = state.floats("input_range", 1)?[0];
                if value <= 0.0 {
                    return Err(StateError::new("input_range", format!("is {value}, must be above 0")));
                }
                let seen = state.counts("input_range_seen", 1)?[0];
                Some(InputRange { value, seen, ..range.clone() })
            }
        };
        if let Some(scale) = scales.iter().find(|scale| **scale <= 0.0) {
            return Err(StateError::new("scales", format!("holds {scale}, must be above 0")));
        }
        self.tile.restore(&state.part("tile"))?;
        (self.scales, self.out_scales, self.range) = (scales, out_scales, range);
        Ok(())
    }
}

impl<T: MatVec + ReadOut> LogicalTile<T> {
    /// Everything the tile holds in logical units: weights, then the column of an analog bias.
    fn logical(&self) -> DMatrix<f32> {
        let mut weights = self.tile.weights();
        for (i, mut row) in weights.row_iter_mut().enumerate() {
            row *= self.scales[i] * self.out_scales[i];
        }
        weights
    }

    /// The analog bias; none where the bias is digital.
    #[must_use]
    pub fn bias(&self) -> Option<Vec<f32>> {
        self.has_bias().then(|| self.logical().column(self.shape.inputs).iter().copied().collect())
    }

    /// Sets the analog bias and writes the weights again with a scale that suits both; refused where the bias is digital.
    pub fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
        let expected = (if self.has_bias() { self.shape.outputs } else { 0 }, 1);
        let bias = DMatrix::from_column_slice(bias.len(), 1, bias);
        check_shape("bias", bias.shape(), expected)?;
        check_lines("bias", &bias.as_view(), expected.0, 1)?;
        let mut all = self.logical();
        if self.has_bias() {
            all.column_mut(self.shape.inputs).copy_from(&bias);
        }
        self.write(all, key)
    }

    /// Scales a matrix of the size of the tile and writes it.
    fn write(&mut self, mut all: DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let by_rows: Vec<f32> = all.transpose().iter().copied().collect();
        let (omega, columnwise) = (self.mapping.weight_scaling_omega, self.mapping.weight_scaling_columnwise);
        // Without ω the quotient is infinite, which means a scale of 1.
        let scales = scales(&by_rows, all.ncols(), omega, columnwise);
        for (mut row, scale) in all.row_iter_mut().zip(&scales) {
            row /= *scale;
        }
        self.tile.set_weights(&all, key)?;
        self.scales = scales;
        self.out_scales.fill(1.0);
        Ok(())
    }
}

impl<T: MatVec + ReadOut> ReadOut for LogicalTile<T> {
    /// Without the column of an analog bias.
    fn weights(&self) -> DMatrix<f32> {
        self.logical().columns(0, self.shape.inputs).into_owned()
    }

    /// An analog bias is written again as it is read.
    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        check_lines("weights", &weights.as_view(), self.shape.outputs, self.shape.inputs)?;
        let mut all = self.logical();
        all.columns_mut(0, self.shape.inputs).copy_from(weights);
        self.write(all, key)
    }
}
