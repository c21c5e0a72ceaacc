//! One tile with its digital periphery: bias column, weight scales, output scales and input range.
//!
//! ```text
//! forward   y = α·s·r·tile([clip(x)/r; 1/r])           the last line is the analog bias, if there is one
//! backward  z = tileᵀ(α·s·d)                            without the line of the bias; straight through the clipping
//! update    tile: lr·c, [clip(x)/r; 1/r], r·α·d/(s·c)   c = 1/mean(s) with lr compensation, else 1
//!           α ← α - lr·Σ d·(s·r·tile)                   α: summed over outputs too unless columnwise
//!           update_by: weights in digital memory, α and r move as the optimizer has it
//! ```
//!
//! So sŴ moves by -lr·α·d·clip(x)ᵀ on average and α by its own gradient: gradient descent in (sŴ, α) at any r. AIHWKit's
//! pulsed and inference tiles leave the factor r out of the update, and leave the bias line undivided. The gradients of α and r
//! need products, which `update` reads once more from the tile with draws of its own. The bias line is not cut to ±r.
//!
//! Not modelled: AIHWKit's mask of errors at clipped outputs in the backward pass; a backward pass here does not see x.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

mod adopt;
mod learning;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::state::{State, StateError, StatePart};

use crate::ideal::{by_rows, gathered, scale_lines};
use crate::mapping::input_range::InputRange;
use crate::mapping::{MappingConfig, PeripheryConfig, PeripheryQuantization, TileSettings, scales};
use crate::signals::{check_lines, check_shape};
use crate::tile::{
    Inventory, MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile, TileError, VisitDigital,
};

/// A tile and its digital periphery, see the [module](self).
#[derive(Clone, Debug)]
pub struct LogicalTile<T> {
    tile: T,
    shape: Shape,
    mapping: MappingConfig,
    quantization: PeripheryQuantization,
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
            quantization: config.quantization.clone(),
            range: config.input_range.enable.then(|| InputRange::new(&config.input_range)),
            out_bound,
            scales: vec![1.0; shape.outputs],
            out_scales: vec![1.0; shape.outputs],
        })
    }
}

