//! Addressed randomness: every draw is a function of (seed, path of labels, index).
//!
//! Nobody stores or shares a generator. A [`RngKey`] is a value, copied and narrowed with
//! [`RngKey::fold_in`] on the way down (network, layer, tile, step, …); at the bottom
//! [`RngKey::stream`] opens an independent sequence of numbers. Hence results depend neither on the
//! number of threads nor on whether a run was interrupted and resumed.
//!
//! ```
//! use aimc_device::rng::{RngKey, label};
//! let tile = RngKey::root(7).fold_in(label("tile")).fold_in(3);
//! let mut one_by_one = tile.stream(12);
//! let first: Vec<f32> = (0..100).map(|_| one_by_one.normal()).collect();
//! let mut in_bulk = [0.0; 100];
//! tile.stream(12).fill_normal(&mut in_bulk);
//! assert_eq!(first, in_bulk);
//! ```

mod chacha;
mod normal;
mod stream;

pub(crate) use stream::FirstNormals;
pub use stream::Stream;

/// An address from which random streams are opened: 128 bits, passed by value.
///
/// Two keys that were reached by different paths are unrelated; the chance that any two of n keys
/// coincide is below n²/2¹²⁹.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RngKey {
    a: u64,
    b: u64,
}

impl RngKey {
    /// The key of a whole experiment.
    #[must_use]
    pub fn root(seed: u64) -> Self {
        Self { a: mix(seed), b: mix(!seed) }
    }

    /// The key one step further down the path. For one parent, different labels give different keys.
    #[must_use]
    pub fn fold_in(self, label: u64) -> Self {
        let a = mix(self.a.wrapping_add(mix(label)));
        // An invertible map of (a, b) for every label, so that long paths lose no entropy.
        let b = mix(self.b ^ a.rotate_left(29) ^ label.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self { a, b }
    }

    /// The key as numbers, for a checkpoint.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// let key = RngKey::root(7).fold_in(3);
    /// assert_eq!(RngKey::from_words(key.words()), key);
    /// ```
    #[must_use]
    pub fn words(self) -> [u64; 2] {
        [self.a, self.b]
    }

    /// The key that [`RngKey::words`] gave.
    #[must_use]
    pub fn from_words([a, b]: [u64; 2]) -> Self {
        Self { a, b }
    }

    /// Opens stream number `index` of this key: 2⁶⁴ independent streams of 2⁶⁸ words each.
    #[must_use]
    pub fn stream(self, index: u64) -> Stream {
        Stream::open([self.a, self.b], index)
    }
}

/// The label of a name, so that key paths read as words: `key.fold_in(label("forward"))`.
///
/// FNV-1a in 64 bits (Fowler, Noll, Vo); evaluated at compile time where the name is a constant.
#[must_use]
pub const fn label(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xCBF2_9CE4_8422_2325;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        i += 1;
    }
    hash
}

/// The output function of SplitMix64 (Steele, Lea & Flood 2014), a bijection of 64-bit words.
fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// fold(1)·fold(2) ≠ fold(2)·fold(1); a path differs from its root.
    #[test]
    fn paths_are_ordered_and_distinct() {
        let root = RngKey::root(1);
        assert_ne!(root.fold_in(1).fold_in(2), root.fold_in(2).fold_in(1));
        assert_ne!(root.fold_in(0), root);
        assert_ne!(RngKey::root(0), RngKey::root(1));
        assert_ne!(label("forward"), label("backward"));
    }

    /// Pins the first values: a change here changes every published result ("value-breaking").
    #[test]
    fn values_are_stable() {
        let key = RngKey::root(42).fold_in(label("value stability")).fold_in(3);
        let mut stream = key.stream(5);
        let words: Vec<u32> = (0..4).map(|_| stream.next_u32()).collect();
        let normals: Vec<u32> = (0..4).map(|_| stream.normal().to_bits()).collect();
        let uniform = stream.uniform().to_bits();
        assert_eq!(words, [1_154_716_645, 1_498_385_061, 901_764_022, 579_962_687]);
        assert_eq!(normals, [3_203_427_957, 1_067_509_522, 3_197_171_809, 3_212_721_777]);
        assert_eq!(uniform, 1_052_197_438);
    }
}
