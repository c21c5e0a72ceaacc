//! The examples and notebooks of AIHWKit.

use crate::parity::feature::{Here, Section, have, item, not, partly};
use crate::schema::SchemaName::{Infer, Train};

const CHAPTER: Here = Here::File("book/src/first_tile.md");

pub(in crate::parity) const SECTION: Section = Section {
    title: "Examples",
    registries: &[],
    features: &[
        have("A layer, several layers", "01, 02", &[CHAPTER, Here::Field(Train, "network.mlp")]),
        have("Multi-layer perceptron on MNIST", "03", &[Here::File("examples/digits_gokmen_vlasov.toml")]),
        have(
            "LeNet-5 on MNIST",
            "04, LeNet-5 notebooks",
            &[Here::File("examples/lenet5_gokmen_vlasov.toml")],
        ),
        have("Hardware-aware training and drift", "05, 06, 25", &[Here::File("examples/hwa/mnist_pcm.toml")]),
        have("Several devices per weight", "07", &[Here::Named("cell", "Vector")]),
        have("Tiki-Taka", "08", &[Here::File("examples/digits_reram_tiki_taka.toml")]),
        have("Deterministic pulses", "09", &[Here::Named("pulse", "DeterministicImplicit")]),
        have("Pictures of presets", "10", &[Here::Named("command", "device")]),
        partly(
            "VGG-8 on SVHN",
            "11",
            &[Here::Named("data", "npz")],
            "the layers exist; SVHN has to be brought as a NumPy archive",
        ),
        have("Mixed precision", "12", &[Here::Named("algorithm", "MixedPrecision")]),
        have(
            "An experiment, with a schedule of learning rates",
            "13, 14",
            &[Here::Named("command", "train"), Here::Named("schedule", "Step")],
        ),
        have("Recurrent networks", "15", &[Here::File("examples/text_lstm.toml")]),
        not("Generative adversarial network", "16", "two networks that train each other are not built"),
        partly(
            "ResNet-34 for ImageNet, converted",
            "17",
            &[item!(aimc_nn::import::load)],
            "weights of PyTorch and ONNX exports can be used; ImageNet cannot be trained in reasonable time",
        ),
        partly(
            "Residual network on CIFAR-10",
            "18",
            &[Here::File("examples/digits_resnet.toml"), Here::Named("data", "cifar10")],
            "the example is on digits; CIFAR-10 has to be brought",
        ),
        have("Summary of a network", "19", &[item!(aimc_nn::Summary)]),
        not("Training on several GPUs", "20", "no GPU"),
        have("Devices fitted to measurements", "21", &[Here::Named("command", "fit-device")]),
        have("Language model of characters by an LSTM", "22", &[Here::File("examples/text_lstm.toml")]),
        have("A tile as a matrix", "23", &[CHAPTER]),
        partly(
            "BERT on SQuAD over time",
            "24, 33, MobileBERT notebook",
            &[Here::Named("layer", "Attention")],
            "attention layers and ONNX exports exist; this data set and its scores do not",
        ),
        have(
            "Detection of correlations",
            "26",
            &[Here::File("aimc-py/examples/26_correlation_detection.py")],
        ),
        have(
            "Calibration of input ranges",
            "27, calibration notebook",
            &[Here::File("examples/inference/pcm_calibrated.toml")],
        ),
        have(
            "IR drop in its modes",
            "28",
            &[Here::Named("ir-drop", "Ladder"), Here::Named("reproduction", "ir-drop")],
        ),
        not("Krylov solver", "29", "not built"),
        have(
            "A model from elsewhere over time",
            "30",
            &[item!(aimc_nn::import::load), Here::Field(Infer, "network")],
        ),
        have("Drift model of one's own", "31", &[Here::Named("programmed", "CustomDriftPcmLike")]),
        have(
            "Ways of conversion",
            "32",
            &[Here::Named("converter", "NPair"), Here::Named("converter", "CustomPair")],
        ),
        have("Search for a conversion", "33", &[Here::Field(Infer, "weight_programming")]),
        have("CMO/HfOx ReRAM over time", "34", &[Here::Named("programmed", "ReRamCmo")]),
        not("Half precision", "35", "32-bit floats only"),
        not("Distilled GPT-2", "36", "attention layers exist; this network and its text do not"),
        have(
            "Non-idealities of devices",
            "analog_device_nonIdealities notebook",
            &[Here::Named("command", "device")],
        ),
        have(
            "Sensitivity to single layers",
            "analog_sensitivity notebook",
            &[Here::Field(Infer, "sensitivity_repeats")],
        ),
        have("Hermes chip model", "hermes notebooks", &[Here::File("examples/inference/mnist_hermes.toml")]),
        have(
            "Devices and drift models of one's own",
            "extending_functionality notebook",
            &[Here::File("book/src/adding_a_device.md")],
        ),
        not("Experiments from the command line of the cloud", "cli notebooks", "no cloud service"),
    ],
};
