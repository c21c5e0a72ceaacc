//! Lists that a thread keeps from one product to the next: a fresh one for a batch is pages that the system has to find and to
//! clear, call after call.

use std::cell::RefCell;

/// Lists that a thread keeps at most.
const LISTS: usize = 4;

/// The longest list that is kept, in numbers: 4 MB.
const LONGEST: usize = 1 << 20;

thread_local! {
    static KEPT: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A list of `n` numbers, which may be anything: whoever takes it writes them all.
pub(super) fn take(n: usize) -> Vec<f32> {
    let mut list = KEPT.with_borrow_mut(Vec::pop).unwrap_or_default();
    if cfg!(debug_assertions) {
        list.fill(f32::NAN);
    }
    list.resize(n, f32::NAN);
    list
}

/// Gives a list back, to be taken again.
pub(super) fn give(list: Vec<f32>) {
    KEPT.with_borrow_mut(|kept| {
        if kept.len() < LISTS && list.capacity() <= LONGEST {
            kept.push(list);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was given comes back in any length; what is too long or too much is let go.
    #[test]
    fn lists_come_back() {
        give(Vec::with_capacity(100));
        let list = take(10);
        assert!(list.capacity() >= 100 && list.len() == 10 && list.iter().all(|v| v.is_nan()));
        give(list);
        assert_eq!(take(20).len(), 20);
        give(vec![0.0; LONGEST + 1]);
        assert_eq!(KEPT.with_borrow(Vec::len), 0);
        (0..2 * LISTS).for_each(|_| give(vec![0.0]));
        assert_eq!(KEPT.with_borrow(Vec::len), LISTS);
    }
}
