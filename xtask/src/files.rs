//! Results reach the disk all together or not at all.
//!
//! [`Outputs`] collects files in memory; [`Outputs::commit`] writes each to a temporary file in the target folder,
//! forces them to the disk, and only then moves them to their names. When a step fails, temporary files vanish,
//! files that were replaced come back, and folders that were made for the occasion go.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use tempfile::{Builder, NamedTempFile, TempPath};
use thiserror::Error;

use crate::interrupt;

/// Visible in a listing, should the machine lose power in the middle of a commit.
const PREFIX: &str = ".aimc-part-";

/// Folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Why results could not be written.
#[derive(Debug, Error)]
pub(crate) enum OutputError {
    /// The folder cannot be made or used.
    #[error("folder {} cannot be written: {source}; give another output folder or mend this one", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}; nothing was changed", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file could neither be written nor the earlier state be brought back.
    #[error(
        "{} cannot be written: {source}; then {} could not be put back ({undo}), so check that folder",
        path.display(),
        undo_path.display()
    )]
    Undo {
        /// The file that failed.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
        /// The file that could not be put back.
        undo_path: PathBuf,
        /// What the operating system says to that.
        undo: io::Error,
    },
    /// A name that is more than the name of a file.
    #[error("output name \"{0}\" is not a plain file name; leave out folders, \"..\" and the empty name")]
    Name(String),
    /// Two outputs of the same name.
    #[error("output name \"{0}\" comes twice; every file needs its own name")]
    Duplicate(String),
}

/// Files to be written together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outputs {
    files: Vec<(String, Vec<u8>)>,
}

impl Outputs {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a file; the name is checked by [`Self::commit`].
    pub(crate) fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.files.push((name.into(), bytes.into()));
        self
    }

    /// Names in the order they were added.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// As [`Outputs::commit`], then says where the files are and how long the command has taken since `start`.
    pub(crate) fn finish(&self, dir: &Path, start: Instant) -> Result<(), OutputError> {
        let written = self.commit(dir)?;
        println!("\nDone in {:.0} s. Written:", start.elapsed().as_secs_f64());
        written.iter().for_each(|path| println!("  {}", path.display()));
        Ok(())
    }

    /// Writes every file into `dir` (made if missing) and returns their paths. Replaces files of the same name.
    pub(crate) fn commit(&self, dir: &Path) -> Result<Vec<PathBuf>, OutputError> {
        self.check_names()?;
        // A second Ctrl-C must not strike between the first and the last move.
        let _guard = interrupt::writing();
        let made = make_folders(dir)?;
        let done = self.stage(dir).and_then(move_into_place);
        match done {
            Ok(paths) => {
                sync_folder(dir);
                Ok(paths)
            }
            Err(error) => {
                remove_folders(&made);
                Err(error)
            }
        }
    }

    fn check_names(&self) -> Result<(), OutputError> {
        let mut seen = HashSet::new();
        for name in self.names() {
            let mut parts = Path::new(name).components();
            let plain =
                matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
            if !plain || name.contains(['/', '\\', '\0']) {
                return Err(OutputError::Name(name.to_owned()));
            }
            if !seen.insert(name) {
                return Err(OutputError::Duplicate(name.to_owned()));
            }
        }
        Ok(())
    }

    /// Every file, complete and on the disk, under a temporary name.
    fn stage(&self, dir: &Path) -> Result<Vec<Staged>, OutputError> {
        self.files
            .iter()
            .map(|(name, bytes)| {
                let target = dir.join(name);
                let temporary = write_temporary(dir, bytes)
                    .map_err(|source| OutputError::File { path: target.clone(), source })?;
                Ok(Staged { target, temporary })
            })
            .collect()
    }
}

/// Finds out before hours of work whether [`Outputs::commit`] could write into `dir`; leaves no trace.
pub(crate) fn check_folder(dir: &Path) -> Result<(), OutputError> {
    let _guard = interrupt::writing();
    let made = make_folders(dir)?;
    let tried = write_temporary(dir, b"probe").map(drop);
    remove_folders(&made);
    tried.map_err(|source| OutputError::Folder { path: dir.to_owned(), source })
}

/// A finished file that still has a temporary name; dropping it removes the file.
struct Staged {
    target: PathBuf,
    temporary: TempPath,
}

/// What stood at a target before it was replaced; none if nothing did.
struct Replaced {
    target: PathBuf,
    before: Option<TempPath>,
}

fn write_temporary(dir: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    // Temporary files are private by default; results get the permissions that any new file would.
    #[cfg(unix)]
    let permissions = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file: NamedTempFile = builder.tempfile_in(dir).map_err(without_path)?;
    // Through the plain file: the wrapper would add the temporary path to an error.
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// The reason of the operating system alone; a temporary name in a message would only confuse.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}

fn move_into_place(staged: Vec<Staged>) -> Result<Vec<PathBuf>, OutputError> {
    let mut replaced: Vec<Replaced> = Vec::with_capacity(staged.len());
    for Staged { target, temporary } in staged {
        let moved = keep_old(&target).and_then(|before| {
            temporary.persist(&target)?;
            Ok(before)
        });
        match moved {
            Ok(before) => replaced.push(Replaced { target, before }),
            Err(source) => return Err(put_back(replaced, target, source)),
        }
    }
    Ok(replaced.into_iter().map(|file| file.target).collect())
}

/// Gives what stands at `target` a second, temporary name, so that it outlives being replaced.
fn keep_old(target: &Path) -> io::Result<Option<TempPath>> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(meta) if meta.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => {}
    }
    let dir = target.parent().unwrap_or(Path::new("."));
    // Not every file system has hard links; a copy serves as well.
    let second_name = |path: &Path| fs::hard_link(target, path).or_else(|_| fs::copy(target, path).map(drop));
    let old = Builder::new().prefix(PREFIX).make_in(dir, second_name).map_err(without_path)?;
    Ok(Some(old.into_temp_path()))
}

