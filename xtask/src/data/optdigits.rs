//! The packaged optical digits (8x8 pixels, 10 classes), so that every command works without any download.

use aimc_nn::Dataset;
use nalgebra::DMatrix;

use super::{DataError, Split};

const TEXT: &str = include_str!("../../../data/digits/optdigits.csv");
const PIXELS: usize = 64;
const FULL_INK: u8 = 16;
const CLASSES: usize = 10;
/// Lines 1..=1437 train, the rest tests (see the README beside the file).
const TRAIN: usize = 1437;

/// The packaged digits, split as their README says.
pub(crate) fn load() -> Result<Split, DataError> {
    split(&whole()?)
}

/// All packaged digits in file order.
pub(crate) fn whole() -> Result<Dataset, DataError> {
    parse(TEXT)
}

fn split(all: &Dataset) -> Result<Split, DataError> {
    if all.len() <= TRAIN {
        return Err(DataError::TooFew { found: all.len(), needed: TRAIN + 1 });
    }
    Ok(Split {
        name: "Optical digits 8x8".to_owned(),
        shape: vec![1, 8, 8],
        train: all.range(0..TRAIN)?,
        test: all.range(TRAIN..all.len())?,
    })
}

/// Parses lines of 64 pixels (whole numbers 0..=16, scaled to 0..=1) and a label 0..=9, separated by commas.
pub(crate) fn parse(text: &str) -> Result<Dataset, DataError> {
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for (index, line) in text.lines().enumerate() {
        labels.push(parse_line(index + 1, line, &mut pixels)?);
    }
    if labels.is_empty() {
        return Err(DataError::NoLines);
    }
    Ok(Dataset::new(DMatrix::from_vec(PIXELS, labels.len(), pixels), labels, CLASSES)?)
}

fn parse_line(line: usize, text: &str, pixels: &mut Vec<f32>) -> Result<usize, DataError> {
    let values: Vec<&str> = text.split(',').map(str::trim).collect();
    if values.len() != PIXELS + 1 {
        // A blank line splits into one empty text; call that none.
        let found = if text.trim().is_empty() { 0 } else { values.len() };
        return Err(DataError::Columns { line, found });
    }
    for (index, &value) in values[..PIXELS].iter().enumerate() {
        match value.parse::<u8>() {
            Ok(ink @ ..=FULL_INK) => pixels.push(f32::from(ink) / f32::from(FULL_INK)),
            _ => return Err(DataError::Pixel { line, pixel: index + 1, value: value.to_owned() }),
        }
    }
    let value = values[PIXELS];
    match value.parse::<usize>() {
        Ok(label) if label < CLASSES => Ok(label),
        _ => Err(DataError::Label { line, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(first: &str, label: &str) -> String {
        let mut values = vec!["0"; PIXELS + 1];
        values[0] = first;
        values[PIXELS] = label;
        values.join(",")
    }

    #[test]
    fn the_packaged_file_is_complete_and_scaled() {
        let split = load().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (1437, 360));
        assert_eq!((split.train.feature_count(), split.train.classes()), (64, 10));
        // First line of the file: 0,0,5,13,9,1,... label 0.
        assert_eq!(split.train.features()[(3, 0)], 13.0 / 16.0);
        assert_eq!(split.train.labels()[..4], [0, 1, 2, 3]);
        assert_eq!(split.train.features().max(), 1.0);
        assert_eq!(split.test.features().min(), 0.0);
        // Known class counts of the whole set.
        let mut counts = [0; 10];
        split.train.labels().iter().chain(split.test.labels()).for_each(|&label| counts[label] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn pixels_that_are_no_ink_count_are_refused() {
        for bad in ["NaN", "-1", "17", "1.5", "inf", "", "x"] {
            let text = format!("{}\n{}\n", line("3", "1"), line(bad, "1"));
            let error = parse(&text).unwrap_err();
            let wanted = format!("line 2, pixel 1 is \"{bad}\"; a pixel is a whole number from 0 to 16");
            assert_eq!(error.to_string(), wanted);
        }
    }

    #[test]
    fn labels_that_are_no_digit_are_refused() {
        for bad in ["10", "-1", "3.0", ""] {
            let error = parse(&line("0", bad)).unwrap_err();
            let wanted = format!("line 1: the label is \"{bad}\"; a label is a whole number from 0 to 9");
            assert_eq!(error.to_string(), wanted);
        }
    }

    #[test]
    fn wrong_column_counts_are_refused_with_their_line() {
        let good = line("1", "1");
        for (bad, found) in [(format!("{good},0"), 66), ("1,2,3".to_owned(), 3), (String::new(), 0)] {
            let error = parse(&format!("{good}\n{bad}\n{good}")).unwrap_err();
            assert!(matches!(error, DataError::Columns { line: 2, found: f } if f == found), "{error}");
        }
    }

    #[test]
    fn empty_and_short_texts_are_refused() {
        assert!(matches!(parse(""), Err(DataError::NoLines)));
        let short = parse(&line("16", "9")).unwrap();
        assert!(matches!(split(&short), Err(DataError::TooFew { found: 1, needed: 1438 })));
    }
}
