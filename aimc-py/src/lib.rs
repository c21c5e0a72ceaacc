//! The tiles of aimc for Python: bindings without physics.
//!
//! Everything here calls the crates below. A row-major [batch, features] array is the column-per-sample matrix that tiles take, so
//! that nothing is copied on the way in; results are handed over with their memory. The interpreter is released during all work.
//! Refusals are `ValueError` with the text of the typed error, wrong types `TypeError`.

mod arrays;
mod calibration;
mod config;
mod errors;
mod inference;
mod tile;
mod windows;
mod work;

use pyo3::prelude::*;

/// The system's gives memory of millions of cells back as soon as it is free, and fetches it anew page by page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The module `aimc._native`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::calibration::calibrate;
    #[pymodule_export]
    use crate::config::{build_config, ideal_tile, preset_names, resolve, schema};
    #[pymodule_export]
    use crate::inference::{Chip, Programmed, summarise};
    #[pymodule_export]
    use crate::tile::Tile;
    #[pymodule_export]
    use crate::windows::Windows;
    #[pymodule_export]
    use crate::work::set_num_threads;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::work::remember_process();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
