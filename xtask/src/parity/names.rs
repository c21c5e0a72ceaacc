//! What AIHWKit calls the entries of our registries.
//!
//! An entry that stands here must be in its registry, and one that does not stand here has no counterpart in AIHWKit. Presets name
//! theirs in their own files ("numbers as in AIHWKit 1.1.0 (NAME)").

use super::registries::{Entry, Registry};

/// Names of one registry.
pub(super) struct Names {
    pub(super) registry: &'static str,
    /// What stands before each name of AIHWKit.
    prefix: &'static str,
    /// Ours and theirs.
    pub(super) pairs: &'static [(&'static str, &'static str)],
}

/// What AIHWKit calls an entry; none where it has no such thing.
pub(super) fn theirs(registry: &Registry, entry: &Entry) -> Option<String> {
    if let Some(text) = registry.preset_text(&entry.name) {
        return preset(text, &entry.name);
    }
    let names = ALL.iter().find(|names| names.registry == registry.id)?;
    let (_, name) = names.pairs.iter().find(|(ours, _)| *ours == entry.name)?;
    Some(name.split(", ").map(|name| format!("{}{name}", names.prefix)).collect::<Vec<_>>().join(", "))
}

/// The name that a preset's comment gives, or the one that device presets have by convention.
fn preset(text: &str, ours: &str) -> Option<String> {
    let (_, after) = text.split_once("AIHWKit 1.1.0")?;
    let stated = after.strip_prefix(" (").or_else(|| after.strip_prefix("'s "));
    let name = stated.map(|rest| rest.split([')', '.', '\n', ' ', ':', ',']).next().unwrap_or_default());
    Some(name.map_or_else(|| format!("{ours}PresetDevice"), str::to_owned))
}

const fn names(
    registry: &'static str,
    prefix: &'static str,
    pairs: &'static [(&'static str, &'static str)],
) -> Names {
    Names { registry, prefix, pairs }
}

