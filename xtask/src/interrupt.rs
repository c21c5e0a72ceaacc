//! Ctrl-C: the first press asks the work to stop between two steps, the second ends the process at once.
//!
//! Results are written at the very end and all together ([`crate::files`]), so stopping early leaves nothing behind;
//! a training leaves its checkpoint.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use thiserror::Error;

/// Exit status of a process ended by Ctrl-C, as shells count it (128 + SIGINT).
pub(crate) const EXIT_CODE: i32 = 130;
/// How long a second Ctrl-C waits for a write in progress; past this the disk is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(3);

static REQUESTED: Flag = Flag(AtomicBool::new(false));
static WRITING: Mutex<()> = Mutex::new(());

/// The user asked to stop before the results were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("interrupted; nothing was written")]
pub(crate) struct Interrupted;

/// Ctrl-C cannot be watched.
#[derive(Debug, Error)]
#[error("Ctrl-C cannot be watched: {0}")]
pub(crate) struct InstallError(#[from] ctrlc::Error);

/// Set by the first press. A type of its own, so that tests need not touch the flag of the process.
struct Flag(AtomicBool);

impl Flag {
    /// Notes a press; true for the first one.
    fn press(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}

/// Starts to watch Ctrl-C. Call once, before long work.
pub(crate) fn install() -> Result<(), InstallError> {
    // Not `try_set_handler`: it fails where a shell ignores SIGINT for work in the background.
    ctrlc::set_handler(pressed)?;
    Ok(())
}

/// Whether the user asked to stop; cheap enough for every step of a loop.
pub(crate) fn requested() -> bool {
    check().is_err()
}

/// [`requested`] as an error, for `?`.
pub(crate) fn check() -> Result<(), Interrupted> {
    REQUESTED.check()
}

/// [`requested`] for loops that ask whether to go on.
pub(crate) fn flow() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Keeps a second Ctrl-C from ending the process while files move into place.
pub(crate) fn writing() -> MutexGuard<'static, ()> {
    // The guarded value is nothing, so a panic elsewhere cannot have spoiled it.
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pressed() {
    if REQUESTED.press() {
        eprintln!("stopping after this step; press Ctrl-C again to stop at once");
        return;
    }
    let patience_ends = Instant::now() + PATIENCE;
    while matches!(WRITING.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < patience_ends {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::exit(EXIT_CODE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_press_asks_to_stop_and_only_the_first_is_first() {
        let flag = Flag(AtomicBool::new(false));
        assert_eq!(flag.check(), Ok(()));
        assert!(flag.press());
        assert_eq!(flag.check(), Err(Interrupted));
        assert!(!flag.press());
        assert_eq!(flag.check(), Err(Interrupted));
        assert_eq!(Interrupted.to_string(), "interrupted; nothing was written");
    }

    #[test]
    fn nobody_asked_this_process_to_stop() {
        assert!(!requested());
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn writing_survives_a_panic_of_another_writer() {
        let panicked = std::thread::spawn(|| {
            let _guard = writing();
            panic!("a writer fails");
        })
        .join();
        assert!(panicked.is_err());
        drop(writing());
    }
}
