//! The one rule for when work is worth spreading over threads. It never changes a result.

/// Below this many elementary operations (a few ns each) handing work to another thread costs more than it saves.
const WORTHWHILE: usize = 1 << 15;

/// Whether `operations` elementary operations should be split over the threads of the current rayon pool.
#[must_use]
pub fn worthwhile(operations: usize) -> bool {
    operations >= WORTHWHILE && rayon::current_num_threads() > 1
}