fn put_back(replaced: Vec<Replaced>, path: PathBuf, source: io::Error) -> OutputError {
    for Replaced { target, before } in replaced {
        let back = match before {
            Some(old) => old.persist(&target).map_err(io::Error::from),
            None => fs::remove_file(&target),
        };
        if let Err(undo) = back {
            return OutputError::Undo { path, source, undo_path: target, undo };
        }
    }
    OutputError::File { path, source }
}

/// Makes `dir` and its parents; returns those that were missing, deepest first.
fn make_folders(dir: &Path) -> Result<Vec<PathBuf>, OutputError> {
    let missing: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err())
        .map(Path::to_owned)
        .collect();
    fs::create_dir_all(dir).map_err(|source| {
        remove_folders(&missing);
        OutputError::Folder { path: dir.to_owned(), source }
    })?;
    Ok(missing)
}

fn remove_folders(made: &[PathBuf]) {
    for path in made {
        // Only removes empty folders, so what others put there meanwhile stays; some may never have come to be.
        let _ = fs::remove_dir(path);
    }
}

/// The new names belong to the folder, which has to reach the disk as well. Not every file system can do this, and
/// the files themselves are safe by now, so a refusal is no failure.
fn sync_folder(dir: &Path) {
    if let Ok(folder) = fs::File::open(dir) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn two_files() -> Outputs {
        let mut outputs = Outputs::new();
        outputs.add("a.csv", "new a").add("b.svg", b"new b".to_vec());
        outputs
    }

    #[test]
    fn commit_makes_the_folder_and_replaces_old_files() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("deep/er");
        let paths = two_files().commit(&dir).unwrap();
        assert_eq!(paths, [dir.join("a.csv"), dir.join("b.svg")]);
        let mut outputs = Outputs::new();
        outputs.add("a.csv", "newer");
        outputs.commit(&dir).unwrap();
        assert_eq!(fs::read(dir.join("a.csv")).unwrap(), b"newer");
        assert_eq!(fs::read(dir.join("b.svg")).unwrap(), b"new b");
        assert_eq!(entries(&dir), ["a.csv", "b.svg"]);
    }

    #[cfg(unix)]
    #[test]
    fn results_are_as_readable_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        two_files().commit(root.path()).unwrap();
        fs::write(root.path().join("plain"), "x").unwrap();
        let mode = |name| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a.csv"), mode("plain"));
    }

    #[test]
    fn a_folder_below_a_file_is_refused_and_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "mine").unwrap();
        for dir in [file.clone(), file.join("below"), file.join("far/below")] {
            for error in [two_files().commit(&dir).unwrap_err(), check_folder(&dir).unwrap_err()] {
                assert!(!error.to_string().contains(PREFIX), "{error}");
                assert!(matches!(error, OutputError::Folder { .. }), "{error}");
                assert!(error.to_string().contains(&dir.display().to_string()), "{error}");
            }
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert_eq!(entries(root.path()), ["file"]);
    }

    #[test]
    fn a_failure_half_way_brings_back_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path();
        fs::write(dir.join("a.csv"), "old a").unwrap();
        // The third file cannot take the place of a folder; the first replaces one, the second is new.
        fs::create_dir(dir.join("c.txt")).unwrap();
        let mut outputs = two_files();
        outputs.add("c.txt", "new c");
        let error = outputs.commit(dir).unwrap_err();
        assert!(matches!(&error, OutputError::File { path, .. } if path == &dir.join("c.txt")), "{error}");
        assert!(error.to_string().contains("directory"), "{error}");
        assert_eq!(fs::read(dir.join("a.csv")).unwrap(), b"old a");
        assert_eq!(entries(dir), ["a.csv", "c.txt"]);
    }

    #[test]
    fn names_that_leave_the_folder_are_refused_before_anything_is_made() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("out");
        for bad in ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a/", "a\0b"] {
            let mut outputs = two_files();
            outputs.add(bad, "x");
            assert!(matches!(outputs.commit(&dir), Err(OutputError::Name(name)) if name == bad));
        }
        let mut twice = two_files();
        twice.add("a.csv", "x");
        assert!(matches!(twice.commit(&dir), Err(OutputError::Duplicate(name)) if name == "a.csv"));
        assert!(!dir.exists());
    }

    #[test]
    fn an_error_does_not_speak_of_temporary_names() {
        let gone = tempfile::tempdir().unwrap().path().join("gone");
        let error = write_temporary(&gone, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(PREFIX), "{error}");
    }

    #[test]
    fn checking_a_folder_leaves_no_trace() {
        let root = tempfile::tempdir().unwrap();
        check_folder(&root.path().join("deep/er")).unwrap();
        assert!(entries(root.path()).is_empty());
    }
}
