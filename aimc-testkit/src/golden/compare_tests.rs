//! Each tolerance on both sides of its limit.

use super::*;

fn judge(collect: impl FnOnce(&mut Comparison)) -> Verdict {
    let mut comparison = Comparison::new();
    collect(&mut comparison);
    comparison.verdict()
}

fn estimates<'a>(values: &'a [f64], se: &'a [f64]) -> Estimates<'a> {
    Estimates { values, se }
}

#[test]
fn exact_on_both_sides() {
    for theirs in [0.0, 3.0, -200.0_f64] {
        let tolerance = 1e-5 + 1e-5 * theirs.abs();
        for sign in [-1.0, 1.0] {
            let at = |units: f64| judge(|c| c.exact("w", &[theirs + sign * units * tolerance], &[theirs]));
            assert!(at(0.99).passed, "{}", at(0.99));
            assert!(!at(1.01).passed);
        }
    }
    let verdict = judge(|c| c.exact("w", &[1.0, 2.5], &[1.0, 2.0]));
    assert_eq!((verdict.count, verdict.reasons.len()), (2, 1));
    assert!(verdict.worst.starts_with("w[1]: ours 2.5, theirs 2, 16666.667 tol"), "{}", verdict.worst);
}

#[test]
fn nan_shape_and_emptiness_fail() {
    for (a, b) in
        [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN), (f64::INFINITY, 1.0), (1.0, f64::INFINITY)]
    {
        assert!(!judge(|c| c.exact("w", &[a], &[b])).passed, "{a} {b}");
        assert!(!judge(|c| c.quantised("w", &[a], &[b], 1.0)).passed, "{a} {b}");
        assert!(
            !judge(|c| c.statistical("w", estimates(&[a], &[1.0]), estimates(&[b], &[1.0]))).passed,
            "{a} {b}"
        );
        let group = |mean| GroupMean { mean, std: 1.0, n: 3 };
        assert!(!judge(|c| c.training("w", group(a), group(b), 1.0)).passed, "{a} {b}");
    }
    assert!(judge(|c| c.exact("w", &[f64::INFINITY], &[f64::INFINITY])).passed);
    assert!(!judge(|c| c.exact("w", &[f64::INFINITY], &[f64::NEG_INFINITY])).passed);
    assert!(!judge(|c| c.statistical("w", estimates(&[0.0], &[f64::NAN]), estimates(&[0.0], &[1.0]))).passed);
    let short = judge(|c| c.exact("w", &[1.0], &[1.0, 2.0]));
    assert_eq!(short.reasons, ["w: 1 values against 2 of theirs"]);
    let ragged = judge(|c| c.statistical("w", estimates(&[1.0], &[]), estimates(&[1.0], &[1.0])));
    assert_eq!(ragged.reasons, ["w: 0 values against 1 of our errors"]);
    let slack = |c: &mut Comparison| {
        c.statistical_with_slack("w", estimates(&[1.0], &[1.0]), estimates(&[1.0], &[1.0]), &[])
    };
    assert!(!judge(slack).passed);
    assert_eq!(judge(|_| ()).reasons, ["nothing was compared"]);
}

/// `wrong` of `n` values are `distance` away.
fn quantised(n: usize, wrong: usize, distance: f64, step: f64) -> Verdict {
    let theirs = vec![0.5; n];
    let ours: Vec<f64> = (0..n).map(|i| if i < wrong { 0.5 + distance } else { 0.5 }).collect();
    judge(|c| c.quantised("y", &ours, &theirs, step))
}

#[test]
fn quantised_on_both_sides() {
    assert!(quantised(200, 2, 0.01, 0.01).passed);
    assert!(quantised(200, 2, 0.01 + 1.4e-5, 0.01).passed);
    assert!(!quantised(200, 1, 0.01 + 1.6e-5, 0.01).passed);
    let many = quantised(200, 3, 0.01, 0.01);
    assert_eq!(many.reasons, ["3 of 200 quantised values are a step away, more than 1 %"]);
    assert!(!quantised(99, 1, 0.01, 0.01).passed);
    assert!(quantised(100, 1, 0.01, 0.01).passed);
    // within the exact tolerance is no step
    assert!(quantised(10, 10, 1.4e-5, 0.01).passed);
}

#[test]
fn within_step_demands_no_share() {
    let at =
        |distance: f64| judge(|c| c.within_step("y", &[0.5 + distance, 0.5 - distance], &[0.5, 0.5], 0.01));
    assert!(at(0.01).passed);
    assert!(!at(0.0101).passed);
}

