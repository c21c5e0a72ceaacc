//! Parameter objects of AIHWKit 1.1.0, field by field, and where each field is here.
//!
//! Where the concept is the same, so is the name of the field. Only exceptions are written down; the test looks every field up in the
//! JSON schemas.

use crate::schema::SchemaName::{self, Hwa, Infer, Train};

use self::Elsewhere::{At, Why};

/// Where a field is that does not have its name in our record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Elsewhere {
    /// At this path below the record, or from the top if it begins with `tile.`.
    At(&'static str),
    /// Nowhere, for this reason.
    Why(&'static str),
}

/// A parameter object.
pub(super) struct Record {
    /// The class.
    pub(super) theirs: &'static str,
    pub(super) schema: SchemaName,
    /// Our record.
    pub(super) path: &'static str,
    fields: &'static [&'static str],
    /// Fields that are not in our record under their name.
    pub(super) exceptions: &'static [(&'static str, Elsewhere)],
}

impl Record {
    /// Names of all fields of the class.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.fields.iter().flat_map(|group| group.split(' '))
    }
}

const fn record(
    theirs: &'static str,
    schema: SchemaName,
    path: &'static str,
    fields: &'static [&'static str],
    exceptions: &'static [(&'static str, Elsewhere)],
) -> Record {
    Record { theirs, schema, path, fields, exceptions }
}

const IO: &str = "is_perfect mv_type inp_bound inp_noise inp_res inp_sto_round inp_asymmetry out_bound out_noise out_noise_std out_res out_sto_round out_scale out_asymmetry bound_management noise_management w_noise w_noise_type ir_drop ir_drop_g_ratio out_nonlinearity out_nonlinearity_std slope_calibration v_offset_std v_offset_w_min r_series w_read_asymmetry_dtod max_bm_factor max_bm_res bm_test_negative_bound nm_thres";

const PULSED: &str = "construction_seed corrupt_devices_prob corrupt_devices_range diffusion diffusion_dtod drift dw_min dw_min_dtod dw_min_dtod_log_normal dw_min_std enforce_consistency lifetime lifetime_dtod perfect_bias reset reset_dtod reset_std up_down up_down_dtod w_max w_max_dtod w_min w_min_dtod count_pulses";

const TRANSFER: &str = "unit_cell_devices construction_seed gamma gamma_vec transfer_every no_self_transfer transfer_every_vec units_in_mbatch n_reads_per_transfer transfer_columns with_reset_prob random_selection fast_lr transfer_lr transfer_lr_vec scale_transfer_lr transfer_forward transfer_update";

const CHOPPED: &str = "in_chop_prob in_chop_random out_chop_prob buffer_granularity auto_granularity step momentum forget_buffer no_buffer auto_scale auto_momentum correct_gradient_magnitudes";

