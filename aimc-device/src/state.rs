//! State that outlives a process: named arrays, the common currency of checkpoints.
//!
//! ```
//! use aimc_device::state::State;
//! let mut inner = State::default();
//! inner.put("weights", vec![0.5_f32, -0.25]);
//! let mut outer = State::default();
//! outer.nest("tile", inner);
//! assert_eq!(outer.part("tile").floats("weights", 2).unwrap(), [0.5, -0.25]);
//! assert!(outer.part("tile").floats("weights", 3).is_err());
//! ```

use std::collections::BTreeMap;

/// One array.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Weights, constants, buffers.
    Floats(Vec<f32>),
    /// Counters.
    Counts(Vec<u64>),
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self::Floats(values)
    }
}

impl From<Vec<u64>> for Values {
    fn from(values: Vec<u64>) -> Self {
        Self::Counts(values)
    }
}

/// Named arrays; names of nested parts are joined by dots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    entries: BTreeMap<String, Values>,
}

/// A stored state does not fit the object it is loaded into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored state \"{name}\": {reason}")]
pub struct StateError {
    /// Full name of the array.
    pub name: String,
    /// What does not fit.
    pub reason: String,
}

impl StateError {
    /// An error about the array `name`.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into() }
    }
}

impl State {
    /// Adds an array.
    pub fn put(&mut self, name: &str, values: impl Into<Values>) {
        self.entries.insert(name.to_owned(), values.into());
    }

    /// Adds all arrays of `inner` under `prefix`.
    pub fn nest(&mut self, prefix: &str, inner: State) {
        self.entries
            .extend(inner.entries.into_iter().map(|(name, values)| (format!("{prefix}.{name}"), values)));
    }

    /// The arrays under `prefix`.
    #[must_use]
    pub fn part(&self, prefix: &str) -> StatePart<'_> {
        StatePart { state: self, prefix: format!("{prefix}.") }
    }

    /// All arrays.
    #[must_use]
    pub fn root(&self) -> StatePart<'_> {
        StatePart { state: self, prefix: String::new() }
    }

    /// Names and arrays in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.entries.iter().map(|(name, values)| (name.as_str(), values))
    }
}

/// A view of the arrays under one prefix.
#[derive(Clone, Debug)]
pub struct StatePart<'a> {
    state: &'a State,
    prefix: String,
}

impl<'a> StatePart<'a> {
    /// The arrays under a further prefix.
    #[must_use]
    pub fn part(&self, prefix: &str) -> StatePart<'a> {
        StatePart { state: self.state, prefix: format!("{}{prefix}.", self.prefix) }
    }

    /// Whether an array of this name is stored.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.state.entries.contains_key(&format!("{}{name}", self.prefix))
    }

    /// The numbers of array `name`, which must be `length` finite floats.
    pub fn floats(&self, name: &str, length: usize) -> Result<&'a [f32], StateError> {
        match self.get(name)? {
            Values::Floats(values) => {
                self.check_length(name, values.len(), length)?;
                match values.iter().find(|value| !value.is_finite()) {
                    Some(value) => Err(self.error(name, format!("holds {value}, which is not finite"))),
                    None => Ok(values),
                }
            }
            Values::Counts(_) => Err(self.error(name, "holds counts where numbers are needed")),
        }
    }

    /// The counts of array `name`, which must be `length` of them.
    pub fn counts(&self, name: &str, length: usize) -> Result<&'a [u64], StateError> {
        match self.get(name)? {
            Values::Counts(values) => {
                self.check_length(name, values.len(), length).map(|()| values.as_slice())
            }
            Values::Floats(_) => Err(self.error(name, "holds numbers where counts are needed")),
        }
    }

    fn get(&self, name: &str) -> Result<&'a Values, StateError> {
        let full = format!("{}{name}", self.prefix);
        self.state.entries.get(&full).ok_or_else(|| self.error(name, "is missing"))
    }

    fn check_length(&self, name: &str, found: usize, needed: usize) -> Result<(), StateError> {
        if found == needed {
            Ok(())
        } else {
            Err(self.error(name, format!("has {found} entries instead of {needed}")))
        }
    }

    fn error(&self, name: &str, reason: impl Into<String>) -> StateError {
        StateError::new(format!("{}{name}", self.prefix), reason)
    }
}
