//! Proptest strategies shared by the crates, and a configuration that makes runs reproducible.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{RngAlgorithm, RngSeed};
use std::ops::RangeInclusive;

/// Matrix sizes (rows, columns) that `Vec<Vec<f32>>` strategies draw from.
pub type Extents = RangeInclusive<usize>;

/// Seed of every property test. Any number would do; it is fixed so that a run can be repeated.
const SEED: u64 = 0x0061_696d_6321;

/// `cases` random cases from a fixed seed, with no regression files written.
///
/// The same cases run on every machine, until the strategy or proptest itself changes.
///
/// ```
/// use aimc_testkit::strategies::{config, finite_f32};
/// use proptest::prelude::*;
///
/// proptest! {
///     #![proptest_config(config(64))]
///     # fn hidden(_x in 0..1) {}
///     // in a test: #[test]
///     fn tanh_is_bounded(x in finite_f32(-100.0..=100.0)) {
///         prop_assert!(x.tanh().abs() <= 1.0);
///     }
/// }
/// tanh_is_bounded();
/// ```
#[must_use]
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Finite `f32` in `range`: mostly uniform, and one time in five a special value of the range (its
/// ends, both zeros, the smallest normal and subnormal numbers of either sign), where rounding,
/// sign and clipping errors live.
///
/// # Panics
/// If the range is empty or not finite.
pub fn finite_f32(range: RangeInclusive<f32>) -> Union<BoxedStrategy<f32>> {
    let (low, high) = (*range.start(), *range.end());
    assert!(low <= high && low.is_finite() && high.is_finite(), "{low} ..= {high} is no finite range");
    let tiny = [f32::MIN_POSITIVE, f32::from_bits(1)];
    let special = [low, high, 0.0, -0.0, tiny[0], -tiny[0], tiny[1], -tiny[1]];
    let inside: Vec<f32> = special.into_iter().filter(|x| range.contains(x)).collect();
    Union::new_weighted(vec![(4, range.boxed()), (1, prop::sample::select(inside).boxed())])
}

/// A vector of [`finite_f32`] with a length in `length`.
pub fn vector(length: Extents, values: RangeInclusive<f32>) -> impl Strategy<Value = Vec<f32>> + use<> {
    vec(finite_f32(values), length)
}

/// A matrix `[row][column]` of [`finite_f32`]; all rows are equally long.
pub fn matrix(
    rows: Extents,
    columns: Extents,
    values: RangeInclusive<f32>,
) -> impl Strategy<Value = Vec<Vec<f32>>> + use<> {
    (rows, columns).prop_flat_map(move |(rows, columns)| fixed_matrix(rows, columns, values.clone()))
}

/// A matrix `[row][column]` of given size.
pub fn fixed_matrix(
    rows: usize,
    columns: usize,
    values: RangeInclusive<f32>,
) -> impl Strategy<Value = Vec<Vec<f32>>> + use<> {
    vec(vec(finite_f32(values), columns), rows)
}

/// Weights with matching batches of inputs and output errors: what one tile sees in a training step.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerCase {
    /// Weights `[out][in]`.
    pub weights: Vec<Vec<f32>>,
    /// Inputs `[batch][in]`.
    pub inputs: Vec<Vec<f32>>,
    /// Errors at the outputs `[batch][out]`.
    pub errors: Vec<Vec<f32>>,
}

/// Strategy for a [`LayerCase`] with up to `size` inputs and outputs and up to `batch` samples, at
/// least one of each; weights in ±`weight`, inputs and errors in ±`signal`.
pub fn layer_case(
    size: usize,
    batch: usize,
    weight: f32,
    signal: f32,
) -> impl Strategy<Value = LayerCase> + use<> {
    (1..=size, 1..=size, 1..=batch).prop_flat_map(move |(outputs, inputs, batch)| {
        (
            fixed_matrix(outputs, inputs, -weight..=weight),
            fixed_matrix(batch, inputs, -signal..=signal),
            fixed_matrix(batch, outputs, -signal..=signal),
        )
            .prop_map(|(weights, inputs, errors)| LayerCase { weights, inputs, errors })
    })
}

/// Seeds: any `u64`, with 0, 1 and the largest drawn more often.
pub fn seed() -> impl Strategy<Value = u64> {
    prop_oneof![4 => any::<u64>(), 1 => prop::sample::select(vec![0, 1, u64::MAX])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    fn draw<S: Strategy>(strategy: &S, n: usize) -> Vec<S::Value> {
        let mut runner = TestRunner::new(config(1));
        (0..n).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
    }

    #[test]
    fn runs_repeat() {
        assert_eq!(draw(&seed(), 20), draw(&seed(), 20));
        let cases = draw(&layer_case(5, 3, 1.0, 1.0), 20);
        assert_eq!(cases, draw(&layer_case(5, 3, 1.0, 1.0), 20));
    }

    #[test]
    fn special_values_occur_and_stay_inside() {
        let values = draw(&finite_f32(-1.0..=1.0), 1000);
        assert!(values.iter().all(|x| x.abs() <= 1.0));
        assert!(values.contains(&1.0) && values.contains(&-1.0));
        assert!(values.iter().any(|x| *x == 0.0 && x.is_sign_negative()));
        assert!(draw(&finite_f32(2.0..=3.0), 1000).iter().all(|x| (2.0..=3.0).contains(x)));
        assert_eq!(draw(&finite_f32(2.0..=2.0), 1), [2.0]);
    }

    #[test]
    #[should_panic(expected = "is no finite range")]
    fn an_infinite_range_is_refused() {
        let _ = finite_f32(0.0..=f32::INFINITY);
    }

    proptest! {
        #![proptest_config(config(64))]

        #[test]
        fn layer_cases_fit_together(case in layer_case(6, 4, 0.5, 2.0)) {
            let (outputs, inputs) = (case.weights.len(), case.weights[0].len());
            prop_assert!((1..=6).contains(&outputs) && (1..=6).contains(&inputs));
            prop_assert!(case.weights.iter().all(|row| row.len() == inputs));
            prop_assert!(case.inputs.iter().all(|row| row.len() == inputs));
            prop_assert!(case.errors.iter().all(|row| row.len() == outputs));
            prop_assert_eq!(case.inputs.len(), case.errors.len());
        }

        #[test]
        fn matrices_are_rectangular(m in matrix(0..=4, 1..=5, -1.0..=1.0), v in vector(2..=3, 0.0..=1.0)) {
            prop_assert!(m.iter().all(|row| row.len() == m[0].len()));
            prop_assert!((2..=3).contains(&v.len()));
        }
    }
}
