//! A value inside a golden file that knows where it stands.

use super::{FromGolden, GoldenError, Params, Tensor};
use crate::golden::read::{Mismatch, describe};
use serde_json::Value;

/// A JSON value with its address (file, case, path), so that every error can name it.
///
/// Keys may be dotted paths, `"y.mean"`, `"networks.0.weight"`; a key that itself contains a dot is
/// tried first. A parameter object `{class, non_default, resolved}` is looked through: `"forward.res"`
/// finds `forward.resolved.res`.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: &'a Value,
    file: &'a str,
    case: Option<&'a str>,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value, file: &'a str, case: Option<&'a str>, path: String) -> Self {
        Self { value, file, case, path }
    }

    /// The JSON value itself.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Name of the case this value belongs to; empty outside the cases.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.case.unwrap_or_default()
    }

    /// The value at `key`.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if there is none.
    pub fn get(&self, key: &str) -> Result<Self, GoldenError> {
        self.opt(key).ok_or_else(|| self.error_at(key, "a value", "nothing".into()))
    }

    /// The value at `key`; `None` where the key is missing or the value is `null`.
    #[must_use]
    pub fn opt(&self, key: &str) -> Option<Self> {
        let value = descend(self.value, key).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.join(key), ..*self })
    }

    /// Converts the value.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if it has another type.
    pub fn read<T: FromGolden>(&self) -> Result<T, GoldenError> {
        T::from_golden(self.value)
            .map_err(|Mismatch { path, expected, found }| self.error_at(&path, expected, found))
    }

    /// The elements of a list.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if the value is no list.
    pub fn items(&self) -> Result<Vec<Self>, GoldenError> {
        let list = self.value.as_array().ok_or_else(|| self.error_here("a list"))?;
        let item = |(i, value): (usize, &'a Value)| Self { value, path: self.join(&i.to_string()), ..*self };
        Ok(list.iter().enumerate().map(item).collect())
    }

    /// The fields of an object, in file order.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if the value is no object.
    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>, GoldenError> {
        let fields = self.value.as_object().ok_or_else(|| self.error_here("an object"))?;
        let entry = |(key, value): (&'a String, &'a Value)| {
            (key.as_str(), Self { value, path: self.join(key), ..*self })
        };
        Ok(fields.iter().map(entry).collect())
    }

    /// The string at `key`.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if it is missing or no string.
    pub fn str(&self, key: &str) -> Result<&'a str, GoldenError> {
        let node = self.get(key)?;
        node.value.as_str().ok_or_else(|| node.error_here("a string"))
    }

    /// The parameter object at `key`.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if it is missing or has no `class`.
    pub fn params(&self, key: &str) -> Result<Params<'a>, GoldenError> {
        Params::new(self.get(key)?)
    }

    fn rectangle<T: FromGolden>(&self, key: &str) -> Result<Vec<Vec<T>>, GoldenError> {
        let rows: Vec<Vec<T>> = self.get(key)?.read()?;
        let width = rows.first().map_or(0, Vec::len);
        match rows.iter().position(|row| row.len() != width) {
            None => Ok(rows),
            Some(i) => {
                let found = format!("{} values after a row of {width}", rows[i].len());
                Err(self.error_at(&format!("{key}.{i}"), "rows of equal length", found))
            }
        }
    }

    fn join(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    pub(super) fn error_here(&self, expected: &'static str) -> GoldenError {
        self.error_at("", expected, describe(self.value))
    }

    fn error_at(&self, key: &str, expected: &'static str, found: String) -> GoldenError {
        GoldenError::Field {
            file: self.file.to_owned(),
            case: self.case.map(str::to_owned),
            path: self.join(key),
            expected,
            found,
        }
    }
}

/// One accessor per type in frequent use; each is `get(key)?.read()`.
macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {
        impl Node<'_> {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`GoldenError::Field`] if it is missing or has another type.
                pub fn $name(&self, key: &str) -> Result<$type, GoldenError> {
                    self.get(key)?.read()
                }
            )*
        }
    };
}