pub(super) const ALL: &[Names] = &[
    names(
        "device",
        "",
        &[
            ("ConstantStep", "ConstantStepDevice"),
            ("SoftBounds", "SoftBoundsDevice"),
            ("SoftBoundsPmax", "SoftBoundsPmaxDevice"),
            ("SoftBoundsReference", "SoftBoundsReferenceDevice"),
            ("LinearStep", "LinearStepDevice"),
            ("ExpStep", "ExpStepDevice"),
            ("PowStep", "PowStepDevice"),
            ("PowStepReference", "PowStepReferenceDevice"),
            ("PiecewiseStep", "PiecewiseStepDevice"),
            ("HiddenStep", "HiddenStep of the C++ engine"),
        ],
    ),
    names(
        "cell",
        "",
        &[
            ("Ideal", "FloatingPointDevice, IdealDevice"),
            ("Vector", "VectorUnitCell"),
            ("Reference", "ReferenceUnitCell"),
            ("OneSided", "OneSidedUnitCell"),
        ],
    ),
    names(
        "policy",
        "VectorUnitCellUpdatePolicy.",
        &[
            ("All", "ALL"),
            ("SingleFixed", "SINGLE_FIXED"),
            ("SingleSequential", "SINGLE_SEQUENTIAL"),
            ("SingleRandom", "SINGLE_RANDOM"),
        ],
    ),
    names(
        "algorithm",
        "",
        &[
            ("Sgd", "SingleRPUConfig"),
            ("TikiTaka", "TransferCompound"),
            ("TikiTakaV2", "BufferedTransferCompound"),
            ("ChoppedTikiTaka", "ChoppedTransferCompound"),
            ("Agad", "DynamicTransferCompound"),
            ("MixedPrecision", "MixedPrecisionCompound"),
            ("MixedPrecisionInt", "integer variant of the C++ engine"),
        ],
    ),
    names(
        "pulse",
        "PulseType.",
        &[
            ("None", "NONE"),
            ("NoneWithDevice", "NONE_WITH_DEVICE"),
            ("StochasticCompressed", "STOCHASTIC_COMPRESSED"),
            ("Stochastic", "STOCHASTIC"),
            ("MeanCount", "MEAN_COUNT"),
            ("DeterministicImplicit", "DETERMINISTIC_IMPLICIT"),
        ],
    ),
    names(
        "noise",
        "NoiseManagementType.",
        &[
            ("None", "NONE"),
            ("AbsMax", "ABS_MAX"),
            ("Max", "MAX"),
            ("Constant", "CONSTANT"),
            ("AbsMaxNPSum", "ABS_MAX_NP_SUM"),
            ("AverageAbsMax", "AVERAGE_ABS_MAX"),
        ],
    ),
    names(
        "bound",
        "BoundManagementType.",
        &[
            ("None", "NONE"),
            ("Iterative", "ITERATIVE"),
            ("IterativeWorstCase", "ITERATIVE_WORST_CASE"),
            ("Shift", "SHIFT"),
        ],
    ),
    names(
        "weight-noise",
        "",
        &[
            ("None", "WeightNoiseType.NONE"),
            ("AdditiveConstant", "WeightNoiseType.ADDITIVE_CONSTANT"),
            ("PCMRead", "WeightNoiseType.PCM_READ"),
            ("PCMReadDuration", "IOParametersIRDropT.apply_xdep_pcm_read_noise"),
        ],
    ),
    names(
        "product",
        "AnalogMVType.",
        &[
            ("Ideal", "IDEAL"),
            ("OnePass", "ONE_PASS"),
            ("PosNegSeparate", "POS_NEG_SEPARATE"),
            ("PosNegSeparateDigitalSum", "POS_NEG_SEPARATE_DIGITAL_SUM"),
            ("SplitMode", "SPLIT_MODE"),
            ("BitWise", "BIT_WISE"),
        ],
    ),
    names("ir-drop", "", &[("ClosedForm", "IOParameters.ir_drop"), ("Ladder", "IOParametersIRDropT")]),
    names("adc", "", &[("Ideal", "IOParameters.out_res")]),
    names(
        "modifier",
        "WeightModifierType.",
        &[
            ("None", "NONE"),
            ("AddNormal", "ADD_NORMAL"),
            ("MultNormal", "MULT_NORMAL"),
            ("Discretize", "DISCRETIZE"),
            ("DiscretizeAddNormal", "DISCRETIZE_ADD_NORMAL"),
            ("DoReFa", "DOREFA"),
            ("Poly", "POLY"),
            ("ProgNoise", "PROG_NOISE"),
            ("PCMNoise", "PCM_NOISE"),
            ("DropConnect", "DROP_CONNECT"),
            ("Copy", "COPY"),
        ],
    ),
    names(
        "clip",
        "WeightClipType.",
        &[
            ("None", "NONE"),
            ("FixedValue", "FIXED_VALUE"),
            ("LayerGaussian", "LAYER_GAUSSIAN"),
            ("AverageChannelMax", "AVERAGE_CHANNEL_MAX"),
        ],
    ),
    names(
        "remap",
        "WeightRemapType.",
        &[
            ("None", "NONE"),
            ("LayerwiseSymmetric", "LAYERWISE_SYMMETRIC"),
            ("ChannelwiseSymmetric", "CHANNELWISE_SYMMETRIC"),
        ],
    ),
    names(
        "programmed",
        "",
        &[
            ("PcmLike", "PCMLikeNoiseModel"),
            ("CustomDriftPcmLike", "CustomDriftPCMLikeNoiseModel"),
            ("Hermes", "HermesNoiseModel"),
            ("ReRamWan2022", "ReRamWan2022NoiseModel"),
            ("ReRamCmo", "ReRamCMONoiseModel"),
            ("StateIndependent", "StateIndependentNoiseModel"),
        ],
    ),
    names(
        "converter",
        "",
        &[
            ("SinglePair", "SinglePairConductanceConverter"),
            ("NPair", "NPairConductanceConverter, DualPairConductanceConverter"),
            ("CustomPair", "CustomPairConductanceConverter"),
            ("SingleDevice", "SingleDeviceConductanceConverter"),
        ],
    ),
    names(
        "programming",
        "",
        &[
            ("OneShot", "BaseNoiseModel.apply_programming_noise"),
            ("TileUpdates", "program_weights of pulsed tiles"),
        ],
    ),
    names(
        "compensation",
        "",
        &[
            ("None", "drift_compensation = None"),
            ("Global", "GlobalDriftCompensation"),
            ("GlobalWithExactReference", "GlobalDriftCompensationWithExactReference"),
            ("PerColumn", "PerColumnDriftCompensation"),
        ],
    ),
    names("recalibration", "", &[("EveryRead", "in every drift_weights")]),
    names(
        "calibration",
        "InputRangeCalibrationType.",
        &[
            ("Keep", "NONE"),
            ("Max", "MAX"),
            ("MovingStd", "MOVING_STD"),
            ("MovingQuantile", "MOVING_QUANTILE"),
            ("CachedQuantile", "CACHE_QUANTILE"),
        ],
    ),
    names(
        "layer",
        "",
        &[
            ("Linear", "AnalogLinear"),
            ("Conv", "AnalogConv1d, AnalogConv2d, AnalogConv3d"),
            ("Recurrent", "AnalogRNN"),
        ],
    ),
    names(
        "recurrent",
        "",
        &[("Rnn", "AnalogVanillaRNNCell"), ("Lstm", "AnalogLSTMCell"), ("Gru", "AnalogGRUCell")],
    ),
    names(
        "estimator",
        "",
        &[
            ("CurrentMinMax", "current_minmax"),
            ("AllMinMax", "allminmax"),
            ("RunningMinMax", "running_minmax"),
            ("Mse", "MSE"),
            ("CrossEntropy", "cross_entropy"),
        ],
    ),
    names("optimizer", "", &[("Sgd", "AnalogSGD"), ("Adam", "AnalogAdam")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_tell_the_name_they_come_from() {
        let device = "# A. Author 2018; numbers as in AIHWKit 1.1.0.\nmodel = \"LinearStep\"";
        assert_eq!(preset(device, "EcRam").unwrap(), "EcRamPresetDevice");
        assert_eq!(preset("# As AIHWKit 1.1.0's EcRam2Preset.", "x").unwrap(), "EcRam2Preset");
        assert_eq!(
            preset("# Numbers as in AIHWKit 1.1.0 (PresetIOParameters).", "x").unwrap(),
            "PresetIOParameters"
        );
        assert_eq!(preset("# Our own.", "x"), None);
    }
}
