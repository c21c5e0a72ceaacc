//! Published results.

use crate::parity::feature::{Here, Section, not, partly};

pub(in crate::parity) const SECTION: Section = Section {
    title: "Published results",
    registries: &["reproduction"],
    features: &[
        not(
            "Convolutional network with noise, bound and update management",
            "Gokmen, Onen & Haensch 2017",
            "not reproduced yet",
        ),
        not(
            "Level of training noise and accuracy of PCM over one day",
            "Joshi et al. 2020",
            "not reproduced yet",
        ),
        partly(
            "Hardware-aware training over time, sensitivity to each non-ideality",
            "Rasch et al. 2023",
            &[Here::Named("command", "hwa"), Here::File("examples/hwa/mnist_pcm.toml")],
            "the comparison exists for small networks; the publication's networks do not",
        ),
        not(
            "ResNet-9 on the 64-core chip",
            "Le Gallo et al. 2023",
            "the device model and the cost estimates exist; the network does not",
        ),
    ],
};
