//! Tests of the command on the smallest network.

use std::path::Path;

use super::*;
use aimc_device::config as text;

const SMALL: &str = r#"
seed = 3
seeds = 2

[network]
mlp = { hidden = [12], activation = "tanh" }

[baseline]
epochs = 2
batch_size = 32
learning_rate = 0.5

[retraining]
epochs = 4
batch_size = 32
learning_rate = 0.1
distillation = { weight = 0.5, temperature = 2.0 }

[hardware_aware]
preset = "StandardHWATrainingPreset"
modifier = { type = "AddNormal", std_dev = 0.1 }

[[device]]
name = "PCM"

[evaluation]
times_seconds = [1.0, 1e6]
repeats = 2
"#;

const STOPPING: &str = "\n[early_stopping]\nrule = { every_epochs = 1, patience = 1 }\nrepeats = 1\n";

fn written(folder: &Path, config: &str) -> HwaArguments {
    let file = folder.join("hwa.toml");
    std::fs::write(&file, config).unwrap();
    let out = folder.join("out");
    HwaArguments { config: file, seed: None, seeds: None, out, resume: false, restart: false }
}

fn results(arguments: &HwaArguments) -> (String, String) {
    let read = |name: &str| std::fs::read_to_string(arguments.out.join(name)).unwrap();
    assert!(read("report.html").contains("hardware-aware"));
    (read("results.json"), read("accuracy.csv"))
}

/// As a run of a sweep, without a word, it finds the same, also where it goes on in a folder with one seed done.
#[test]
fn a_quiet_comparison_finds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = written(folder.path(), SMALL);
    run(&arguments).unwrap();
    let config = decode(text::parse_toml(SMALL).unwrap()).unwrap();
    let data = config.data.load().unwrap();
    let scratch = folder.path().join("scratch");
    for _ in 0..2 {
        let found = compare_quietly(&config, &data, &scratch).unwrap();
        assert_eq!(serde_json::to_string_pretty(&found).unwrap() + "\n", results(&arguments).0);
        std::fs::remove_dir_all(scratch.join("seed4")).unwrap();
    }
}

#[test]
fn the_command_writes_the_same_numbers_at_any_number_of_threads_and_after_a_restart() {
    let run_with = |threads: usize, config: &str| {
        let folder = tempfile::tempdir().unwrap();
        let arguments = written(folder.path(), config);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&arguments)).unwrap();
        let first = results(&arguments);
        assert_eq!(first.1.lines().count(), 3, "{}", first.1);
        let occupied = run(&arguments).unwrap_err().to_string();
        assert!(occupied.contains("holds a checkpoint"), "{occupied}");
        run(&HwaArguments { resume: true, ..arguments.clone() }).unwrap();
        assert_eq!(results(&arguments), first);
        // The second seed begins where it was not begun.
        std::fs::remove_dir_all(arguments.out.join("seed4")).unwrap();
        run(&HwaArguments { resume: true, ..arguments.clone() }).unwrap();
        assert_eq!(results(&arguments), first);
        first
    };
    assert_eq!(run_with(1, SMALL), run_with(2, SMALL));
    let stopped = run_with(2, &format!("{SMALL}{STOPPING}")).0;
    let stopped: serde_json::Value = serde_json::from_str(&stopped).unwrap();
    assert_eq!(stopped["held_out"], 144);
    for training in stopped["trainings"].as_array().unwrap() {
        let scores: Vec<f64> =
            training["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
        let rule = aimc_train::EarlyStopping { every_epochs: 1, patience: 1 };
        let verdict = rule.verdict(&scores);
        assert_eq!(training["epochs"], verdict.best.unwrap() + 1, "{training}");
        assert!(scores.len() == 4 || verdict.ends, "{training}");
    }
}

#[test]
fn mistakes_are_named() {
    let refused = |change: &str, by: &str| {
        let tree = text::parse_toml(&SMALL.replace(change, by)).unwrap();
        config::decode(tree).unwrap_err().to_string()
    };
    for (change, by, expected) in [
        ("seeds = 2", "seeds = 0", "seeds = 0: must be at least 1"),
        ("epochs = 2", "epochs = 0", "baseline.epochs = 0: must be at least 1"),
        ("epochs = 2", "distillation = {}", "baseline.distillation: must be left out"),
        ("temperature = 2.0", "temperature = 0.0", "retraining.distillation.temperature = 0.0: must be"),
        ("std_dev = 0.1", "std_dev = -0.1", "hardware_aware.modifier.std_dev = -0.1: must be"),
        ("name = \"PCM\"", "name = \"PCM\"\n[[device]]\nname = \"PCM\"", "device[1].name"),
        ("[[device]]\nname = \"PCM\"", "", "device: is missing"),
        ("seeds = 2", "noise_ramp_epochs = 2\nseeds = 2", ""),
        (
            "repeats = 2",
            "repeats = 2\n[early_stopping]\nvalidation_share = 1.0",
            "early_stopping.validation_share",
        ),
        (
            "repeats = 2",
            "repeats = 2\n[early_stopping.rule]\nevery_epochs = 5",
            "early_stopping.rule.every_epochs",
        ),
    ] {
        if expected.is_empty() {
            config::decode(text::parse_toml(&SMALL.replace(change, by)).unwrap()).unwrap();
            continue;
        }
        let message = refused(change, by);
        assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
    }
    let no_noise = refused("modifier = { type = \"AddNormal\", std_dev = 0.1 }\n", "\n[retraining.x]\n");
    assert!(no_noise.contains("retraining.x"), "{no_noise}");
}

#[test]
fn noise_ramps_up_over_epochs() {
    let tree = text::parse_toml(&SMALL.replace("seeds = 2", "seeds = 2\nnoise_ramp_epochs = 3")).unwrap();
    let config = config::decode(tree).unwrap();
    let stage = config.retraining_stage(3, 100);
    // 100 samples are 4 steps of 32.
    assert_eq!(stage.hardware_aware.unwrap().modifier.warmup_steps, 12);
    let silent = SMALL
        .replace("modifier = { type = \"AddNormal\", std_dev = 0.1 }\n", "")
        .replace("seeds = 2", "seeds = 2\nnoise_ramp_epochs = 3");
    let message = config::decode(text::parse_toml(&silent).unwrap()).unwrap_err().to_string();
    assert!(message.starts_with("noise_ramp_epochs = 3: must be 0"), "{message}");
}

#[test]
fn every_example_is_a_configuration() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hwa");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let config = file.unwrap().path();
        let out = PathBuf::new();
        let arguments = HwaArguments { config, seed: None, seeds: None, out, resume: false, restart: false };
        config::load(&arguments).unwrap();
        count += 1;
    }
    assert!(count > 0);
}
