//! Hardware-aware training in the training loop: digital training with perfect circuits, exact resume with noise.

use aimc_testkit::assert_close;
use std::ops::ControlFlow;

use aimc_device::{RngKey, config};
use aimc_nn::{Activation, Dataset, Network, NetworkConfig};
use aimc_tile::{HardwareAwareTileConfig, IdealTile, ReadOut, TrainableTile};
use aimc_train::convert::{ReadBack, to_digital};
use aimc_train::{Checkpoint, TrainConfig, Trainer};
use nalgebra::DMatrix;
use serde_json::Value;

type Boxed = Box<dyn TrainableTile>;

fn data() -> Dataset {
    let mut draws = RngKey::root(1).stream(0);
    let features = DMatrix::from_fn(6, 30, |i, s| draws.uniform() + if i / 2 == s % 3 { 0.5 } else { 0.0 });
    Dataset::new(features, (0..30).map(|i| i % 3).collect(), 3).unwrap()
}

/// A network whose weights are multiples of 1/16, the largest of every tile 1.
fn network(hardware: Option<&HardwareAwareTileConfig>) -> Network<Boxed> {
    let mut network = NetworkConfig::mlp(&[6, 5, 3], Activation::Tanh)
        .build(RngKey::root(4), |place| {
            Ok(match hardware {
                Some(hardware) => Box::new(hardware.build(place.shape, place.key)?) as Boxed,
                None => Box::new(IdealTile::new(place.shape)?),
            })
        })
        .unwrap();
    for (_, tile) in network.tiles_mut() {
        let mut weights = tile.weights().map(|w| (16.0 * w).round() / 16.0);
        weights.column_mut(0).fill(1.0);
        tile.set_weights(&weights, RngKey::root(5)).unwrap();
    }
    network
}

fn trainer(hardware: Option<&HardwareAwareTileConfig>, training: &str) -> Trainer<Boxed> {
    let config: TrainConfig = config::from_toml(&format!("epochs = 3\nbatch_size = 4\n{training}")).unwrap();
    Trainer::new(network(hardware), config, 9).unwrap()
}