/// `far` of `n` estimates differ by `z` combined standard errors (3 and 4 make 5).
fn statistical(n: usize, far: usize, z: f64) -> Verdict {
    let ours: Vec<f64> = (0..n).map(|i| if i < far { z * 5.0 } else { 0.0 }).collect();
    judge(|c| c.statistical("m", estimates(&ours, &vec![3.0; n]), estimates(&vec![0.0; n], &vec![4.0; n])))
}

#[test]
fn statistical_on_both_sides() {
    assert!(statistical(10, 10, 4.99).passed);
    assert!(!statistical(1000, 1, 5.01).passed); // 0.1 % is not fewer than 0.1 %
    assert!(statistical(1001, 1, 5.01).passed);
    assert!(!statistical(2000, 2, 5.01).passed);
    assert!(statistical(2001, 2, 6.99).passed);
    let far = statistical(100_000, 1, 7.01);
    assert!(!far.passed);
    assert!(far.worst.contains("1.402 tolerances"), "{}", far.worst);
}

#[test]
fn the_share_counts_all_fields_of_the_case() {
    let mut comparison = Comparison::new();
    comparison.statistical("a", estimates(&[5.5], &[1.0]), estimates(&[0.0], &[0.0]));
    assert!(!comparison.verdict().passed);
    let zeros = vec![0.0; 1000];
    let ones = vec![1.0; 1000];
    let mut other = Comparison::new();
    other.statistical("b", estimates(&zeros, &ones), estimates(&zeros, &ones));
    comparison.merge(other);
    let verdict = comparison.verdict();
    assert!(verdict.passed && verdict.count == 1001, "{verdict}");
    assert!(verdict.worst.starts_with("a[0]"));
}

#[test]
fn zero_errors_mean_exact() {
    let at = |ours: f64, se: f64| {
        judge(|c| c.statistical("m", estimates(&[ours], &[se]), estimates(&[0.0], &[0.0])))
    };
    assert!(at(0.9e-5, 0.0).passed);
    assert!(!at(1.1e-5, 0.0).passed);
    assert!(at(1.1e-5, 1e-5).passed); // our own spread counts
}

#[test]
fn printed_digits_are_not_held_against_us() {
    // 1/3 printed with seven digits, compared at a standard error far below that rounding
    let at = |ours: f64| {
        judge(|c| c.statistical("m", estimates(&[ours], &[0.0]), estimates(&[0.3333333], &[1e-12])))
    };
    assert!(at(1.0 / 3.0).passed);
    assert!(!at(0.33334).passed);
}

#[test]
fn slack_and_quantile_steps() {
    let (ours, theirs) = (estimates(&[0.115], &[0.003]), estimates(&[0.1], &[0.0]));
    let with_slack = |slack: f64| judge(|c| c.statistical_with_slack("m", ours, theirs, &[slack]));
    assert!(with_slack(0.0).passed);
    let far = estimates(&[0.145], &[0.003]);
    let quantile = |step: f64| judge(|c| c.quantiles("q", far, theirs, step));
    assert!(!quantile(0.0).passed);
    assert!(!quantile(0.02).passed);
    assert!(quantile(0.0301).passed);
    // a discrete quantile without any error estimate
    let exact =
        |step: f64| judge(|c| c.quantiles("q", estimates(&[0.6], &[0.0]), estimates(&[0.5], &[0.0]), step));
    assert!(exact(0.1).passed);
    assert!(!exact(0.09).passed);
}

#[test]
fn training_on_both_sides() {
    // 5 sqrt(0.03²/9 + 0.04²/4) + 0.005 = 5 sqrt(0.0001 + 0.0004) + 0.005
    let limit = 5.0 * 0.0005_f64.sqrt() + 0.005;
    let theirs = GroupMean { mean: 0.9, std: 0.04, n: 4 };
    let at = |units: f64| {
        let ours = GroupMean { mean: 0.9 - units * limit, std: 0.03, n: 9 };
        judge(|c| c.training("accuracy", ours, theirs, 0.005))
    };
    assert!(at(0.99).passed && at(-0.99).passed);
    assert!(!at(1.01).passed && !at(-1.01).passed);
    let nobody = GroupMean { mean: 0.9, std: 0.0, n: 0 };
    assert!(!judge(|c| c.training("accuracy", nobody, theirs, 0.005)).passed);
}

#[test]
fn many_failures_are_counted_not_listed() {
    let verdict = judge(|c| c.exact("w", &[1.0; 50], &[2.0; 50]));
    assert_eq!(verdict.reasons.len(), REASONS_KEPT + 1);
    assert_eq!(verdict.reasons[REASONS_KEPT], "45 more such values");
    assert!(verdict.to_string().starts_with("differs (50 values); worst w[0]: ours 1, theirs 2"));
}

#[test]
#[should_panic(expected = "differs (1 values)")]
fn expect_pass_panics() {
    judge(|c| c.exact("w", &[1.0], &[2.0])).expect_pass();
}
