//! Results of runs on the disk, each under the hash of everything that determines it.
//!
//! The address is SHA-256 of program, version, command, complete configuration, and checksums of the data and the network. An entry
//! also holds these in full; it is written whole or not at all ([`crate::files`]), and one that is damaged or is another's is
//! computed anew. A program that was changed without a new version needs a new folder.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::command::{Job, JobError};
use crate::files::Outputs;
use crate::report::PROGRAM;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a run is, and where its results lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The hash of `what`.
    pub(crate) hash: String,
    what: Value,
}

impl Entry {
    /// The entry of a run.
    pub(crate) fn of(command: &str, job: &dyn Job) -> Self {
        let what = json!({ "program": PROGRAM, "command": command, "identity": job.identity() });
        Self { hash: hash(what.to_string().as_bytes()), what }
    }
}

impl Cache {
    /// The cache in a folder, which need not be there yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The results of a run, if they are there.
    pub(crate) fn get(&self, entry: &Entry) -> Option<Value> {
        let bytes = std::fs::read(self.folder.join(name(entry))).ok()?;
        let mut found: Value = serde_json::from_slice(&bytes).ok()?;
        (found.get("run") == Some(&entry.what)).then(|| found["results"].take())
    }

    /// The results of `job`, which is run unless they are there; none if Ctrl-C stops it.
    pub(crate) fn run(&self, entry: &Entry, job: &dyn Job) -> Result<Option<Value>, JobError> {
        if let Some(known) = self.get(entry) {
            return Ok(Some(known));
        }
        let scratch = self.folder.join(&entry.hash);
        let Some(results) = job.run(&scratch)? else { return Ok(None) };
        let text = json!({ "run": entry.what, "results": results }).to_string() + "\n";
        let mut outputs = Outputs::new();
        outputs.add(name(entry), text);
        outputs.commit(&self.folder)?;
        remove(&scratch)?;
        Ok(Some(results))
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn name(entry: &Entry) -> String {
    format!("{}.json", entry.hash)
}

/// Removes a folder that may not be there.
fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counted {
        identity: Value,
        runs: AtomicUsize,
    }

    impl Job for Counted {
        fn identity(&self) -> &Value {
            &self.identity
        }

        fn check(&self) -> Result<(), JobError> {
            Ok(())
        }

        fn run(&self, scratch: &Path) -> Result<Option<Value>, JobError> {
            std::fs::create_dir_all(scratch)?;
            self.runs.fetch_add(1, Ordering::Relaxed);
            Ok(Some(json!({ "loss": 0.1 })))
        }
    }

    /// The test vector of FIPS 180-2, appendix B.1.
    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_run_is_done_once_and_a_damaged_entry_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        let job = Counted { identity: json!({ "seed": 1 }), runs: 0.into() };
        let entry = Entry::of("train", &job);
        assert_eq!(cache.get(&entry), None);
        for _ in 0..2 {
            cache.run(&entry, &job).unwrap().unwrap();
            assert_eq!(cache.get(&entry), Some(json!({ "loss": 0.1 })));
        }
        assert_eq!(job.runs.load(Ordering::Relaxed), 1);
        let path = cache.folder().join(name(&entry));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!cache.folder().join(&entry.hash).exists(), "the folder of the run is gone");
        for damaged in [&text[..text.len() / 2], &text.replace("\"seed\":1", "\"seed\":2")] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get(&entry), None);
        }
        cache.run(&entry, &job).unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        let other = Counted { identity: json!({ "seed": 2 }), runs: 0.into() };
        assert_ne!(Entry::of("train", &other).hash, entry.hash);
        assert_ne!(Entry::of("infer", &job).hash, entry.hash);
    }
}
