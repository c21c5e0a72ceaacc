//! From AIHWKit's parameter objects to our records.
//!
//! Field names and enumeration values are the same. A field that our record lacks stands for a feature that
//! is not built: it may be left out where it has its (inactive) default value, otherwise the case fails.

use aimc_device::config;
use aimc_device::programmed::ProgrammedDeviceConfig;
use aimc_infer::{ConverterConfig, DriftConversion, InferenceTileConfig};
use aimc_testkit::golden::{Node, Params};
use aimc_tile::UnitCell;
use aimc_tile::pulse::{PulseSource, PulseType};
use aimc_tile::{InputRangeConfig, IoConfig, MappingConfig, PeripheryConfig, UpdateConfig};
use aimc_train::{Algorithm, TrainingTileConfig};
use serde_json::{Map, Value};

use super::CaseError;

/// The entries of `params` that `known` has too; any other must be inactive or in `inert`.
pub(crate) fn matching(
    params: &Params<'_>,
    known: &Value,
    inert: &[&str],
) -> Result<Map<String, Value>, CaseError> {
    let mut table = Map::new();
    for (key, node) in params.resolved.entries()? {
        // C++ constants that Python cannot set, and bookkeeping of the format.
        if key == "class" || key.starts_with("_cpp_") {
            continue;
        }
        match known.get(key) {
            Some(Value::Object(nested)) => {
                let inner = params.resolved.params(key)?;
                let inner = matching(&inner, &Value::Object(nested.clone()), inert)?;
                table.insert(key.to_owned(), Value::Object(inner));
            }
            Some(_) => {
                table.insert(key.to_owned(), node.value().clone());
            }
            None => {
                let changed = params.non_default.as_ref().is_none_or(|changed| changed.opt(key).is_some());
                if changed && !inert.contains(&key) {
                    return Err(CaseError::NotBuilt(format!("{}.{key} = {}", params.class, node.value())));
                }
            }
        }
    }
    Ok(table)
}

/// The circuits of one direction, in AIHWKit's reading of `bm_test_negative_bound`.
pub(crate) fn io(params: &Params<'_>) -> Result<IoConfig, CaseError> {
    let known = serde_json::to_value(IoConfig::default()).map_err(CaseError::run)?;
    let timed = params.class == "IOParametersIRDropT";
    let inert = if timed { TIMED_LADDER } else { &[] };
    let mut table = matching(params, &known, inert)?;
    if timed {
        if params.resolved.bool("apply_xdep_pcm_read_noise")? {
            table.insert("w_noise_type".to_owned(), "PCMReadDuration".into());
            let scale = params.resolved.f32("xdep_pcm_read_noise_scale")?;
            table.insert("w_noise".to_owned(), scale.into());
        }
        table.insert("ir_drop_model".to_owned(), timed_ladder(&params.resolved)?);
    }
    let io: IoConfig = config::decode(Value::Object(table))?;
    Ok(IoConfig {
        inp_res: unrounded(io.inp_res),
        out_res: unrounded(io.out_res),
        bm_negative_overflow_cancels: true,
        nm_max_zeroes_negative: true,
        ..io
    })
}

/// The fields that `IOParametersIRDropT` adds.
const TIMED_LADDER: &[&str] = &[
    "ir_drop_rs",
    "ir_drop_segments",
    "ir_drop_time_step_resolution_scale",
    "ir_drop_v_read",
    "apply_xdep_pcm_read_noise",
    "xdep_pcm_read_noise_scale",
    "adc_quantization",
    "adc_frequency",
    "ir_drop_integration_sum",
];

/// The ladder of `IOParametersIRDropT` in AIHWKit's count of time, on its default array: 512 rows, pairs up to 25 µS.
fn timed_ladder(resolved: &Node<'_>) -> Result<Value, CaseError> {
    let frequency = if resolved.bool("adc_quantization")? { resolved.f32("adc_frequency")? } else { 0.0 };
    Ok(serde_json::json!({
        "model": "Ladder",
        "r_row": resolved.f32("ir_drop_rs")?,
        "segments": resolved.usize("ir_drop_segments")?,
        "time": { "Aihwkit": {
            "v_read": resolved.f32("ir_drop_v_read")?,
            "time_step_scale": resolved.f32("ir_drop_time_step_resolution_scale")?,
            "integration_sum": resolved.bool("ir_drop_integration_sum")?,
            "adc_frequency": frequency,
        } },
    }))
}

/// A resolution 1/n, printed with seven digits, as the number of steps n: ties and bounds depend on it.
fn unrounded(resolution: f32) -> f32 {
    let steps = (1.0 / f64::from(resolution)).round();
    let printed = format!("{:.6e}", 1.0 / steps).parse::<f32>();
    if resolution < 1.0 && printed == Ok(resolution) { steps as f32 } else { resolution }
}

