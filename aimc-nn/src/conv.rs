//! Convolution in one to three dimensions, with stride, padding, dilation and groups.
//!
//! ```text
//! y[o, p] = b[o] + Σ_c Σ_k W[o, (c, k)] · x[c, p·stride + k·dilation - padding]
//! ```
//!
//! with output channel o, position p, input channel c of o's group and point k of the kernel. Every position of the
//! kernel is one vector on the tile: W is outputs/groups x (inputs/groups · points), one tile for each group. A depthwise
//! convolution (as many groups as input channels) so has a tile of a single output (or a few) for every channel.
//!
//! Cross-correlation, as in PyTorch: the kernel is not mirrored. Gokmen, Onen & Haensch 2017, "Training Deep Convolutional
//! Neural Networks with Resistive Cross-Point Devices", doi:10.3389/fnins.2017.00538, is the source of the mapping.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile};

use crate::layer::{Layer, Record, Site};
use crate::linear::{Convert, Linear, yes};
use crate::module::{Backward, Gradients, LayerError, Module, Visit, VisitMut, check_features, join};
use crate::window::{Geometry, PerDimension, Windows, from_points, to_points};

/// A convolution over images of shape \[channels, one to three dimensions\].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// Number of output channels.
    pub outputs: usize,
    /// Points of the kernel in each dimension.
    pub kernel: PerDimension,
    /// Distance of neighbouring positions.
    #[serde(default = "one")]
    pub stride: PerDimension,
    /// Zeros around the image.
    #[serde(default = "zero")]
    pub padding: PerDimension,
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

pub(crate) fn one() -> PerDimension {
    PerDimension::All(1)
}

pub(crate) fn zero() -> PerDimension {
    PerDimension::All(0)
}

pub(crate) fn one_group() -> usize {
    1
}

impl ConvConfig {
    /// A convolution with stride 1, without padding, dilation and groups.
    #[must_use]
    pub fn new(outputs: usize, kernel: usize) -> Self {
        let (stride, padding, dilation) = (one(), zero(), one());
        Self { outputs, kernel: kernel.into(), stride, padding, dilation, groups: 1, bias: true }
    }

    fn geometry(&self, inputs: &[usize]) -> Result<Geometry, ConfigError> {
        let size = image(inputs)?.to_vec();
        let n = size.len();
        let geometry = Geometry {
            kernel: self.kernel.numbers("kernel", n)?,
            stride: self.stride.numbers("stride", n)?,
            padding: self.padding.numbers("padding", n)?,
            dilation: self.dilation.numbers("dilation", n)?,
            size,
        };
        geometry.validate()?;
        Ok(geometry)
    }
}

/// The dimensions of space of an image.
pub(crate) fn image(inputs: &[usize]) -> Result<&[usize], ConfigError> {
    let requirement = "needs images of shape [channels, 1 to 3 dimensions], not samples of this shape";
    require::that((2..=4).contains(&inputs.len()), "", inputs, requirement)?;
    Ok(&inputs[1..])
}

/// Refuses groups that do not divide the channels.
pub(crate) fn check_groups(groups: usize, inputs: usize, outputs: usize) -> Result<(), ConfigError> {
    require::at_least_one("groups", groups)?;
    require::at_least_one("outputs", outputs)?;
    for (what, channels) in [("input", inputs), ("output", outputs)] {
        let requirement = format!("must divide the {channels} {what} channels");
        require::that(channels.is_multiple_of(groups), "groups", groups, &requirement)?;
    }
    Ok(())
}

impl Record for ConvConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let positions = self.geometry(inputs)?.positions();
        check_groups(self.groups, inputs[0], self.outputs)?;
        Ok([vec![self.outputs], positions].concat())
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let windows = self.geometry(inputs)?.windows();
        let channels = inputs[0] / self.groups;
        let shape = Shape { outputs: self.outputs / self.groups, inputs: channels * windows.points() };
        let groups = site.groups(self.groups, shape, self.bias)?;
        Ok(Layer::Conv(Conv { groups, windows, channels }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct Conv<T> {
    /// Weights of every group: outputs x (channels, points) each.
    pub groups: Vec<Linear<T>>,
    windows: Windows,
    /// Input channels of a group.
    channels: usize,
}

impl<T> Conv<T> {
    /// The windows that the kernel sees.
    pub(crate) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The same layer with other tiles.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<Conv<U>, E> {
        let groups = map_groups(&self.groups, name, convert)?;
        Ok(Conv { groups, windows: self.windows.clone(), channels: self.channels })
    }
}

/// The name of one of several groups; a single group needs none.
pub(crate) fn group_name(name: &str, g: usize, of: usize) -> String {
    if of == 1 { name.to_owned() } else { join(name, &format!("group{g}")) }
}

pub(crate) fn map_groups<T, U, E>(
    groups: &[Linear<T>],
    name: &str,
    convert: &mut Convert<'_, T, U, E>,
) -> Result<Vec<Linear<U>>, E> {
    let named = groups.iter().enumerate();
    named.map(|(g, linear)| linear.try_map(&group_name(name, g, groups.len()), convert)).collect()
}

pub(crate) fn visit_groups<'a, T>(groups: &'a [Linear<T>], name: &str, visit: &mut Visit<'_, 'a, T>) {
    for (g, linear) in groups.iter().enumerate() {
        linear.visit(&group_name(name, g, groups.len()), visit);
    }
}

pub(crate) fn visit_groups_mut<'a, T>(
    groups: &'a mut [Linear<T>],
    name: &str,
    visit: &mut VisitMut<'_, 'a, T>,
) {
    let of = groups.len();
    for (g, linear) in groups.iter_mut().enumerate() {
        linear.visit_mut(&group_name(name, g, of), visit);
    }
}

impl<T> Module<T> for Conv<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        visit_groups(&self.groups, name, visit);
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        visit_groups_mut(&mut self.groups, name, visit);
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        check_features(x, self.groups.len() * self.channels * self.windows.area())?;
        let positions = self.windows.positions();
        let outputs: usize = self.groups.iter().map(|linear| linear.tile.shape().outputs).sum();
        let mut y = DMatrix::zeros(outputs * positions, x.ncols());
        let mut first = 0;
        for (g, linear) in self.groups.iter().enumerate() {
            let columns = self.windows.unfold(x, g * self.channels, self.channels);
            let out = linear.product(columns.as_view(), draws.fold_in(g as u64).each(positions))?;
            from_points(&out, positions, first, &mut y);
            first += out.nrows();
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
        let positions = self.windows.positions();
        let rows = if pass.wants_input { pass.x.nrows() } else { 0 };
        let mut dx = DMatrix::zeros(rows, pass.x.ncols());
        let mut first = 0;
        for (g, linear) in self.groups.iter().enumerate() {
            let outputs = linear.tile.shape().outputs;
            let d = to_points(&d, positions, first, outputs);
            first += outputs;
            if pass.wants_input {
                let draws = pass.draws.fold_in(g as u64).each(positions);
                let back = linear.product_back(d.as_view(), draws)?;
                self.windows.fold(&back, g * self.channels, self.channels, &mut dx);
            }
            let x = self.windows.unfold(pass.x, g * self.channels, self.channels);
            linear.gradients(&group_name(pass.name, g, self.groups.len()), x, d, positions, into);
        }
        Ok(dx)
    }
}
