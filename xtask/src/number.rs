//! Numbers for readers: as many digits as mean something.

/// So many significant digits, without trailing zeros; powers of ten where there would be many zeros.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let last = digits.max(1) - 1;
    // Rounding first: 9.9996 has its first digit at the tens.
    let scientific = format!("{value:.last$e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        return minus(&scientific);
    }
    let decimals = usize::try_from(last as i32 - exponent).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    minus(text)
}

/// A value with its tolerance, to the first digit of the tolerance, which is rounded up.
pub(crate) fn with_tolerance(value: f64, tolerance: f64) -> String {
    if !value.is_finite() || !tolerance.is_finite() || tolerance <= 0.0 {
        return significant(value, 6);
    }
    let decimals = usize::try_from(-(tolerance.log10().floor() as i32)).unwrap_or(0).min(9);
    let scale = 10_f64.powi(decimals as i32);
    let tolerance = (tolerance * scale).ceil() / scale;
    // Adding 0 turns a rounded -0 into 0.
    let value = (value * scale).round() / scale + 0.0;
    minus(&format!("{value:.decimals$} ± {tolerance:.decimals$}"))
}

fn minus(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(digits) => format!("−{digits}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_mean_something() {
        for (value, text) in [
            (0.0, "0"),
            (0.00028214, "0.0002821"),
            (-0.5, "−0.5"),
            (9.9996, "10"),
            (1250.0, "1250"),
            (99_999.9, "100000"),
            (123_456_789.0, "1.235e8"),
            (1e-7, "1.000e-7"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(significant(value, 4), text);
        }
    }

    #[test]
    fn tolerances_decide_the_digits() {
        assert_eq!(with_tolerance(0.123_456, 0.000_21), "0.1235 ± 0.0003");
        assert_eq!(with_tolerance(-1e-9, 0.002), "0.000 ± 0.002");
        assert_eq!(with_tolerance(-0.25, 0.03), "−0.25 ± 0.03");
        assert_eq!(with_tolerance(0.1, 1e-20), "0.100000000 ± 0.000000001");
        assert_eq!(with_tolerance(2.0, 0.0), "2");
        assert_eq!(with_tolerance(200.0, 30.0), "200 ± 30");
    }
}
