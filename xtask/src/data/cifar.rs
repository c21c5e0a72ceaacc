//! CIFAR-10 in its binary files: per image a label byte, then 32x32 red, green and blue values.
//!
//! The folder holds `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, as they come from
//! `cifar-10-binary.tar.gz` of A. Krizhevsky 2009, *Learning Multiple Layers of Features from Tiny Images*.

use std::path::Path;

use aimc_nn::Dataset;
use nalgebra::DMatrix;

use super::{DataError, FormatProblem, Split};

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
const CLASSES: usize = 10;

/// Loads the six files of `folder`; pixels are scaled to 0..=1.
pub(crate) fn load_folder(folder: &Path) -> Result<Split, DataError> {
    let names: Vec<String> = (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect();
    Ok(Split {
        name: "CIFAR-10".to_owned(),
        shape: vec![3, 32, 32],
        train: read(folder, &names)?,
        test: read(folder, &["test_batch.bin".to_owned()])?,
    })
}

fn read(folder: &Path, names: &[String]) -> Result<Dataset, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|source| DataError::Read { path: path.clone(), source })?;
        parse(&bytes, &mut pixels, &mut labels).map_err(|problem| DataError::Format { path, problem })?;
    }
    Ok(Dataset::new(DMatrix::from_vec(PIXELS, labels.len(), pixels), labels, CLASSES)?)
}

fn parse(bytes: &[u8], pixels: &mut Vec<f32>, labels: &mut Vec<usize>) -> Result<(), FormatProblem> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let problem = format!("{} bytes are no whole number of images of {RECORD} bytes", bytes.len());
        return Err(FormatProblem::Content(problem));
    }
    for (index, record) in bytes.chunks(RECORD).enumerate() {
        if usize::from(record[0]) >= CLASSES {
            return Err(FormatProblem::Label { index, value: record[0] });
        }
        labels.push(record[0].into());
        pixels.extend(record[1..].iter().map(|&value| f32::from(value) / 255.0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(label: u8, value: u8) -> Vec<u8> {
        [vec![label], vec![value; PIXELS]].concat()
    }

    #[test]
    fn images_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        for batch in 1..=5 {
            let bytes = [image(batch, 255), image(0, 51)].concat();
            std::fs::write(folder.path().join(format!("data_batch_{batch}.bin")), bytes).unwrap();
        }
        std::fs::write(folder.path().join("test_batch.bin"), image(9, 0)).unwrap();
        let split = load_folder(folder.path()).unwrap();
        assert_eq!(split.train.labels(), [1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
        assert_eq!((split.train.features()[(7, 0)], split.train.features()[(7, 1)]), (1.0, 0.2));
        assert_eq!((split.test.len(), split.test.labels()[0]), (1, 9));
    }

    #[test]
    fn damaged_files_are_refused() {
        let refused = |bytes: &[u8]| parse(bytes, &mut Vec::new(), &mut Vec::new()).unwrap_err().to_string();
        assert!(refused(&image(1, 0)[..3000]).contains("3000 bytes are no whole number of images"));
        assert!(refused(&image(10, 0)).contains("label 0 is 10"));
        assert!(refused(&[]).contains("0 bytes"));
    }
}