pub(super) const RECORDS: &[Record] = &[
    record("IOParameters", Train, "tile.forward", &[IO], &[]),
    record(
        "IOParametersIRDropT",
        Train,
        "tile.forward",
        &[
            IO,
            "ir_drop_rs ir_drop_segments ir_drop_time_step_resolution_scale ir_drop_v_read apply_xdep_pcm_read_noise xdep_pcm_read_noise_scale adc_quantization adc_frequency ir_drop_integration_sum",
        ],
        &[
            ("ir_drop_rs", At("ir_drop_model{model=Ladder}.r_row")),
            ("ir_drop_segments", At("ir_drop_model{model=Ladder}.segments")),
            (
                "ir_drop_time_step_resolution_scale",
                At("ir_drop_model{model=Ladder}.time.Aihwkit.time_step_scale"),
            ),
            ("ir_drop_v_read", At("ir_drop_model{model=Ladder}.time.Aihwkit.v_read")),
            ("ir_drop_integration_sum", At("ir_drop_model{model=Ladder}.time.Aihwkit.integration_sum")),
            ("adc_frequency", At("ir_drop_model{model=Ladder}.time.Aihwkit.adc_frequency")),
            ("adc_quantization", Why("adc_frequency = 0 switches it off")),
            ("apply_xdep_pcm_read_noise", At("w_noise_type")),
            ("xdep_pcm_read_noise_scale", At("w_noise")),
        ],
    ),
    record(
        "UpdateParameters",
        Train,
        "tile.update",
        &[
            "desired_bl fixed_bl pulse_type res x_res_implicit d_res_implicit d_sparsity sto_round update_bl_management update_management um_grad_scale",
        ],
        &[("d_sparsity", Why("not built"))],
    ),
    record(
        "MappingParameter",
        Train,
        "tile.periphery.mapping",
        &[
            "digital_bias weight_scaling_omega weight_scaling_columnwise weight_scaling_lr_compensation learn_out_scaling out_scaling_columnwise max_input_size max_output_size",
        ],
        &[],
    ),
    record(
        "InputRangeParameter",
        Train,
        "tile.periphery.input_range",
        &[
            "enable learn_input_range init_value init_from_data init_std_alpha decay input_min_percentage manage_output_clipping output_min_percentage gradient_scale gradient_relative calibration_info",
        ],
        &[("calibration_info", Why("the calibration reports what it has found"))],
    ),
    record(
        "PeripheryQuantizationParameter",
        Train,
        "tile.periphery.quantization",
        &["n_bits symmetric learn_quant_params init_learning_after"],
        &[
            ("learn_quant_params", Why("scales and biases are constants of known range")),
            ("init_learning_after", Why("as above")),
        ],
    ),
    record(
        "WeightModifierParameter",
        Hwa,
        "hardware_aware.modifier",
        &[
            "std_dev per_batch_sample res sto_round dorefa_clip pdrop enable_during_test rel_to_actual_wmax assumed_wmax copy_last_column coeffs type g_max pcm_zero_thres pcm_t_inference pcm_prob_at_reset pcm_prob_at_gmax pcm_prob_at_random pcm_t0",
        ],
        &[],
    ),
    record("WeightClipParameter", Hwa, "hardware_aware.clip", &["fixed_value sigma type"], &[]),
    record(
        "WeightRemapParameter",
        Hwa,
        "hardware_aware.remap",
        &["remapped_wmax max_scale_range max_scale_ref type"],
        &[],
    ),
    record(
        "DriftParameter",
        Train,
        "tile.device{model=SoftBounds}.drift",
        &["nu t_0 reset_tol nu_dtod nu_std wg_ratio g_offset w_offset nu_k log_g0 w_noise_std"],
        &[],
    ),
    record("SimpleDriftParameter", Train, "tile.device{model=SoftBounds}.drift", &["nu t_0 reset_tol"], &[]),
    record("FloatingPointDevice", Train, "tile.device{model=Ideal}", &["diffusion lifetime drift"], &[]),
    record(
        "IdealDevice",
        Train,
        "tile.device{model=Ideal}",
        &["construction_seed diffusion lifetime reset_std"],
        &[("construction_seed", Why("nothing is drawn at construction"))],
    ),
    record("ConstantStepDevice", Train, "tile.device{model=ConstantStep}", &[PULSED], &[]),
    record(
        "LinearStepDevice",
        Train,
        "tile.device{model=LinearStep}",
        &[
            PULSED,
            "gamma_up gamma_down gamma_up_dtod gamma_down_dtod allow_increasing mean_bound_reference mult_noise write_noise_std apply_write_noise_on_set reverse_up reverse_down reverse_offset",
        ],
        &[],
    ),
    record(
        "SoftBoundsDevice",
        Train,
        "tile.device{model=SoftBounds}",
        &[
            PULSED,
            "mult_noise write_noise_std apply_write_noise_on_set reverse_up reverse_down reverse_offset",
        ],
        &[],
    ),
    record(
        "SoftBoundsPmaxDevice",
        Train,
        "tile.device{model=SoftBoundsPmax}",
        &[
            PULSED,
            "mult_noise write_noise_std apply_write_noise_on_set reverse_up reverse_down reverse_offset p_max alpha range_min range_max",
        ],
        &[
            ("dw_min", Why("follows from p_max, alpha and the range")),
            ("up_down", Why("follows from p_max, alpha and the range")),
            ("w_max", Why("follows from p_max, alpha and the range")),
            ("w_min", Why("follows from p_max, alpha and the range")),
        ],
    ),
    record(
        "SoftBoundsReferenceDevice",
        Train,
        "tile.device{model=SoftBoundsReference}",
        &[
            PULSED,
            "mult_noise write_noise_std apply_write_noise_on_set slope_up_dtod slope_down_dtod reference_mean reference_std subtract_symmetry_point",
        ],
        &[],
    ),
    record(
        "ExpStepDevice",
        Train,
        "tile.device{model=ExpStep}",
        &[
            PULSED,
            "A_up A_down gamma_up gamma_down a b dw_min_std_add dw_min_std_slope write_noise_std apply_write_noise_on_set",
        ],
        &[],
    ),
    record(
        "PowStepDevice",
        Train,
        "tile.device{model=PowStep}",
        &[
            PULSED,
            "pow_gamma pow_gamma_dtod pow_up_down pow_up_down_dtod write_noise_std apply_write_noise_on_set",
        ],
        &[],
    ),
    record(
        "PowStepReferenceDevice",
        Train,
        "tile.device{model=PowStepReference}",
        &[
            PULSED,
            "pow_gamma pow_gamma_dtod pow_up_down pow_up_down_dtod subtract_symmetry_point n_estimation_steps reference_mean reference_std",
        ],
        &[],
    ),
    record(
        "PiecewiseStepDevice",
        Train,
        "tile.device{model=PiecewiseStep}",
        &[PULSED, "piecewise_up piecewise_down write_noise_std apply_write_noise_on_set"],
        &[],
    ),
    record(
        "VectorUnitCell",
        Train,
        "tile.device{model=Vector}",
        &["unit_cell_devices construction_seed update_policy first_update_idx gamma_vec"],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
        ],
    ),
    record(
        "ReferenceUnitCell",
        Train,
        "tile.device{model=Reference}",
        &["unit_cell_devices construction_seed update_policy first_update_idx gamma_vec"],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
            ("update_policy", Why("always the first device")),
            ("first_update_idx", Why("always the first device")),
            ("gamma_vec", Why("always 1 and -1")),
        ],
    ),
    record(
        "OneSidedUnitCell",
        Train,
        "tile.device{model=OneSided}",
        &[
            "unit_cell_devices construction_seed refresh_every units_in_mbatch refresh_upper_thres refresh_lower_thres refresh_forward refresh_update copy_inverted",
        ],
        &[
            ("unit_cell_devices", At("device")),
            ("construction_seed", Why("each device of the cell has its own")),
        ],
    ),
    record(
        "TransferCompound",
        Train,
        "tile.algorithm{model=TikiTaka}",
        &[TRANSFER],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
            ("no_self_transfer", Why("the last array never transfers")),
        ],
    ),
    record(
        "BufferedTransferCompound",
        Train,
        "tile.algorithm{model=TikiTakaV2}",
        &[TRANSFER, "thres_scale step momentum forget_buffer"],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
            ("no_self_transfer", Why("the last array never transfers")),
        ],
    ),
    record(
        "ChoppedTransferCompound",
        Train,
        "tile.algorithm{model=ChoppedTikiTaka}",
        &[TRANSFER, CHOPPED],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
            ("no_self_transfer", Why("the last array never transfers")),
        ],
    ),
    record(
        "DynamicTransferCompound",
        Train,
        "tile.algorithm{model=Agad}",
        &[TRANSFER, CHOPPED, "experimental_correct_accumulation buffer_cap tail_weightening"],
        &[
            ("unit_cell_devices", At("devices")),
            ("construction_seed", Why("each device of the cell has its own")),
            ("no_self_transfer", Why("the last array never transfers")),
            ("out_chop_prob", Why("has no effect there either")),
            ("no_buffer", Why("the buffer is what the algorithm is")),
        ],
    ),
    record(
        "MixedPrecisionCompound",
        Train,
        "tile.algorithm{model=MixedPrecision}",
        &[
            "device construction_seed transfer_every n_rows_per_transfer random_row granularity transfer_lr n_x_bins n_d_bins stoc_round_x stoc_round_d",
        ],
        &[
            ("device", At("tile.device")),
            ("construction_seed", At("tile.device{model=SoftBounds}.construction_seed")),
        ],
    ),
    record(
        "PCMLikeNoiseModel",
        Infer,
        "tile.device{model=PcmLike}",
        &[
            "prog_coeff g_converter g_max t_read t_0 prog_noise_scale read_noise_scale drift_scale prog_coeff_g_max_reference",
        ],
        &[("g_converter", At("tile.converter"))],
    ),
    record(
        "CustomDriftPCMLikeNoiseModel",
        Infer,
        "tile.device{model=CustomDriftPcmLike}",
        &[
            "custom_drift_model prog_coeff g_converter g_max t_read t_0 prog_noise_scale read_noise_scale drift_scale prog_coeff_g_max_reference",
        ],
        &[
            ("g_converter", At("tile.converter")),
            ("prog_coeff", At("pcm.prog_coeff")),
            ("g_max", At("pcm.g_max")),
            ("t_read", At("pcm.t_read")),
            ("t_0", At("pcm.t_0")),
            ("prog_noise_scale", At("pcm.prog_noise_scale")),
            ("read_noise_scale", At("pcm.read_noise_scale")),
            ("drift_scale", At("pcm.drift_scale")),
            ("prog_coeff_g_max_reference", At("pcm.prog_coeff_g_max_reference")),
        ],
    ),
    record(
        "HermesNoiseModel",
        Infer,
        "tile.device{model=Hermes}",
        &[
            "num_devices prog_coeff g_converter g_max t_read t_0 prog_noise_scale read_noise_scale drift_scale prog_coeff_g_max_reference",
        ],
        &[("g_converter", At("tile.converter"))],
    ),
    record(
        "StateIndependentNoiseModel",
        Infer,
        "tile.device{model=StateIndependent}",
        &[
            "prog_coeff g_converter g_max t_read t_0 prog_noise_scale read_noise_scale drift_nu_mean drift_nu_std drift_scale",
        ],
        &[("g_converter", At("tile.converter"))],
    ),
];
