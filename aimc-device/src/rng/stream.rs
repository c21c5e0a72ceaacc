//! One stream of random numbers, opened from an address.

use super::chacha::{self, Address, BEGINNING, Block, GROUP};
use super::normal::{BLOCK, WORDS, normals_from_words};

/// Words that are made at least.
const AHEAD: usize = 64;
/// Words that are made at a time in bulk draws, so that they stay in the first-level cache.
const PART: usize = 3 * AHEAD;
/// Where they find room, with those that are ahead.
const ROOM: usize = PART + AHEAD;
const _: () = assert!(AHEAD == GROUP * size_of::<Block>() / 4 && PART.is_multiple_of(WORDS));

/// A sequence of random words (ChaCha with 8 rounds, Bernstein 2008) read as uniform or normal numbers.
///
/// Drawing in bulk gives the same values as drawing one by one, for any interleaving of calls.
#[derive(Clone, Debug)]
pub struct Stream {
    address: Address,
    /// Number of the block that is made next.
    next: u64,
    /// Words that have been made; the last `left` of them have not been handed out.
    ahead: [u32; AHEAD],
    left: usize,
    /// Normals of the block begun last; those before `used` have been handed out.
    block: [f32; BLOCK],
    used: usize,
}

impl Stream {
    pub(super) fn open(key: [u64; 2], index: u64) -> Self {
        Self {
            address: Address { key, index },
            next: 0,
            ahead: [0; AHEAD],
            left: 0,
            block: [0.0; BLOCK],
            used: BLOCK,
        }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.left == 0 {
            self.make_ahead();
        }
        self.left -= 1;
        self.ahead[AHEAD - 1 - self.left]
    }

    /// Fills `out` with random words, the same as repeated [`Stream::next_u32`].
    pub fn fill_u32(&mut self, out: &mut [u32]) {
        let held = self.left.min(out.len());
        let (head, rest) = out.split_at_mut(held);
        let (groups, tail) = rest.split_at_mut(rest.len() / AHEAD * AHEAD);
        head.copy_from_slice(&self.ahead[AHEAD - self.left..][..held]);
        self.left -= held;
        chacha::fill(self.address, &mut self.next, groups);
        if !tail.is_empty() {
            self.make_ahead();
            tail.copy_from_slice(&self.ahead[..tail.len()]);
            self.left -= tail.len();
        }
    }

    /// The next `number` words, in a `room` for [`AHEAD`] more.
    fn take<'a>(&mut self, number: usize, room: &'a mut [u32]) -> &'a [u32] {
        let held = self.left.min(number);
        room[..held].copy_from_slice(&self.ahead[AHEAD - self.left..][..held]);
        self.left -= held;
        if held < number {
            let made = held + (number - held).next_multiple_of(AHEAD);
            chacha::fill(self.address, &mut self.next, &mut room[held..made]);
            self.left = made - number;
            self.ahead[AHEAD - self.left..].copy_from_slice(&room[number..made]);
        }
        &room[..number]
    }

    fn make_ahead(&mut self) {
        chacha::fill(self.address, &mut self.next, &mut self.ahead);
        self.left = AHEAD;
    }

    /// Passes over words without making them.
    fn skip(&mut self, words: usize) {
        let held = self.left.min(words);
        self.left -= held;
        let (groups, rest) = ((words - held) / AHEAD, (words - held) % AHEAD);
        self.next = self.next.wrapping_add((groups * GROUP) as u64);
        if rest > 0 {
            self.make_ahead();
            self.left -= rest;
        }
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        unit_interval(self.next_u32())
    }

    /// Fills `out` with uniforms in [0, 1), the same as repeated [`Stream::uniform`].
    pub fn fill_uniform(&mut self, out: &mut [f32]) {
        let mut room = [0; ROOM];
        for chunk in out.chunks_mut(PART) {
            let words = self.take(chunk.len(), &mut room);
            for (value, &word) in chunk.iter_mut().zip(words) {
                *value = unit_interval(word);
            }
        }
    }

    /// Uniform among `0..n` without bias (Lemire 2019, doi:10.1145/3230636); 0 for `n = 0`.
    pub fn below(&mut self, n: u32) -> u32 {
        let rejected_below = if n == 0 { 0 } else { n.wrapping_neg() % n };
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            if product as u32 >= rejected_below {
                return (product >> 32) as u32;
            }
        }
    }

    /// A random order of `0..n` (Fisher–Yates).
    #[must_use]
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last as u32 + 1) as usize);
        }
        order
    }

    /// Standard normal, |ξ| < 6.7.
    pub fn normal(&mut self) -> f32 {
        if self.used == BLOCK {
            self.refill();
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// Fills `out` with standard normals, the same as repeated [`Stream::normal`].
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        let held = (BLOCK - self.used).min(out.len());
        let (head, rest) = out.split_at_mut(held);
        head.copy_from_slice(&self.block[self.used..self.used + held]);
        self.used += held;
        if (1..=BLOCK).contains(&rest.len()) {
            self.refill();
            self.used = rest.len();
            return rest.copy_from_slice(&self.block[..self.used]);
        }
        let mut room = [0; ROOM];
        for chunk in rest.chunks_mut(PART / WORDS * BLOCK) {
            let words = self.take(chunk.len().div_ceil(BLOCK) * WORDS, &mut room);
            let (bulk, tail) = chunk.split_at_mut(chunk.len() / BLOCK * BLOCK);
            let (words, last) = words.split_at(bulk.len() / BLOCK * WORDS);
            normals_from_words(words, bulk);
            if !tail.is_empty() {
                normals_from_words(last, &mut self.block);
                tail.copy_from_slice(&self.block[..tail.len()]);
                self.used = tail.len();
            }
        }
    }

    /// The normal that comes after `skipped` others; nothing is drawn.
    #[must_use]
    pub fn normal_after(&self, skipped: usize) -> f32 {
        let (blocks, place) = ((self.used + skipped) / BLOCK, (self.used + skipped) % BLOCK);
        if blocks == 0 {
            return self.block[place];
        }
        let mut ahead = self.clone();
        ahead.skip((blocks - 1) * WORDS);
        ahead.refill();
        ahead.block[place]
    }

    fn refill(&mut self) {
        let mut room = [0; WORDS + AHEAD];
        normals_from_words(self.take(WORDS, &mut room), &mut self.block);
        self.used = 0;
    }
}

