//! Trainings as a whole: mistakes are named, interruptions leave no trace, examples can be run.

use std::fs;
use std::path::Path;

use aimc_device::config::parse_toml;
use serde_json::Value;

use super::session::CHECKPOINT;
use super::*;
use crate::data::DataName;

/// Samples of two dozen digits: a training of them takes a few milliseconds.
fn few() -> Split {
    let all = DataSection::default().load().unwrap();
    Split { train: all.train.range(0..23).unwrap(), test: all.test.range(0..10).unwrap(), ..all }
}

/// Batches of 4 of 23 samples, two of them per step, on all that keeps a state.
const SMALL: &str = r#"
    [network]
    layers = [
        { layer = "Conv", outputs = 2, kernel = 3, stride = 2 },
        { layer = "BatchNorm" },
        { layer = "Activation", function = "tanh" },
        { layer = "Flatten" },
        { layer = "Linear", outputs = 12 },
        { layer = "Dropout", probability = 0.2 },
        { layer = "Linear", outputs = 10 },
    ]
    [training]
    epochs = 3
    batch_size = 4
    accumulate = 2
    learning_rate = 0.2
    loss = { model = "CrossEntropy", label_smoothing = 0.1 }
    optimizer = { model = "Adam" }
    [tile]
    algorithm = { model = "ChoppedTikiTaka", units_in_mbatch = false, transfer_lr = 5.0 }
    device = { model = "SoftBounds", dw_min = 0.01, write_noise_std = 1.0 }
    [[override]]
    layer = "layer6.*"
    digital = true
    [[override]]
    layer = "layer0.tile"
    tile.device.preset = "GokmenVlasov"
"#;

fn small() -> TrainingConfig {
    config::decode(parse_toml(SMALL).unwrap()).unwrap()
}

fn open<'a>(
    config: &TrainingConfig,
    data: &'a Split,
    folder: &'a Path,
    begin: Begin,
) -> Result<(NetworkConfig, Session<'a>), SessionError> {
    let network = config.network(&data.shape, data.train.classes())?;
    let built = config.build(&network)?;
    Ok((network, Session::open(config, built, data, folder, begin)?))
}

/// All that is written at the end.
fn outcome(
    config: &TrainingConfig,
    network: NetworkConfig,
    session: &Session<'_>,
    data: &Split,
) -> [Vec<u8>; 4] {
    let results = gather(config.clone(), network, session, data);
    let model = model::encode(&session.trainer.network, &results.network).unwrap();
    let page = page::render(&results).unwrap();
    [serde_json::to_vec(&results).unwrap(), results.csv().into_bytes(), page.into_bytes(), model]
}

