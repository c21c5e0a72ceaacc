//! Commands and services around the simulation.

use crate::parity::feature::{Here, Section, have, item, not, partly};
use crate::schema::SchemaName::Train;

pub(in crate::parity) const SECTION: Section = Section {
    title: "Utilities and services",
    registries: &["command", "data"],
    features: &[
        have(
            "What a network needs: tiles, how full they are, products",
            "analog_summary, AnalogInfo",
            &[item!(aimc_nn::Summary)],
        ),
        have(
            "Device models from measurements",
            "fit_measurements, model_response",
            &[Here::Named("command", "fit-device"), item!(aimc_device::measured::fit)],
        ),
        have(
            "Pictures of devices: pulse response, statistics, symmetry, drift",
            "plot_pulse_response, plot_pulse_statistics, plot_device, plot_response_overview, plot_device_compact, plot_device_symmetry, plot_weight_drift",
            &[Here::Named("command", "device"), Here::File("xtask/src/plot/mod.rs")],
        ),
        partly(
            "Pictures of programming errors and conductances",
            "plot_programming_error, plot_model_programming_error",
            &[Here::Named("command", "infer")],
            "numbers of each matrix are in the report; there is no picture of single conductances",
        ),
        not(
            "Checkpoints of old versions",
            "legacy conversion",
            "checkpoints have a version; older ones are refused",
        ),
        partly(
            "A tile as a matrix of SciPy",
            "AnalogMatrix",
            &[item!(aimc_tile::MatVec), item!(aimc_tile::Tile)],
            "products, transposed products and rank updates are methods; no adapter for solvers",
        ),
        have(
            "Training by a few lines, with metrics",
            "BasicTraining, LocalRunner, LocalMetric",
            &[Here::Named("command", "train"), item!(aimc_train::Trainer)],
        ),
        have(
            "Inference by a few lines, with metrics",
            "InferenceLocalRunner, InferenceLocalMetric",
            &[Here::Named("command", "infer")],
        ),
        have(
            "What happens between epochs",
            "experiment hooks",
            &[item!(aimc_train::Progress), item!(aimc_train::EpochMetrics)],
        ),
        have("Learning rates over epochs", "torch schedulers", &[Here::Field(Train, "training.schedule")]),
        not(
            "Service in the cloud",
            "CloudRunner, API sessions, protobuf converters",
            "it would need a server that we do not have; `xtask sweep --shard` spreads work over one's own machines",
        ),
        have(
            "Ladder of resistances",
            "extension ops: Thevenin equivalent",
            &[Here::Named("ir-drop", "Ladder")],
        ),
        not("Casts to other float formats", "extension ops: float_precision_cast", "32-bit floats only"),
        have(
            "Typed errors",
            "exceptions.py",
            &[
                item!(aimc_device::ConfigError),
                item!(aimc_tile::TileError),
                item!(aimc_infer::InferenceError),
            ],
        ),
        have("Documentation", "docs/", &[Here::File("book/src/SUMMARY.md")]),
        partly(
            "Docker, conda and wheels",
            "packaging",
            &[Here::File("aimc-py/pyproject.toml")],
            "a wheel can be built; for all else a clone and `cargo` suffice",
        ),
    ],
};
