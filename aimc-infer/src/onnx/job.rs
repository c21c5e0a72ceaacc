//! How the input of a node becomes vectors for tiles, and their products the output.
//!
//! A column of a matrix is a vector; tensors are row-major, so a column is contiguous where the axes of the sum come last.

use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::DMatrix;
use tract_onnx::prelude::tract_ndarray::{ArrayD, ArrayViewD, IxDyn, Slice};
use tract_onnx::prelude::{TVec, TractResult};
use tract_onnx::tract_core::internal::{AxesMapping, InOut};
use tract_onnx::tract_core::ops::cnn::PoolSpec;
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::{bail, ensure};

use aimc_nn::window::{Geometry, Windows, from_points};
use aimc_tile::SampleKeys;

use super::op::Unit;

/// What is done with the input.
#[derive(Debug)]
pub(super) enum Job {
    Product(Product),
    Convolution(Box<Convolution>),
}

impl Job {
    /// Whether digital numbers are added to the products.
    pub(super) fn has_bias(&self) -> bool {
        match self {
            Self::Product(_) => false,
            Self::Convolution(convolution) => !convolution.bias.is_empty(),
        }
    }

    pub(super) fn run(
        &self,
        unit: &Unit,
        x: ArrayViewD<'_, f32>,
        draws: SampleKeys,
    ) -> TractResult<ArrayD<f32>> {
        match self {
            Self::Product(product) => product.run(unit, x, draws),
            Self::Convolution(convolution) => convolution.run(unit, x, draws),
        }
    }
}

/// A product over some axes of the input: MatMul, Gemm, and sums of products in general.
#[derive(Debug)]
pub(super) struct Product {
    /// Axes of the input that stay, then those that are summed over.
    input_axes: Vec<usize>,
    /// Number of the axes that stay.
    kept: usize,
    /// Axes of the weights: those of the output, those summed over, those of size 1.
    weight_axes: Vec<usize>,
    /// Sizes of the output axes that come from the weights.
    outputs: Vec<usize>,
    /// Where each axis of the output is found: first the axes kept, then those from the weights.
    output_axes: Vec<usize>,
}

impl Product {
    /// The product that `axes` describe, with the input at slot `data` of two; the reason where it is none.
    pub(super) fn new(axes: &AxesMapping, data: usize, weights: &[usize]) -> Result<Self, String> {
        let (mut kept, mut summed, mut sums, mut rows, mut single) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut from_input, mut from_weights) = (Vec::new(), Vec::new());
        for axis in axes.iter_all_axes() {
            let (x, w, y) = (&axis.inputs[data], &axis.inputs[1 - data], &axis.outputs[0]);
            if [x, w, y].iter().any(|places| places.len() > 1) {
                return Err("takes a diagonal".into());
            }
            let (x, w, y) = (x.first().copied(), w.first().copied(), y.first().copied());
            match (x, w, y) {
                (Some(x), Some(w), None) => {
                    summed.push(x);
                    sums.push(w);
                }
                (Some(x), None, Some(y)) => {
                    kept.push(x);
                    from_input.push(y);
                }
                (Some(x), Some(w), Some(y)) if weights[w] == 1 => {
                    kept.push(x);
                    from_input.push(y);
                    single.push(w);
                }
                (None, Some(w), Some(y)) => {
                    rows.push(w);
                    from_weights.push(y);
                }
                (None, Some(w), None) if weights[w] == 1 => single.push(w),
                (Some(_), Some(_), Some(_)) => return Err("has other weights for every sample".into()),
                _ => return Err("sums over one factor alone".into()),
            }
        }
        if summed.is_empty() {
            return Err("sums over nothing".into());
        }
        let outputs = rows.iter().map(|&w| weights[w]).collect();
        let order: Vec<usize> = from_input.iter().chain(&from_weights).copied().collect();
        let place = |y: usize| order.iter().position(|&axis| axis == y);
        let output_axes: Option<Vec<usize>> = (0..axes.rank(InOut::Out(0))).map(place).collect();
        let output_axes = output_axes.ok_or("has an axis that comes from nowhere")?;
        let count = kept.len();
        kept.extend(summed);
        let weight_axes = [rows, sums, single].concat();
        Ok(Self { input_axes: kept, kept: count, weight_axes, outputs, output_axes })
    }

    /// The weights as a matrix, outputs x inputs.
    pub(super) fn matrix(&self, weights: ArrayViewD<'_, f32>) -> DMatrix<f32> {
        let outputs: usize = self.outputs.iter().product();
        let inputs = weights.len() / outputs.max(1);
        let values: Vec<f32> = weights.permuted_axes(self.weight_axes.as_slice()).iter().copied().collect();
        DMatrix::from_row_slice(outputs, inputs, &values)
    }

    fn run(&self, unit: &Unit, x: ArrayViewD<'_, f32>, draws: SampleKeys) -> TractResult<ArrayD<f32>> {
        let x = x.permuted_axes(self.input_axes.as_slice());
        let (kept, summed) = x.shape().split_at(self.kept);
        let (vectors, inputs): (usize, usize) = (kept.iter().product(), summed.iter().product());
        let needed = unit.tiles[0].shape().inputs;
        ensure!(inputs == needed, "{}: {inputs} inputs for {needed} lines", unit.name);
        let columns = DMatrix::from_iterator(inputs, vectors, x.iter().copied());
        let y = unit.product(0, &columns, draws)?;
        let shape: Vec<usize> = kept.iter().chain(&self.outputs).copied().collect();
        let y = ArrayD::from_shape_vec(IxDyn(&shape), y.as_slice().to_vec())?;
        Ok(y.permuted_axes(self.output_axes.as_slice()).as_standard_layout().into_owned())
    }
}

