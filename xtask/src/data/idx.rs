//! MNIST in its original IDX files, plain or gzipped.
//!
//! An IDX file starts with a big-endian header: a magic number (`0x0801` for labels, `0x0803` for images) and one
//! 32-bit size per dimension; bytes follow, row by row. Everything the header says is checked before it is believed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use aimc_nn::Dataset;
use flate2::bufread::MultiGzDecoder;
use nalgebra::DMatrix;

use super::{DataError, FormatProblem, Split};

/// Names of the training images, training labels, test images and test labels.
pub(crate) const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];
pub(crate) const IMAGES_MAGIC: u32 = 0x0803;
pub(crate) const LABELS_MAGIC: u32 = 0x0801;
const CLASSES: usize = 10;

/// Loads the four files of `dir`; where a plain file and one with `.gz` are there, the plain one is read.
pub(crate) fn load_folder(dir: &Path) -> Result<Split, DataError> {
    let [train_images, train_labels, test_images, test_labels] = NAMES;
    let (train, size) = load_part(dir, train_images, train_labels)?;
    let (test, test_size) = load_part(dir, test_images, test_labels)?;
    if size != test_size {
        return Err(DataError::ImageSize { train: size, test: test_size });
    }
    let name = format!("MNIST ({} training, {} test images)", train.len(), test.len());
    Ok(Split { name, shape: [&[1], size.as_slice()].concat(), train, test })
}

/// Samples, and height and width of their images.
fn load_part(dir: &Path, images_name: &str, labels_name: &str) -> Result<(Dataset, [usize; 2]), DataError> {
    let (images_path, labels_path) = (find(dir, images_name)?, find(dir, labels_name)?);
    let labels = read(&labels_path, |reader| read_idx::<1>(reader, LABELS_MAGIC))?;
    let images = read(&images_path, |reader| read_idx::<3>(reader, IMAGES_MAGIC))?;
    let ([count], [images_count, rows, columns]) = (labels.sizes, images.sizes);
    if count != images_count {
        return Err(DataError::CountMismatch {
            images_path,
            images: images_count,
            labels_path,
            labels: count,
        });
    }
    if let Some((index, &value)) = labels.bytes.iter().enumerate().find(|(_, v)| usize::from(**v) >= CLASSES)
    {
        return Err(DataError::Format { path: labels_path, problem: FormatProblem::Label { index, value } });
    }
    let pixels = images.bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let labels = labels.bytes.into_iter().map(usize::from).collect();
    let features = DMatrix::from_vec(rows * columns, count, pixels);
    Ok((Dataset::new(features, labels, CLASSES)?, [rows, columns]))
}

fn find(dir: &Path, name: &str) -> Result<PathBuf, DataError> {
    [dir.join(name), dir.join(format!("{name}.gz"))]
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| DataError::Missing { path: dir.join(name) })
}

/// Opens a file, unpacks it if it is gzipped, and adds its path to whatever goes wrong.
fn read<T>(path: &Path, parse: impl FnOnce(&mut dyn Read) -> Result<T, IdxError>) -> Result<T, DataError> {
    let parsed = File::open(path).map_err(IdxError::Read).and_then(|file| {
        let mut file = BufReader::new(file);
        if path.extension().is_some_and(|extension| extension == "gz") {
            parse(&mut MultiGzDecoder::new(file))
        } else {
            parse(&mut file)
        }
    });
    parsed.map_err(|error| match error {
        IdxError::Read(source) => DataError::Read { path: path.to_owned(), source },
        IdxError::Format(problem) => DataError::Format { path: path.to_owned(), problem },
    })
}

/// What can go wrong with a file whose path is known further up.
#[derive(Debug)]
enum IdxError {
    Read(io::Error),
    Format(FormatProblem),
}

impl From<FormatProblem> for IdxError {
    fn from(problem: FormatProblem) -> Self {
        Self::Format(problem)
    }
}

struct Idx<const D: usize> {
    sizes: [usize; D],
    bytes: Vec<u8>,
}

fn read_idx<const D: usize>(reader: &mut dyn Read, magic: u32) -> Result<Idx<D>, IdxError> {
    let needed = 4 * (D + 1);
    let header = read_at_most(reader, needed)?;
    let words: Vec<u32> =
        header.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
    // The magic number first: it tells a wrong file from a truncated one.
    if let Some(&found) = words.first().filter(|&&found| found != magic) {
        return Err(FormatProblem::Magic { found, needed: magic, dimensions: D }.into());
    }
    if header.len() < needed {
        return Err(FormatProblem::ShortHeader { found: header.len(), needed }.into());
    }
    let shape = || words[1..].iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
    let sizes: [usize; D] = std::array::from_fn(|at| words[at + 1] as usize);
    if sizes.contains(&0) {
        return Err(FormatProblem::Zero(shape()).into());
    }
    let total = sizes
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
        .filter(|&total| total < isize::MAX as usize)
        .ok_or_else(|| FormatProblem::TooLarge(shape()))?;
    // One byte more than announced shows whether anything follows; memory grows only with what is really there.
    let bytes = read_at_most(reader, total + 1)?;
    match bytes.len() {
        found if found < total => Err(FormatProblem::Truncated { found, needed: total }.into()),
        found if found > total => Err(FormatProblem::Trailing { needed: total }.into()),
        _ => Ok(Idx { sizes, bytes }),
    }
}

fn read_at_most(reader: &mut dyn Read, limit: usize) -> Result<Vec<u8>, IdxError> {
    let mut bytes = Vec::new();
    reader.take(limit as u64).read_to_end(&mut bytes).map_err(IdxError::Read)?;
    Ok(bytes)
}

