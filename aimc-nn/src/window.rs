//! Windows that slide over an image: the index arithmetic of convolution and pooling.
//!
//! An image has channels and one to three dimensions of space; a sample holds it channel by channel, the last dimension
//! fastest. A window of `kernel` points, `dilation` apart, moves in steps of `stride` over the image with `padding`
//! zeros at either end. The number of positions in one dimension is
//!
//! ```text
//! L = ⌊(size + 2·padding - dilation·(kernel - 1) - 1)/stride⌋ + 1
//! ```
//!
//! [`Windows::unfold`] copies the points under each window into a column, [`Windows::fold`] is its transpose: it adds
//! the columns back into an image. Convolution is a product with unfolded windows (Chellapilla, Puri & Simard 2006,
//! "High performance convolutional neural networks for document processing").

use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One number for each dimension, or one number for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerDimension {
    /// The same in all dimensions.
    All(usize),
    /// One for each.
    Each(Vec<usize>),
}

impl From<usize> for PerDimension {
    fn from(value: usize) -> Self {
        Self::All(value)
    }
}

impl PerDimension {
    /// The numbers of `dimensions` dimensions.
    pub fn numbers(&self, field: &str, dimensions: usize) -> Result<Vec<usize>, ConfigError> {
        match self {
            Self::All(value) => Ok(vec![*value; dimensions]),
            Self::Each(values) => {
                let requirement = format!("must have one entry per dimension of the image: {dimensions}");
                require::that(values.len() == dimensions, field, values, &requirement)?;
                Ok(values.clone())
            }
        }
    }
}

/// Size and movement of a window, one number per dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Points of the image.
    pub size: Vec<usize>,
    /// Points of the window.
    pub kernel: Vec<usize>,
    /// Distance of neighbouring windows.
    pub stride: Vec<usize>,
    /// Zeros added at either end.
    pub padding: Vec<usize>,
    /// Distance of neighbouring points of a window.
    pub dilation: Vec<usize>,
}

impl Geometry {
    /// Refuses zeros, more than three dimensions and windows larger than the padded image.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let dimensions = self.size.len();
        require::that(
            (1..=3).contains(&dimensions),
            "size",
            &self.size,
            "must have 1 to 3 dimensions of space",
        )?;
        let lists = [("kernel", &self.kernel), ("stride", &self.stride), ("dilation", &self.dilation)];
        for (name, list) in lists {
            for (i, value) in list.iter().enumerate() {
                require::at_least_one(&format!("{name}[{i}]"), *value)?;
            }
        }
        for i in 0..dimensions {
            let padded = self.size[i] + 2 * self.padding[i];
            let spanned = self.dilation[i] * (self.kernel[i] - 1) + 1;
            let requirement =
                format!("spans {spanned} points, which must fit into the padded image of {padded}");
            require::that(spanned <= padded, &format!("kernel[{i}]"), self.kernel[i], &requirement)?;
        }
        Ok(())
    }

    /// Number of positions of the window in each dimension.
    #[must_use]
    pub fn positions(&self) -> Vec<usize> {
        (0..self.size.len())
            .map(|i| {
                let spanned = self.dilation[i] * (self.kernel[i] - 1) + 1;
                (self.size[i] + 2 * self.padding[i] - spanned) / self.stride[i] + 1
            })
            .collect()
    }

    /// The windows of this geometry.
    #[must_use]
    pub fn windows(&self) -> Windows {
        let positions = self.positions();
        let points = self.kernel.iter().product();
        let mut sources = Vec::with_capacity(positions.iter().product::<usize>() * points);
        for position in grid(&positions) {
            for point in grid(&self.kernel) {
                sources.push(self.source(&position, &point));
            }
        }
        Windows { area: self.size.iter().product(), kernel: self.kernel.clone(), points, sources }
    }

    /// Index in the channel of one point of the window at one position; [`NONE`] in the padding.
    fn source(&self, position: &[usize], point: &[usize]) -> u32 {
        let mut index = 0;
        for i in 0..self.size.len() {
            let at = position[i] * self.stride[i] + point[i] * self.dilation[i];
            match at.checked_sub(self.padding[i]) {
                Some(at) if at < self.size[i] => index = index * self.size[i] + at,
                _ => return NONE,
            }
        }
        index as u32
    }
}

