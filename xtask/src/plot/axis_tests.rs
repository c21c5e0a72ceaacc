//! Tests of ranges, ticks and labels.

use super::*;

fn labels(resolved: &Resolved) -> Vec<&str> {
    resolved.ticks.iter().filter_map(|tick| tick.label.as_deref()).collect()
}

#[test]
fn linear_ticks_are_round_and_inside() {
    let axis = Axis::linear("accuracy", "%").including(0.0, 100.0).resolve([12.0, 97.0], 6);
    assert_eq!(labels(&axis), ["0", "20", "40", "60", "80", "100"]);
    assert_eq!((axis.lo, axis.hi, axis.title.as_str()), (0.0, 100.0, "accuracy (%)"));
    let axis = Axis::linear("error", "").resolve([-0.31, 0.29], 6);
    assert_eq!(labels(&axis), ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]);
    assert_eq!(axis.title, "error");
}

#[test]
fn data_beyond_the_included_values_is_still_in_view() {
    let axis = Axis::linear("x", "").including(0.0, 1.0).resolve([0.5, 3.0], 6);
    assert_eq!(axis.lo, 0.0);
    assert!(axis.hi > 3.0);
}

#[test]
fn tiny_and_huge_numbers_get_a_common_power() {
    let axis = Axis::linear("conductance", "S").resolve([0.0, 25e-6], 6);
    assert_eq!(axis.title, "conductance (×10⁻⁶ S)");
    assert_eq!(labels(&axis), ["0", "5", "10", "15", "20", "25"]);
    let axis = Axis::linear("reads", "").resolve([0.0, 3e6], 4);
    assert_eq!((axis.title.as_str(), labels(&axis)), ("reads (×10⁶)", vec!["0", "1", "2", "3"]));
}

#[test]
fn any_pair_of_numbers_gives_a_few_distinct_ticks_in_order() {
    let numbers = [-1e290, -3.7e5, -1.0, -1e-12, 0.0, 1e-290, 1e-9, 0.1, 1.0, 1.0 + 1e-12, 7.3, 1e6, 1e290];
    for scale in [Scale::Linear, Scale::Log10, Scale::LogSeconds] {
        let axis = Axis { scale, ..Axis::linear("x", "s") };
        let drawable = || numbers.into_iter().filter(|&number| axis.check("", "", number).is_ok());
        for (a, b) in drawable().flat_map(|a| drawable().map(move |b| (a, b))) {
            let resolved = axis.resolve([a, b], 7);
            let (names, case) = (labels(&resolved), format!("{scale:?} {a:e} {b:e}"));
            assert!((2..=14).contains(&names.len()), "{case}: {names:?}");
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{case}: {names:?}");
            assert!(names.iter().all(|name| name.chars().count() < 14), "{case}: {names:?}");
            assert!(
                resolved.ticks.iter().all(|t| (-1e-6..1.000001).contains(&resolved.share(t.at))),
                "{case}"
            );
            for value in [a, b] {
                assert!((0.0..=1.0).contains(&resolved.share(axis.place(value))), "{case}");
            }
        }
    }
}

#[test]
fn log_ticks_are_decades() {
    let axis = Axis::log10("time", "s").resolve([1.0, 1e6], 8);
    assert_eq!(labels(&axis), ["1", "10", "10²", "10³", "10⁴", "10⁵", "10⁶"]);
    let axis = Axis::log10("time", "s").resolve([1e-9, 1e9], 7);
    assert_eq!(labels(&axis), ["10⁻⁹", "10⁻⁶", "10⁻³", "1", "10³", "10⁶", "10⁹"]);
    let axis = Axis::log10("error", "").resolve([0.012, 0.34], 7);
    assert_eq!(labels(&axis), ["0.02", "0.05", "0.1", "0.2"]);
}

#[test]
fn times_read_as_times_unless_too_few_are_in_view() {
    let axis = Axis::log_seconds("time since programming").resolve([20.0, 3.2e8], 8);
    assert_eq!(labels(&axis), ["1 min", "1 h", "1 day", "1 month", "1 year", "10 years"]);
    assert_eq!(axis.title, "time since programming (log scale)");
    let axis = Axis::log_seconds("time").resolve([100.0, 2000.0], 8);
    assert_eq!(axis.title, "time (s)");
}

#[test]
fn what_has_no_place_is_refused() {
    let (linear, log) = (Axis::linear("x", ""), Axis::log10("x", ""));
    assert!(matches!(linear.check("c", "w", f64::NAN), Err(PlotError::NotFinite { .. })));
    assert!(matches!(linear.check("c", "w", 1e300), Err(PlotError::Extreme { .. })));
    assert!(linear.check("c", "w", 0.0).is_ok());
    for bad in [0.0, -1.0] {
        assert!(matches!(log.check("c", "w", bad), Err(PlotError::NotPositive { .. })));
    }
    assert!(matches!(log.check("c", "w", 1e-300), Err(PlotError::Extreme { .. })));
}
