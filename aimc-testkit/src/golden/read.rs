//! Conversion of JSON values to Rust values, with the conventions of the golden format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Why a JSON value is not what was asked for; [`super::Node`] adds file and case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Mismatch {
    /// Dotted path below the value that was converted; empty for the value itself.
    pub path: String,
    /// What was asked for.
    pub expected: &'static str,
    /// What is there, shortened.
    pub found: String,
}

impl Mismatch {
    /// `found` is described and shortened to one line.
    pub(super) fn new(expected: &'static str, found: &Value) -> Self {
        Self { path: String::new(), expected, found: describe(found) }
    }

    fn under(mut self, key: &str) -> Self {
        self.path = if self.path.is_empty() { key.to_owned() } else { format!("{key}.{}", self.path) };
        self
    }
}

/// A short description of a value for an error message.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(fields) => format!("an object of {} fields", fields.len()),
        Value::String(text) if text.chars().count() > 40 => {
            format!("\"{}…\"", text.chars().take(40).collect::<String>())
        }
        scalar => scalar.to_string(),
    }
}

/// A type that golden JSON can be read as: numbers, `bool`, `String`, [`Tensor`], and `Vec`s of them.
pub trait FromGolden: Sized {
    /// Converts one JSON value.
    ///
    /// # Errors
    /// If the value has another type.
    fn from_golden(value: &Value) -> Result<Self, Mismatch>;
}

impl FromGolden for f64 {
    /// A number, or one of the strings `"inf"`, `"-inf"`, `"nan"`.
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.as_str() {
                "inf" => Some(Self::INFINITY),
                "-inf" => Some(Self::NEG_INFINITY),
                "nan" => Some(Self::NAN),
                _ => None,
            },
            _ => None,
        }
        .ok_or_else(|| Mismatch::new("a number", value))
    }
}

impl FromGolden for f32 {
    /// As `f64`, rounded to the nearest `f32`.
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        f64::from_golden(value).map(|x| x as Self)
    }
}

impl FromGolden for u64 {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        value.as_u64().ok_or_else(|| Mismatch::new("an integer ≥ 0", value))
    }
}

impl FromGolden for usize {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        u64::from_golden(value)?.try_into().map_err(|_| Mismatch::new("an integer that fits usize", value))
    }
}

impl FromGolden for i64 {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        value.as_i64().ok_or_else(|| Mismatch::new("an integer", value))
    }
}

impl FromGolden for bool {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        value.as_bool().ok_or_else(|| Mismatch::new("true or false", value))
    }
}

impl FromGolden for String {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        value.as_str().map(str::to_owned).ok_or_else(|| Mismatch::new("a string", value))
    }
}

impl<T: FromGolden> FromGolden for Vec<T> {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        let items = value.as_array().ok_or_else(|| Mismatch::new("a list", value))?;
        let read = |(i, item): (usize, &Value)| T::from_golden(item).map_err(|e| e.under(&i.to_string()));
        items.iter().enumerate().map(read).collect()
    }
}

/// An array stored as `{dtype: "<f4", shape, base64}`: raw little-endian `f32`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Extent of each axis, slowest first.
    pub shape: Vec<usize>,
    /// `shape.iter().product()` values, the last axis contiguous.
    pub data: Vec<f32>,
}

impl Tensor {
    /// The data cut along the last axis: for a weight matrix `[out][in]`, one `Vec` per output.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<f32>> {
        match self.shape.last() {
            Some(&width) if width > 0 => self.data.chunks(width).map(<[f32]>::to_vec).collect(),
            _ => Vec::new(),
        }
    }
}

impl FromGolden for Tensor {
    fn from_golden(value: &Value) -> Result<Self, Mismatch> {
        let field = |key| value.get(key).ok_or_else(|| Mismatch::new("{dtype, shape, base64}", value));
        let dtype = field("dtype")?;
        if dtype != "<f4" {
            return Err(Mismatch::new("dtype \"<f4\"", dtype).under("dtype"));
        }
        let shape = Vec::<usize>::from_golden(field("shape")?).map_err(|e| e.under("shape"))?;
        let text = field("base64")?;
        let bytes = text.as_str().and_then(|t| STANDARD.decode(t).ok());
        let bytes = bytes.ok_or_else(|| Mismatch::new("base64 text", text).under("base64"))?;
        let expected = shape.iter().try_fold(4_usize, |size, &extent| size.checked_mul(extent));
        if expected != Some(bytes.len()) {
            let found = format!("{} bytes for shape {shape:?}", bytes.len());
            return Err(Mismatch { path: "base64".into(), expected: "4 bytes per element", found });
        }
        let (words, _) = bytes.as_chunks::<4>();
        Ok(Self { shape, data: words.iter().map(|&word| f32::from_le_bytes(word)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_their_spellings() {
        let values = Vec::<f64>::from_golden(&json!([1, -2.5, "inf", "-inf", "nan"])).unwrap();
        assert_eq!(values[..4], [1.0, -2.5, f64::INFINITY, f64::NEG_INFINITY]);
        assert!(values[4].is_nan());
        assert_eq!(f32::from_golden(&json!(0.1)).unwrap(), 0.1_f32);
    }

    #[test]
    fn a_wrong_element_is_located() {
        let error = Vec::<Vec<f64>>::from_golden(&json!([[1], [2, "two"]])).unwrap_err();
        assert_eq!(error.to_string(), "1.1: expected a number, found \"two\"");
        let error = u64::from_golden(&json!(-1)).unwrap_err();
        assert_eq!(error.expected, "an integer ≥ 0");
    }

    #[test]
    fn tensors() {
        // np.array([[1, -2], [0.5, 3]], '<f4')
        let text = "AACAPwAAAMAAAAA/AABAQA==";
        let tensor = Tensor::from_golden(&json!({"dtype": "<f4", "shape": [2, 2], "base64": text})).unwrap();
        assert_eq!(tensor.rows(), [[1.0, -2.0], [0.5, 3.0]]);
        for (bad, at) in [
            (json!({"dtype": "<f8", "shape": [2, 2], "base64": text}), "dtype"),
            (json!({"dtype": "<f4", "shape": [2, 3], "base64": text}), "base64"),
            (json!({"dtype": "<f4", "shape": [u64::MAX, 2], "base64": text}), "base64"),
            (json!({"dtype": "<f4", "shape": [2, 2], "base64": "***"}), "base64"),
            (json!({"dtype": "<f4", "shape": [2, 2]}), ""),
        ] {
            assert_eq!(Tensor::from_golden(&bad).unwrap_err().path, at);
        }
    }

    #[test]
    fn descriptions_stay_on_one_short_line() {
        let long = json!("x".repeat(1000));
        assert!(describe(&long).chars().count() <= 43);
        assert_eq!(describe(&json!([1, 2])), "a list of 2");
    }
}
