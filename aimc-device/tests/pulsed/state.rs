//! Checkpoints: a restored array continues bit for bit, and refuses states that do not fit.

use super::{REGISTERED, array, pulse_randomly, same_bits};
use aimc_device::RngKey;
use aimc_device::pulsed::DeviceArray;
use aimc_device::state::{State, Values};
use aimc_testkit::strategies;
use proptest::prelude::*;

/// Every mechanism switched on, so that everything has state.
fn everything(model: &str, seed: u64) -> Box<dyn DeviceArray> {
    let write_noise =
        if super::defaults(model).contains_key("write_noise_std") { "write_noise_std = 0.5\n" } else { "" };
    let entries = format!(
        "{write_noise}diffusion = 0.01\ndiffusion_dtod = 0.2\nlifetime = 20\nlifetime_dtod = 0.2\nreset_dtod = 0.1\n\
         corrupt_devices_prob = 0.1\ncount_pulses = true\n[drift]\nnu = 0.1\nnu_dtod = 0.3\nnu_std = 0.1"
    );
    array(model, &entries, (3, 5), seed)
}

fn live(array: &mut dyn DeviceArray, rounds: u64, key: RngKey) {
    for round in 0..rounds {
        let key = key.fold_in(round);
        pulse_randomly(array, key);
        array.drift(10.0, key);
        array.diffuse(key);
        array.decay(1.0, key);
    }
    array.drift(1.0, key);
}

/// Equality of bits: `==` would take -0 for 0.
fn same_state(a: &State, b: &State) -> bool {
    a.iter().count() == b.iter().count()
        && a.iter().zip(b.iter()).all(|((name_a, a), (name_b, b))| {
            let same = match (a, b) {
                (Values::Floats(a), Values::Floats(b)) => same_bits(a, b),
                (a, b) => a == b,
            };
            name_a == name_b && same
        })
}

proptest! {
    #![proptest_config(strategies::config(32))]

    /// live(restore(state(live(a)))) = live(live(a)), bit for bit, whatever devices the receiver had.
    #[test]
    fn a_restored_array_continues_bit_for_bit(before in 0_u64..5, after in 0_u64..5, seed in strategies::seed()) {
        for model in REGISTERED {
            let (mut original, mut copy) = (everything(model, seed), everything(model, seed ^ 1));
            live(original.as_mut(), before, RngKey::root(1));
            prop_assert!(!same_state(&original.state(), &copy.state()));
            copy.restore(&original.state().root()).unwrap();
            prop_assert!(same_state(&original.state(), &copy.state()), "{}", model);
            prop_assert!(same_bits(original.weights(), copy.weights()));
            live(original.as_mut(), after, RngKey::root(2));
            live(copy.as_mut(), after, RngKey::root(2));
            prop_assert!(same_state(&original.state(), &copy.state()), "{}", model);
        }
    }
}

/// A state before the first drift call restores to one: the next call starts the clock.
#[test]
fn a_clock_that_never_ran_can_be_restored() {
    for model in REGISTERED {
        let (mut original, mut copy) = (everything(model, 1), everything(model, 2));
        live(copy.as_mut(), 2, RngKey::root(1));
        copy.restore(&original.state().root()).unwrap();
        assert!(same_state(&original.state(), &copy.state()));
        live(original.as_mut(), 1, RngKey::root(3));
        live(copy.as_mut(), 1, RngKey::root(3));
        assert!(same_state(&original.state(), &copy.state()));
    }
}

/// The state with one array replaced, or left out for `None`.
fn with(state: &State, name: &str, values: Option<Values>) -> State {
    let mut changed = State::default();
    for (other, kept) in state.iter() {
        let kept = if other == name { values.clone() } else { Some(kept.clone()) };
        match kept {
            Some(Values::Floats(values)) => changed.put(other, values),
            Some(Values::Counts(values)) => changed.put(other, values),
            None => {}
        }
    }
    changed
}

/// What one array can suffer; none of it may be taken over.
fn damages(values: &Values) -> Vec<(&'static str, Option<Values>)> {
    let mut damages = vec![("missing", None)];
    match values {
        Values::Floats(values) => {
            let mut push = |what, values: Vec<f32>| damages.push((what, Some(Values::Floats(values))));
            push("longer", [&values[..], &[0.5]].concat());
            if let Some((_, shorter)) = values.split_last() {
                push("shorter", shorter.to_vec());
                push("NaN", [shorter, &[f32::NAN]].concat());
                push("infinite", [&[f32::NEG_INFINITY], shorter].concat());
            }
            damages.push(("counts", Some(Values::Counts(vec![0; values.len()]))));
        }
        Values::Counts(values) => {
            damages.push(("longer", Some(Values::Counts([&values[..], &[0]].concat()))));
            damages.push(("numbers", Some(Values::Floats(vec![0.0; values.len()]))));
        }
    }
    damages
}

/// Every array of the state is needed, in its length, type and finite; a refusal changes nothing.
#[test]
fn damaged_states_are_refused_and_change_nothing() {
    for model in REGISTERED {
        let mut array = everything(model, 1);
        live(array.as_mut(), 2, RngKey::root(1));
        let state = array.state();
        let mut receiver = everything(model, 2);
        let before = receiver.state();
        for (name, values) in state.iter() {
            for (what, damaged) in damages(values) {
                let refused = receiver.restore(&with(&state, name, damaged).root());
                let error = refused.err().unwrap_or_else(|| panic!("{model}: {name} {what} was taken over"));
                assert_eq!(error.name, name, "{model}: {what}");
                assert!(same_state(&receiver.state(), &before), "{model}: {name} {what} left traces");
            }
        }
        receiver.restore(&state.root()).unwrap();
    }
}

/// A state of another size is refused.
#[test]
fn a_state_of_another_size_is_refused() {
    for model in REGISTERED {
        let state = array(model, "", (2, 3), 1).state();
        assert!(array(model, "", (2, 4), 1).restore(&state.root()).is_err());
    }
}
