//! Training gives the same bits at any number of threads and across a checkpoint.

use std::ops::ControlFlow;

use aimc_device::RngKey;
use aimc_device::config;
use aimc_nn::{Activation, Dataset, Loss, NetworkConfig};
use aimc_tile::{AnalogTile, IdealTile, TileConfig};
use aimc_train::{Checkpoint, CheckpointError, Ending, TrainConfig, Trainer};
use nalgebra::DMatrix;
use serde_json::{Value, json};

const SEED: u64 = 11;

/// Classes are told apart by which of the input's parts is bright.
fn data(samples: usize) -> Dataset {
    let mut draws = RngKey::root(1).stream(0);
    let labels: Vec<usize> = (0..samples).map(|i| i % 3).collect();
    let features = DMatrix::from_fn(24, samples, |i, s| {
        draws.uniform() * 0.5 + if i / 8 == labels[s] { 0.5 } else { 0.0 }
    });
    Dataset::new(features, labels, 3).unwrap()
}

/// All that a device can do at once: noise, write noise, decay, diffusion, corrupt devices, counters.
fn tile_config() -> TileConfig {
    let text = "[device]\nmodel = \"SoftBounds\"\nwrite_noise_std = 3.0\nlifetime = 500.0\nlifetime_dtod = 0.2\n\
                diffusion = 1e-4\ncorrupt_devices_prob = 0.05\ncount_pulses = true\n[forward]\nw_noise = 0.01\n\
                w_noise_type = \"PCMRead\"\ninp_sto_round = true\ninp_noise = 0.01";
    config::from_toml(text).unwrap()
}

fn trainer(hidden: usize) -> Trainer<AnalogTile> {
    let network = NetworkConfig::mlp(&[24, hidden, 3], Activation::Tanh)
        .build(RngKey::root(SEED), |place| tile_config().build(place.shape, place.key))
        .unwrap();
    let config = TrainConfig { epochs: 4, batch_size: 7, learning_rate: 0.2, ..TrainConfig::default() };
    Trainer::new(network, config, SEED).unwrap()
}

fn run(trainer: &mut Trainer<AnalogTile>, stop_at: u64) -> Ending {
    let data = data(60);
    let mut steps = trainer.steps();
    trainer
        .run(&data, &data, &mut |_| {
            steps += 1;
            if steps == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap()
}

fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn fingerprint(trainer: &Trainer<AnalogTile>) -> Vec<u8> {
    trainer.checkpoint(&Value::Null).to_bytes().unwrap()
}

/// Bits after training on one thread = on several.
#[test]
fn threads_change_no_bit() {
    // Wide enough that rows, samples and products really are spread over threads.
    let train = || {
        let mut trainer = trainer(600);
        run(&mut trainer, 12);
        fingerprint(&trainer)
    };
    assert!(in_pool(1, train) == in_pool(2, train));
}

/// N steps = n steps, save, load, N - n steps.
#[test]
fn a_checkpoint_in_the_middle_of_an_epoch_changes_no_bit() {
    let config = json!({"any": "configuration"});
    let mut whole = trainer(16);
    assert_eq!(run(&mut whole, u64::MAX), Ending::Finished);
    for stop in [1, 9, 13, 27] {
        let mut first = trainer(16);
        assert_eq!(run(&mut first, stop), Ending::Interrupted);
        let bytes = first.checkpoint(&config).to_bytes().unwrap();
        let mut second = trainer(16);
        second.resume(&Checkpoint::from_bytes(&bytes).unwrap(), &config).unwrap();
        assert_eq!(second.steps(), stop);
        assert_eq!(run(&mut second, u64::MAX), Ending::Finished);
        assert_eq!(second.history(), whole.history(), "stopped at {stop}");
        assert!(fingerprint(&second) == fingerprint(&whole), "stopped at {stop}");
    }
}

#[test]
fn unfit_checkpoints_are_refused_and_change_nothing() {
    let config = json!({"a": 1});
    let mut source = trainer(16);
    run(&mut source, 5);
    let checkpoint = source.checkpoint(&config);
    let bytes = checkpoint.to_bytes().unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        let error = Checkpoint::from_bytes(&bytes[..length]).unwrap_err();
        assert!(matches!(error, CheckpointError::Damaged(_)), "{error}");
    }
    // One bit of the last array: the format is whole, the content is not.
    let mut spoilt = bytes.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    let error = Checkpoint::from_bytes(&spoilt).unwrap_err().to_string();
    assert!(error.contains("its checksum is"), "{error}");
    let mut target = trainer(16);
    let fresh = fingerprint(&target);
    let error = target.resume(&checkpoint, &json!({"a": 2})).unwrap_err();
    assert!(matches!(error, CheckpointError::Disagrees { what: "configuration", .. }), "{error}");
    assert!(fingerprint(&target) == fresh);
    let mut other = trainer(17);
    let error = other.resume(&checkpoint, &config).unwrap_err();
    assert!(error.to_string().contains("layer0"), "{error}");
}

/// Test accuracy above 0.9 after training on analog tiles.
#[test]
fn an_analog_network_learns() {
    let mut trainer = trainer(16);
    run(&mut trainer, u64::MAX);
    let last = trainer.history().last().unwrap();
    assert!(last.test_accuracy > 0.9, "{last:?}");
}

#[test]
fn a_network_with_too_few_outputs_is_refused() {
    let network = NetworkConfig::mlp(&[24, 2], Activation::Tanh)
        .build(RngKey::root(SEED), |place| tile_config().build(place.shape, place.key))
        .unwrap();
    let mut trainer = Trainer::new(network, TrainConfig::default(), SEED).unwrap();
    let error = trainer.run(&data(6), &data(6), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "outputs of the network = 2: must be at least 3, one per class of the data"
    );
}

/// Every loss reaches the classes through a network that ends as the loss asks; the smoothed targets of the second
/// are never reached, so its loss stays above the entropy of them.
#[test]
fn a_network_learns_by_every_loss() {
    let losses = [
        Loss::NegativeLogLikelihood,
        Loss::CrossEntropy { label_smoothing: 0.3 },
        Loss::MeanSquare,
        Loss::BinaryCrossEntropy,
    ];
    for loss in losses {
        let mut network = NetworkConfig::mlp(&[24, 16, 3], Activation::Tanh);
        if loss != Loss::NegativeLogLikelihood {
            network.layers.pop();
        }
        let network = network.build(RngKey::root(SEED), |place| IdealTile::new(place.shape)).unwrap();
        let config = TrainConfig { epochs: 12, batch_size: 5, loss, ..TrainConfig::default() };
        let mut trainer = Trainer::new(network, config, SEED).unwrap();
        let data = data(60);
        trainer.run(&data, &data, &mut |_| ControlFlow::Continue(())).unwrap();
        let (first, last) = (&trainer.history()[0], &trainer.history()[11]);
        assert!(last.test_accuracy > 0.9, "{loss:?}: {last:?}");
        assert!(last.test_loss < first.test_loss && last.train_loss < first.train_loss, "{loss:?}");
        if let Loss::CrossEntropy { label_smoothing } = loss {
            let (rest, label) =
                (f64::from(label_smoothing) / 3.0, 1.0 - 2.0 * f64::from(label_smoothing) / 3.0);
            let entropy = -label * label.ln() - 2.0 * rest * rest.ln();
            assert!(last.test_loss > entropy, "{} {entropy}", last.test_loss);
        }
    }
    let config = TrainConfig { loss: Loss::CrossEntropy { label_smoothing: 1.5 }, ..TrainConfig::default() };
    assert_eq!(config.validate().unwrap_err().field, "loss.label_smoothing");
}