/// The pulses of an update, from AIHWKit's source of chance on a CPU.
pub(crate) fn update(params: &Params<'_>) -> Result<UpdateConfig, CaseError> {
    let known = serde_json::to_value(UpdateConfig::default()).map_err(CaseError::run)?;
    let table = matching(params, &known, &[])?;
    let kind = table.get("pulse_type").and_then(Value::as_str).unwrap_or_default();
    if serde_json::from_value::<PulseType>(kind.into()).is_err() {
        return Err(CaseError::NotBuilt(format!("pulse type {kind}")));
    }
    let update: UpdateConfig = config::decode(Value::Object(table))?;
    Ok(UpdateConfig { pulse_source: PulseSource::LaggedFibonacci, literal_res: true, ..update })
}

/// The unit cell; AIHWKit's class names are our model names with `Device` behind them.
pub(crate) fn unit_cell(params: &Params<'_>) -> Result<UnitCell, CaseError> {
    let model = match params.class {
        "FloatingPointDevice" => "Ideal",
        class => class.strip_suffix("Device").unwrap_or(class),
    };
    if let Some(cell) = compound(params)? {
        return Ok(cell);
    }
    let not_built = || CaseError::NotBuilt(format!("device {}", params.class));
    let default: UnitCell = config::decode(serde_json::json!({ "model": model })).map_err(|_| not_built())?;
    let known = serde_json::to_value(&default).map_err(CaseError::run)?;
    let mut table = matching(params, &known, &[])?;
    table.insert("model".to_owned(), model.into());
    if let Some((field, choice)) = aihwkit_choice(params.class) {
        table.insert(field.to_owned(), choice.into());
    }
    Ok(config::decode(Value::Object(table))?)
}

/// A unit cell of several devices; `None` for other classes.
fn compound(params: &Params<'_>) -> Result<Option<UnitCell>, CaseError> {
    let (model, own) = match params.class {
        "VectorUnitCell" => ("Vector", &["update_policy", "first_update_idx", "gamma_vec"][..]),
        "ReferenceUnitCell" => ("Reference", &[][..]),
        "OneSidedUnitCell" => (
            "OneSided",
            &[
                "copy_inverted",
                "refresh_every",
                "units_in_mbatch",
                "refresh_upper_thres",
                "refresh_lower_thres",
            ][..],
        ),
        _ => return Ok(None),
    };
    let mut devices = Vec::new();
    for k in 0..params.resolved.get("unit_cell_devices")?.items()?.len() {
        let device = params.resolved.params(&format!("unit_cell_devices.{k}"))?;
        devices.push(serde_json::to_value(unit_cell(&device)?).map_err(CaseError::run)?);
    }
    let mut table = Map::from_iter([("model".to_owned(), Value::from(model))]);
    for (key, node) in params.resolved.entries()? {
        if own.contains(&key) {
            table.insert(key.to_owned(), node.value().clone());
        }
    }
    if model == "OneSided" {
        // Both devices are made from the first one's parameters.
        table.insert("device".to_owned(), devices.swap_remove(0));
        let reading = io(&params.resolved.params("refresh_forward")?)?;
        table.insert("refresh_forward".to_owned(), serde_json::to_value(reading).map_err(CaseError::run)?);
        let writing = update(&params.resolved.params("refresh_update")?)?;
        table.insert("refresh_update".to_owned(), serde_json::to_value(writing).map_err(CaseError::run)?);
        table.insert("refresh_loses_sign".to_owned(), true.into());
    } else {
        table.insert("devices".to_owned(), devices.into());
    }
    Ok(Some(config::decode(Value::Object(table))?))
}

/// Where our default of a device differs from AIHWKit on purpose: the field and value that follow AIHWKit.
fn aihwkit_choice(class: &str) -> Option<(&'static str, &'static str)> {
    match class {
        "ExpStepDevice" => Some(("granularity", "DownStep")),
        "PowStepReferenceDevice" | "SoftBoundsReferenceDevice" => Some(("reference_rule", "Aihwkit")),
        "SoftBoundsPmaxDevice" => Some(("mapping", "Aihwkit")),
        _ => None,
    }
}

