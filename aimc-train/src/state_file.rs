//! A [`State`] as bytes: named arrays and a header of the caller's in the safetensors format, with a checksum.
//!
//! ```
//! use aimc_device::state::State;
//! use aimc_train::state_file;
//! let mut state = State::default();
//! state.put("weights", vec![0.5_f32, -0.25]);
//! let mut bytes = state_file::to_bytes(&state, "header".to_owned())?;
//! assert_eq!(state_file::from_bytes(&bytes)?, (state, "header".to_owned()));
//! *bytes.last_mut().unwrap() ^= 1;
//! assert!(state_file::from_bytes(&bytes).is_err());
//! # Ok::<(), state_file::Damaged>(())
//! ```

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use aimc_device::state::{State, Values};

/// Damaged, truncated or another kind of file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(String);

impl Damaged {
    /// Bytes that cannot be read, for this reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// What the file has in its own header: the caller's, and the checksum.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    crc32: String,
    header: String,
}

/// The content of a file that holds `state` and `header`; the same bytes for the same content.
pub fn to_bytes(state: &State, header: String) -> Result<Vec<u8>, Damaged> {
    let arrays: Vec<(&str, Dtype, usize, Vec<u8>)> = state
        .iter()
        .map(|(name, values)| match values {
            Values::Floats(v) => {
                (name, Dtype::F32, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())
            }
            Values::Counts(v) => {
                (name, Dtype::U64, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())
            }
        })
        .collect();
    let views = arrays
        .iter()
        .map(|(name, dtype, length, bytes)| {
            Ok((*name, TensorView::new(*dtype, vec![*length], bytes).map_err(Damaged::new)?))
        })
        .collect::<Result<Vec<_>, Damaged>>()?;
    let by_name = arrays.iter().map(|(name, _, _, bytes)| (*name, bytes.as_slice())).collect();
    let checksum = checksum(&header, by_name);
    // One entry: the order of several would differ from file to file.
    let envelope = serde_json::to_string(&Envelope { crc32: checksum, header }).map_err(Damaged::new)?;
    let metadata = HashMap::from([("aimc".to_owned(), envelope)]);
    safetensors::serialize(views, Some(metadata)).map_err(Damaged::new)
}

/// Reads what [`to_bytes`] wrote.
pub fn from_bytes(bytes: &[u8]) -> Result<(State, String), Damaged> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(Damaged::new)?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get("aimc"));
    let entry = entry.ok_or_else(|| Damaged::new("its header lacks the entry `aimc`"))?;
    let Envelope { crc32: stated, header } = serde_json::from_str(entry).map_err(Damaged::new)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(Damaged::new)?.tensors();
    let found =
        checksum(&header, tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.data())).collect());
    if found != stated {
        return Err(Damaged(format!("its checksum is {found}, the file states {stated}")));
    }
    let mut state = State::default();
    for (name, tensor) in tensors {
        match tensor.dtype() {
            Dtype::F32 => state.put(&name, numbers(tensor.data(), f32::from_le_bytes)),
            Dtype::U64 => state.put(&name, numbers(tensor.data(), u64::from_le_bytes)),
            other => return Err(Damaged(format!("array {name} has type {other:?}"))),
        }
    }
    Ok((state, header))
}

/// CRC-32 of the header and of all arrays with their names, in the order of the names.
fn checksum(header: &str, mut arrays: Vec<(&str, &[u8])>) -> String {
    arrays.sort_unstable_by_key(|(name, _)| *name);
    let mut crc = crc32fast::Hasher::new();
    crc.update(header.as_bytes());
    for (name, bytes) in arrays {
        crc.update(name.as_bytes());
        crc.update(bytes);
    }
    format!("{:08x}", crc.finalize())
}

/// Decodes numbers of N bytes each; the format guarantees whole numbers.
fn numbers<const N: usize, T>(bytes: &[u8], decode: fn([u8; N]) -> T) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|bytes| decode(*bytes)).collect()
}
