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

/// Which way each device of a lane is moved: the chosen ones up, the others down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways<S: Simd> {
    up: S::m32s,
    /// The sign bit, where weights go down.
    flip: S::f32s,
}

impl<S: Simd> Ways<S> {
    #[inline(always)]
    pub(super) fn new(simd: S, up: S::m32s) -> Self {
        Self { up, flip: simd.select_f32s(up, simd.splat_f32s(0.0), simd.splat_f32s(-0.0)) }
    }
}

impl<S: Simd> Way<Wide<S>> for Ways<S> {
    #[inline(always)]
    fn pick(self, up: Wide<S>, down: Wide<S>) -> Wide<S> {
        up.where_chosen(self.up, down)
    }

    /// Turning the sign round is exact: the bits are those of a sum or difference.
    #[inline(always)]
    fn apply(self, w: Wide<S>, step: Wide<S>) -> Wide<S> {
        w + step.flipped(self.flip)
    }
}
