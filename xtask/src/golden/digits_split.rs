//! The digits as the golden data split them, including numpy's legacy permutation.

use aimc_nn::Dataset;
use aimc_testkit::golden::Node;

use super::CaseError;
use crate::data::optdigits;

/// Training and test data of a `split` object: `{train: [a, b], test: [c, d], permute_seed}`.
pub(crate) fn load(split: &Node<'_>) -> Result<(Dataset, Dataset), CaseError> {
    let whole = optdigits::whole().map_err(CaseError::run)?;
    let order = match split.opt("permute_seed") {
        Some(seed) => numpy_permutation(seed.read::<u64>()? as u32, whole.len()),
        None => (0..whole.len()).collect(),
    };
    let part = |key| -> Result<Dataset, CaseError> {
        let range = split.vec_usize(key)?;
        let indices =
            order.get(range[0]..range[1]).ok_or_else(|| CaseError::run(format!("{key} is out of range")))?;
        let (features, labels) = whole.select(indices).map_err(CaseError::run)?;
        Dataset::new(features, labels, whole.classes()).map_err(CaseError::run)
    };
    Ok((part("train")?, part("test")?))
}

/// `numpy.random.RandomState(seed).permutation(n)`.
fn numpy_permutation(seed: u32, n: usize) -> Vec<usize> {
    let mut generator = MersenneTwister::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        // The smallest 2ᵏ - 1 that is at least `last`.
        let mask = u32::MAX >> (last as u32).leading_zeros();
        let place = loop {
            let candidate = generator.next_u32() & mask;
            if candidate as usize <= last {
                break candidate as usize;
            }
        };
        order.swap(last, place);
    }
    order
}

/// MT19937 (Matsumoto & Nishimura 1998, doi:10.1145/272991.272995).
struct MersenneTwister {
    state: [u32; 624],
    next: usize,
}

impl MersenneTwister {
    fn new(seed: u32) -> Self {
        let mut state = [seed; 624];
        for i in 1..624 {
            let previous = state[i - 1];
            state[i] = (previous ^ (previous >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, next: 624 }
    }

    fn next_u32(&mut self) -> u32 {
        if self.next == 624 {
            for i in 0..624 {
                let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % 624] & 0x7FFF_FFFF);
                let twist = if y & 1 == 1 { 0x9908_B0DF } else { 0 };
                self.state[i] = self.state[(i + 397) % 624] ^ (y >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C_5680;
        y ^= (y << 15) & 0xEFC6_0000;
        y ^ (y >> 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.random.RandomState(0).permutation(10)`, as numpy prints it.
    #[test]
    fn the_order_is_that_of_numpy() {
        assert_eq!(numpy_permutation(0, 10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
    }
}
