//! Arrays of NumPy as matrices and back.

use nalgebra::{DMatrix, DMatrixView};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::errors::refused;

/// Single-precision vectors, [batch, features].
pub(crate) type Vectors<'py> = PyReadonlyArray2<'py, f32>;

/// One number per output.
pub(crate) type Numbers<'py> = PyReadonlyArray1<'py, f32>;

/// [batch, features] as features x batch, without a copy.
pub(crate) fn columns<'a>(what: &str, array: &'a Vectors<'_>) -> PyResult<DMatrixView<'a, f32>> {
    // A slice of the memory of a transposed array would be taken for rows.
    let slice = if array.is_c_contiguous() { array.as_slice().ok() } else { None };
    let slice = slice.ok_or_else(|| refused(format!("{what} must be contiguous, row by row")))?;
    let [batch, features] = array.dims().into_pattern();
    Ok(DMatrixView::from_slice(slice, features, batch))
}

/// A weight matrix, [outputs, inputs].
pub(crate) fn weights(what: &str, array: &Vectors<'_>) -> PyResult<DMatrix<f32>> {
    Ok(columns(what, array)?.transpose())
}

/// Numbers as a list.
pub(crate) fn list(what: &str, array: &Numbers<'_>) -> PyResult<Vec<f32>> {
    let slice = array.as_slice().map_err(|_| refused(format!("{what} must be contiguous")))?;
    Ok(slice.to_vec())
}

/// features x batch as [batch, features], with its memory.
pub(crate) fn rows(py: Python<'_>, matrix: DMatrix<f32>) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let (features, batch) = matrix.shape();
    let values: Vec<f32> = matrix.data.into();
    PyArray1::from_vec(py, values).reshape([batch, features])
}

/// A weight matrix as [outputs, inputs].
pub(crate) fn weight_rows<'py>(
    py: Python<'py>,
    matrix: &DMatrix<f32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    rows(py, matrix.transpose())
}

/// The sizes of an array of two dimensions.
trait IntoPattern {
    fn into_pattern(self) -> [usize; 2];
}

impl IntoPattern for numpy::Ix2 {
    fn into_pattern(self) -> [usize; 2] {
        [self[0], self[1]]
    }
}
