//! The result of a comparison.

use std::fmt;

/// What a [`super::Comparison`] concludes.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a verdict is for reading; `expect_pass` turns it into a panic"]
pub struct Verdict {
    /// Whether every rule held.
    pub passed: bool,
    /// The value furthest from its reference, in units of its tolerance, with both numbers:
    /// `y[2][0]: ours 1.25, theirs 1.2, 0.4 tolerances`. Empty if nothing was compared.
    pub worst: String,
    /// Number of values compared.
    pub count: usize,
    /// Why it failed, one reason per broken rule (the first few values of each); empty if passed.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Panics with all reasons unless the comparison passed.
    #[track_caller]
    pub fn expect_pass(&self) {
        assert!(self.passed, "{self}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed { "agrees" } else { "differs" };
        write!(f, "{word} ({} values)", self.count)?;
        if !self.worst.is_empty() {
            write!(f, "; worst {}", self.worst)?;
        }
        self.reasons.iter().try_for_each(|reason| write!(f, "; {reason}"))
    }
}