fn run(trainer: &mut Trainer<Boxed>, stop: u64) {
    let (data, mut steps) = (data(), trainer.steps());
    let mut observe = |_: aimc_train::Progress| {
        steps += 1;
        if steps == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    trainer.run(&data, &data, &mut observe).unwrap();
}

fn weights(trainer: &Trainer<Boxed>) -> Vec<DMatrix<f32>> {
    trainer.network.tiles().map(|(_, tile)| tile.weights()).collect()
}

/// With scales that are powers of two and perfect circuits nothing at all differs from digital training.
#[test]
fn training_through_perfect_circuits_is_digital_training() {
    for training in [
        "",
        "optimizer = { model = \"Sgd\", momentum = 0.9 }\nlearning_rate = 0.05",
        "optimizer = { model = \"Sgd\", momentum = 0.9, nesterov = true, weight_decay = 1e-3 }\nlearning_rate = 0.05",
        "optimizer = { model = \"Sgd\", weight_decay = 1e-2, decoupled = true }\naccumulate = 2",
        "optimizer = { model = \"Adam\", weight_decay = 1e-2 }\nlearning_rate = 0.01",
    ] {
        let mut digital = trainer(None, training);
        run(&mut digital, u64::MAX);
        for omega in [0.0, 0.125, 0.5, 2.0] {
            let mut hardware = HardwareAwareTileConfig::ideal();
            hardware.periphery.mapping.weight_scaling_omega = omega;
            let mut aware = trainer(Some(&hardware), training);
            run(&mut aware, u64::MAX);
            assert_eq!(weights(&aware), weights(&digital), "{training}, omega {omega}");
            assert_eq!(aware.history(), digital.history(), "{training}, omega {omega}");
        }
    }
}

fn noisy(more: &str) -> HardwareAwareTileConfig {
    let text = format!(
        "[modifier]\ntype = \"AddNormal\"\nstd_dev = 0.1\npdrop = 0.05\n{more}\n[clip]\ntype = \"LayerGaussian\"\n\
         [remap]\ntype = \"ChannelwiseSymmetric\"\n[periphery.mapping]\nlearn_out_scaling = true\n\
         weight_scaling_omega = 1.0\nmax_input_size = 4\n[periphery.input_range]\nenable = true\ninit_from_data = 3"
    );
    config::from_toml(&text).unwrap()
}

/// Stopped anywhere, also between accumulated batches, training goes on to the same bytes.
#[test]
fn resume_is_exact() {
    for (modifier, training) in [
        ("", "optimizer = { model = \"Sgd\", momentum = 0.9 }\nlearning_rate = 0.05\naccumulate = 3"),
        ("per_batch_sample = true", "optimizer = { model = \"Adam\" }\nlearning_rate = 0.01"),
        ("from_first_batch = true\nwarmup_steps = 9", ""),
    ] {
        let hardware = noisy(modifier);
        let fresh = || trainer(Some(&hardware), training);
        let bytes = |trainer: &Trainer<Boxed>| trainer.checkpoint(&Value::Null).to_bytes().unwrap();
        let mut whole = fresh();
        run(&mut whole, u64::MAX);
        for stop in [1, 2, 8, 13] {
            let mut first = fresh();
            run(&mut first, stop);
            let frozen = Checkpoint::from_bytes(&bytes(&first)).unwrap();
            let mut second = fresh();
            second.resume(&frozen, &Value::Null).unwrap();
            run(&mut second, u64::MAX);
            assert!(bytes(&second) == bytes(&whole), "{modifier} {training}: stopped at {stop}");
        }
    }
}

/// Noise in training is noise in training only: the evaluation after an epoch is that of the clean weights.
#[test]
fn epochs_are_judged_by_the_clean_weights() {
    let hardware =
        HardwareAwareTileConfig { modifier: noisy("").modifier, ..HardwareAwareTileConfig::ideal() };
    let mut aware = trainer(Some(&hardware), "");
    run(&mut aware, u64::MAX);
    let mut clean = network(None);
    let found: Vec<DMatrix<f32>> = weights(&aware);
    for ((_, tile), weights) in clean.tiles_mut().zip(&found) {
        tile.set_weights(weights, RngKey::root(1)).unwrap();
    }
    let biases: Vec<Vec<f32>> = aware.network.parameters_mut().map(|(_, values)| values.to_vec()).collect();
    for ((_, values), bias) in clean.parameters_mut().zip(&biases) {
        values.copy_from_slice(bias);
    }
    let draws = aimc_tile::SampleKeys::new(RngKey::root(2));
    let score = aimc_nn::score(&clean, &data(), &aimc_nn::Loss::default(), 30, draws).unwrap();
    let last = aware.history().last().unwrap();
    assert_eq!((score.loss, score.accuracy), (last.test_loss, last.test_accuracy));
    let mut digital = trainer(None, "");
    run(&mut digital, u64::MAX);
    assert_ne!(weights(&digital), found, "noise must matter");
}

/// Of Adam's first step each scale takes ± the rate: m̂/(√v̂ + ε) is ±1 up to ε/|g| and five roundings.
#[test]
fn adam_reaches_output_scales_and_input_ranges() {
    let text = "[periphery.mapping]\nlearn_out_scaling = true\n[periphery.input_range]\nenable = true\n\
                init_value = 0.25\ninit_from_data = 0\ninput_min_percentage = 1.0";
    let hardware: HardwareAwareTileConfig = config::from_toml(text).unwrap();
    let hardware = HardwareAwareTileConfig { forward: aimc_tile::IoConfig::perfect(), ..hardware };
    let mut aware = trainer(Some(&hardware), "optimizer = { model = \"Adam\" }\nlearning_rate = 0.0625");
    run(&mut aware, 1);
    let state = aware.network.state();
    let floats =
        |name: &str| state.root().floats(name, if name.ends_with('s') { 5 } else { 1 }).unwrap().to_vec();
    let alpha = floats("layer0.tile.tile0_0.out_scales");
    assert!(alpha.iter().all(|alpha| ((alpha - 1.0).abs() - 0.0625).abs() < 1e-5), "{alpha:?}");
    let range = floats("layer0.tile.tile0_0.input_range")[0];
    assert_close!((range - 0.25).abs(), 0.0625, 1e-5);
}

/// A student that is its teacher stands still where only the teacher counts, and one without a teacher is refused; the same
/// loss is one step of the labels' where only they count.
#[test]
fn a_teacher_is_asked_for_and_followed() {
    let taught = |weight: f32| {
        let training = format!("distillation = {{ weight = {weight:?}, temperature = 2.0 }}");
        let mut student = trainer(None, &training);
        let teacher = to_digital(&network(None), ReadBack::Ideal, RngKey::root(1)).unwrap();
        student.set_teacher(teacher).unwrap();
        run(&mut student, 1);
        weights(&student)
    };
    let start: Vec<DMatrix<f32>> = network(None).tiles().map(|(_, tile)| tile.weights()).collect();
    assert_eq!(taught(1.0), start);
    let mut plain = trainer(None, "");
    run(&mut plain, 1);
    assert_eq!(taught(0.0), weights(&plain));
    assert_ne!(taught(0.5), taught(0.0));

    let mut alone = trainer(None, "distillation = {}");
    let error = alone.run(&data(), &data(), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.to_string(), "distillation: needs a teacher");
    let small = NetworkConfig::mlp(&[6, 2], Activation::Tanh)
        .build(RngKey::root(1), |place| IdealTile::new(place.shape))
        .unwrap();
    assert_eq!(alone.set_teacher(small).unwrap_err().field, "outputs of the teacher");
    let refused = config::from_toml::<TrainConfig>("loss = { model = \"MeanSquare\" }\ndistillation = {}");
    assert_eq!(refused.unwrap().validate().unwrap_err().field, "loss");
}
