//! Work outside the interpreter: other Python threads go on, a panic becomes an exception, forked processes have threads.

use std::fmt::Display;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::refused;

/// The process whose global threads are alive: one that was forked off it has none of them.
static HOME: OnceLock<u32> = OnceLock::new();

/// Threads that were asked for; 0 for one per core.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Threads other than the global ones, with the process and the number they were made for.
static POOL: Mutex<Option<(u32, usize, Arc<ThreadPool>)>> = Mutex::new(None);

/// Notes the process that loads the module.
pub(crate) fn remember_process() {
    HOME.get_or_init(process::id);
}

/// Sets the number of threads for tiles, 0 for one per core. Results do not depend on it.
#[pyfunction]
pub(crate) fn set_num_threads(threads: usize) {
    WANTED.store(threads, Ordering::Relaxed);
}

/// The threads to work on; `None` for the global ones.
fn pool() -> PyResult<Option<Arc<ThreadPool>>> {
    let (here, wanted) = (process::id(), WANTED.load(Ordering::Relaxed));
    if wanted == 0 && HOME.get() == Some(&here) {
        return Ok(None);
    }
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match pool.take() {
        Some((process, threads, built)) if process == here && threads == wanted => {
            *pool = Some((process, threads, built.clone()));
            return Ok(Some(built));
        }
        // Threads of another process cannot be ended from here.
        Some((process, _, stale)) if process != here => mem::forget(stale),
        _ => {}
    }
    let built = ThreadPoolBuilder::new().num_threads(wanted).build();
    let built = Arc::new(built.map_err(|error| PyRuntimeError::new_err(error.to_string()))?);
    *pool = Some((here, wanted, built.clone()));
    Ok(Some(built))
}

/// Does `work` with the interpreter released.
pub(crate) fn detached<T: Send, E: Display + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    let pool = pool()?;
    let caught = py.detach(|| {
        let work = || catch_unwind(AssertUnwindSafe(work));
        match &pool {
            None => work(),
            Some(pool) => pool.install(work),
        }
    });
    match caught {
        Ok(outcome) => outcome.map_err(refused),
        Err(_) => {
            Err(PyRuntimeError::new_err("aimc failed inside, which is a mistake of its own; see stderr"))
        }
    }
}
