//! The one rule for when work is worth spreading over threads, and loops that follow it. It never changes a result.
//!
//! # Why `unsafe`, and why it is sound
//! A long list that is cleared before threads fill it is written twice, the first time by one thread. In [`list`] each thread clears
//! the entries that it is about to fill: programming 1024x1024 weights takes 10 % less, drifting them 3 % (two threads). The list
//! gets its length only when all its chunks, which are disjoint and together all of its entries, have been cleared; entries are
//! numbers or the like ([`Copy`]), so that nothing needs to be dropped if `each` panics before.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Below this many elementary operations (a few ns each) handing work to another thread costs more than it saves.
const WORTHWHILE: usize = 1 << 15;

/// Whether `operations` elementary operations should be split over the threads of the current rayon pool.
#[must_use]
pub fn worthwhile(operations: usize) -> bool {
    operations >= WORTHWHILE && rayon::current_num_threads() > 1
}

/// Calls `each` with the number and the entries of every `size` entries of a list, of which the last may be fewer. All
/// together are worth `operations` (see [`worthwhile`]).
///
/// ```
/// let mut list = [0; 5];
/// aimc_device::parallel::each_chunk(5, &mut list, 2, |(number, entries)| entries.fill(number));
/// assert_eq!(list, [0, 0, 1, 1, 2]);
/// ```
///
/// # Panics
/// If `size` is 0, which is an error of the caller.
pub fn each_chunk<T: Send>(
    operations: usize,
    list: &mut [T],
    size: usize,
    each: impl Fn((usize, &mut [T])) + Sync + Send,
) {
    if worthwhile(operations) {
        list.par_chunks_mut(size).enumerate().for_each(each);
    } else {
        list.chunks_mut(size).enumerate().for_each(each);
    }
}

/// A list of `len` entries, 0 or what else is the default. `each` is called with the number and the entries of every `size` of them,
/// of which the last may be fewer, to fill them. All together are worth `operations` (see [`worthwhile`]).
///
/// ```
/// let list: Vec<usize> = aimc_device::parallel::list(5, 5, 2, |(number, entries)| entries.fill(number));
/// assert_eq!(list, [0, 0, 1, 1, 2]);
/// ```
///
/// # Panics
/// If `size` is 0, which is an error of the caller.
#[allow(unsafe_code)]
pub fn list<T: Copy + Default + Send>(
    operations: usize,
    len: usize,
    size: usize,
    each: impl Fn((usize, &mut [T])) + Sync + Send,
) -> Vec<T> {
    let mut list = Vec::with_capacity(len);
    each_chunk(operations, &mut list.spare_capacity_mut()[..len], size, |(number, entries)| {
        entries.fill(MaybeUninit::new(T::default()));
        // SAFETY: all of them have just been given a value.
        each((number, unsafe { entries.assume_init_mut() }));
    });
    // SAFETY: room for so many was asked for, and each of them is in one of the chunks.
    unsafe { list.set_len(len) };
    list
}

/// What `f` makes of every item, in their order. All together are worth `operations` (see [`worthwhile`]).
///
/// ```
/// assert_eq!(aimc_device::parallel::map(3, &[1, 2, 3], |n| n * n), [1, 4, 9]);
/// ```
pub fn map<T: Sync, R: Send>(operations: usize, items: &[T], f: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if worthwhile(operations) { items.par_iter().map(f).collect() } else { items.iter().map(f).collect() }
}

/// What two functions give, on two threads if what they are for is worth `operations` (see [`worthwhile`]): more than they are
/// themselves, where other loops follow for which the threads must be awake anyway.
///
/// ```
/// assert_eq!(aimc_device::parallel::both(1 << 20, || 3, || "four"), (3, "four"));
/// ```
pub fn both<A: Send, B: Send>(
    operations: usize,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if worthwhile(operations) { rayon::join(a, b) } else { (a(), b()) }
}

/// What `f` gives. If it is worth `operations` (see [`worthwhile`]), it runs on a thread of the pool, so that the loops in it that go to
/// several threads need no handing over from outside the pool, one after another.
///
/// ```
/// assert_eq!(aimc_device::parallel::at_once(1 << 20, || 3), 3);
/// ```
pub fn at_once<R: Send>(operations: usize, f: impl FnOnce() -> R + Send) -> R {
    if worthwhile(operations) { rayon::scope(|_| f()) } else { f() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every entry is cleared, then handed out once, whatever the number of threads and the size of the last chunk.
    #[test]
    fn lists_are_whole() {
        for (len, size) in [(0, 7), (100_003, 1000), (100_000, 1000), (5, 9)] {
            for threads in [1, 2, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let each = |(number, entries): (usize, &mut [usize])| {
                    entries.iter_mut().enumerate().for_each(|(i, entry)| *entry += number * size + i);
                };
                let list = pool.install(|| list(1 << 20, len, size, each));
                assert!(list.len() == len && list.iter().enumerate().all(|(i, entry)| i == *entry));
            }
        }
    }
}