/// The bytes of an IDX file; `data` must hold as many as the product of `sizes`.
pub(crate) fn encode(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let words = std::iter::once(&magic).chain(sizes).flat_map(|word| word.to_be_bytes());
    words.chain(data.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    /// Three training and two test images of 2 x 2 pixels.
    fn good() -> [Vec<u8>; 4] {
        [
            encode(IMAGES_MAGIC, &[3, 2, 2], &[0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8]),
            encode(LABELS_MAGIC, &[3], &[7, 0, 9]),
            encode(IMAGES_MAGIC, &[2, 2, 2], &[9; 8]),
            encode(LABELS_MAGIC, &[2], &[1, 2]),
        ]
    }

    fn load(files: &[Vec<u8>; 4]) -> Result<Split, DataError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in NAMES.iter().zip(files) {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        load_folder(dir.path())
    }

    /// The problem found in file `which` after `spoil` changed its bytes.
    fn problem(which: usize, spoil: impl FnOnce(&mut Vec<u8>)) -> FormatProblem {
        let mut files = good();
        spoil(&mut files[which]);
        let error = load(&files).unwrap_err();
        assert!(error.to_string().contains(NAMES[which]) && !error.to_string().contains('\n'), "{error}");
        match error {
            DataError::Format { problem, .. } => problem,
            other => panic!("{other}"),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_files_are_read_and_scaled() {
        let split = load(&good()).unwrap();
        assert_eq!(split.train.features().column(0).as_slice(), &[0.0, 0.2, 0.4, 1.0]);
        assert_eq!((split.train.labels(), &split.shape[..]), (&[7, 0, 9][..], &[1, 2, 2][..]));
        assert_eq!((split.test.len(), split.test.classes()), (2, 10));
        assert_eq!(split.name, "MNIST (3 training, 2 test images)");
    }

    #[test]
    fn gzipped_files_are_the_same_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in NAMES.iter().zip(good()) {
            fs::write(dir.path().join(format!("{name}.gz")), gzip(&bytes)).unwrap();
        }
        let plain = load(&good()).unwrap();
        assert_eq!(load_folder(dir.path()).unwrap().train, plain.train);
        let mut damaged = gzip(&good()[0]);
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        for bad in [damaged, b"no gzip".to_vec(), gzip(&good()[0])[..20].to_vec()] {
            fs::write(dir.path().join(format!("{}.gz", NAMES[0])), bad).unwrap();
            let error = load_folder(dir.path()).unwrap_err();
            assert!(matches!(&error, DataError::Read { .. }), "{error}");
            assert!(error.to_string().contains("train-images-idx3-ubyte.gz cannot be read"), "{error}");
        }
    }

    #[test]
    fn truncated_and_overlong_files_are_refused() {
        let short = problem(0, |bytes| bytes.truncate(bytes.len() - 1));
        assert_eq!(short, FormatProblem::Truncated { found: 11, needed: 12 });
        let header = problem(1, |bytes| bytes.truncate(6));
        assert_eq!(header, FormatProblem::ShortHeader { found: 6, needed: 8 });
        assert_eq!(problem(2, Vec::clear), FormatProblem::ShortHeader { found: 0, needed: 16 });
        assert_eq!(problem(3, |bytes| bytes.push(0)), FormatProblem::Trailing { needed: 2 });
    }

    #[test]
    fn a_wrong_magic_number_is_refused() {
        let swapped = problem(0, |bytes| bytes.clone_from(&good()[1]));
        assert_eq!(swapped, FormatProblem::Magic { found: 0x0801, needed: 0x0803, dimensions: 3 });
        assert!(swapped.to_string().contains("0x00000801, but 0x00000803 is required"), "{swapped}");
    }

    #[test]
    fn impossible_sizes_are_refused_without_taking_memory() {
        let huge = [u8::MAX; 12];
        let too_large = problem(0, |bytes| bytes[4..16].copy_from_slice(&huge));
        assert!(matches!(too_large, FormatProblem::TooLarge(_)), "{too_large}");
        let claimed = problem(1, |bytes| bytes[4..8].copy_from_slice(&huge[..4]));
        assert_eq!(claimed, FormatProblem::Truncated { found: 3, needed: u32::MAX as usize });
        let zero = problem(0, |bytes| bytes[8..12].fill(0));
        assert_eq!(zero, FormatProblem::Zero("3 x 0 x 2".to_owned()));
    }

    #[test]
    fn labels_counts_and_sizes_must_fit() {
        assert_eq!(problem(1, |bytes| bytes[9] = 10), FormatProblem::Label { index: 1, value: 10 });
        let mut files = good();
        files[1] = encode(LABELS_MAGIC, &[2], &[7, 0]);
        let error = load(&files).unwrap_err();
        assert!(matches!(error, DataError::CountMismatch { images: 3, labels: 2, .. }), "{error}");
        let mut files = good();
        // As many pixels, in another arrangement.
        files[2] = encode(IMAGES_MAGIC, &[2, 4, 1], &[1; 8]);
        let error = load(&files).unwrap_err();
        assert!(matches!(error, DataError::ImageSize { train: [2, 2], test: [4, 1] }), "{error}");
        assert!(error.to_string().contains("2 x 2 pixels but test images have 4 x 1"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in NAMES.iter().zip(good()).take(3) {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let error = load_folder(dir.path()).unwrap_err();
        assert!(matches!(&error, DataError::Missing { path } if path.ends_with(NAMES[3])), "{error}");
    }
}
