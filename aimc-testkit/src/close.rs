//! Numbers that must agree with an equation.

use std::fmt;

use crate::record;

/// Panics unless `measured` is within `tolerance` of `expected`, inclusive; a NaN anywhere panics, too. Words about the case may
/// follow, as in `format!`.
///
/// ```
/// use aimc_testkit::assert_close;
///
/// assert_close!(1.0_f32 / 3.0, 0.333_333, 1e-6);
/// for n in 1..5 {
///     assert_close!(f64::from(n).sqrt().powi(2), f64::from(n), 8.0 * f64::EPSILON, "n = {n}");
/// }
/// ```
///
/// ```should_panic
/// aimc_testkit::assert_close!(1.0, 1.1, 0.05);
/// ```
#[macro_export]
macro_rules! assert_close {
    ($measured:expr, $expected:expr, $tolerance:expr $(,)?) => {
        $crate::close::check($measured, $expected, $tolerance, ::core::format_args!(""))
    };
    ($measured:expr, $expected:expr, $tolerance:expr, $($words:tt)+) => {
        $crate::close::check($measured, $expected, $tolerance, ::core::format_args!($($words)+))
    };
}

/// What [`crate::assert_close`] does.
#[track_caller]
pub fn check<T: Copy + Into<f64>>(measured: T, expected: T, tolerance: T, words: fmt::Arguments<'_>) {
    let [measured, expected, tolerance] = [measured, expected, tolerance].map(Into::<f64>::into);
    record::closeness(measured, expected, tolerance);
    let close = (measured - expected).abs() <= tolerance; // false for NaN
    let gap = if words.as_str() == Some("") { "" } else { ": " };
    assert!(close, "{words}{gap}measured {measured}, expected {expected} ± {tolerance}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_limit_itself_passes() {
        assert_close!(1.25, 1.0, 0.25);
        assert_close!(0.75_f32, 1.0, 0.25);
    }

    #[test]
    #[should_panic(expected = "case 7: measured 1.5, expected 1 ± 0.25")]
    fn the_message_names_case_and_numbers() {
        assert_close!(1.5, 1.0, 0.25, "case {}", 7);
    }

    #[test]
    #[should_panic(expected = "measured NaN")]
    fn nan_fails() {
        assert_close!(f64::NAN, 1.0, 0.25);
    }

    #[test]
    #[should_panic(expected = "expected 1 ± NaN")]
    fn a_nan_tolerance_fails() {
        assert_close!(1.0, 1.0, f64::NAN);
    }
}
