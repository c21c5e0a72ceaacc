//! Parts of a sweep for arrays of jobs.
//!
//! A run belongs to the part that its hash says. Parts that begin while others have already finished some runs still agree
//! about who does what; their sizes differ by chance, about as the square root of the runs of a part.

use std::fmt;
use std::str::FromStr;

/// The `index`-th of `count` parts, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether a run belongs to it, by its hash.
    pub(crate) fn has(self, hash: &str) -> bool {
        // 15 hexadecimal digits fill 60 bits.
        let number = hash.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        number % self.count == self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err("must be I/N with I from 1 to N, such as 2/8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::cache::hash;

    #[test]
    fn every_run_belongs_to_exactly_one_part() {
        for run in 0..200_u32 {
            let hash = hash(&run.to_le_bytes());
            let owners = (1..=7).filter(|i| format!("{i}/7").parse::<Shard>().unwrap().has(&hash)).count();
            assert_eq!(owners, 1);
        }
        for text in ["0/2", "3/2", "1", "a/b", "-1/2", "1/0", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
