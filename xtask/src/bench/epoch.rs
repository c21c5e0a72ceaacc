//! A whole process that trains one epoch: start, data, 64-48-10 network in batches of 10 on the devices of Gokmen & Vlasov.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use super::{BenchError, median, peer};
use crate::data::{self, DataChoice};

/// Name of the workload.
pub(super) const NAME: &str = "process/digits_epoch";

/// The same network and training as `peer.py` has.
const CONFIG: &str = r#"
[network]
mlp = { hidden = [48], activation = "sigmoid" }
[training]
epochs = 1
batch_size = 10
learning_rate = 0.3
[tile]
preset = "GokmenVlasovPreset"
"#;

/// Processes timed; the median counts.
const PROCESSES: usize = 5;

/// Our seconds, the report and checkpoints that `train` writes included.
pub(super) fn ours() -> Result<f64, BenchError> {
    let folder = folder()?;
    let config = folder.path().join("epoch.toml");
    write(&config, CONFIG.as_bytes())?;
    let program = std::env::current_exe();
    let program =
        program.map_err(|source| BenchError::Start { program: "this program".to_owned(), source })?;
    let threads = rayon::current_num_threads().to_string();
    median_of(|round| {
        let out = folder.path().join(format!("out{round}"));
        let mut command = Command::new(&program);
        command.args(["--threads", &threads, "train", "--config"]).arg(&config).arg("--out").arg(out);
        let output = command.output();
        let name = program.display().to_string();
        let output = output.map_err(|source| BenchError::Start { program: name.clone(), source })?;
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(BenchError::Failed { program: name, message }) }
    })
}

/// Seconds of the same in Python.
pub(super) fn theirs(python: &Path) -> Result<f64, BenchError> {
    let folder = folder()?;
    let train = data::load(&DataChoice::Digits)?.train;
    let labels: Vec<u8> = train.labels().iter().flat_map(|&label| (label as i64).to_le_bytes()).collect();
    let features: Vec<u8> = train.features().iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape = json!([train.len(), train.feature_count()]).to_string();
    for (name, bytes) in [("x.f32", &features), ("labels.i64", &labels), ("shape.json", &shape.into_bytes())]
    {
        write(&folder.path().join(name), bytes)?;
    }
    let (place, threads) = (folder.path().display().to_string(), rayon::current_num_threads().to_string());
    median_of(|_| peer::run::<f64>(python, &["epoch", &place, &threads]).map(|_| ()))
}

fn median_of(mut process: impl FnMut(usize) -> Result<(), BenchError>) -> Result<f64, BenchError> {
    let times = (0..PROCESSES).map(|round| {
        let start = Instant::now();
        process(round).map(|()| start.elapsed().as_secs_f64())
    });
    Ok(median(times.collect::<Result<_, _>>()?))
}

fn folder() -> Result<tempfile::TempDir, BenchError> {
    tempfile::tempdir().map_err(|source| BenchError::File { path: std::env::temp_dir(), source })
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), BenchError> {
    std::fs::write(path, bytes).map_err(|source| BenchError::File { path: path.clone(), source })
}
