//! All kinds of vector units give the bits of scalar code.

use std::collections::BTreeMap;

use aimc_testkit::strategies;
use proptest::prelude::*;
use pulp::Arch;

use super::*;
use crate::lane::units;
use crate::pulsed::bursts;
use crate::pulsed::population::Population;
use crate::pulsed::slots::WORD;
use crate::pulsed::{
    Burst, ConstantStep, DeviceArray, ExpStep, HiddenStep, LinearStep, PiecewiseStep, PowStep,
    SoftBoundsReference,
};

/// The pulses of vector pair `pair`, of one to three slots where one device of `density` fires.
fn deliver(row: &mut dyn RowPort, columns: usize, pair: u64, density: u32, key: RngKey) {
    let mut draws = key.stream(9);
    let mut bits = |below: u32| {
        let word = |_| (0..WORD).fold(0, |bits, k| bits | u64::from(draws.below(below) == 0) << k);
        (0..columns.div_ceil(WORD)).map(word).collect::<Vec<u64>>()
    };
    let up = bits(2);
    let mut fired = (0..pair % 3 + 1).flat_map(|_| bits(density)).collect::<Vec<_>>();
    let last = u64::MAX >> ((WORD - columns % WORD) % WORD);
    fired.chunks_exact_mut(up.len()).for_each(|slot| slot[up.len() - 1] &= last);
    row.pulse_where(&fired, &up, key);
}

/// Weights of a row of `columns` devices after `pairs` vector pairs, see [`deliver`].
fn pulsed<D: PulsedDevice + Default>(
    arch: Arch,
    columns: usize,
    pairs: u64,
    density: u32,
    seed: u64,
) -> Vec<u32> {
    let mut population = Population::new(D::default(), 1, columns, RngKey::root(seed)).unwrap();
    let ((mut shared, mut lists), mut scratch) = (population.open(), Scratch::default());
    shared.arch = arch;
    let mut lists = lists.row(0);
    let mut row = Row::new(&shared, &mut lists, &mut scratch);
    for pair in 0..pairs {
        deliver(&mut row, columns, pair, density, RngKey::root(seed).fold_in(pair));
    }
    row.finish();
    population.persistent_weights().iter().map(|w| w.to_bits()).collect()
}

/// Asserts that all vector units give the bits of scalar code.
fn check<D: PulsedDevice + Default>(columns: usize, pairs: u64, density: u32, seed: u64) {
    let scalar = pulsed::<D>(Arch::Scalar, columns, pairs, density, seed);
    for arch in units() {
        assert_eq!(
            pulsed::<D>(arch, columns, pairs, density, seed),
            scalar,
            "{arch:?} {}",
            std::any::type_name::<D>()
        );
    }
}

/// Asserts that a weight asked for on the way is the one of a row where nothing waits, after as many vector pairs.
fn check_on_the_way<D: PulsedDevice>(device: &D, columns: usize, pairs: u64, density: u32, seed: u64) {
    let fabricate = || Population::new(device.clone(), 1, columns, RngKey::root(seed)).unwrap();
    let (mut waiting, mut prompt) = (fabricate(), fabricate());
    let ((shared, mut lists), mut scratch) = (waiting.open(), Scratch::default());
    let mut lists = lists.row(0);
    let mut late = Row::new(&shared, &mut lists, &mut scratch);
    let mut expected = Vec::new();
    for pair in 0..pairs {
        let key = RngKey::root(seed).fold_in(pair);
        deliver(&mut late, columns, pair, density, key);
        prompt.for_each_row(false, &|_, row| deliver(row, columns, pair, density, key));
        for column in (pair as usize % 7..columns).step_by(7) {
            late.note(column);
            expected.push(prompt.weights()[column]);
        }
    }
    let bits = |weights: &[f32]| weights.iter().map(|weight| weight.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(late.noted()), bits(&expected), "{device:?}");
    late.finish();
    assert_eq!(waiting.weights(), prompt.weights());
}

