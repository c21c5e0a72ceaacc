//! Convolution as products: windows of images become vectors, group by group of channels.

use aimc_nn::window::{self, Geometry};
use nalgebra::{DMatrix, DMatrixView};
use numpy::PyArray2;
use pyo3::prelude::*;

use crate::arrays::{Vectors, columns, rows};
use crate::errors::refused;
use crate::work::detached;

/// Windows over images of a fixed size, see [`aimc_nn::window`]. Images are [batch, channels·area], vectors [batch·positions, …].
#[pyclass(frozen, module = "aimc._native")]
#[derive(Debug)]
pub(crate) struct Windows {
    windows: window::Windows,
    area: usize,
    positions: Vec<usize>,
    groups: usize,
}

impl Windows {
    /// Channels of one group.
    fn channels(&self, what: &str, numbers: usize, area: usize) -> PyResult<usize> {
        let channels = numbers / (area * self.groups);
        if channels == 0 || channels * area * self.groups != numbers {
            let groups = self.groups;
            return Err(refused(format!(
                "{what} has {numbers} numbers per sample, which are no channels of {area} points in {groups} groups"
            )));
        }
        Ok(channels)
    }
}

#[pymethods]
impl Windows {
    /// Refuses what [`Geometry::validate`] refuses.
    #[new]
    fn new(
        size: Vec<usize>,
        kernel: Vec<usize>,
        stride: Vec<usize>,
        padding: Vec<usize>,
        dilation: Vec<usize>,
        groups: usize,
    ) -> PyResult<Self> {
        let dimensions = size.len();
        if [&kernel, &stride, &padding, &dilation].iter().any(|list| list.len() != dimensions) {
            return Err(refused(format!(
                "kernel, stride, padding and dilation must have {dimensions} entries"
            )));
        }
        if groups == 0 {
            return Err(refused("groups = 0: must be at least 1"));
        }
        let area = size.iter().product();
        let geometry = Geometry { size, kernel, stride, padding, dilation };
        geometry.validate().map_err(refused)?;
        Ok(Self { windows: geometry.windows(), area, positions: geometry.positions(), groups })
    }

    /// Positions of the window in each dimension.
    #[getter]
    fn positions(&self) -> Vec<usize> {
        self.positions.clone()
    }

    /// The vectors under the windows, for each group.
    fn unfold<'py>(&self, py: Python<'py>, x: Vectors<'py>) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let cut = |x: &_, first, channels| self.windows.unfold(x, first, channels);
        self.each_group(py, ("x", &x), self.area, cut)
    }

    /// The transpose of `unfold`: adds vectors into `batch` images.
    fn fold<'py>(
        &self,
        py: Python<'py>,
        vectors: Vec<Vectors<'py>>,
        batch: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let groups = self.views(&vectors, batch)?;
        let channels = groups.first().map_or(0, |first| first.nrows() / self.windows.points());
        if groups.iter().any(|vectors| vectors.nrows() != channels * self.windows.points()) || channels == 0 {
            return Err(refused("vectors must have as many numbers as a window of whole channels"));
        }
        self.images_of(py, &groups, (channels * self.area, batch), |vectors, g, images| {
            self.windows.fold(vectors, g * channels, channels, images);
        })
    }

    /// Images of the size of the positions as vectors, one for each position, for each group.
    fn to_points<'py>(
        &self,
        py: Python<'py>,
        images: Vectors<'py>,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let area = self.positions.iter().product();
        let cut = |images: &_, first, channels| window::to_points(images, area, first, channels);
        self.each_group(py, ("images", &images), area, cut)
    }

    /// The inverse of `to_points`.
    fn images<'py>(
        &self,
        py: Python<'py>,
        vectors: Vec<Vectors<'py>>,
        batch: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let groups = self.views(&vectors, batch)?;
        let channels = groups.first().map_or(0, |first| first.nrows());
        if groups.iter().any(|vectors| vectors.nrows() != channels) {
            return Err(refused("the groups must have equally many outputs"));
        }
        let area: usize = self.positions.iter().product();
        self.images_of(py, &groups, (channels * area, batch), |vectors, g, images| {
            window::from_points(vectors, area, g * channels, images);
        })
    }
}

impl Windows {
    /// What `cut` makes of the images (their name in messages, and they) for each group, told by its first channel and their number;
    /// `area` points to a channel.
    fn each_group<'py>(
        &self,
        py: Python<'py>,
        (what, images): (&str, &Vectors<'py>),
        area: usize,
        cut: impl Fn(&DMatrix<f32>, usize, usize) -> DMatrix<f32> + Send + Sync,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let images = columns(what, images)?;
        let channels = self.channels(what, images.nrows(), area)?;
        let vectors = detached(py, || {
            let images = images.into_owned();
            Ok::<Vec<_>, String>((0..self.groups).map(|g| cut(&images, g * channels, channels)).collect())
        })?;
        vectors.into_iter().map(|vectors| rows(py, vectors)).collect()
    }

    /// Images into which `put` brings the vectors of each group, told by its number: `numbers` of a group in an image, `batch` images.
    fn images_of<'py>(
        &self,
        py: Python<'py>,
        groups: &[DMatrixView<'_, f32>],
        (numbers, batch): (usize, usize),
        put: impl Fn(&DMatrix<f32>, usize, &mut DMatrix<f32>) + Send + Sync,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let images = detached(py, || {
            let mut images = DMatrix::zeros(self.groups * numbers, batch);
            for (g, vectors) in groups.iter().enumerate() {
                put(&vectors.into_owned(), g, &mut images);
            }
            Ok::<_, String>(images)
        })?;
        rows(py, images)
    }

    /// The vectors of all groups, `batch` times the positions each.
    fn views<'a>(&self, vectors: &'a [Vectors<'_>], batch: usize) -> PyResult<Vec<DMatrixView<'a, f32>>> {
        let count = batch * self.positions.iter().product::<usize>();
        let views: Vec<_> = vectors.iter().map(|v| columns("vectors", v)).collect::<PyResult<_>>()?;
        if views.len() != self.groups || views.iter().any(|v| v.ncols() != count) {
            return Err(refused(format!("there must be {} groups of {count} vectors", self.groups)));
        }
        Ok(views)
    }
}
