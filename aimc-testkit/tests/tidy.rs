//! The invariants of ARCHITECTURE.md that a program can check.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Crates from the bottom up; each may depend on those before it (the testkit only in tests).
const LAYERS: [&str; 5] = ["aimc-device", "aimc-tile", "aimc-nn", "aimc-train", "aimc-infer"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files below `folder`.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {}", folder.display());
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    LAYERS
        .iter()
        .chain(&["aimc-py", "aimc-testkit", "xtask"])
        .flat_map(|name| sources(&root().join(name)))
        .collect()
}

/// Names of the crates of this workspace under `[table]` of a manifest.
fn dependencies(name: &str, table: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let entries = manifest.get(table).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    entries.keys().filter(|name| name.starts_with("aimc")).cloned().collect()
}

#[test]
fn dependencies_point_downward_only() {
    for (level, name) in LAYERS.iter().enumerate() {
        for dependency in dependencies(name, "dependencies") {
            let below = LAYERS.iter().position(|layer| *layer == dependency);
            assert!(below.is_some_and(|below| below < level), "{name} must not depend on {dependency}");
        }
    }
    let infer = dependencies("aimc-infer", "dependencies");
    assert!(!infer.contains(&"aimc-train".to_owned()), "training and inference do not know each other");
}

/// Below xtask nothing touches files, the clock, the environment, the terminal or global randomness.
#[test]
fn lower_crates_touch_nothing_outside() {
    let forbidden = [
        "std::fs",
        "std::env",
        "std::time",
        "std::process",
        "std::net",
        "println!",
        "eprintln!",
        "thread_rng",
        "rand::rng",
    ];
    for name in LAYERS {
        for (path, text) in sources(&root().join(name).join("src")) {
            for word in forbidden {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for (path, text) in all_sources() {
        assert!(text.starts_with("//!"), "{} must begin with a line of documentation (//!)", path.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines; split it by subject", path.display());
    }
}

/// `unsafe` is allowed in the modules named here, whose documentation proves it sound.
#[test]
fn unsafe_code_stays_where_it_is_proved() {
    for (path, text) in all_sources() {
        let allowed =
            ["aimc-tile/src/matmul.rs", "aimc-device/src/parallel.rs", "aimc-testkit/tests/tidy.rs"]
                .iter()
                .any(|allowed| path.ends_with(allowed));
        assert!(allowed || !text.contains("allow(unsafe_code)"), "{} allows unsafe code", path.display());
    }
}

/// The update loop and the analog product exist once.
#[test]
fn the_hot_loops_exist_once() {
    let count = |needle: &str| {
        let hits = all_sources().into_iter().filter(|(path, text)| {
            text.contains(needle) && path.components().any(|part| part.as_os_str() == "src")
        });
        hits.count()
    };
    assert_eq!(count("pub(crate) fn pulsed_update("), 1);
    assert_eq!(count("impl<D: PulsedDevice> RowPort for"), 1);
    assert_eq!(count("pub struct AnalogMvm"), 1);
}

#[test]
fn documents_name_only_what_exists() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let paths = text.split(['`', '(', ')']).filter(|word| {
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            plain && word.contains('/') && (word.ends_with('/') || word.contains('.'))
        });
        for path in paths.filter(|path| !path.starts_with("out/") && !path.starts_with('.')) {
            assert!(root().join(path).exists(), "{document} names {path}, which does not exist");
        }
    }
}
