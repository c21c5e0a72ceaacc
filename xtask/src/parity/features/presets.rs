//! Calibrated sets of parameters.

use crate::parity::feature::{Here, Section, have};

pub(in crate::parity) const SECTION: Section = Section {
    title: "Presets",
    registries: &["device-preset", "tile-preset", "algorithm-preset", "hwa-preset", "technology"],
    features: &[
        have(
            "Weight modifier of the web composer",
            "WebComposerWeightModifierParameter",
            &[Here::Named("hwa-preset", "WebComposerInferenceRPUConfig")],
        ),
        have(
            "Clipping of the web composer",
            "WebComposerWeightClipParameter",
            &[Here::Named("hwa-preset", "WebComposerInferenceRPUConfig")],
        ),
        have(
            "Mappings of the web composer",
            "WebComposerMappingParameter, OldWebComposerMappingParameter",
            &[
                Here::Named("hwa-preset", "WebComposerInferenceRPUConfig"),
                Here::Named("hwa-preset", "OldWebComposerInferenceRPUConfig"),
            ],
        ),
    ],
};
