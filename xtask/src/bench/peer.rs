//! AIHWKit's side: a Python script that times the same workloads.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{BenchError, Times};

const SCRIPT: &str = include_str!("peer.py");

/// What the script prints.
#[derive(Deserialize)]
struct Printed {
    versions: String,
    seconds: Times,
}

/// Times of the workloads whose names contain `filter`, and what was timed.
pub(super) fn times(python: &Path, seconds: f64, filter: &str) -> Result<(Times, String), BenchError> {
    let threads = rayon::current_num_threads().to_string();
    let printed: Printed = run(python, &[&threads, &seconds.to_string(), filter])?;
    Ok((printed.seconds, printed.versions))
}

/// What the script prints for these arguments.
pub(super) fn run<T: DeserializeOwned>(python: &Path, arguments: &[&str]) -> Result<T, BenchError> {
    let program = python.display().to_string();
    let output = Command::new(python).arg("-c").arg(SCRIPT).args(arguments).output();
    let output = output.map_err(|source| BenchError::Start { program: program.clone(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BenchError::Failed { program, message });
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