/// The normals with which the streams number `index` of some keys begin.
pub(crate) fn first_normals(keys: &[[u64; 2]], index: u64, normals: &mut [[f32; BLOCK]]) {
    // As many as fill the registers of AVX-512.
    const TOGETHER: usize = 6;
    let mut blocks = [[[0; 16]; BEGINNING]; TOGETHER];
    for (keys, normals) in keys.chunks(TOGETHER).zip(normals.chunks_mut(TOGETHER)) {
        chacha::begin(keys, index, &mut blocks[..keys.len()]);
        let mut words = [0; TOGETHER * WORDS];
        for (words, blocks) in words.chunks_exact_mut(WORDS).zip(&blocks) {
            words.copy_from_slice(&blocks.as_flattened()[..WORDS]);
        }
        normals_from_words(&words[..keys.len() * WORDS], normals.as_flattened_mut());
    }
}

fn unit_interval(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;

    /// Draws of any length and kind in bulk = as many single draws.
    #[test]
    fn bulk_equals_one_by_one_when_interleaved() {
        let key = RngKey::root(3);
        let (mut bulk, mut single) = (key.stream(0), key.stream(0));
        for length in [1, 5, 31, 32, 33, 64, 7, 2000, 3] {
            let mut many = vec![0.0; length];
            bulk.fill_normal(&mut many);
            assert!(many.iter().all(|value| *value == single.normal()), "length {length}");
            bulk.fill_uniform(&mut many);
            assert!(many.iter().all(|value| *value == single.uniform()), "length {length}");
        }
    }

    /// The normal after k others is the k-th of those drawn next, wherever the stream stands, and is not drawn.
    #[test]
    fn a_normal_ahead_is_the_one_that_comes() {
        let mut stream = RngKey::root(4).stream(0);
        for drawn in [0, 1, 30, 1, 31, 33, 500] {
            stream.fill_normal(&mut vec![0.0; drawn]);
            stream.next_u32();
            let mut next = [0.0; 200];
            stream.clone().fill_normal(&mut next);
            next.iter()
                .enumerate()
                .for_each(|(k, normal)| assert_eq!(stream.normal_after(k), *normal, "{k}"));
        }
    }

    /// The first normals of several streams are those of each.
    #[test]
    fn first_normals_are_those_of_each_stream() {
        for number in [0, 1, 5, 6, 13] {
            let keys: Vec<_> = (0..number).map(|k| RngKey::root(5).fold_in(k).words()).collect();
            let mut normals = vec![[0.0; BLOCK]; keys.len()];
            first_normals(&keys, 3, &mut normals);
            for (key, normals) in keys.into_iter().zip(normals) {
                let mut expected = [0.0; BLOCK];
                RngKey::from_words(key).stream(3).fill_normal(&mut expected);
                assert_eq!(normals, expected);
            }
        }
    }

    /// below(n) ∈ {0, …, n - 1}, each of them occurs; below(1) = below(0) = 0.
    #[test]
    fn below_stays_below_and_reaches_all() {
        let mut stream = RngKey::root(1).stream(0);
        let mut seen = [0; 6];
        for _ in 0..1000 {
            seen[stream.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 0));
        assert_eq!((stream.below(1), stream.below(0)), (0, 0));
    }

    /// A permutation, sorted, is 0, …, n - 1.
    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = RngKey::root(1).stream(9).permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }
}
