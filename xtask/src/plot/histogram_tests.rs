//! Tests of histograms.

use super::super::testing::{assert_sound, words};
use super::*;

fn group(name: &str, values: &[f64]) -> Group {
    Group { name: name.to_owned(), values: values.to_vec() }
}

fn of(groups: Vec<Group>) -> Histogram {
    let x = Axis::linear("conductance", "µS");
    Histogram { title: "Programmed conductances".to_owned(), x, groups, bins: None, marks: Vec::new() }
}

/// A bell without random numbers: sums of equally spaced values.
fn bell(middle: f64, spread: f64) -> Vec<f64> {
    (0..1000).map(|k| (f64::from(k) + 0.5) / 1000.0).map(|p| middle + spread * (p / (1.0 - p)).ln()).collect()
}

#[test]
fn every_value_falls_into_one_bin() {
    let mut histogram = of(vec![group("a", &[0.0, 0.1, 0.5, 0.99, 1.0]), group("b", &[0.25])]);
    histogram.bins = Some(4);
    let (edges, heights) = histogram.bin();
    assert_eq!(edges, [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(heights, [[40.0, 0.0, 20.0, 40.0], [0.0, 100.0, 0.0, 0.0]]);
}

#[test]
fn bins_follow_the_data() {
    assert!((15..=80).contains(&choose_bins(&bell(0.0, 1.0))));
    assert_eq!(choose_bins(&[1.0]), 5);
    assert_eq!(choose_bins(&[0.0, 1.0, 1.0, 1.0, 1.0, 9.0]), 5);
    let mut log = of(vec![group("a", &[1.0, 10.0, 100.0])]);
    (log.x, log.bins) = (Axis::log10("x", ""), Some(2));
    assert_eq!(log.bin().0, [0.0, 1.0, 2.0]);
}

#[test]
fn charts_are_sound() {
    let mut histogram =
        of(vec![group("target 5 µS", &bell(5.0, 0.4)), group("target 8 µS", &bell(8.0, 0.5))]);
    histogram.marks = vec![Mark::new(5.0, "target"), Mark::new(8.0, "target")];
    let svg = histogram.render().unwrap();
    assert_sound(&svg);
    assert!(words(&svg).contains(&"conductance (µS)".to_owned()));
    for values in [&[3.0][..], &[2.0, 2.0], &[0.0], &[-1e-7, 1e7]] {
        assert_sound(&of(vec![group("", values)]).render().unwrap());
    }
}

#[test]
fn what_makes_no_histogram_is_refused() {
    assert!(matches!(of(vec![]).render(), Err(PlotError::NoSeries { .. })));
    let empty = of(vec![group("a", &[1.0]), group("b", &[])]).render().unwrap_err();
    assert!(empty.to_string().contains("group \"b\" is empty"), "{empty}");
    let nan = of(vec![group("a", &[1.0, f64::NAN])]).render().unwrap_err();
    assert!(nan.to_string().contains("group \"a\", value 1 is NaN"), "{nan}");
    let mut histogram = of(vec![group("a", &[1.0, 0.0])]);
    for bins in [0, 1001] {
        histogram.bins = Some(bins);
        assert!(matches!(histogram.render(), Err(PlotError::Bins { .. })));
    }
    (histogram.bins, histogram.x) = (None, Axis::log10("x", ""));
    assert!(matches!(histogram.render(), Err(PlotError::NotPositive { .. })));
}

/// Not a check: writes a chart to look at.
#[test]
#[ignore = "writes charts for the eye"]
fn look() {
    let folder = std::path::PathBuf::from(std::env::var_os("AIMC_LOOK").unwrap());
    let mut histogram =
        of(vec![group("target 5 µS", &bell(5.0, 0.4)), group("target 8 µS", &bell(8.0, 0.5))]);
    histogram.marks = vec![Mark::new(5.0, "target 5 µS"), Mark::new(8.0, "target 8 µS")];
    std::fs::write(folder.join("histogram.svg"), histogram.render().unwrap()).unwrap();
}
