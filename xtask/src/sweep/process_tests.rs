//! `cargo xtask sweep` as a process: killed at any moment, in parts, at any number of threads, it writes the same bytes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::tests::SWEEP;

const FILES: [&str; 7] =
    ["report.html", "results.json", "runs.csv", "runs.parquet", "points.csv", "points.parquet", "pareto.csv"];

fn command(folder: &Path, out: &str, more: &[&str]) -> Command {
    let file = folder.join("sweep.toml").display().to_string();
    let out = folder.join(out).display().to_string();
    let words = ["xtask", "sweep", &file, "--out", &out].into_iter().chain(more.iter().copied());
    crate::process::command(words)
}

fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn assert_same(folder: &Path, out: &str) {
    for file in FILES {
        let [a, b] = ["whole", out].map(|out| fs::read(folder.join(out).join(file)).unwrap());
        assert!(a == b, "{file} of {out} differs");
    }
}

/// Results of finished runs and when they were written.
fn finished(cache: &Path) -> HashMap<PathBuf, SystemTime> {
    let Ok(entries) = fs::read_dir(cache) else { return HashMap::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let results = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    results.map(|path| (path.clone(), fs::metadata(&path).unwrap().modified().unwrap())).collect()
}

/// Longer runs, of which some are cut in the middle.
fn long_sweep() -> String {
    SWEEP.replace("epochs = 2", "epochs = 12")
}

#[test]
fn a_killed_sweep_repeats_nothing_and_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.toml"), long_sweep()).unwrap();
    finish(&mut command(folder, "whole", &["--threads", "1"]));
    let all = finished(&folder.join("whole/cache")).len();

    let cache = folder.join("killed/cache");
    let mut killed = 0;
    // One run more each time, then some milliseconds into the next.
    for (runs, wait) in [(1, 0), (2, 30), (4, 80)] {
        let before = finished(&cache);
        let mut child = command(folder, "killed", &["--threads", "2"]).spawn().unwrap();
        let begin = Instant::now();
        while finished(&cache).len() < runs && child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(120), "no run is done in two minutes");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(wait));
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let after = finished(&cache);
        assert!(
            before.iter().all(|(path, time)| after.get(path) == Some(time)),
            "a finished run was repeated"
        );
    }
    assert!(killed >= 2, "the sweep is too short to be killed in the middle");
    let before = finished(&cache);
    assert!(before.len() < all, "nothing is left to do");
    finish(&mut command(folder, "killed", &["--threads", "2"]));
    let after = finished(&cache);
    assert!(before.iter().all(|(path, time)| after.get(path) == Some(time)), "a finished run was repeated");
    assert_eq!(after.len(), all);
    assert_same(folder, "killed");
}

#[test]
fn parts_join_to_the_same_table_and_are_refused_while_one_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.toml"), SWEEP).unwrap();
    finish(&mut command(folder, "whole", &[]));
    let cache = folder.join("shared").display().to_string();
    let part = |more: &[&str]| command(folder, "joined", &[&["--cache", &cache], more].concat());
    finish(&mut part(&["--shard", "1/3"]));
    let refused = part(&["--join"]).output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("runs are missing"), "{message}");
    finish(&mut part(&["--shard", "2/3"]));
    finish(&mut part(&["--shard", "3/3"]));
    assert!(!folder.join("joined/runs.csv").exists(), "a part writes no table");
    finish(&mut part(&["--join"]));
    assert_same(folder, "joined");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sweep.toml"), SWEEP.replace("epochs = 2", "epochs = 100000")).unwrap();
    let child = command(folder, "stopped", &["--threads", "2"]).stdout(Stdio::null()).spawn().unwrap();
    let cache = folder.join("stopped/cache");
    let begin = Instant::now();
    // The first checkpoint of a run.
    let begun = || fs::read_dir(&cache).is_ok_and(|mut entries| entries.next().is_some());
    while !begun() {
        assert!(begin.elapsed() < Duration::from_secs(60), "no run has begun in a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted; 0 of 8 runs are done"), "{message}");
    assert!(!folder.join("stopped/runs.csv").exists());
}