/// A convolution over images [samples, channels, one to three dimensions].
#[derive(Debug)]
pub(super) struct Convolution {
    spec: PoolSpec,
    /// Digital, one number per output channel; empty for none.
    bias: Vec<f32>,
    /// For the images seen last.
    prepared: Mutex<Option<Arc<Prepared>>>,
}

/// The windows over images of one size, padding included.
#[derive(Debug)]
struct Prepared {
    size: Vec<usize>,
    windows: Windows,
}

impl Convolution {
    /// The convolution of `spec`; the reason where it cannot be carried out.
    pub(super) fn new(spec: &PoolSpec, bias: Vec<f32>) -> Result<Self, String> {
        if spec.data_format != DataFormat::NCHW {
            return Err(format!("has images in the order {:?}", spec.data_format));
        }
        if !(1..=3).contains(&spec.kernel_shape.len()) {
            return Err(format!("has {} dimensions of space", spec.kernel_shape.len()));
        }
        Ok(Self { spec: spec.clone(), bias, prepared: Mutex::new(None) })
    }

    fn run(&self, unit: &Unit, x: ArrayViewD<'_, f32>, draws: SampleKeys) -> TractResult<ArrayD<f32>> {
        let (samples, groups) = (x.shape()[0], unit.tiles.len());
        let channels = self.spec.input_channels / groups;
        let sizes = self.spec.computed_padding(&x.shape()[2..]);
        let padding: TVec<(usize, usize)> = sizes.iter().map(|d| (d.pad_before, d.pad_after)).collect();
        let images = padded(x, &padding);
        let prepared = self.prepare(&images.shape()[2..])?;
        let windows = &prepared.windows;
        let positions = windows.positions();
        let shape: Vec<usize> = [samples, self.spec.output_channels]
            .into_iter()
            .chain(sizes.iter().map(|d| d.convoluted))
            .collect();
        ensure!(
            positions == shape[2..].iter().product::<usize>(),
            "{}: {positions} windows for {shape:?}",
            unit.name
        );
        let rows = images.len() / samples.max(1);
        let images = DMatrix::from_iterator(rows, samples, images.iter().copied());
        let mut y = DMatrix::zeros(self.spec.output_channels * positions, samples);
        let mut first = 0;
        for g in 0..groups {
            let columns = windows.unfold(&images, g * channels, channels);
            let out = unit.product(g, &columns, draws.each(positions))?;
            from_points(&out, positions, first, &mut y);
            first += out.nrows();
        }
        if !self.bias.is_empty() {
            for image in y.as_mut_slice().chunks_mut(self.bias.len() * positions) {
                let channels = image.chunks_mut(positions).zip(&self.bias);
                channels.for_each(|(points, bias)| points.iter_mut().for_each(|value| *value += bias));
            }
        }
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), y.as_slice().to_vec())?)
    }

    /// The windows over images of `size`, padding included.
    fn prepare(&self, size: &[usize]) -> TractResult<Arc<Prepared>> {
        let mut last = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|known| known.size == size) {
            return Ok(known.clone());
        }
        let geometry = Geometry {
            size: size.to_vec(),
            kernel: self.spec.kernel_shape.to_vec(),
            stride: self.spec.strides().to_vec(),
            padding: vec![0; size.len()],
            dilation: self.spec.dilations().to_vec(),
        };
        if let Err(error) = geometry.validate() {
            bail!("{error}");
        }
        let new = Arc::new(Prepared { size: size.to_vec(), windows: geometry.windows() });
        *last = Some(new.clone());
        Ok(new)
    }
}

/// Images with zeros before and after each dimension of space.
fn padded(x: ArrayViewD<'_, f32>, padding: &[(usize, usize)]) -> ArrayD<f32> {
    let mut shape = x.shape().to_vec();
    shape[2..].iter_mut().zip(padding).for_each(|(size, (before, after))| *size += before + after);
    let mut full = ArrayD::zeros(IxDyn(&shape));
    let inner = full.slice_each_axis_mut(|axis| match axis.axis.index() {
        0 | 1 => Slice::from(..),
        i => Slice::from(padding[i - 2].0..padding[i - 2].0 + x.shape()[i]),
    });
    { inner }.assign(&x);
    full
}
