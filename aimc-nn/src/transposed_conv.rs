//! Transposed convolution in one to three dimensions.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile};

use crate::conv::{
    check_groups, group_name, image, map_groups, one, one_group, visit_groups, visit_groups_mut, zero,
};
use crate::layer::{Layer, Record, Site};
use crate::linear::{Convert, Linear, yes};
use crate::module::{
    Backward, Gradients, LayerError, Module, Part, PartMut, Visit, VisitMut, check_features, join,
};
use crate::window::{Geometry, PerDimension, Windows, from_points, to_points};

/// A transposed convolution: the gradient of a convolution, used to enlarge images.
///
/// ```text
/// y[o, p·stride + k·dilation - padding] += Σ_c W[(o, k), c] · x[c, p]
/// ```
///
/// Every point of the input is one vector on the tile; W is (outputs/groups · points) x inputs/groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransposedConvConfig {
    /// Number of output channels.
    pub outputs: usize,
    /// Points of the kernel in each dimension.
    pub kernel: PerDimension,
    /// Distance of the outputs of neighbouring inputs.
    #[serde(default = "one")]
    pub stride: PerDimension,
    /// Points cut off at either end.
    #[serde(default = "zero")]
    pub padding: PerDimension,
    /// Points added at the far end, fewer than the stride.
    #[serde(default = "zero")]
    pub output_padding: PerDimension,
    /// Distance of neighbouring points of the kernel.
    #[serde(default = "one")]
    pub dilation: PerDimension,
    /// Groups of channels that do not see each other.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether there is a (digital) bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl TransposedConvConfig {
    /// Geometry of the convolution that it transposes, whose image is the output here.
    fn geometry(&self, inputs: &[usize]) -> Result<Geometry, ConfigError> {
        let points = image(inputs)?;
        let n = points.len();
        let kernel = self.kernel.numbers("kernel", n)?;
        let stride = self.stride.numbers("stride", n)?;
        let padding = self.padding.numbers("padding", n)?;
        let dilation = self.dilation.numbers("dilation", n)?;
        let extra = self.output_padding.numbers("output_padding", n)?;
        let mut size = Vec::with_capacity(n);
        for i in 0..n {
            let at = |name: &str| format!("{name}[{i}]");
            require::at_least_one(&at("kernel"), kernel[i])?;
            require::at_least_one(&at("stride"), stride[i])?;
            let requirement = format!("must be below the stride {}", stride[i]);
            require::that(extra[i] < stride[i], &at("output_padding"), extra[i], &requirement)?;
            let full = (points[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + extra[i] + 1;
            let requirement = format!("leaves nothing of the {full} points");
            require::that(full > 2 * padding[i], &at("padding"), padding[i], &requirement)?;
            size.push(full - 2 * padding[i]);
        }
        let geometry = Geometry { size, kernel, stride, padding, dilation };
        geometry.validate()?;
        Ok(geometry)
    }
}

impl Record for TransposedConvConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let size = self.geometry(inputs)?.size;
        check_groups(self.groups, inputs[0], self.outputs)?;
        Ok([vec![self.outputs], size].concat())
    }

    /// Every number that a tile gives is added to its place.
    fn operations(&self, inputs: &[usize]) -> u64 {
        let positions: usize = inputs[1..].iter().product();
        let points =
            self.kernel.numbers("kernel", inputs.len() - 1).map_or(1, |kernel| kernel.iter().product());
        (positions * self.outputs * points) as u64
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let windows = self.geometry(inputs)?.windows();
        let channels = self.outputs / self.groups;
        let shape = Shape { outputs: channels * windows.points(), inputs: inputs[0] / self.groups };
        let groups = site.groups(self.groups, shape, false)?;
        let bias = self.bias.then(|| vec![0.0; self.outputs]);
        Ok(Layer::TransposedConv(TransposedConv { groups, bias, windows, channels }))
    }
}

/// The layer. Its bias belongs to output channels, not to the outputs of the tile, and starts at 0.
#[derive(Clone, Debug)]
pub struct TransposedConv<T> {
    /// Weights of every group: (channels, points) x inputs each.
    pub groups: Vec<Linear<T>>,
    /// One number for each output channel.
    pub bias: Option<Vec<f32>>,
    windows: Windows,
    /// Output channels of a group.
    channels: usize,
}

impl<T> TransposedConv<T> {
    /// The windows that the kernel sees.
    pub(crate) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The same layer with other tiles.
    pub fn try_map<U, E>(
        &self,
        name: &str,
        convert: &mut Convert<'_, T, U, E>,
    ) -> Result<TransposedConv<U>, E> {
        let groups = map_groups(&self.groups, name, convert)?;
        let Self { bias, windows, channels, .. } = self;
        Ok(TransposedConv { groups, bias: bias.clone(), windows: windows.clone(), channels: *channels })
    }
}

impl<T> Module<T> for TransposedConv<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        visit_groups(&self.groups, name, visit);
        if let Some(bias) = &self.bias {
            visit(join(name, "bias"), Part::Parameters(bias));
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        visit_groups_mut(&mut self.groups, name, visit);
        if let Some(bias) = &mut self.bias {
            visit(join(name, "bias"), PartMut::Parameters(bias));
        }
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        let (positions, area) = (self.windows.positions(), self.windows.area());
        let inputs: usize = self.groups.iter().map(|linear| linear.tile.shape().inputs).sum();
        check_features(x, inputs * positions)?;
        let mut y = DMatrix::zeros(self.groups.len() * self.channels * area, x.ncols());
        let mut first = 0;
        for (g, linear) in self.groups.iter().enumerate() {
            let points = to_points(x, positions, first, linear.tile.shape().inputs);
            first += points.nrows();
            let out = linear.product(points.as_view(), draws.fold_in(g as u64).each(positions))?;
            self.windows.fold(&out, g * self.channels, self.channels, &mut y);
        }
        if let Some(bias) = &self.bias {
            let precision = self.groups.first().map(|linear| linear.tile.periphery_precision());
            let bias = precision.unwrap_or_default().round(bias).into_owned();
            for image in y.as_mut_slice().chunks_mut(bias.len() * area) {
                for (channel, bias) in image.chunks_mut(area).zip(&bias) {
                    channel.iter_mut().for_each(|value| *value += bias);
                }
            }
        }
        Ok(y)
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let (positions, area) = (self.windows.positions(), self.windows.area());
        let mut dx = DMatrix::zeros(if pass.wants_input { pass.x.nrows() } else { 0 }, pass.x.ncols());
        let mut first = 0;
        for (g, linear) in self.groups.iter().enumerate() {
            let columns = self.windows.unfold(&d, g * self.channels, self.channels);
            if pass.wants_input {
                let draws = pass.draws.fold_in(g as u64).each(positions);
                let back = linear.product_back(columns.as_view(), draws)?;
                from_points(&back, positions, first, &mut dx);
            }
            let x = to_points(pass.x, positions, first, linear.tile.shape().inputs);
            first += x.nrows();
            linear.gradients(&group_name(pass.name, g, self.groups.len()), x, columns, positions, into);
        }
        if let Some(bias) = &self.bias {
            let mut sums = vec![0.0; bias.len()];
            for image in d.as_slice().chunks(bias.len() * area) {
                sums.iter_mut()
                    .zip(image.chunks(area))
                    .for_each(|(s, channel)| *s += channel.iter().sum::<f32>());
            }
            into.parameters(pass.part("bias"), sums);
        }
        Ok(dx)
    }
}
