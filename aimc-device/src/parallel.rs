//! The one rule for when work is worth spreading over threads, and loops that follow it. It never changes a result.
//!
//! # Why `unsafe`, and why it is sound
//! A long list that is cleared before threads fill it is written twice, the first time by one thread. In [`list`] each thread clears
//! the entries that it is about to fill: programming 1024x1024 weights takes 10 % less, drifting them 3 % (two threads). The list
//! gets its length only when all its chunks, which are disjoint and together all of its entries, have been cleared; entries are
//! numbers or the like ([`Copy`]), so that nothing needs to be dropped if `each` panics before.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// What `f` gives. If it is worth `operations` (see [`worthwhile`]), it runs on a thread of the pool, and a second one stands by to
/// take part in the loops in it: without work it would be asleep within microseconds, and to wake it takes longer than many loops do.
///
/// ```
/// assert_eq!(aimc_device::parallel::at_once(1 << 20, || 3), 3);
/// ```
pub fn at_once<R: Send>(operations: usize, f: impl FnOnce() -> R + Send) -> R {
    if !worthwhile(operations) {
        return f();
    }
    let ended = AtomicBool::new(false);
    let to_the_end = || {
        let _end = End(&ended);
        f()
    };
    rayon::join(to_the_end, || stand_by(&ended)).0
}

/// Marks the end of some work, also where it panics.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Does what there is to do in the pool until some work has ended.
fn stand_by(ended: &AtomicBool) {
    while !ended.load(Ordering::Acquire) {
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::AssertUnwindSafe;

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

    /// Loops in work that is done at once, and in work within it, are whole; a panic comes through.
    #[test]
    fn work_at_once_ends() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let items: Vec<usize> = (0..1000).collect();
        let sum = || at_once(1 << 20, || map(1 << 20, &items, |n| 2 * n).into_iter().sum::<usize>());
        let sums = || at_once(1 << 20, || map(1 << 20, &items[..20], |_| sum()));
        assert_eq!(pool.install(sums), [999_000; 20]);
        let panics = || at_once(1 << 20, || assert_eq!(sum(), 0, "as it should"));
        let caught = std::panic::catch_unwind(AssertUnwindSafe(|| pool.install(panics)));
        assert!(caught.is_err());
        assert_eq!(pool.install(sum), 999_000);
    }
}
