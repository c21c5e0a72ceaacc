//! Independent pieces of work side by side.
//!
//! Each piece runs in a small pool of threads of its own: in one pool for all, a thread that waits for part of its piece would
//! begin another piece on top of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

use crate::interrupt;

/// Does `work` for every number below `count`, in any order; after an error or Ctrl-C no more pieces begin.
///
/// Gives the results in order, none for what was not begun. Of several errors the one of the smallest number is told.
pub(crate) fn each<T: Send, E: Send + From<ThreadPoolBuildError>>(
    count: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<Option<T>>, E> {
    let threads = rayon::current_num_threads();
    let workers = threads.min(count).max(1);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done = Mutex::new(Vec::new());
    let worker = || {
        let pool = ThreadPoolBuilder::new().num_threads((threads / workers).max(1)).build();
        let pool = pool.map_err(|error| (0, E::from(error)))?;
        while !stop.load(Ordering::Relaxed) && !interrupt::requested() {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= count {
                break;
            }
            match pool.install(|| work(piece)) {
                Ok(result) => {
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((piece, result));
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    return Err((piece, error));
                }
            }
        }
        Ok(())
    };
    let mut errors: Vec<(usize, E)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let ends = handles.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.filter_map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).err()).collect()
    });
    errors.sort_by_key(|(piece, _)| *piece);
    if let Some((_, error)) = errors.into_iter().next() {
        return Err(error);
    }
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for (piece, result) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        results[piece] = Some(result);
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[derive(Debug, PartialEq)]
    struct Wrong(usize);

    impl From<ThreadPoolBuildError> for Wrong {
        fn from(_: ThreadPoolBuildError) -> Self {
            Self(usize::MAX)
        }
    }

    #[test]
    fn results_come_in_order_and_errors_stop() {
        let square = |i: usize| Ok::<_, Wrong>((0..i).into_par_iter().map(|_| i).sum::<usize>());
        let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let results = pool.install(|| each(20, square)).unwrap();
        assert_eq!(results, (0..20).map(|i| Some(i * i)).collect::<Vec<_>>());
        let error = pool.install(|| each(20, |i| if i % 7 == 3 { Err(Wrong(i)) } else { Ok(i) }));
        assert!(matches!(error, Err(Wrong(i)) if i % 7 == 3), "{error:?}");
        assert_eq!(each(0, Ok::<_, Wrong>), Ok(Vec::new()));
    }
}
