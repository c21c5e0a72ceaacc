//! From text to record: TOML or JSON in, one typed error with the full field path out.
//!
//! Records are plain serde structures; values of the right type but out of range are refused later, by
//! the record's own `validate`. Unknown fields and numbers that are not finite never pass.
//!
//! ```
//! use aimc_device::{config, pulsed::PulsedDeviceConfig};
//! let text = "model = \"ConstantStep\"\ndw_min = \"small\"";
//! let error = config::from_toml::<PulsedDeviceConfig>(text).unwrap_err();
//! assert_eq!(error.field, "dw_min");
//! ```

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value};

use crate::error::ConfigError;

/// Reads a record from TOML.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    decode(parse_toml(text)?)
}

/// Reads a record from JSON.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    decode(parse_json(text)?)
}

/// Parses TOML into a tree, without a record in mind yet.
pub fn parse_toml(text: &str) -> Result<Value, ConfigError> {
    let table: toml::Table = toml::from_str(text)
        .map_err(|error| ConfigError::new("", "", format!("is no valid TOML: {}", one_line(&error))))?;
    table_to_json(table)
}

/// Parses JSON into a tree, without a record in mind yet.
pub fn parse_json(text: &str) -> Result<Value, ConfigError> {
    serde_json::from_str(text).map_err(|error| ConfigError::new("", "", format!("is no valid JSON: {error}")))
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn table_to_json(table: toml::Table) -> Result<Value, ConfigError> {
    let entries = table.into_iter().map(|(key, value)| {
        let value = toml_to_json(value).map_err(|error| error.within(&key))?;
        Ok((key, value))
    });
    entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn toml_to_json(value: toml::Value) -> Result<Value, ConfigError> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| ConfigError::new("", number, "must be a finite number"))?,
        toml::Value::Datetime(date) => {
            return Err(ConfigError::new("", date, "must be a number, text, list or table, not a date"));
        }
        toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let items = items.map(|(i, item)| toml_to_json(item).map_err(|e| e.within(format!("[{i}]"))));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => table_to_json(table)?,
    })
}

/// Overwrites the entries of `base` by those of `over`, table by table; other values are replaced whole.
pub fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Turns a tree into a record.
pub fn decode<T: DeserializeOwned>(tree: Value) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(&tree).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        let message = error.inner().to_string();
        match Carried::unpack(&message) {
            Some(inner) if path.is_empty() => inner,
            Some(inner) => inner.within(path),
            None => explain(path, &message, &tree),
        }
    })
}

fn explain(path: &str, message: &str, tree: &Value) -> ConfigError {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (name, expected) = rest.split_once('`').unwrap_or((rest, ""));
        // The parser's path may or may not name the unknown field itself.
        let parent = path.strip_suffix(name).map_or(path, |p| p.trim_end_matches('.'));
        let known = expected.trim_start_matches(',').trim();
        let error = ConfigError::new(name, "", format!("is no known field; {known}"));
        return if parent.is_empty() { error } else { error.within(parent) };
    }
    let value = lookup(tree, path).map_or(String::new(), Value::to_string);
    let short = if value.len() > 80 { String::new() } else { value };
    ConfigError::new(path, short, message)
}

fn lookup<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer = path.replace('[', ".").replace(']', "");
    pointer.split('.').filter(|step| !step.is_empty()).try_fold(tree, |node, step| match node {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        node => node.get(step),
    })
}

/// One row of a registry: the value of the tag, and how the rest of the table becomes a record.
pub type Variant<T> = (&'static str, fn(Value) -> Result<T, ConfigError>);

/// The record of a variant without fields: any field is refused.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFields {}

/// Deserialises a table whose entry `tag` names one of `variants`; used by `Deserialize` of the registries.
///
/// Unlike serde's derived tagged enums, errors keep the path of the field inside the variant.
pub fn tagged<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    tag: &'static str,
    variants: &[Variant<T>],
) -> Result<T, D::Error> {
    let mut table = Map::<String, Value>::deserialize(deserializer)?;
    let known = || variants.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let name = match table.remove(tag) {
        Some(Value::String(name)) => name,
        Some(other) => {
            let error = ConfigError::new(tag, other, format!("must be one of {}", known()));
            return Err(carry(error));
        }
        None => {
            let error = ConfigError::new(tag, "", format!("is missing; must be one of {}", known()));
            return Err(carry(error));
        }
    };
    let decoded = match variants.iter().find(|(variant, _)| *variant == name) {
        Some((_, build)) => build(Value::Object(table)),
        None => Err(ConfigError::new(tag, format!("{name:?}"), format!("must be one of {}", known()))),
    };
    decoded.map_err(carry)
}

/// Hands a typed error to serde such that [`decode`] finds it again, path and all.
pub fn carry<E: serde::de::Error>(error: ConfigError) -> E {
    E::custom(Carried(error))
}

/// The typed error that [`carry`] handed over.
pub fn uncarry(error: &impl std::fmt::Display) -> ConfigError {
    let message = error.to_string();
    Carried::unpack(&message).unwrap_or_else(|| ConfigError::new("", "", message))
}

/// A typed error on its way through serde, which only carries text.
struct Carried(ConfigError);

const SEPARATOR: char = '\u{1f}';

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ConfigError { field, value, requirement } = &self.0;
        write!(f, "{SEPARATOR}{field}{SEPARATOR}{value}{SEPARATOR}{requirement}{SEPARATOR}")
    }
}

impl Carried {
    fn unpack(message: &str) -> Option<ConfigError> {
        let mut parts = message.split(SEPARATOR).skip(1);
        let (field, value, requirement) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next()?;
        Some(ConfigError::new(field, value, requirement))
    }
}