/// All points of a grid, the last dimension fastest.
pub(crate) fn grid(sizes: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..sizes.iter().product()).map(move |mut flat: usize| {
        let mut point = vec![0; sizes.len()];
        for (value, size) in point.iter_mut().zip(sizes).rev() {
            (*value, flat) = (flat % size, flat / size);
        }
        point
    })
}

/// A point that lies in the padding.
pub const NONE: u32 = u32::MAX;

/// For every position of a window and every point in it, where the point lies in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    area: usize,
    kernel: Vec<usize>,
    points: usize,
    sources: Vec<u32>,
}

impl Windows {
    /// Points of one channel of the image.
    #[must_use]
    pub fn area(&self) -> usize {
        self.area
    }

    /// Points of one window in each dimension.
    #[must_use]
    pub fn kernel(&self) -> &[usize] {
        &self.kernel
    }

    /// Points of one window.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Number of positions.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.sources.len() / self.points
    }

    /// The points of one position, [`NONE`] where they lie in the padding.
    #[must_use]
    pub fn at(&self, position: usize) -> &[u32] {
        &self.sources[position * self.points..][..self.points]
    }

    /// The windows of `channels` channels from `first` on, a column each: channels·points x batch·positions, sample
    /// after sample.
    #[must_use]
    pub fn unfold(&self, x: &DMatrix<f32>, first: usize, channels: usize) -> DMatrix<f32> {
        let (points, positions) = (self.points, self.positions());
        let mut out = DMatrix::zeros(channels * points, positions * x.ncols());
        let height = channels * points;
        each_sample(out.as_mut_slice(), height * positions, |sample, columns| {
            let image = &x.as_slice()[sample * x.nrows()..][..x.nrows()];
            for (column, sources) in columns.chunks_mut(height).zip(self.sources.chunks(points)) {
                for (c, part) in column.chunks_mut(points).enumerate() {
                    let channel = &image[(first + c) * self.area..][..self.area];
                    for (value, &source) in part.iter_mut().zip(sources) {
                        // The padding is out of range of every channel.
                        *value = channel.get(source as usize).copied().unwrap_or(0.0);
                    }
                }
            }
        });
        out
    }

    /// Adds columns such as [`Windows::unfold`] gives into the channels from `first` on of images.
    pub fn fold(&self, columns: &DMatrix<f32>, first: usize, channels: usize, into: &mut DMatrix<f32>) {
        let (points, height, rows) = (self.points, channels * self.points, into.nrows());
        let per_sample = height * self.positions();
        each_sample(into.as_mut_slice(), rows, |sample, image| {
            let columns = &columns.as_slice()[sample * per_sample..][..per_sample];
            for (column, sources) in columns.chunks(height).zip(self.sources.chunks(points)) {
                for (c, part) in column.chunks(points).enumerate() {
                    let channel = &mut image[(first + c) * self.area..][..self.area];
                    for (value, &source) in part.iter().zip(sources) {
                        if let Some(sum) = channel.get_mut(source as usize) {
                            *sum += value;
                        }
                    }
                }
            }
        });
    }
}

/// The channels from `first` on of images of `area` points, a column for each point: channels x batch·area.
#[must_use]
pub fn to_points(x: &DMatrix<f32>, area: usize, first: usize, channels: usize) -> DMatrix<f32> {
    let mut out = DMatrix::zeros(channels, area * x.ncols());
    each_sample(out.as_mut_slice(), channels * area, |sample, columns| {
        let image = &x.as_slice()[sample * x.nrows()..][..x.nrows()];
        for c in 0..channels {
            let channel = &image[(first + c) * area..][..area];
            channel.iter().enumerate().for_each(|(p, value)| columns[p * channels + c] = *value);
        }
    });
    out
}

