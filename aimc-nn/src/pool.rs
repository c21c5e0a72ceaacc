//! Pooling: the largest or the mean of the points under a window, channel by channel; digital.
//!
//! Windows are as in [`crate::window`]. Padding never wins a maximum; a mean counts it as zeros, as PyTorch does.
//! An adaptive mean cuts the image into a wanted number of parts: part i of n covers the points ⌊i·size/n⌋ up to, but
//! without, ⌈(i + 1)·size/n⌉.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::conv::{image, zero};
use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module, Saved, check_features};
use crate::window::{Geometry, NONE, PerDimension, grid};

/// What is made of the points under a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Pooling {
    /// The largest.
    #[default]
    Max,
    /// The mean.
    Average,
}

/// Pooling by a window that slides over the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// What is made of the points.
    #[serde(default)]
    pub function: Pooling,
    /// Points of the window.
    pub kernel: PerDimension,
    /// Distance of neighbouring windows; the window itself if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<PerDimension>,
    /// Points added around the image.
    #[serde(default = "zero")]
    pub padding: PerDimension,
}

impl PoolConfig {
    /// Windows of `kernel` points side by side.
    #[must_use]
    pub fn new(function: Pooling, kernel: usize) -> Self {
        Self { function, kernel: kernel.into(), stride: None, padding: zero() }
    }

    fn geometry(&self, inputs: &[usize]) -> Result<Geometry, ConfigError> {
        let size = image(inputs)?.to_vec();
        let n = size.len();
        let kernel = self.kernel.numbers("kernel", n)?;
        let stride = match &self.stride {
            Some(stride) => stride.numbers("stride", n)?,
            None => kernel.clone(),
        };
        let padding = self.padding.numbers("padding", n)?;
        for i in 0..n {
            let requirement = format!("must be at most half the kernel {}", kernel[i]);
            require::that(2 * padding[i] <= kernel[i], &format!("padding[{i}]"), padding[i], &requirement)?;
        }
        let geometry = Geometry { size, kernel, stride, padding, dilation: vec![1; n] };
        geometry.validate()?;
        Ok(geometry)
    }
}

impl Record for PoolConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok([vec![inputs.first().copied().unwrap_or(0)], self.geometry(inputs)?.positions()].concat())
    }

    fn operations(&self, inputs: &[usize]) -> u64 {
        self.geometry(inputs).map_or(0, |geometry| {
            let windows = geometry.windows();
            (inputs[0] * windows.positions() * windows.points()) as u64
        })
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let geometry = self.geometry(inputs)?;
        let windows = geometry.windows();
        let groups = (0..windows.positions()).map(|p| {
            let points = windows.at(p).iter().copied().filter(|&source| source != NONE).collect();
            (points, windows.points())
        });
        Ok(Layer::Pool(Pool::new(self.function, inputs[0], windows.area(), groups)))
    }
}

/// Mean over a wanted number of parts of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptivePoolConfig {
    /// Parts in each dimension.
    pub parts: PerDimension,
}

impl AdaptivePoolConfig {
    fn numbers(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let size = image(inputs)?;
        let parts = self.parts.numbers("parts", size.len())?;
        for (i, (part, size)) in parts.iter().zip(size).enumerate() {
            let requirement = format!("must lie between 1 and the {size} points of the image");
            require::that((1..=*size).contains(part), &format!("parts[{i}]"), part, &requirement)?;
        }
        Ok(parts)
    }
}

impl Record for AdaptivePoolConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok([vec![inputs.first().copied().unwrap_or(0)], self.numbers(inputs)?].concat())
    }

    fn operations(&self, inputs: &[usize]) -> u64 {
        inputs.iter().product::<usize>() as u64
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let (size, parts) = (image(inputs)?, self.numbers(inputs)?);
        let groups = grid(&parts).map(|part| {
            let ranges = (0..size.len())
                .map(|i| (part[i] * size[i] / parts[i], ((part[i] + 1) * size[i]).div_ceil(parts[i])));
            let ranges: Vec<(usize, usize)> = ranges.collect();
            let extents: Vec<usize> = ranges.iter().map(|(start, end)| end - start).collect();
            let points: Vec<u32> = grid(&extents)
                .map(|point| {
                    let flat = |index, i: usize| index * size[i] + ranges[i].0 + point[i];
                    (0..size.len()).fold(0, flat) as u32
                })
                .collect();
            let count = points.len();
            (points, count)
        });
        let groups: Vec<_> = groups.collect();
        Ok(Layer::Pool(Pool::new(Pooling::Average, inputs[0], size.iter().product(), groups.into_iter())))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct Pool {
    function: Pooling,
    channels: usize,
    area: usize,
    /// For every output of a channel its points, and the number that a mean divides by.
    groups: Vec<(Vec<u32>, usize)>,
}

impl Pool {
    fn new(
        function: Pooling,
        channels: usize,
        area: usize,
        groups: impl Iterator<Item = (Vec<u32>, usize)>,
    ) -> Self {
        Self { function, channels, area, groups: groups.collect() }
    }

    /// Calls `visit` with the numbers of input channel and outputs of every channel of every sample.
    fn each_channel(
        &self,
        x: &DMatrix<f32>,
        y: &mut DMatrix<f32>,
        mut visit: impl FnMut(&[f32], &mut [f32]),
    ) {
        let channels = x.as_slice().chunks(self.area);
        channels.zip(y.as_mut_slice().chunks_mut(self.groups.len())).for_each(|(x, y)| visit(x, y));
    }

    fn empty(&self, x: &DMatrix<f32>) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.channels * self.area)?;
        Ok(DMatrix::zeros(self.channels * self.groups.len(), x.ncols()))
    }
}

/// The point of the largest value, the first of equals.
fn largest(x: &[f32], points: &[u32]) -> u32 {
    let first = points.first().copied().unwrap_or(0);
    points.iter().fold(first, |best, &at| if x[at as usize] > x[best as usize] { at } else { best })
}

impl<T> Module<T> for Pool {
    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        let mut y = self.empty(x)?;
        self.each_channel(x, &mut y, |x, y| {
            for (y, (points, divisor)) in y.iter_mut().zip(&self.groups) {
                *y = match self.function {
                    Pooling::Max => x[largest(x, points) as usize],
                    Pooling::Average => {
                        points.iter().map(|&at| x[at as usize]).sum::<f32>() / *divisor as f32
                    }
                };
            }
        });
        Ok(y)
    }

    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        if self.function == Pooling::Average {
            return Ok((Module::<T>::forward(self, x, draws)?, Saved::Nothing));
        }
        let mut y = self.empty(x)?;
        let mut chosen = Vec::with_capacity(y.len());
        self.each_channel(x, &mut y, |x, y| {
            for (y, (points, _)) in y.iter_mut().zip(&self.groups) {
                let at = largest(x, points);
                *y = x[at as usize];
                chosen.push(at);
            }
        });
        Ok((y, Saved::Chosen(chosen)))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        _into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let mut dx = DMatrix::zeros(pass.x.nrows(), pass.x.ncols());
        let outputs = self.groups.len();
        let channels = dx.as_mut_slice().chunks_mut(self.area).zip(d.as_slice().chunks(outputs));
        for (i, (dx, d)) in channels.enumerate() {
            for (k, (d, (points, divisor))) in d.iter().zip(&self.groups).enumerate() {
                match pass.saved {
                    Saved::Chosen(chosen) => dx[chosen[i * outputs + k] as usize] += d,
                    _ => points.iter().for_each(|&at| dx[at as usize] += d / *divisor as f32),
                }
            }
        }
        Ok(dx)
    }
}