impl<T> LogicalTile<T> {
    /// The same digital circuits around what `convert` makes of the tile.
    pub fn try_map<U, E>(&self, convert: impl FnOnce(&T) -> Result<U, E>) -> Result<LogicalTile<U>, E> {
        Ok(LogicalTile {
            tile: convert(&self.tile)?,
            shape: self.shape,
            mapping: self.mapping.clone(),
            quantization: self.quantization.clone(),
            range: self.range.clone(),
            out_bound: self.out_bound,
            scales: self.scales.clone(),
            out_scales: self.out_scales.clone(),
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

    /// α·s·r of every output, in the precision of the circuits.
    fn factors(&self) -> Vec<f32> {
        let r = self.input_range().unwrap_or(1.0);
        let factors = self.out_scales.iter().zip(&self.scales).map(|(alpha, scale)| alpha * scale * r);
        self.quantization.round(&factors.collect::<Vec<f32>>()).into_owned()
    }

    fn has_bias(&self) -> bool {
        !self.mapping.digital_bias
    }
}

impl<T: MatVec> LogicalTile<T> {
    /// What the input lines of the tile carry for the inputs `x`, inputs x batch: one line more with an analog bias.
    #[must_use]
    pub fn lines(&self, x: &DMatrixView<f32>) -> DMatrix<f32> {
        let rows = self.shape.inputs + usize::from(self.has_bias());
        let r = self.input_range().unwrap_or(1.0);
        let mut lines = Vec::with_capacity(rows * x.ncols());
        for sample in x.column_iter() {
            match &self.range {
                Some(range) => lines.extend(sample.as_slice().iter().map(|x| range.normalise(*x))),
                None => lines.extend_from_slice(sample.as_slice()),
            }
            lines.extend(self.has_bias().then_some(1.0 / r));
        }
        DMatrix::from_vec(rows, x.ncols(), lines)
    }

    /// The outputs of the tile, before any digital factor.
    fn raw(&self, lines: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut y = DMatrix::zeros(self.shape.outputs, lines.ncols());
        self.tile.forward(lines.as_view(), y.as_view_mut(), draws)?;
        Ok(y)
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
        if self.range.is_none() && !self.has_bias() {
            self.tile.forward(x, y.as_view_mut(), draws)?;
        } else {
            self.tile.forward(self.lines(&x).as_view(), y.as_view_mut(), draws)?;
        }
        scale_lines(&mut y, &self.factors());
        Ok(())
    }

    fn periphery_precision(&self) -> PeripheryQuantization {
        self.quantization.clone()
    }
}

impl<T: Tile> LogicalTile<T> {
    /// c of the module's equations. Weights in digital memory need none: an optimizer knows no rate to multiply.
    fn lr_compensation(&mut self) -> f32 {
        if self.mapping.weight_scaling_lr_compensation && self.tile.digital_len() == 0 {
            self.scales.len() as f32 / self.scales.iter().sum::<f32>()
        } else {
            1.0
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
        let mut d = gathered(&d);
        let factors = self.out_scales.iter().zip(&self.scales).map(|(alpha, scale)| alpha * scale);
        scale_lines(&mut d.as_view_mut(), &factors.collect::<Vec<f32>>());
        if !self.has_bias() {
            return self.tile.backward(d.as_view(), z, draws);
        }
        let mut lines = DMatrix::zeros(self.tile.shape().inputs, d.ncols());
        self.tile.backward(d.as_view(), lines.as_view_mut(), draws)?;
        for (mut z, lines) in z.column_iter_mut().zip(lines.column_iter()) {
            z.as_mut_slice().copy_from_slice(&lines.as_slice()[..self.shape.inputs]);
        }
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let mut descent = |_: usize, values: &mut [f32], gradient: &[f32]| {
            values.iter_mut().zip(gradient).for_each(|(value, g)| *value -= lr * g);
        };
        self.descend((&x, &d, lr, draws), &mut descent, |tile, x, d, lr, _| tile.update(x, d, lr, draws))
    }

    fn visit_digital(&mut self, visit: &mut VisitDigital<'_>) {
        self.tile.visit_digital(visit);
        let weights = self.tile.digital_len();
        self.visit_learned(weights, visit);
    }

    /// Digital weights, then what learns beside them.
    fn digital_len(&mut self) -> usize {
        self.tile.digital_len() + self.learned_len()
    }

    fn update_by(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
        step: &mut StepWeights<'_>,
    ) -> Result<(), TileError> {
        self.descend((&x, &d, lr, draws), step, |tile, x, d, lr, step| tile.update_by(x, d, lr, draws, step))
    }

    fn end_of_step(&mut self, key: RngKey) {
        if self.mapping.learn_out_scaling && self.tile.absorb_factors(&self.out_scales) {
            self.out_scales.fill(1.0);
        }
        self.tile.end_of_step(key);
    }

    fn inventory(&self) -> Inventory {
        self.tile.inventory()
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

    /// Scales a matrix of the size of the tile and writes it.
    fn write(&mut self, mut all: DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let (omega, columnwise) = (self.mapping.weight_scaling_omega, self.mapping.weight_scaling_columnwise);
        // Without ω the quotient is infinite, which means a scale of 1.
        let scales = scales(&by_rows(&all), all.ncols(), omega, columnwise);
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

    fn bias(&self) -> Option<Vec<f32>> {
        self.has_bias().then(|| self.logical().column(self.shape.inputs).iter().copied().collect())
    }

    /// Writes the weights again with a scale that suits both.
    fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
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

    fn settings(&self) -> Vec<TileSettings> {
        vec![self.learned()]
    }
}