/// The inverse of [`to_points`]: writes the columns into the channels from `first` on.
pub fn from_points(columns: &DMatrix<f32>, area: usize, first: usize, into: &mut DMatrix<f32>) {
    let (channels, rows) = (columns.nrows(), into.nrows());
    each_sample(into.as_mut_slice(), rows, |sample, image| {
        let columns = &columns.as_slice()[sample * channels * area..][..channels * area];
        for c in 0..channels {
            let channel = &mut image[(first + c) * area..][..area];
            channel.iter_mut().enumerate().for_each(|(p, value)| *value = columns[p * channels + c]);
        }
    });
}

/// Fills what belongs to each sample, `size` numbers; samples may go to different threads.
fn each_sample(list: &mut [f32], size: usize, fill: impl Fn(usize, &mut [f32]) + Sync + Send) {
    parallel::each_chunk(list.len(), list, size, |(sample, list)| fill(sample, list));
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    fn geometry() -> impl Strategy<Value = Geometry> {
        let dimension = (1_usize..7, 1_usize..4, 1_usize..4, 0_usize..3, 1_usize..3);
        prop::collection::vec(dimension, 1..=3).prop_map(|dimensions| Geometry {
            size: dimensions.iter().map(|d| d.0).collect(),
            kernel: dimensions.iter().map(|d| d.1).collect(),
            stride: dimensions.iter().map(|d| d.2).collect(),
            padding: dimensions.iter().map(|d| d.3).collect(),
            dilation: dimensions.iter().map(|d| d.4).collect(),
        })
    }

    fn whole_numbers(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
        let mut draws = aimc_device::RngKey::root(seed).stream(0);
        DMatrix::from_fn(rows, columns, |_, _| draws.below(9) as f32 - 4.0)
    }

    /// Column p of the unfolded image: the points under the kernel at position p, 0 in the padding.
    #[test]
    fn by_hand() {
        let geometry = Geometry {
            size: vec![2, 3],
            kernel: vec![2, 2],
            stride: vec![1, 1],
            padding: vec![0, 1],
            dilation: vec![1, 1],
        };
        assert_eq!(geometry.positions(), [1, 4]);
        let windows = geometry.windows();
        let x = DMatrix::from_column_slice(6, 1, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let columns = windows.unfold(&x, 0, 1);
        assert_eq!(columns.column(0).as_slice(), [0.0, 1.0, 0.0, 4.0]);
        assert_eq!(columns.column(1).as_slice(), [1.0, 2.0, 4.0, 5.0]);
        assert_eq!(columns.column(3).as_slice(), [3.0, 0.0, 6.0, 0.0]);
    }

    proptest! {
        #![proptest_config(strategies::config(128))]

        /// ⟨unfold x, c⟩ = ⟨x, fold c⟩; with small whole numbers exactly.
        #[test]
        fn fold_is_the_transpose_of_unfold(geometry in geometry(), seed in strategies::seed()) {
            prop_assume!(geometry.validate().is_ok());
            let windows = geometry.windows();
            let x = whole_numbers(3 * windows.area(), 2, seed);
            let columns = whole_numbers(2 * windows.points(), 2 * windows.positions(), seed ^ 1);
            let mut folded = DMatrix::zeros(x.nrows(), 2);
            windows.fold(&columns, 1, 2, &mut folded);
            prop_assert_eq!(windows.unfold(&x, 1, 2).dot(&columns), x.dot(&folded));
        }

        /// from_points(to_points(x)) = x.
        #[test]
        fn points_go_back_where_they_came_from(area in 1_usize..9, channels in 1_usize..4, seed in strategies::seed()) {
            let x = whole_numbers(channels * area, 3, seed);
            let mut back = DMatrix::zeros(channels * area, 3);
            from_points(&to_points(&x, area, 0, channels), area, 0, &mut back);
            prop_assert_eq!(back, x);
        }
    }
}
