//! A text as samples: so many characters, and the one that comes next.

use std::collections::BTreeSet;
use std::path::Path;

use aimc_nn::Dataset;
use nalgebra::DMatrix;

use super::{DataError, FormatProblem, Split};

/// One part in ten, at the end of the text, is for testing.
const TEST_SHARE: usize = 10;

/// Reads a UTF-8 text; every sample holds `window` characters as numbers 0, 1, … in the order of the alphabet it uses.
pub(crate) fn load(path: &Path, window: usize) -> Result<Split, DataError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let name = path.file_name().map_or_else(|| "text".into(), |name| name.to_string_lossy());
    split(&text, window, &name).map_err(|problem| match problem {
        Problem::Format(problem) => DataError::Format { path: path.to_owned(), problem },
        Problem::Data(error) => error,
    })
}

enum Problem {
    Format(FormatProblem),
    Data(DataError),
}

fn split(text: &str, window: usize, name: &str) -> Result<Split, Problem> {
    let characters: Vec<char> = text.chars().filter(|c| *c != '\r').collect();
    let alphabet: Vec<char> = characters.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let needed = TEST_SHARE * (window + 1);
    if characters.len() < needed || alphabet.len() < 2 {
        let (found, kinds) = (characters.len(), alphabet.len());
        let problem = format!(
            "it has {found} characters of {kinds} kinds; at least {needed} of 2 kinds are needed for windows of {window}"
        );
        return Err(Problem::Format(FormatProblem::Content(problem)));
    }
    let codes: Vec<usize> =
        characters.iter().map(|c| alphabet.binary_search(c).unwrap_or_default()).collect();
    let (train, test) = codes.split_at(codes.len() - codes.len() / TEST_SHARE);
    let dataset = |codes: &[usize]| -> Result<Dataset, DataError> {
        let samples = codes.len() - window;
        let features = DMatrix::from_fn(window, samples, |step, sample| codes[sample + step] as f32);
        Ok(Dataset::new(features, codes[window..].to_vec(), alphabet.len())?)
    };
    Ok(Split {
        name: format!("{name}, {} characters of {} kinds", codes.len(), alphabet.len()),
        shape: vec![window],
        train: dataset(train).map_err(Problem::Data)?,
        test: dataset(test).map_err(Problem::Data)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_followed_by_their_next_character() {
        let text = "abcab".repeat(10);
        let Ok(split) = split(&text, 3, "x") else { panic!() };
        assert_eq!((split.train.len(), split.test.len(), split.train.classes()), (45 - 3, 5 - 3, 3));
        assert_eq!(split.train.features().column(1).as_slice(), [1.0, 2.0, 0.0]);
        assert_eq!(split.train.labels()[..3], [0, 1, 0]);
        assert_eq!(split.shape, [3]);
    }

    #[test]
    fn texts_that_are_too_short_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.txt");
        std::fs::write(&path, "ab".repeat(8)).unwrap();
        let message = load(&path, 1).unwrap_err().to_string();
        assert!(message.contains("it has 16 characters of 2 kinds; at least 20"), "{message}");
        assert!(load(&folder.path().join("none.txt"), 1).unwrap_err().to_string().contains("cannot be read"));
    }
}
