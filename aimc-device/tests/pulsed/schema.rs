//! The exported JSON schema of devices: complete, typed and documented.

use super::{REGISTERED, defaults};
use aimc_device::pulsed::PulsedDeviceConfig;
use serde_json::{Value, json};

fn schema() -> Value {
    schemars::schema_for!(PulsedDeviceConfig).to_value()
}

/// The part of the schema about one model.
fn variant<'a>(schema: &'a Value, model: &str) -> &'a Value {
    let variants = schema["oneOf"].as_array().unwrap();
    variants.iter().find(|variant| variant["properties"]["model"]["const"] == *model).unwrap()
}

/// The properties of a record, which may sit behind a reference.
fn properties(schema: &Value, record: &Value) -> Value {
    let mut all = record["properties"].as_object().cloned().unwrap_or_default();
    if let Some(reference) = record["$ref"].as_str() {
        let target = schema.pointer(reference.trim_start_matches('#')).unwrap();
        all.extend(target["properties"].as_object().unwrap().clone());
    }
    Value::Object(all)
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Number(number) if !number.is_f64() => "integer",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => "string",
    }
}

/// Every field of every model is in the schema with its type, its default and a description.
#[test]
fn the_schema_holds_every_field() {
    let schema = schema();
    assert_eq!(schema["oneOf"].as_array().unwrap().len(), REGISTERED.len());
    for model in REGISTERED {
        let variant = variant(&schema, model);
        assert_eq!(variant["required"], json!(["model"]));
        let found = properties(&schema, variant);
        for (field, default) in defaults(model) {
            let entry = &found[&field];
            assert!(entry["description"].is_string(), "{model}.{field} has no description");
            assert_eq!(entry["default"], default, "{model}.{field}");
            // Nested records and choices are described elsewhere in the schema.
            if !default.is_object() && entry.get("$ref").is_none() {
                assert_eq!(entry["type"], json_type(&default), "{model}.{field}");
            }
        }
    }
}

/// The nested record of drift is spelled out too.
#[test]
fn the_schema_holds_the_fields_of_drift() {
    let schema = schema();
    let found = properties(&schema, &schema["$defs"]["PowerLawDrift"]);
    for (field, default) in defaults("ConstantStep")["drift"].as_object().unwrap() {
        assert!(found[field]["description"].is_string(), "drift.{field}");
        assert_eq!(found[field]["default"], *default, "drift.{field}");
    }
}