/// Trains in processes that end after the given numbers of steps, then to the end.
fn train(config: &TrainingConfig, data: &Split, pace: Pace, stops: &[u64]) -> [Vec<u8>; 4] {
    let folder = tempfile::tempdir().unwrap();
    let mut begin = Begin::New;
    for &stop in stops {
        let (_, mut session) = open(config, data, folder.path(), begin).unwrap();
        let mut left = stop;
        let ending = session.run(pace, &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(ending.unwrap(), Ending::Interrupted);
        begin = Begin::Resume;
    }
    let (network, mut session) = open(config, data, folder.path(), begin).unwrap();
    assert_eq!(session.run(pace, &mut |_| ControlFlow::Continue(())).unwrap(), Ending::Finished);
    outcome(config, network, &session, data)
}

/// A checkpoint after every step.
fn at_once() -> Pace {
    Pace { longest: std::time::Duration::ZERO, shortest: std::time::Duration::ZERO }
}

#[test]
fn interruptions_leave_no_trace() {
    let (config, data) = (small(), few());
    let whole = train(&config, &data, Pace::default(), &[]);
    assert!(train(&config, &data, at_once(), &[]) == whole, "checkpoints alone");
    for stops in [&[1][..], &[5], &[6], &[7, 1, 1], &[11, 6]] {
        assert!(train(&config, &data, Pace::default(), stops) == whole, "stopped after {stops:?} steps");
    }
}

/// A slice that was lost with its process is done again.
#[test]
fn what_was_lost_since_the_checkpoint_is_done_again() {
    let (config, data) = (small(), few());
    let whole = train(&config, &data, Pace::default(), &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(CHECKPOINT);
    let (_, mut session) = open(&config, &data, folder.path(), Begin::New).unwrap();
    let mut steps = 0;
    let mut old = Vec::new();
    session
        .run(at_once(), &mut |_| {
            steps += 1;
            if steps == 8 {
                old = fs::read(&path).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    fs::write(&path, old).unwrap();
    let (network, mut session) = open(&config, &data, folder.path(), Begin::Resume).unwrap();
    assert_eq!(session.trainer.steps(), 7);
    session.run(Pace::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(outcome(&config, network, &session, &data) == whole);
}

#[test]
fn a_finished_training_goes_on_with_more_epochs() {
    let (mut config, data) = (small(), few());
    config.training.epochs = 5;
    let whole = train(&config, &data, Pace::default(), &[]);
    let folder = tempfile::tempdir().unwrap();
    let (_, mut session) = open(&small(), &data, folder.path(), Begin::New).unwrap();
    session.run(Pace::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(session.samples(), 3 * 23);
    let (network, mut session) = open(&config, &data, folder.path(), Begin::Resume).unwrap();
    session.run(Pace::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(outcome(&config, network, &session, &data) == whole);
    config.training.epochs = 2;
    let error = open(&config, &data, folder.path(), Begin::Resume).unwrap_err();
    assert_eq!(error.to_string(), "training.epochs = 2: must be at least 5: so far the checkpoint has come");
}

#[test]
fn checkpoints_that_do_not_fit_are_refused_with_the_reason() {
    let (config, data) = (small(), few());
    let folder = tempfile::tempdir().unwrap();
    let refuse = |config: &TrainingConfig, data: &Split, begin| {
        let message = open(config, data, folder.path(), begin).unwrap_err().to_string();
        assert!(message.lines().count() == 1 && !message.contains('{'), "{message}");
        message
    };
    assert!(refuse(&config, &data, Begin::Resume).contains("holds no checkpoint; leave out --resume"));
    let (_, mut session) = open(&config, &data, folder.path(), Begin::New).unwrap();
    session.run(Pace::default(), &mut |_| ControlFlow::Break(())).unwrap();
    assert!(refuse(&config, &data, Begin::New).contains("holds a checkpoint; go on with --resume"));
    let mut faster = config.clone();
    faster.training.learning_rate = 0.5;
    let message = refuse(&faster, &data, Begin::Resume);
    assert!(message.contains("written with training.learning_rate = 0.2, now it is 0.5; only"), "{message}");
    let mut bare = config.clone();
    bare.overrides.clear();
    assert!(refuse(&bare, &data, Begin::Resume).contains("override = a list of 2, now it is nothing"));
    let seeded = TrainingConfig { seed: 2, ..config.clone() };
    assert!(refuse(&seeded, &data, Begin::Resume).contains("with seed = 1, now it is 2"));
    let fewer = Split { test: data.test.range(1..10).unwrap(), ..data.clone() };
    assert!(refuse(&config, &fewer, Begin::Resume).contains("data.checksum"));
    let path = folder.path().join(CHECKPOINT);
    let bytes = fs::read(&path).unwrap();
    for damaged in [&bytes[..bytes.len() - 1], &bytes[..20], b"", b"no checkpoint at all"] {
        fs::write(&path, damaged).unwrap();
        assert!(refuse(&config, &data, Begin::Resume).contains("is no checkpoint of aimc"));
    }
    open(&config, &data, folder.path(), Begin::Restart).unwrap();
    open(&config, &data, folder.path(), Begin::Resume).unwrap();
}

/// Every mistake is answered by one line with the full path of the field.
#[test]
fn mistakes_are_named() {
    let mlp = "network.mlp = { hidden = [4], activation = \"tanh\" }\n";
    for (text, expected) in [
        ("seed = 1", "missing field `network`"),
        ("[network]", "network.layers: is missing"),
        (
            "network.mlp = { hidden = [0], activation = \"tanh\" }",
            "network.mlp.hidden[0] = 0: must be at least 1",
        ),
        (
            "network.layers = [{ layer = \"Lineal\", outputs = 3 }]",
            "network.layers[0].layer = \"Lineal\": must be one of",
        ),
        (
            "network.layers = [{ layer = \"Linear\", outputs = 3, input = 1 }]",
            "network.layers[0].input: is no known field",
        ),
        (&format!("{mlp}sed = 1"), "sed: is no known field"),
        (&format!("{mlp}training.epochs = 0"), "training.epochs = 0: must be at least 1"),
        (&format!("{mlp}training.learning_rate = nan"), "training.learning_rate = NaN: must be a finite"),
        (&format!("{mlp}training.loss.model = \"Hinge\""), "training.loss.model = \"Hinge\": must be one of"),
        (
            &format!("{mlp}training.loss = {{ model = \"CrossEntropy\", label_smoothing = 2.0 }}"),
            "training.loss.label_smoothing = 2.0: must be a probability",
        ),
        (
            &format!("{mlp}tile.device.preset = \"Flux\""),
            "tile.device.preset = \"Flux\": is unknown; known are",
        ),
        (
            &format!("{mlp}tile.device = {{ model = \"SoftBounds\", dw_min = -1.0 }}"),
            "tile.device.dw_min = -1.0: must",
        ),
        (&format!("{mlp}tile.algorithm.model = \"Tiki\""), "tile.algorithm.model = \"Tiki\": must be one of"),
        (
            &format!("{mlp}override = [{{ layer = \"*\" }}]"),
            "override[0].digital = false: must be true where",
        ),
        (
            &format!("{mlp}override = [{{ layer = \"*\", digital = true, tile = {{}} }}]"),
            "override[0].digital = true: must be left out beside a tile",
        ),
        (
            &format!("{mlp}override = [{{ layer = \"*\", tile.forward.out_noise = -1.0 }}]"),
            "override[0].tile.forward.out_noise = -1.0",
        ),
        (&format!("{mlp}data.set = \"imagenet\""), "data.set = \"imagenet\": unknown variant"),
        (&format!("{mlp}data.path = \"x\""), "data.path = x: must be left out"),
        (&format!("{mlp}data.set = \"npz\""), "data.path: is missing"),
        (&format!("{mlp}data.window = 3"), "data.window = 3: must be left out"),
    ] {
        let message = parse_toml(text).and_then(config::decode).unwrap_err().to_string();
        assert!(message.contains(expected) && message.lines().count() == 1, "{text}: {message}");
    }
}

/// What can only be seen with the data in hand.
#[test]
fn networks_that_do_not_fit_are_named() {
    let one = "network.layers = [{ layer = \"Conv\", outputs = 1, kernel = 3 }, { layer = \"Flatten\" }, \
               { layer = \"Linear\", outputs = 10 }, { layer = \"LogSoftmax\" }]\n";
    let mlp = "network.mlp = { hidden = [4], activation = \"tanh\" }\n";
    for (text, expected) in [
        (
            format!("{one}network.input = [1, 28, 28]"),
            "network.input = [1, 28, 28]: must be [1, 8, 8], the shape of the data, or [64]",
        ),
        (format!("{one}network.input = [1, 4, 16]"), "network.input = [1, 4, 16]: must be [1, 8, 8]"),
        (format!("{one}network.input = [0]"), "network.input = [0]: must be"),
        (one.replace("kernel = 3", "kernel = 9"), "network.layers[0].kernel"),
        (one.replace("outputs = 10", "outputs = 9"), "network: number of outputs = 9: must be at least 10"),
        (
            one.replace("outputs = 10", "outputs = 10, inputs = 35"),
            "network.layers[2].inputs = 35: must be 36",
        ),
        (
            one.replace(", { layer = \"LogSoftmax\" }", ""),
            "training.loss = NegativeLogLikelihood: needs a network that ends",
        ),
        (
            format!("{one}training.loss.model = \"MeanSquare\""),
            "training.loss = MeanSquare: needs a network that does not end",
        ),
        (
            format!("{mlp}override = [{{ layer = \"layer1.*\", digital = true }}]"),
            "override[0].layer = \"layer1.*\": fits none of the matrices layer0.tile, layer2.tile",
        ),
        (
            format!("{mlp}tile.periphery.mapping = {{ digital_bias = false, max_input_size = 8 }}"),
            "tile.periphery.mapping.digital_bias = false: must be true",
        ),
    ] {
        let check = |config: TrainingConfig| {
            let network = config.network(&[1, 8, 8], 10)?;
            config.build(&network).map(|_| ())
        };
        let message = parse_toml(&text).and_then(config::decode).and_then(check).unwrap_err().to_string();
        assert!(message.contains(expected) && message.lines().count() == 1, "{text}: {message}");
    }
}

#[test]
fn networks_end_and_begin_as_loss_and_data_ask() {
    let network = |text: &str| {
        let config = parse_toml(text).and_then(config::decode).unwrap();
        config.network(&[1, 8, 8], 10).unwrap()
    };
    let mlp = "network.mlp = { hidden = [4], activation = \"tanh\" }\n";
    assert_eq!(network(mlp), NetworkConfig::mlp(&[64, 4, 10], aimc_nn::Activation::Tanh));
    assert_eq!(network(&format!("{mlp}training.loss.model = \"MeanSquare\"")).layers.len(), 3);
    let rows =
        "network.input = [8, 8]\nnetwork.layers = [{ layer = \"Recurrent\", cell = \"Lstm\", hidden = 10 }]";
    let rows = network(&format!("{rows}\ntraining.loss.model = \"CrossEntropy\""));
    assert_eq!(rows.validate().unwrap().0, [8, 8]);
}

#[test]
fn overrides_decide_what_a_matrix_lies_on() {
    let (config, data) = (small(), few());
    let network = config.network(&data.shape, 10).unwrap();
    let matrices = results::matrices(&config, &config.build(&network).unwrap());
    let kinds: Vec<(&str, &str, u64, u64)> =
        matrices.iter().map(|m| (m.name.as_str(), m.kind.as_str(), m.arrays, m.devices)).collect();
    // 3x3 kernels of one channel for 2 channels; 2 channels of 3x3 positions.
    assert_eq!(
        kinds,
        [
            ("layer0.tile", "Sgd on ConstantStep", 1, 2 * 9),
            ("layer4.tile", "ChoppedTikiTaka on SoftBounds", 2, 2 * 12 * 18),
            ("layer6.tile", "digital", 0, 0),
        ]
    );
}

#[test]
fn the_page_holds_every_section_and_no_outside_resource() {
    let [_, csv, page, _] = train(&small(), &few(), Pace::default(), &[])
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    for part in
        ["Learning", "Pulses", "The network", "ChoppedTikiTaka on SoftBounds", "Complete configuration"]
    {
        assert!(page.contains(part), "{part} is missing");
    }
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(!page.contains("src=") && !page.contains("<script"));
    assert_eq!(csv.lines().count(), 1 + 3);
    assert!(csv.starts_with("epoch (number),training loss (nats per sample),"), "{csv}");
}

/// Without devices there are no pulses to draw, and a loss of exactly 0 has no place on a logarithmic axis.
#[test]
fn a_page_can_always_be_drawn() {
    let text = "network.mlp = { hidden = [4], activation = \"tanh\" }\ntraining.epochs = 1";
    let (config, data) = (parse_toml(text).and_then(config::decode).unwrap(), few());
    let folder = tempfile::tempdir().unwrap();
    let (network, mut session) = open(&config, &data, folder.path(), Begin::New).unwrap();
    session.run(Pace::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    let mut results = gather(config, network, &session, &data);
    assert_eq!(page::render(&results).unwrap().matches("<svg").count(), 2);
    (results.history[0].train_loss, results.history[0].test_loss) = (0.0, f64::NAN);
    let page = page::render(&results).unwrap();
    assert!(page.matches("<svg").count() == 1 && page.contains("takes no pulses"));
}

/// Every file in `examples/` can be read and built, and the table beside them names it.
#[test]
fn examples_can_be_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let table = fs::read_to_string(folder.join("README.md")).unwrap();
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert!(!files.is_empty());
    for file in files {
        let tree: Value = parse_toml(&fs::read_to_string(&file).unwrap()).unwrap();
        let config = config::decode(tree).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let shape = match config.data.set {
            DataName::Digits => vec![1, 8, 8],
            DataName::Mnist => vec![1, 28, 28],
            DataName::Cifar10 => vec![3, 32, 32],
            DataName::Text => vec![config.data.window.unwrap_or(32)],
            DataName::Npz => continue,
        };
        let built = config.network(&shape, 10).and_then(|network| config.build(&network));
        built.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(table.contains(&*name), "{name} is missing in examples/README.md");
    }
}