accessors! {
    /// The number at `key`.
    f32 -> f32;
    /// The number at `key`.
    f64 -> f64;
    /// The integer at `key`.
    u64 -> u64;
    /// The count at `key`.
    usize -> usize;
    /// The flag at `key`.
    bool -> bool;
    /// The list of numbers at `key`.
    vec_f32 -> Vec<f32>;
    /// The list of numbers at `key`.
    vec_f64 -> Vec<f64>;
    /// The list of counts at `key`.
    vec_usize -> Vec<usize>;
    /// The list of strings at `key`.
    vec_string -> Vec<String>;
    /// The list of matrices at `key`, e.g. `[step][row][column]`.
    cube_f32 -> Vec<Vec<Vec<f32>>>;
    /// The list of matrices at `key`, e.g. `[step][row][column]`.
    cube_f64 -> Vec<Vec<Vec<f64>>>;
    /// The binary array at `key`.
    tensor -> Tensor;
}

impl Node<'_> {
    /// The matrix at `key`, as rows of equal length.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if it is missing, not of numbers, or ragged.
    pub fn matrix_f32(&self, key: &str) -> Result<Vec<Vec<f32>>, GoldenError> {
        self.rectangle(key)
    }

    /// The matrix at `key`, as rows of equal length.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if it is missing, not of numbers, or ragged.
    pub fn matrix_f64(&self, key: &str) -> Result<Vec<Vec<f64>>, GoldenError> {
        self.rectangle(key)
    }
}

/// Follows a dotted path; the whole rest of the path is tried as one key before it is split.
fn descend<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = child(value, path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| descend(child(value, &path[..dot])?, &path[dot + 1..]))
}

fn child<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get(key).or_else(|| fields.get("resolved")?.get(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check<T: std::fmt::Debug>(result: Result<T, GoldenError>, message: &str) {
        assert_eq!(result.unwrap_err().to_string(), format!("f.json: case \"c\": {message}"));
    }

    #[test]
    fn lookups() {
        let value = json!({
            "lr": 0.1, "gap": null, "y": {"mean": [1, 2]}, "names": ["a"],
            "drift": {"172800.0": {"k": 3}},
            "cfg": {"class": "Cfg", "non_default": {}, "resolved": {
                "forward": {"class": "Io", "non_default": {}, "resolved": {"res": 0.5, "on": true}}}},
        });
        let node = Node::new(&value, "f.json", Some("c"), String::new());
        assert_eq!(node.name(), "c");
        assert_eq!(node.f32("lr").unwrap(), 0.1);
        assert_eq!(node.vec_f64("y.mean").unwrap(), [1.0, 2.0]);
        assert_eq!(node.u64("y.mean.1").unwrap(), 2);
        assert_eq!(node.usize("drift.172800.0.k").unwrap(), 3);
        assert_eq!(node.f64("cfg.forward.res").unwrap(), 0.5);
        assert!(node.bool("cfg.forward.on").unwrap());
        assert!(node.opt("gap").is_none() && node.opt("absent").is_none());
        assert_eq!(node.get("y").unwrap().entries().unwrap()[0].0, "mean");
        assert_eq!(node.get("names").unwrap().items().unwrap()[0].read::<String>().unwrap(), "a");
    }

    #[test]
    fn errors_name_file_case_and_path() {
        let value = json!({"lr": "fast", "m": [[1, 2], [3]], "y": {"mean": [1, true]}});
        let node = Node::new(&value, "f.json", Some("c"), String::new());
        check(node.f64("lr"), "lr: expected a number, found \"fast\"");
        check(node.f64("rate"), "rate: expected a value, found nothing");
        check(node.vec_f64("y.mean"), "y.mean.1: expected a number, found true");
        check(node.matrix_f32("m"), "m.1: expected rows of equal length, found 1 values after a row of 2");
        check(node.get("y").unwrap().str("mean"), "y.mean: expected a string, found a list of 2");
        check(node.get("lr").unwrap().items(), "lr: expected a list, found \"fast\"");
        check(node.params("y"), "y.class: expected a value, found nothing");
    }
}