/// Asserts that bursts, few or many in a row, are slots in the n-th of which those devices fire that get n pulses or more.
fn check_bursts<D: PulsedDevice>(device: &D, columns: usize, bursts: &[Vec<Burst>], seed: u64) {
    let fabricate = || Population::new(device.clone(), bursts.len(), columns, RngKey::root(seed)).unwrap();
    let key = RngKey::root(seed).fold_in(1);
    let bits = |bursts: &[Burst], chosen: &dyn Fn(i32) -> bool| {
        let mut bits = vec![0; columns.div_ceil(WORD)];
        let chosen = bursts.iter().filter(|burst| chosen(burst.pulses)).map(|burst| burst.column as usize);
        chosen.for_each(|column| bits[column / WORD] |= 1 << (column % WORD));
        bits
    };
    let (mut slots, mut single) = (fabricate(), fabricate());
    slots.for_each_row(false, &|row, port| {
        let bursts = &bursts[row];
        let most = bursts.iter().map(|burst| burst.pulses.abs()).max().unwrap_or(0);
        let fired: Vec<u64> = (1..=most).flat_map(|n| bits(bursts, &|pulses| pulses.abs() >= n)).collect();
        port.pulse_where(&fired, &bits(bursts, &|pulses| pulses > 0), key);
    });
    let rows: Vec<usize> = (0..bursts.len()).collect();
    single.pulse_each(&rows, false, &|row| bursts[row].clone(), key);
    assert_eq!(single.state(), slots.state(), "{device:?}");
    if D::HIDDEN || device.write_noise().std > 0.0 {
        return;
    }
    for arch in units().into_iter().chain([Arch::Scalar]) {
        let mut single = fabricate();
        let (mut shared, mut lists) = single.open();
        shared.arch = arch;
        let mut lists: Vec<_> = rows.iter().map(|row| lists.row(*row)).collect();
        for lists in lists.chunks_mut(bursts::ABREAST) {
            bursts::pulse_rows(&shared, lists, &|row| bursts[row].clone(), key);
        }
        assert_eq!(single.weights(), slots.weights(), "{arch:?} {device:?}");
    }
}

proptest! {
    #![proptest_config(strategies::config(24))]

    /// See [`check_bursts`]: models with costly steps, without noise, with write noise and with hidden states.
    #[test]
    fn bursts_are_slots(
        columns in 1_usize..300,
        rows in proptest::collection::vec(proptest::collection::btree_map(0_u32..300, -40_i32..40, 0..60), 1..4),
        seed in strategies::seed(),
    ) {
        let of_row = |pulses: BTreeMap<u32, i32>| {
            let there = pulses.into_iter().filter(|(column, _)| (*column as usize) < columns);
            there.map(|(column, pulses)| Burst { column, pulses }).collect()
        };
        let bursts: Vec<Vec<Burst>> = rows.into_iter().map(of_row).collect();
        let exp = ExpStep { count_pulses: true, ..ExpStep::default() };
        check_bursts(&exp, columns, &bursts, seed);
        check_bursts(&ExpStep { write_noise_std: 20.0, ..exp.clone() }, columns, &bursts, seed);
        check_bursts(&ExpStep { dw_min_std: 0.0, ..exp }, columns, &bursts, seed);
        check_bursts(&LinearStep::default(), columns, &bursts, seed);
        check_bursts(&HiddenStep::default(), columns, &bursts, seed);
    }

    /// Lanes of any width, full or not, come to what devices come to one by one: no kind of processor changes a bit.
    #[test]
    fn all_vector_units_give_the_same_bits(
        columns in 1_usize..200, pairs in 1_u64..12, density in 1_u32..20, seed in strategies::seed(),
    ) {
        check::<ConstantStep>(columns, pairs, density, seed);
        check::<LinearStep>(columns, pairs, density, seed);
        check::<SoftBoundsReference>(columns, pairs, density, seed);
        check::<ExpStep>(columns, pairs, density, seed);
        check::<PowStep>(columns, pairs, density, seed);
        check::<PiecewiseStep>(columns, pairs, density, seed);
    }

    /// What is asked for on the way is what would be read if nothing waited, with write noise and hidden states, too; asking
    /// changes nothing.
    #[test]
    fn weights_on_the_way_are_those_of_a_row_where_nothing_waits(
        columns in 1_usize..200, pairs in 1_u64..40, density in 1_u32..20, seed in strategies::seed(),
    ) {
        let write_noise_std = 20.0;
        check_on_the_way(&ConstantStep::default(), columns, pairs, density, seed);
        check_on_the_way(&LinearStep { write_noise_std, ..LinearStep::default() }, columns, pairs, density, seed);
        check_on_the_way(&ExpStep { write_noise_std, ..ExpStep::default() }, columns, pairs, density, seed);
        check_on_the_way(&ExpStep { dw_min_std: 0.0, ..ExpStep::default() }, columns, pairs, density, seed);
        check_on_the_way(&HiddenStep::default(), columns, pairs, density, seed);
    }
}
