//! Tests of the command on the smallest network.

use super::*;
use aimc_nn::Activation;
use aimc_tile::TrainableTile;

/// A model file and a configuration beside it, in `folder`; the arguments that name them.
fn written(folder: &Path, config: &str) -> InferArguments {
    let description = NetworkConfig::mlp(&[64, 10], Activation::Tanh);
    let build =
        |place: &aimc_nn::Place<'_>| Ok(Box::new(IdealTile::new(place.shape)?) as Box<dyn TrainableTile>);
    let network = description.build(RngKey::root(1), build).unwrap();
    let (model, file) = (folder.join("model.safetensors"), folder.join("infer.toml"));
    std::fs::write(&model, model::encode(&network, &description).unwrap()).unwrap();
    std::fs::write(&file, config).unwrap();
    InferArguments { model, config: file, seed: None, out: folder.join("out") }
}

const SMALL: &str = "sensitivity_repeats = 2\nevaluation = { times_seconds = [1.0, 1e6], repeats = 2 }\n";

#[test]
fn the_command_writes_the_same_bytes_at_any_number_of_threads() {
    let read = |threads| {
        let folder = tempfile::tempdir().unwrap();
        let arguments = written(folder.path(), SMALL);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&arguments)).unwrap();
        let text = |name: &str| std::fs::read_to_string(arguments.out.join(name)).unwrap();
        let results = text("results.json").replace(&folder.path().display().to_string(), "");
        (results, text("accuracy.csv"), text("report.html").contains("layer0.tile"))
    };
    let one = read(1);
    assert!(one.2 && one.1.lines().count() == 3, "{}", one.1);
    assert_eq!(one, read(2));
}

/// Every sample is used for the ranges of both converters, whose error falls; costs stand beside.
#[test]
fn calibration_and_costs_are_in_the_results() {
    let folder = tempfile::tempdir().unwrap();
    let chip = "tile.forward = { noise_management = \"None\", bound_management = \"None\" }\n\
                tile.periphery.input_range = { enable = true, init_value = 50.0 }\n\
                calibration = { input.rule = \"Max\", adc.quantile = 1.0 }\n\
                evaluation = { times_seconds = [1.0], repeats = 1 }\n";
    let arguments = written(folder.path(), chip);
    run(&arguments).unwrap();
    let text = |name: &str| std::fs::read_to_string(arguments.out.join(name)).unwrap();
    let results: serde_json::Value = serde_json::from_str(&text("results.json")).unwrap();
    let tile = &results["calibration"]["matrices"][0]["tiles"][0];
    // The data are images of 0 to 1.
    assert_eq!((&tile["before"]["input"], &tile["after"]["input"]), (&50.0.into(), &1.0.into()));
    let error = |name: &str| tile[name].as_f64().unwrap();
    assert!(error("error_after") < 0.2 * error("error_before"), "{tile}");
    assert_eq!(results["cost"].as_array().unwrap().len(), aimc_infer::cost::MACROS.len());
    assert_eq!(text("cost.csv").lines().count(), 1 + aimc_infer::cost::MACROS.len());
    let page = text("report.html");
    assert!(page.contains("Energy, latency and area") && page.contains("<h2>Calibration"), "{page}");
}

#[test]
fn mistakes_are_named() {
    let refused = |config: &str, damage: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let arguments = written(folder.path(), config);
        damage(&arguments.model);
        run(&arguments).unwrap_err().to_string()
    };
    let whole = |_: &Path| {};
    for (config, expected) in [
        ("tile.device.g_max = -1", "tile.device.model: is missing"),
        ("tile.compensations = 1", "tile.compensations: is no known field"),
        ("evaluation.repeats = 0", "evaluation.repeats = 0: must be at least 1"),
        ("calibration.vectors = 0", "calibration.vectors = 0: must be at least 1"),
        ("calibration.samples = 5", "tile.periphery.input_range.enable = false: must be true"),
        ("[[cost]]\npreset = \"LeGallo2023OnePhase\"\ncore.inputs = 0", "cost[0].core.inputs = 0: must be"),
        ("data.set = \"npz\"", "data.path: is missing"),
    ] {
        let message = refused(config, &whole);
        assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
    }
    let cut = |path: &Path| std::fs::write(path, &std::fs::read(path).unwrap()[..200]).unwrap();
    assert!(refused(SMALL, &cut).contains("is no safetensors file"), "{}", refused(SMALL, &cut));
    let gone = |path: &Path| std::fs::remove_file(path).unwrap();
    assert!(refused(SMALL, &gone).contains("cannot be read"));
}

#[test]
fn every_example_is_a_configuration() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/inference");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let config = file.unwrap().path();
        let model = PathBuf::from("none");
        config::load(&InferArguments { model, config, seed: None, out: PathBuf::new() }).unwrap();
        count += 1;
    }
    assert!(count > 0);
}
