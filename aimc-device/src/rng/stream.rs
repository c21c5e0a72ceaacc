//! One stream of random numbers, opened from an address.

use super::chacha::{self, Address, Block, GROUP};
use super::normal::{BLOCK, WORDS, normals_from_words, normals_of_streams};

/// Words that are made at least.
const AHEAD: usize = 64;
/// Words that are made at a time in bulk draws of uniforms, of some normals and of many, so that they stay in the first-level cache.
const UNIFORMS: usize = 4 * AHEAD;
const SOME: usize = 3 * AHEAD;
const MANY: usize = 12 * AHEAD;
const _: () = assert!(AHEAD == GROUP * size_of::<Block>() / 4 && SOME.is_multiple_of(WORDS));

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
        let mut room = [0; UNIFORMS + AHEAD];
        for chunk in out.chunks_mut(UNIFORMS) {
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
        if rest.len() <= SOME / WORDS * BLOCK {
            return self.fill_blocks(rest, &mut [0; SOME + AHEAD]);
        }
        let mut room = [0; MANY + AHEAD];
        for chunk in rest.chunks_mut(MANY / WORDS * BLOCK) {
            self.fill_blocks(chunk, &mut room);
        }
    }

    /// Fills `out` with the normals of blocks that are not begun, with `room` for their words and [`AHEAD`] more.
    #[inline]
    fn fill_blocks(&mut self, out: &mut [f32], room: &mut [u32]) {
        let words = self.take(out.len().div_ceil(BLOCK) * WORDS, room);
        let (bulk, tail) = out.split_at_mut(out.len() / BLOCK * BLOCK);
        let (words, last) = words.split_at(bulk.len() / BLOCK * WORDS);
        normals_from_words(words, bulk);
        if !tail.is_empty() {
            normals_from_words(last, &mut self.block);
            tail.copy_from_slice(&self.block[..tail.len()]);
            self.used = tail.len();
        }
    }

    /// Passes over normals, of which no more are made than those between which it ends.
    pub fn skip_normals(&mut self, number: usize) {
        let held = (BLOCK - self.used).min(number);
        self.used += held;
        let (blocks, rest) = ((number - held) / BLOCK, (number - held) % BLOCK);
        self.skip(blocks * WORDS);
        if rest > 0 {
            self.refill();
            self.used = rest;
        }
    }

    fn refill(&mut self) {
        let mut room = [0; WORDS + AHEAD];
        normals_from_words(self.take(WORDS, &mut room), &mut self.block);
        self.used = 0;
    }
}

/// Makes the normals with which streams of the same number begin, those of several at once.
#[derive(Default)]
pub(crate) struct FirstNormals {
    /// Blocks of words of each stream, and the words.
    numbers: Vec<usize>,
    words: Vec<Block>,
}

impl FirstNormals {
    /// So many normals of a stream, and some more up to a whole number of blocks.
    pub(crate) fn whole(length: usize) -> usize {
        length.next_multiple_of(BLOCK)
    }

    /// Those of streams number `index` of some keys, one after another into `normals`: of each [`FirstNormals::whole`] of its length.
    pub(crate) fn draw(&mut self, keys: &[[u64; 2]], lengths: &[usize], index: u64, normals: &mut [f32]) {
        let Self { numbers, words } = self;
        numbers.clear();
        for length in lengths {
            numbers.push((length.div_ceil(BLOCK) * WORDS).div_ceil(size_of::<Block>() / 4));
        }
        let all = numbers.iter().sum();
        let room = usize::next_multiple_of(all, GROUP);
        if words.len() < room {
            words.resize(room, [0; 16]);
        }
        if let [key] = keys {
            let address = Address { key: *key, index };
            chacha::fill(address, &mut 0, words[..room].as_flattened_mut());
        } else {
            chacha::begin(keys, numbers, index, &mut words[..all]);
        }
        let words = words[..all].as_flattened();
        normals_of_streams(words, numbers, size_of::<Block>() / 4, normals);
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

    /// Behind n normals that were passed over come those that come behind n that were drawn, wherever the stream stands.
    #[test]
    fn normals_are_passed_over_as_if_they_were_drawn() {
        let mut stream = RngKey::root(4).stream(0);
        for drawn in [0, 1, 30, 1, 31, 33, 500] {
            stream.fill_normal(&mut vec![0.0; drawn]);
            stream.next_u32();
            for passed in 0..200 {
                let (mut over, mut through) = (stream.clone(), stream.clone());
                over.skip_normals(passed);
                through.fill_normal(&mut vec![0.0; passed]);
                assert_eq!(
                    (over.normal(), over.next_u32()),
                    (through.normal(), through.next_u32()),
                    "{passed}"
                );
            }
        }
    }

    /// The first normals of several streams are those of each.
    #[test]
    fn first_normals_are_those_of_each_stream() {
        let mut first = FirstNormals::default();
        for lengths in [&[][..], &[1], &[0, 32, 33, 7], &[500, 0, 2, 95, 300]] {
            let keys: Vec<_> =
                (0..lengths.len()).map(|k| RngKey::root(5).fold_in(k as u64).words()).collect();
            let mut normals = vec![0.0; lengths.iter().map(|length| FirstNormals::whole(*length)).sum()];
            first.draw(&keys, lengths, 3, &mut normals);
            let mut normals = &normals[..];
            for (key, length) in keys.into_iter().zip(lengths) {
                let mut expected = vec![0.0; length.next_multiple_of(BLOCK)];
                RngKey::from_words(key).stream(3).fill_normal(&mut expected);
                let (own, rest) = normals.split_at(expected.len());
                assert_eq!(own, expected);
                normals = rest;
            }
            assert!(normals.is_empty());
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