/// The algorithm of a compound of AIHWKit 1.1 with its device; `None` for other classes.
pub(crate) fn algorithm(params: &Params<'_>) -> Result<Option<(Algorithm, UnitCell)>, CaseError> {
    let model = match params.class {
        "TransferCompound" => "TikiTaka",
        "BufferedTransferCompound" => "TikiTakaV2",
        "ChoppedTransferCompound" => "ChoppedTikiTaka",
        "DynamicTransferCompound" => "Agad",
        "MixedPrecisionCompound" => "MixedPrecision",
        _ => return Ok(None),
    };
    let default: Algorithm = config::decode(serde_json::json!({ "model": model }))?;
    let mut known = serde_json::to_value(default).map_err(CaseError::run)?;
    if let Some(known) = known.as_object_mut() {
        known.retain(|key, _| !["transfer_forward", "transfer_update", "devices"].contains(&key.as_str()));
    }
    // What has records of its own, and what has no effect: devices of a tile share its seed here, and an array is
    // never transferred to itself.
    let inert = [
        "unit_cell_devices",
        "device",
        "transfer_forward",
        "transfer_update",
        "construction_seed",
        "no_self_transfer",
    ];
    let mut table = matching(params, &known, &inert)?;
    table.insert("model".to_owned(), model.into());
    table.insert("as_aihwkit".to_owned(), true.into());
    let value = |record: Result<Value, serde_json::Error>| record.map_err(CaseError::run);
    if model == "MixedPrecision" {
        let device = unit_cell(&params.resolved.params("device")?)?;
        return Ok(Some((config::decode(Value::Object(table))?, device)));
    }
    // AIHWKit 1.1 takes the rate of the fast array as it is.
    table.insert("scale_fast_lr".to_owned(), false.into());
    let reading = io(&params.resolved.params("transfer_forward")?)?;
    table.insert("transfer_forward".to_owned(), value(serde_json::to_value(reading))?);
    let writing = update(&params.resolved.params("transfer_update")?)?;
    table.insert("transfer_update".to_owned(), value(serde_json::to_value(writing))?);
    let mut devices = Vec::new();
    for k in 0..params.resolved.get("unit_cell_devices")?.items()?.len() {
        devices.push(unit_cell(&params.resolved.params(&format!("unit_cell_devices.{k}"))?)?);
    }
    let device = devices.first().cloned().unwrap_or_default();
    table.insert("devices".to_owned(), value(serde_json::to_value(devices))?);
    Ok(Some((config::decode(Value::Object(table))?, device)))
}

/// The algorithm and the unit cell of a device class.
pub(crate) fn learning_cell(params: &Params<'_>) -> Result<(Algorithm, UnitCell), CaseError> {
    match algorithm(params)? {
        Some(found) => Ok(found),
        None => Ok((Algorithm::Sgd, unit_cell(params)?)),
    }
}

/// A tile from a whole configuration of a layer (`rpu_config`).
pub(crate) fn tile(params: &Params<'_>) -> Result<TrainingTileConfig, CaseError> {
    let part = |key: &str| params.resolved.params(key);
    let periphery = periphery(&params.resolved)?;
    match params.class {
        "FloatingPointRPUConfig" => {
            let device = unit_cell(&part("device")?)?;
            Ok(TrainingTileConfig { device, periphery, ..TrainingTileConfig::ideal() })
        }
        "SingleRPUConfig" | "UnitCellRPUConfig" | "DigitalRankUpdateRPUConfig" => {
            let (algorithm, device) = learning_cell(&part("device")?)?;
            Ok(TrainingTileConfig {
                algorithm,
                device,
                forward: io(&part("forward")?)?,
                backward: io(&part("backward")?)?,
                update: update(&part("update")?)?,
                periphery,
                ..TrainingTileConfig::default()
            })
        }
        class => Err(CaseError::NotBuilt(class.to_owned())),
    }
}

/// The digital circuits around a tile.
fn periphery(config: &Node<'_>) -> Result<PeripheryConfig, CaseError> {
    let read = |params: Params<'_>, known: Result<Value, serde_json::Error>| {
        matching(&params, &known.map_err(CaseError::run)?, &[]).map(Value::Object)
    };
    let mapping = read(config.params("mapping")?, serde_json::to_value(MappingConfig::default()))?;
    let range = config.params("pre_post")?.resolved.params("input_range")?;
    let range = read(range, serde_json::to_value(InputRangeConfig::default()))?;
    Ok(PeripheryConfig {
        mapping: config::decode(mapping)?,
        input_range: config::decode(range)?,
        ..PeripheryConfig::default()
    })
}

/// A converter, with its largest conductance, which our devices hold.
pub(crate) fn converter(params: &Params<'_>) -> Result<(ConverterConfig, f32), CaseError> {
    let (model, fields): (_, &[&str]) = match params.class {
        "SinglePairConductanceConverter" => ("SinglePair", &["g_min"]),
        "NPairConductanceConverter" | "DualPairConductanceConverter" => ("NPair", &["f_lst", "g_min"]),
        "CustomPairConductanceConverter" => ("CustomPair", &["f_lst", "g_lst"]),
        "SingleDeviceConductanceConverter" => ("SingleDevice", &["g_min"]),
        class => return Err(CaseError::NotBuilt(format!("converter {class}"))),
    };
    let mut table = Map::new();
    table.insert("model".to_owned(), model.into());
    for (key, node) in params.resolved.entries()? {
        if fields.contains(&key) {
            table.insert(key.to_owned(), node.value().clone());
        }
    }
    Ok((config::decode(Value::Object(table))?, params.resolved.f32("g_max")?))
}

