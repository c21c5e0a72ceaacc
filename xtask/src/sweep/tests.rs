//! Tests of the command on the smallest networks.

use super::*;

/// Twelve runs of a training of half a second at most.
pub(super) const SWEEP: &str = r#"
    command = "train"
    seeds = 2
    [base]
    seed = 5
    network.mlp = { hidden = [8], activation = "tanh" }
    training = { epochs = 2, batch_size = 20, learning_rate = 0.1 }
    tile.preset = "GokmenVlasovPreset"
    [[axis]]
    field = "tile.device.dw_min"
    values = [0.002, 0.05]
    [[axis]]
    field = "tile.device.preset"
    values = ["GokmenVlasov", "Idealized", "GokmenVlasov"]
    [[column]]
    name = "test accuracy (share)"
    path = "history[-1].test_accuracy"
    goal = "maximise"
    [[column]]
    name = "up pulses (number)"
    path = "history[-1].pulses.up"
    goal = "minimise"
"#;

fn arguments(folder: &Path, text: &str) -> SweepArguments {
    let file = folder.join("sweep.toml");
    std::fs::write(&file, text).unwrap();
    SweepArguments { file, out: folder.join("out"), cache: None, shard: None, join: false }
}

fn refusal(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments(folder.path(), text);
    let message = run(&arguments).unwrap_err().to_string();
    assert!(!arguments.out.exists(), "{message}");
    message
}

#[test]
fn refused_points_are_named_before_anything_runs() {
    let message = refusal(&SWEEP.replace("0.05", "-1.0"));
    assert!(message.starts_with("3 of 6 points are refused; nothing was run\n"), "{message}");
    assert!(
        message.contains("point 4 (tile.device.dw_min = -1.0, tile.device.preset = GokmenVlasov)"),
        "{message}"
    );
    assert_eq!(
        message.matches("tile.device.dw_min = -1.0: must be a finite number above 0").count(),
        3,
        "{message}"
    );
    // What shows only when networks are built; two points are the same as others.
    let misfit = "[[base.override]]\nlayer = \"layer7*\"\ndigital = true\n[[axis]]";
    let message = refusal(&SWEEP.replacen("[[axis]]", misfit, 1));
    assert!(
        message.starts_with("4 of 6 points") && message.contains("override[0].layer = \"layer7*\""),
        "{message}"
    );
    for (from, to, field) in [
        ("\"train\"", "\"demo\"", "command = demo: must be one of train, infer, hwa"),
        ("seeds = 2", "seeds = 0", "seeds = 0"),
        ("tile.device.dw_min", "tile.device.dw_mim", "tile.device.dw_mim: is no known field"),
        ("[0.002, 0.05]", "[]", "axis[0].values"),
        ("values = [0.002, 0.05]", "range = { low = 1.0, high = 2.0 }", "axis[0].range"),
        ("\"maximise\"", "\"more\"", "column[0].goal"),
    ] {
        let message = refusal(&SWEEP.replace(from, to));
        assert!(message.contains(field), "{message}");
    }
}

#[test]
fn tables_have_every_run_and_the_mean_of_every_point() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments(folder.path(), SWEEP);
    run(&arguments).unwrap();
    let read = |name: &str| std::fs::read_to_string(arguments.out.join(name)).unwrap();
    let runs = read("runs.csv");
    let rows: Vec<Vec<&str>> = runs.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 13, "{runs}");
    assert_eq!(rows[0][..4], ["point (number)", "tile.device.dw_min", "tile.device.preset", "seed"]);
    assert_eq!(rows[1][..4], ["1", "0.002", "GokmenVlasov", "5"]);
    assert_eq!(rows[12][..4], ["6", "0.05", "GokmenVlasov", "6"]);
    // The same configuration twice is the same row twice; another device is not.
    assert_eq!(rows[1][4..], rows[5][4..]);
    assert_ne!(rows[1][4..], rows[3][4..]);
    let value = |row: usize| rows[row][4].parse::<f64>().unwrap();
    let points = read("points.csv");
    let first: Vec<&str> = points.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(first[4].parse::<f64>().unwrap(), (value(1) + value(2)) / 2.0);
    // Ten results for twelve runs: four are the same two.
    let entries = std::fs::read_dir(arguments.out.join("cache")).unwrap().count();
    assert_eq!(entries, 8);
    assert!(read("report.html").contains("Pareto front") && read("pareto.csv").lines().count() > 1);
    assert_eq!(&std::fs::read(arguments.out.join("runs.parquet")).unwrap()[..4], b"PAR1");
    // A path that leads nowhere costs no run: the results are there.
    let wrong = arguments_with(&arguments, &SWEEP.replace("pulses.up", "pulses.sideways"));
    let message = run(&wrong).unwrap_err().to_string();
    assert!(message.contains("column[1].path = history[-1].pulses.sideways: leads nowhere"), "{message}");
}

/// A run of `hwa` in a sweep is that command with one seed.
#[test]
fn a_comparison_can_be_swept() {
    let sweep = r#"
        command = "hwa"
        seeds = 2
        [base]
        seed = 3
        seeds = 1
        network.mlp = { hidden = [8], activation = "tanh" }
        baseline = { epochs = 2, batch_size = 32, learning_rate = 0.5 }
        retraining = { epochs = 2, batch_size = 32, learning_rate = 0.1 }
        hardware_aware.preset = "StandardHWATrainingPreset"
        device = [{ name = "PCM" }]
        evaluation = { times_seconds = [1.0, 1e6], repeats = 1 }
        [[axis]]
        field = "hardware_aware.modifier"
        values = [{ type = "AddNormal", std_dev = 0.1 }, { type = "AddNormal", std_dev = 0.2 }]
        [[column]]
        name = "accuracy (share)"
        path = "devices[0].compensated[-1].hardware_aware.mean"
    "#;
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments(folder.path(), sweep);
    run(&arguments).unwrap();
    let runs = std::fs::read_to_string(arguments.out.join("runs.csv")).unwrap();
    let cell =
        |row: usize| runs.lines().nth(row).unwrap().rsplit(',').next().unwrap().parse::<f64>().unwrap();
    assert_eq!(runs.lines().count(), 5, "{runs}");
    // The second run of the first point, alone.
    let mut alone = aimc_device::config::parse_toml(sweep).unwrap()["base"].clone();
    alone["seed"] = 4.into();
    alone["hardware_aware"]["modifier"] = serde_json::json!({ "type": "AddNormal", "std_dev": 0.1 });
    let config = crate::hwa::decode(alone).unwrap();
    let data = config.data.load().unwrap();
    let results = crate::hwa::compare_quietly(&config, &data, &folder.path().join("alone")).unwrap();
    let results = serde_json::to_value(&results).unwrap();
    assert_eq!(results["devices"][0]["compensated"][1]["hardware_aware"]["mean"], cell(2), "{runs}");
    let message = refusal(&sweep.replace("seeds = 1", "seeds = 2"));
    assert!(message.contains("seeds = 2: must be 1"), "{message}");
}

fn arguments_with(other: &SweepArguments, text: &str) -> SweepArguments {
    std::fs::write(&other.file, text).unwrap();
    other.clone()
}
