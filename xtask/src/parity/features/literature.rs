//! Published results.

use crate::parity::feature::{Here, Section, not, partly};

pub(in crate::parity) const SECTION: Section = Section {
    title: "Published results",
    registries: &["reproduction"],
    features: &[
        partly(
            "Hardware-aware training over time, sensitivity to each non-ideality",
            "Rasch et al. 2023",
            &[Here::Named("reproduction", "rasch-2023"), Here::Named("command", "hwa")],
            "on small networks; the publication's networks do not exist here",
        ),
        not(
            "ResNet-9 on the 64-core chip",
            "Le Gallo et al. 2023",
            "the device model and the cost estimates exist; the network does not",
        ),
    ],
};
