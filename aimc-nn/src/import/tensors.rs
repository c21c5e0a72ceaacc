//! A safetensors file as named arrays of single-precision numbers.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::ImportError;

/// An array with its shape; the last dimension runs fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Size in every dimension.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// Named arrays, such as a state dict of PyTorch.
///
/// ```
/// use aimc_nn::import::{Tensor, Tensors};
/// let tensor = Tensor { shape: vec![1, 2], values: vec![0.5, -0.25] };
/// let tensors = Tensors::from_iter([("fc.weight".to_owned(), tensor)]);
/// assert_eq!(tensors.get("fc.weight").unwrap().shape, [1, 2]);
/// assert!(Tensors::from_safetensors(b"no such file").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(BTreeMap<String, Tensor>);

impl FromIterator<(String, Tensor)> for Tensors {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Tensors {
    /// Reads the bytes of a file in the safetensors format.
    ///
    /// Floating-point numbers of any width are rounded to single precision; arrays of other types (counters of batch
    /// norm, masks) are left out. Numbers that are not finite are refused.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, ImportError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| ImportError::File(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let Some(values) = floats(&view) else { continue };
            if let Some(position) = values.iter().position(|value| !value.is_finite()) {
                let value = values[position];
                return Err(ImportError::NotFinite { tensor: name.to_owned(), position, value });
            }
            tensors.insert(name.to_owned(), Tensor { shape: view.shape().to_vec(), values });
        }
        Ok(Self(tensors))
    }

    /// The array of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// Names and arrays in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

/// The numbers of an array; `None` where they are not floating-point numbers.
fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    Some(match view.dtype() {
        Dtype::F64 => numbers(view, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F32 => numbers(view, f32::from_le_bytes),
        Dtype::BF16 => numbers(view, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)),
        Dtype::F16 => numbers(view, |bytes| half(u16::from_le_bytes(bytes))),
        _ => return None,
    })
}

fn numbers<const N: usize>(view: &TensorView<'_>, number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = view.data().as_chunks::<N>();
    chunks.iter().map(|bytes| number(*bytes)).collect()
}

/// The value of a number in IEEE 754's half precision: sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    };
    if bits >> 15 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(dtype: Dtype, bytes: &[u8], count: usize) -> Vec<u8> {
        let view = TensorView::new(dtype, vec![count], bytes).unwrap();
        safetensors::serialize([("a", view)], None).unwrap()
    }

    /// Values from the standard's tables: 1, -2, the largest, the smallest, 1/3 to 11 bits.
    #[test]
    fn half_precision() {
        let known = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ];
        let bytes: Vec<u8> = known.iter().flat_map(|(bits, _)| u16::to_le_bytes(*bits)).collect();
        let tensors = Tensors::from_safetensors(&file(Dtype::F16, &bytes, 5)).unwrap();
        assert_eq!(tensors.get("a").unwrap().values, known.map(|(_, value)| value));
    }

    /// Numbers of 64 and 16 bits: rounded to the nearest of 32; counters are no weights.
    #[test]
    fn every_width_is_rounded_to_single_precision() {
        let third = 1.0_f64 / 3.0;
        let double = Tensors::from_safetensors(&file(Dtype::F64, &third.to_le_bytes(), 1)).unwrap();
        assert_eq!(double.get("a").unwrap().values, [third as f32]);
        let brain = Tensors::from_safetensors(&file(Dtype::BF16, &[0x20, 0xc0], 1)).unwrap();
        assert_eq!(brain.get("a").unwrap().values, [-2.5]);
        let counter = Tensors::from_safetensors(&file(Dtype::I64, &7_i64.to_le_bytes(), 1)).unwrap();
        assert!(counter.get("a").is_none());
    }

    #[test]
    fn what_is_not_finite_is_refused_by_name_and_place() {
        let bytes: Vec<u8> = [1.0, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
        let error = Tensors::from_safetensors(&file(Dtype::F32, &bytes, 2)).unwrap_err();
        assert_eq!(error.to_string(), "tensor \"a\": number 1 is NaN, not finite");
        let whole = file(Dtype::F32, &bytes[..4], 1);
        assert!(matches!(Tensors::from_safetensors(&whole[..whole.len() - 1]), Err(ImportError::File(_))));
    }
}
