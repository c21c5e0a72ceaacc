//! A fixed number of input vectors out of all that passed, each with the same chance.
//!
//! Every vector has a random priority, drawn from its own address; those of lowest priority stay (bottom-k sampling, E. Cohen and
//! H. Kaplan 2007, PODC, doi:10.1145/1281100.1281133). So the choice is uniform without replacement, and it does not depend on
//! how the vectors were batched or in which order they came, unlike a choice by consumed random numbers.

use std::collections::BTreeMap;

use nalgebra::DMatrix;

use aimc_device::RngKey;
use aimc_device::rng::label;

/// The vectors, by priority.
#[derive(Clone, Debug)]
pub struct Reservoir {
    capacity: usize,
    kept: BTreeMap<u64, Vec<f32>>,
}

impl Reservoir {
    /// For at most so many vectors.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, kept: BTreeMap::new() }
    }

    /// Offers a vector; `key` is its own address.
    pub fn offer(&mut self, vector: &[f32], key: RngKey) {
        let mut words = key.fold_in(label("reservoir")).stream(0);
        let priority = u64::from(words.next_u32()) << 32 | u64::from(words.next_u32());
        let full = self.kept.len() >= self.capacity;
        if full && self.kept.last_key_value().is_none_or(|(largest, _)| priority >= *largest) {
            return;
        }
        self.kept.insert(priority, vector.to_vec());
        if self.kept.len() > self.capacity {
            self.kept.pop_last();
        }
    }

    /// Number of vectors kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// All numbers of all vectors.
    pub fn values(&self) -> impl Iterator<Item = f32> {
        self.kept.values().flatten().copied()
    }

    /// The vectors as columns: lines x vectors.
    #[must_use]
    pub fn matrix(&self) -> DMatrix<f32> {
        let lines = self.kept.first_key_value().map_or(0, |(_, vector)| vector.len());
        DMatrix::from_iterator(lines, self.len(), self.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::stats::{FALSE_ALARM, assert_p, chi_squared_uniform};

    fn chosen(order: impl Iterator<Item = u64>, capacity: usize, seed: u64) -> Vec<u32> {
        let mut reservoir = Reservoir::new(capacity);
        for i in order {
            reservoir.offer(&[i as f32], RngKey::root(seed).fold_in(i));
        }
        reservoir.values().map(|value| value as u32).collect()
    }

    /// The sample depends on the set of candidates and the key, not on their order.
    #[test]
    fn order_does_not_matter() {
        assert_eq!(chosen(0..100, 7, 1), chosen((0..100).rev(), 7, 1));
        assert_eq!(chosen(0..5, 7, 1).len(), 5);
        assert!(chosen(0..5, 0, 1).is_empty());
    }

    /// Each of 20 vectors is kept in a quarter of all choices.
    #[test]
    fn all_have_the_same_chance() {
        let mut counts = [0_u64; 20];
        for seed in 0..4000 {
            chosen(0..20, 5, seed).into_iter().for_each(|i| counts[i as usize] += 1);
        }
        // Without replacement the counts vary less than multinomial ones, so the test is on the safe side.
        assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
    }
}