/// A programmed device and the converter in front of it.
pub(crate) fn programmed_device(
    params: &Params<'_>,
) -> Result<(ProgrammedDeviceConfig, ConverterConfig), CaseError> {
    let (converter, _) = converter(&params.resolved.params("g_converter")?)?;
    let entries = params.resolved.entries()?.into_iter();
    let table: Map<String, Value> = entries
        .filter(|(key, _)| !["class", "g_converter"].contains(key))
        .map(|(key, node)| (key.to_owned(), node.value().clone()))
        .collect();
    let (model, table) = match params.class {
        "PCMLikeNoiseModel" => ("PcmLike", table),
        "CustomDriftPCMLikeNoiseModel" => ("CustomDriftPcmLike", custom_drift(table)),
        "HermesNoiseModel" => ("Hermes", table),
        "StateIndependentNoiseModel" => ("StateIndependent", table),
        "ReRamWan2022NoiseModel" => ("ReRamWan2022", wan(table)?),
        "ReRamCMONoiseModel" => ("ReRamCmo", cmo(table)?),
        class => return Err(CaseError::NotBuilt(format!("noise model {class}"))),
    };
    let mut table = table;
    table.insert("model".to_owned(), model.into());
    Ok((config::decode(Value::Object(table))?, converter))
}

/// Their subclass has the drift model beside the other fields.
fn custom_drift(mut table: Map<String, Value>) -> Map<String, Value> {
    let drift = table.remove("custom_drift_model").unwrap_or_default();
    let mut outer = Map::new();
    outer.insert("custom_drift_model".to_owned(), drift);
    outer.insert("pcm".to_owned(), Value::Object(table));
    outer
}

/// The coefficients by time as two lists; every read draws the whole spread anew.
fn wan(mut table: Map<String, Value>) -> Result<Map<String, Value>, CaseError> {
    // A misspelt attribute, which nothing reads.
    table.remove("prog_coeff_g_max_reference");
    let mut coefficients: Vec<(f64, Value)> = Vec::new();
    if let Some(Value::Object(by_time)) = table.remove("coeff_dic") {
        for (time, list) in by_time {
            coefficients.push((time.parse().map_err(CaseError::run)?, list));
        }
    }
    coefficients.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (times, lists): (Vec<f64>, Vec<Value>) = coefficients.into_iter().unzip();
    table.insert("coeff_times".to_owned(), times.into());
    table.insert("coeff".to_owned(), lists.into());
    table.insert("relaxation".to_owned(), "Redrawn".into());
    Ok(table)
}

/// The coefficients of the acceptance range, and the dictionaries as plain fields.
fn cmo(mut table: Map<String, Value>) -> Result<Map<String, Value>, CaseError> {
    table.remove("coeff_g_max_reference");
    let mut take = |key: &str| table.remove(key).unwrap_or_default();
    let (by_range, range) = (take("coeff_dict"), take("acceptance_range"));
    let (decay, read) = (take("decay_dict"), take("read_dict"));
    let by_range = by_range.as_object().cloned().unwrap_or_default();
    let of_range = by_range.into_iter().find(|(key, _)| key.parse::<f64>().ok() == range.as_f64());
    let (_, coefficients) = of_range
        .ok_or_else(|| CaseError::run(format!("no coefficients for the acceptance range {range}")))?;
    table.insert("prog_coeff".to_owned(), coefficients);
    table.insert("decay_mean".to_owned(), decay["mean"][0].clone());
    table.insert("decay_std".to_owned(), decay["std"].clone());
    table.insert("read_k".to_owned(), read["K"].clone());
    table.insert("t_read".to_owned(), read["t_read"].clone());
    Ok(table)
}

/// A tile for inference, in AIHWKit's way of starting the drift; compensation is left to the caller.
pub(crate) fn inference_tile(params: &Params<'_>) -> Result<InferenceTileConfig, CaseError> {
    if params.class != "InferenceRPUConfig" {
        return Err(CaseError::NotBuilt(params.class.to_owned()));
    }
    let (device, converter) = programmed_device(&params.resolved.params("noise_model")?)?;
    Ok(InferenceTileConfig {
        device,
        converter,
        forward: io(&params.resolved.params("forward")?)?,
        periphery: periphery(&params.resolved)?,
        drift_conversion: DriftConversion::Reconverted,
        ..InferenceTileConfig::default()
    })
}
