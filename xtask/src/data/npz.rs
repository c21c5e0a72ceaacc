//! Samples from a NumPy archive (`.npz`) with the arrays `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! The first dimension counts samples, the others are the shape of a sample. Numbers may be `float32`, `float64` or
//! `uint8`, which is scaled to 0..=1; labels are whole numbers of any integer type.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use aimc_nn::Dataset;
use nalgebra::DMatrix;
use npyz::npz::NpzArchive;
use npyz::{DType, NpyFile, TypeChar};

use super::{DataError, FormatProblem, Split};

/// Shape of a sample, all features, all labels.
type Samples = (Vec<usize>, Vec<f32>, Vec<usize>);

/// Loads the four arrays of an archive.
pub(crate) fn load(path: &Path) -> Result<Split, DataError> {
    let file = File::open(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let content = |problem: String| DataError::Format {
        path: path.to_owned(),
        problem: FormatProblem::Content(problem),
    };
    let mut archive = NpzArchive::new(BufReader::new(file)).map_err(|error| content(error.to_string()))?;
    let mut part = |part: &str| -> Result<Samples, DataError> {
        let (shape, features) = features(&mut archive, &format!("x_{part}")).map_err(content)?;
        let labels = labels(&mut archive, &format!("y_{part}")).map_err(content)?;
        Ok((shape, features, labels))
    };
    let (shape, x_train, y_train) = part("train")?;
    let (test_shape, x_test, y_test) = part("test")?;
    if shape != test_shape {
        return Err(content(format!(
            "samples of x_train have the shape {shape:?}, of x_test {test_shape:?}"
        )));
    }
    let classes = y_train.iter().chain(&y_test).max().map_or(1, |largest| largest + 1);
    let size: usize = shape.iter().product::<usize>().max(1);
    let dataset = |x: Vec<f32>, y: Vec<usize>| -> Result<Dataset, DataError> {
        Ok(Dataset::new(DMatrix::from_vec(size, x.len() / size, x), y, classes)?)
    };
    let name = path.file_stem().map_or_else(|| "npz".into(), |name| name.to_string_lossy().into_owned());
    Ok(Split { name, shape, train: dataset(x_train, y_train)?, test: dataset(x_test, y_test)? })
}

/// The array of that name, with its kind of numbers.
fn array<'a, R: Read + Seek>(
    archive: &'a mut NpzArchive<R>,
    name: &str,
) -> Result<(NpyFile<impl Read + use<'a, R>>, TypeChar, u64), String> {
    let file = archive.by_name(name).map_err(|error| format!("{name}: {error}"))?;
    let file = file.ok_or_else(|| format!("the array {name} is missing"))?;
    if file.order() != npyz::Order::C {
        return Err(format!("{name} is stored column by column; store it in C order"));
    }
    match file.dtype() {
        DType::Plain(kind) => {
            let (letter, bytes) = (kind.type_char(), kind.size_field());
            Ok((file, letter, bytes))
        }
        other => Err(format!("{name} has the type {}; plain numbers are needed", other.descr())),
    }
}

fn features<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    name: &str,
) -> Result<(Vec<usize>, Vec<f32>), String> {
    let (file, letter, bytes) = array(archive, name)?;
    let shape: Vec<usize> = file.shape().iter().skip(1).map(|&size| size as usize).collect();
    let values = match (letter, bytes) {
        (TypeChar::Float, 4) => file.into_vec::<f32>(),
        (TypeChar::Float, 8) => file.into_vec::<f64>().map(|v| v.into_iter().map(|x| x as f32).collect()),
        (TypeChar::Uint, 1) => {
            file.into_vec::<u8>().map(|v| v.into_iter().map(|x| f32::from(x) / 255.0).collect())
        }
        _ => return Err(format!("{name} has another type than float32, float64 or uint8")),
    };
    values.map(|values| (shape, values)).map_err(|error| format!("{name}: {error}"))
}

fn labels<R: Read + Seek>(archive: &mut NpzArchive<R>, name: &str) -> Result<Vec<usize>, String> {
    let (file, letter, bytes) = array(archive, name)?;
    macro_rules! whole {
        ($type:ty) => {
            file.into_vec::<$type>().map(|v| v.into_iter().map(i128::from).collect::<Vec<_>>())
        };
    }
    let values = match (letter, bytes) {
        (TypeChar::Int, 1) => whole!(i8),
        (TypeChar::Int, 2) => whole!(i16),
        (TypeChar::Int, 4) => whole!(i32),
        (TypeChar::Int, 8) => whole!(i64),
        (TypeChar::Uint, 1) => whole!(u8),
        (TypeChar::Uint, 2) => whole!(u16),
        (TypeChar::Uint, 4) => whole!(u32),
        (TypeChar::Uint, 8) => whole!(u64),
        _ => return Err(format!("{name} holds no whole numbers")),
    };
    let values = values.map_err(|error| format!("{name}: {error}"))?;
    let label = |(i, value): (usize, i128)| {
        usize::try_from(value)
            .ok()
            .filter(|label| *label < 1_000_000)
            .ok_or(format!("{name}[{i}] is {value}; a label is a whole number from 0 to 999999"))
    };
    values.into_iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::npz::NpzWriter;
    use npyz::{AutoSerialize, WriterBuilder};
    use std::io::BufWriter;

    fn put<T: AutoSerialize + Copy>(
        npz: &mut NpzWriter<BufWriter<File>>,
        name: &str,
        shape: &[u64],
        values: &[T],
    ) {
        let array = npz.array(name, npyz::zip::write::FileOptions::default()).unwrap();
        let mut writer = array.default_dtype().shape(shape).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
    }

    /// An archive of two 1x2 samples to learn from and one to test, whose labels are `labels`.
    fn archive(path: &Path, labels: &[i64], test: &str) {
        let mut npz = NpzWriter::create(path).unwrap();
        put(&mut npz, "x_train", &[2, 1, 2], &[0.5, 1.0, -1.0, 2.0]);
        put(&mut npz, test, &[1, 1, 2], &[0.25, 0.0]);
        put(&mut npz, "y_train", &[labels.len() as u64], labels);
        put(&mut npz, "y_test", &[1], &[0_i64]);
    }

    #[test]
    fn four_arrays_are_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.npz");
        archive(&path, &[2, 1], "x_test");
        let split = load(&path).unwrap();
        assert_eq!((split.name.as_str(), &split.shape[..]), ("mine", &[1, 2][..]));
        assert_eq!((split.train.classes(), split.train.labels()), (3, &[2, 1][..]));
        assert_eq!(split.train.features().column(1).as_slice(), [-1.0, 2.0]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.npz");
        let refused = || load(&path).unwrap_err().to_string();
        assert!(refused().contains("cannot be read"));
        archive(&path, &[2, -1], "x_test");
        assert!(refused().contains("y_train[1] is -1; a label is a whole number"), "{}", refused());
        archive(&path, &[2, 1], "x_tests");
        assert!(refused().ends_with("the array x_test is missing"), "{}", refused());
        archive(&path, &[2], "x_test");
        assert!(refused().contains("label"), "{}", refused());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        refused();
    }
}
