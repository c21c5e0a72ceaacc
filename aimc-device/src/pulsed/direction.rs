//! Which way pulses move weights.

use crate::lane::Lane;

/// Which way a pulse moves the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards larger weights.
    Up,
    /// Towards smaller weights.
    Down,
}

/// Which way each device of a lane is moved: +1 is up, -1 down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs<L>(pub(crate) L);

/// Which way a pulse moves a lane of devices: all of them one way ([`Direction`]), or each its own.
///
/// ```
/// use aimc_device::pulsed::{Direction, Way};
/// let way = Direction::Down;
/// assert_eq!(way.apply(1.0, way.pick(0.5, 0.25)), 0.75);
/// ```
pub trait Way<L: Lane>: Copy {
    /// `up` where weights go up, `down` where they go down.
    fn pick(self, up: L, down: L) -> L;

    /// `w` moved by `step`.
    fn apply(self, w: L, step: L) -> L;
}

impl<L: Lane> Way<L> for Direction {
    #[inline(always)]
    fn pick(self, up: L, down: L) -> L {
        match self {
            Self::Up => up,
            Self::Down => down,
        }
    }

    #[inline(always)]
    fn apply(self, w: L, step: L) -> L {
        match self {
            Self::Up => w + step,
            Self::Down => w - step,
        }
    }
}

impl<L: Lane> Way<L> for Signs<L> {
    #[inline(always)]
    fn pick(self, up: L, down: L) -> L {
        self.0.if_positive(up, down)
    }

    /// Multiplying by ±1 is exact: the bits are those of a sum or difference.
    #[inline(always)]
    fn apply(self, w: L, step: L) -> L {
        w + self.0 * step
    }
}
