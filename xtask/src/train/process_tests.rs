//! `cargo xtask train` as a process: killed at any moment and resumed, at any number of threads, it writes the same bytes.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

const FILES: [&str; 4] = ["results.json", "metrics.csv", "report.html", "model.safetensors"];

/// Long enough to be killed in the middle: some seconds.
const CONFIG: &str = r#"
    [network]
    mlp = { hidden = [64, 32], activation = "tanh" }
    [training]
    epochs = 12
    batch_size = 5
    learning_rate = 0.1
    [tile]
    preset = "GokmenVlasovPreset"
    algorithm = { model = "TikiTakaV2", units_in_mbatch = false, transfer_lr = 0.1 }
"#;

fn command(folder: &Path, out: &str, more: &[&str]) -> Command {
    let path = |name: &str| folder.join(name).display().to_string();
    let (config, out) = (path("train.toml"), path(out));
    let words =
        ["xtask", "train", "--config", &config, "--out", &out].into_iter().chain(more.iter().copied());
    crate::process::command(words)
}

fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Waits until the process has used some of its training; false if it ended before.
fn well_begun(child: &mut Child, checkpoint: &Path, wait: Duration) -> bool {
    let begin = Instant::now();
    while !checkpoint.exists() || begin.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no checkpoint in a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

fn assert_same(folder: &Path, out: &str) {
    for file in FILES {
        let [a, b] = ["whole", out].map(|out| fs::read(folder.join(out).join(file)).unwrap());
        assert!(a == b, "{file} of {out} differs");
    }
}

#[test]
fn a_killed_training_goes_on_and_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("train.toml"), CONFIG).unwrap();
    finish(&mut command(folder, "whole", &["--threads", "1"]));
    finish(&mut command(folder, "threads", &["--threads", "2"]));
    assert_same(folder, "threads");

    // Once right after the first checkpoint, then wherever it happens to be.
    let checkpoint = folder.join("killed/checkpoint.safetensors");
    let mut killed = 0;
    for (begin, wait) in [("--restart", 0), ("--resume", 150), ("--resume", 700)] {
        let mut child = command(folder, "killed", &["--threads", "2", begin]).spawn().unwrap();
        if well_begun(&mut child, &checkpoint, Duration::from_millis(wait)) {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
    }
    assert!(killed >= 2, "the training is too short to be killed in the middle");
    finish(&mut command(folder, "killed", &["--threads", "2", "--resume"]));
    assert_same(folder, "killed");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Far too many epochs to end by itself.
    fs::write(folder.join("train.toml"), CONFIG.replace("epochs = 12", "epochs = 100000")).unwrap();
    let checkpoint = folder.join("stopped/checkpoint.safetensors");
    let mut child = command(folder, "stopped", &[]).spawn().unwrap();
    assert!(well_begun(&mut child, &checkpoint, Duration::from_millis(100)));
    let first = fs::read(&checkpoint).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("go on with the same command and --resume"), "{message}");
    assert!(fs::read(&checkpoint).unwrap() != first, "what was done since the first checkpoint is kept");
    assert!(!folder.join("stopped/results.json").exists());

    let refused = command(folder, "stopped", &[]).output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("go on with --resume"), "{message}");
}
