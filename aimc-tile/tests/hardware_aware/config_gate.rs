//! What the records refuse, and by which name.

use aimc_device::{RngKey, config};
use aimc_tile::hardware_aware::{
    WeightClipConfig, WeightClipType, WeightModifierConfig, WeightModifierType, WeightRemapConfig,
    WeightRemapType,
};
use aimc_tile::{HardwareAwareTileConfig, Shape};

fn modifier(text: &str) -> Result<WeightModifierConfig, String> {
    let record: WeightModifierConfig = config::from_toml(text).map_err(|error| error.to_string())?;
    record.validate().map_err(|error| error.to_string())?;
    Ok(record)
}

#[test]
fn modifiers_refuse_values_outside_their_range() {
    for (field, value) in [
        ("std_dev", "-0.1"),
        ("res", "-1.0"),
        ("dorefa_clip", "0.0"),
        ("pdrop", "1.1"),
        ("assumed_wmax", "0.0"),
        ("coeffs", "[]"),
        ("g_max", "0.0"),
        ("pcm_zero_thres", "-1.0"),
        ("pcm_t_inference", "-1.0"),
        ("pcm_prob_at_reset", "-0.1"),
        ("pcm_prob_at_gmax", "2.0"),
        ("pcm_prob_at_random", "1.5"),
        ("pcm_t0", "1e-9"),
    ] {
        let error = modifier(&format!("type = \"PCMNoise\"\n{field} = {value}")).unwrap_err();
        assert!(error.starts_with(field), "{field}: {error}");
    }
    assert!(modifier("pdrop = 0.1").unwrap_err().starts_with("pdrop"));
    assert!(modifier("type = \"AddNormal\"\npdrop = 0.1").is_ok());
    assert!(modifier("sdt_dev = 0.1").unwrap_err().starts_with("sdt_dev"));
    assert!(modifier("type = \"AdNormal\"").unwrap_err().starts_with("type"));
}

#[test]
fn clips_and_remaps_refuse_values_outside_their_range() {
    let clip = WeightClipConfig { kind: WeightClipType::FixedValue, ..WeightClipConfig::default() };
    assert_eq!(clip.validate().unwrap_err().field, "fixed_value");
    let clip = WeightClipConfig { sigma: -1.0, ..WeightClipConfig::default() };
    assert_eq!(clip.validate().unwrap_err().field, "sigma");
    let remap =
        WeightRemapConfig { kind: WeightRemapType::ChannelwiseSymmetric, ..WeightRemapConfig::default() };
    let refused = |remap: WeightRemapConfig| remap.validate().unwrap_err().field;
    assert_eq!(refused(WeightRemapConfig { remapped_wmax: 0.0, ..remap.clone() }), "remapped_wmax");
    assert_eq!(refused(WeightRemapConfig { max_scale_range: -1.0, ..remap.clone() }), "max_scale_range");
    assert_eq!(refused(WeightRemapConfig { max_scale_ref: -1.0, ..remap.clone() }), "max_scale_ref");
    let bounded = WeightRemapConfig { remapped_wmax: 0.8, max_scale_range: 3.0, ..remap };
    assert_eq!(refused(bounded), "remapped_wmax");
}

/// Names and values of AIHWKit's classes, as its Python objects print them.
#[test]
fn defaults_are_those_of_aihwkit() {
    let record = WeightModifierConfig::default();
    assert_eq!(record.kind, WeightModifierType::None);
    assert_eq!((record.std_dev, record.res, record.dorefa_clip, record.pdrop), (0.0, 0.0, 0.6, 0.0));
    assert!(record.rel_to_actual_wmax && !record.copy_last_column && !record.enable_during_test);
    assert!(!record.sto_round && !record.per_batch_sample);
    assert_eq!((record.assumed_wmax, record.g_max, record.pcm_t0), (1.0, 25.0, 20.0));
    assert_eq!(record.coeffs, [0.010_539_2, 0.0768, -0.046_925]);
    let pcm = [
        record.pcm_zero_thres,
        record.pcm_t_inference,
        record.pcm_prob_at_reset,
        record.pcm_prob_at_gmax,
        record.pcm_prob_at_random,
    ];
    assert_eq!(pcm, [0.0; 5]);
    let clip = WeightClipConfig::default();
    assert_eq!((clip.kind, clip.fixed_value, clip.sigma), (WeightClipType::None, -1.0, 2.5));
    let remap = WeightRemapConfig::default();
    assert_eq!(remap.kind, WeightRemapType::None);
    assert_eq!((remap.remapped_wmax, remap.max_scale_range, remap.max_scale_ref), (1.0, 0.0, 0.0));
}

#[test]
fn tiles_name_the_part_that_is_refused() {
    for (text, field) in [
        ("forward.inp_res = -1e40", "forward.inp_res"),
        ("[modifier]\ntype = \"AddNormal\"\nstd_dev = -1.0", "modifier.std_dev"),
        ("[clip]\ntype = \"FixedValue\"", "clip.fixed_value"),
        ("[remap]\nremapped_wmax = -1.0", "remap.remapped_wmax"),
        ("[periphery.mapping]\nweight_scaling_omega = -1.0", "periphery.mapping.weight_scaling_omega"),
        ("[modifier]\ntype = \"AddNormal\"\ncopy_last_column = true", "modifier.copy_last_column"),
        (
            "[forward]\nnoise_management = \"None\"\nbound_management = \"None\"\n[periphery]\n\
             mapping.weight_scaling_omega = 1.0\n[periphery.input_range]\nenable = true\nmanage_output_clipping = true",
            "periphery.input_range.manage_output_clipping",
        ),
        (
            "periphery.quantization.n_bits = 8\nremap.type = \"ChannelwiseSymmetric\"",
            "periphery.quantization.n_bits",
        ),
        ("[updat]", "updat"),
    ] {
        let outcome = config::from_toml::<HardwareAwareTileConfig>(text);
        let error = outcome.and_then(|record| record.validate()).unwrap_err();
        assert_eq!(error.field, field, "{error}");
    }
}

/// What only shows with the shape of the matrix is named by its own path, be it of the circuits or of what lies around them.
#[test]
fn matrices_that_do_not_fit_name_the_part() {
    for (text, field) in [
        (
            "periphery.mapping.max_input_size = 0\n[forward]\nir_drop = 1.0\nir_drop_model.model = \"Ladder\"",
            "forward.ir_drop_model.rows",
        ),
        ("periphery.mapping.digital_bias = false", "periphery.mapping.digital_bias"),
    ] {
        let record: HardwareAwareTileConfig = config::from_toml(text).unwrap();
        let error = record.build(Shape { outputs: 2, inputs: 513 }, RngKey::root(1)).unwrap_err();
        assert_eq!(error.field, field, "{error}");
    }
}
