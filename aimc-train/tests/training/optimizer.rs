//! Optimizers in the training loop: digital parameters move by them, analog tiles by their own update; resume is exact.

use aimc_testkit::assert_close;
use std::ops::ControlFlow;

use aimc_device::{RngKey, config};
use aimc_nn::{Activation, Dataset, NetworkConfig};
use aimc_tile::{IdealTile, ReadOut, TileConfig, TrainableTile};
use aimc_train::{Checkpoint, TrainConfig, Trainer};
use nalgebra::DMatrix;
use serde_json::Value;

fn data() -> Dataset {
    let mut draws = RngKey::root(1).stream(0);
    let features = DMatrix::from_fn(6, 30, |i, s| draws.uniform() + if i / 2 == s % 3 { 0.5 } else { 0.0 });
    Dataset::new(features, (0..30).map(|i| i % 3).collect(), 3).unwrap()
}

/// An analog layer, then a digital one.
fn mixed(training: &str) -> Trainer<Box<dyn TrainableTile>> {
    let analog = TileConfig::default();
    let network = NetworkConfig::mlp(&[6, 5, 3], Activation::Tanh)
        .build(RngKey::root(4), |place| {
            Ok(if place.name == "layer0.tile" {
                Box::new(analog.build(place.shape, place.key)?) as Box<dyn TrainableTile>
            } else {
                Box::new(IdealTile::new(place.shape)?)
            })
        })
        .unwrap();
    let config: TrainConfig = config::from_toml(&format!("epochs = 3\nbatch_size = 4\n{training}")).unwrap();
    Trainer::new(network, config, 9).unwrap()
}

fn run(trainer: &mut Trainer<Box<dyn TrainableTile>>, stop: u64) {
    let data = data();
    let mut steps = trainer.steps();
    let mut observe = |_: aimc_train::Progress| {
        steps += 1;
        if steps == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    trainer.run(&data, &data, &mut observe).unwrap();
}

fn bytes(trainer: &Trainer<Box<dyn TrainableTile>>) -> Vec<u8> {
    trainer.checkpoint(&Value::Null).to_bytes().unwrap()
}

/// N steps = n steps, save, load, N - n steps, with momentum, Adam and schedules.
#[test]
fn resume_is_exact_with_every_optimizer_also_between_accumulated_batches() {
    for training in [
        "accumulate = 3",
        "optimizer = { model = \"Sgd\", momentum = 0.9, nesterov = true, weight_decay = 1e-3 }\naccumulate = 3",
        "optimizer = { model = \"Adam\" }\nlearning_rate = 0.01\nschedule = { model = \"Cosine\" }\nwarmup_steps = 5",
    ] {
        let mut whole = mixed(training);
        run(&mut whole, u64::MAX);
        for stop in [1, 2, 8, 13] {
            let mut first = mixed(training);
            run(&mut first, stop);
            let frozen = Checkpoint::from_bytes(&bytes(&first)).unwrap();
            let mut second = mixed(training);
            second.resume(&frozen, &Value::Null).unwrap();
            assert_eq!(second.steps(), stop);
            run(&mut second, u64::MAX);
            assert!(bytes(&second) == bytes(&whole), "{training}: stopped at {stop}");
        }
    }
}

fn weights(trainer: &Trainer<Box<dyn TrainableTile>>) -> Vec<DMatrix<f32>> {
    trainer.network.tiles().map(|(_, tile)| tile.weights()).collect()
}

/// In the first step both see the same gradient, whatever the decay: it reaches digital weights only.
#[test]
fn decay_moves_digital_weights_and_leaves_analog_ones_to_their_pulses() {
    let step = |decay: f32| {
        let mut trainer =
            mixed(&format!("optimizer = {{ model = \"Sgd\", momentum = 0.5, weight_decay = {decay:?} }}"));
        let start = weights(&trainer);
        run(&mut trainer, 1);
        (start, weights(&trainer))
    };
    let ((start, without), (_, with)) = (step(0.0), step(0.25));
    assert_eq!(without[0], with[0], "analog");
    for ((w, without), with) in start[1].iter().zip(without[1].iter()).zip(with[1].iter()) {
        // η λ w = 0.3·0.25·w; sums of a few numbers below 1 are rounded a few times.
        assert_close!(without - with, 0.3 * 0.25 * w, 8.0 * f32::EPSILON);
    }
}

/// One step over two batches is a step over both at once, up to the order of sums of 8 numbers below 4.
#[test]
fn accumulated_batches_are_one_large_batch() {
    let ideal = |training: &str| {
        let network = NetworkConfig::mlp(&[6, 5, 3], Activation::Tanh)
            .build(RngKey::root(4), |place| IdealTile::new(place.shape))
            .unwrap();
        let config: TrainConfig = config::from_toml(training).unwrap();
        let mut trainer = Trainer::new(network, config, 9).unwrap();
        trainer.run(&data(), &data(), &mut |_| ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = trainer.network.tiles().map(|(_, tile)| tile.weights()).collect();
        found
    };
    let large = ideal("epochs = 1\nbatch_size = 8");
    let small = ideal("epochs = 1\nbatch_size = 4\naccumulate = 2");
    let other = ideal("epochs = 1\nbatch_size = 4");
    for ((large, small), other) in large.iter().zip(&small).zip(&other) {
        assert!((large - small).amax() < 4.0 * 4.0 * 8.0 * f32::EPSILON, "{}", (large - small).amax());
        assert!((large - other).amax() > 1e-3, "steps of single batches are another training");
    }
}
