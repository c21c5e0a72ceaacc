//! Which way pulses move weights.

use pulp::Simd;

use crate::lane::{Lane, Wide};

/// Which way a pulse moves the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards larger weights.
    Up,
    /// Towards smaller weights.
    Down,
}

/// Which way a pulse moves a lane of devices: all of them one way ([`Direction`]), or each its own.
///
/// ```
/// use aimc_device::pulsed::{Direction, Way};
/// let way = Direction::Down;
/// assert_eq!(1.0 + way.signed(0.5, 0.25), 0.75);
/// ```
pub trait Way<L: Lane>: Copy {
    /// `up` where weights go up, `down` where they go down.
    fn pick(self, up: L, down: L) -> L;

    /// The same of sizes of steps, with the sign of the step. Turning signs round is exact, whenever it is done.
    #[inline(always)]
    fn signed(self, up: L, down: L) -> L {
        self.pick(up, -down)
    }
}

impl<L: Lane> Way<L> for Direction {
    #[inline(always)]
    fn pick(self, up: L, down: L) -> L {
        match self {
            Self::Up => up,
            Self::Down => down,
        }
    }
}

/// Which way each device of a lane is moved: the chosen ones up, the others down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways<S: Simd> {
    up: S::m32s,
}

impl<S: Simd> Ways<S> {
    #[inline(always)]
    pub(super) fn new(up: S::m32s) -> Self {
        Self { up }
    }
}

impl<S: Simd> Way<Wide<S>> for Ways<S> {
    #[inline(always)]
    fn pick(self, up: Wide<S>, down: Wide<S>) -> Wide<S> {
        up.where_chosen(self.up, down)
    }
}
