//! One number, or a lane of numbers: what the step equation of a device is written for.
//!
//! A model writes its equation once, for any [`Lane`]. With `f32` it is the equation of one cell; with
//! [`F32x8`] the same operations act on eight cells side by side, which the compiler turns into vector
//! instructions. Both give the same bits: every operation is that of `f32`, element by element.
//!
//! ```
//! use aimc_device::lane::{F32x8, Lane};
//! fn half_way<L: Lane>(from: L, to: L) -> L {
//!     from + (to - from) * 0.5
//! }
//! assert_eq!(half_way(1.0, 2.0), 1.5);
//! assert_eq!(half_way(F32x8::splat(1.0), F32x8([2.0; 8])).0, [1.5; 8]);
//! ```

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::math;

/// A number or several of them, on which arithmetic acts element by element.
pub trait Lane:
    Copy
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f32, Output = Self>
    + Sub<f32, Output = Self>
    + Mul<f32, Output = Self>
{
    /// The same value everywhere.
    fn splat(value: f32) -> Self;

    /// `f` of every element.
    fn map(self, f: impl Fn(f32) -> f32) -> Self;

    /// `f` of every element and the one of `other` at the same place.
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self;

    /// The element of `then` where this one is above 0, otherwise that of `otherwise`.
    fn if_positive(self, then: Self, otherwise: Self) -> Self;

    /// This or the bound, whichever is larger.
    #[inline(always)]
    #[must_use]
    fn at_least(self, bound: Self) -> Self {
        self.zip(bound, |v, bound| if v > bound { v } else { bound })
    }

    /// This or the bound, whichever is smaller.
    #[inline(always)]
    #[must_use]
    fn at_most(self, bound: Self) -> Self {
        self.zip(bound, |v, bound| if v < bound { v } else { bound })
    }

    /// Size without sign.
    #[inline(always)]
    #[must_use]
    fn magnitude(self) -> Self {
        self.map(f32::abs)
    }

    /// eˣ, see [`math::exp`].
    #[inline(always)]
    #[must_use]
    fn exponential(self) -> Self {
        self.map(math::exp)
    }

    /// xʸ of elements x ≥ 0, see [`math::pow`].
    #[inline(always)]
    #[must_use]
    fn power(self, exponent: Self) -> Self {
        self.zip(exponent, math::pow)
    }
}

impl Lane for f32 {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        f(self)
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        f(self, other)
    }

    #[inline(always)]
    fn if_positive(self, then: Self, otherwise: Self) -> Self {
        if self > 0.0 { then } else { otherwise }
    }
}

/// Elements of a lane: as many as fit a 256-bit register.
pub const WIDTH: usize = 8;

/// Eight numbers side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(32))]
pub struct F32x8(pub [f32; WIDTH]);

impl Lane for F32x8 {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; WIDTH])
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Self(from_fn(|k| f(self.0[k])))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(from_fn(|k| f(self.0[k], other.0[k])))
    }

    #[inline(always)]
    fn if_positive(self, then: Self, otherwise: Self) -> Self {
        Self(from_fn(|k| if self.0[k] > 0.0 { then.0[k] } else { otherwise.0[k] }))
    }
}

/// Arithmetic of lanes with lanes and with single numbers.
macro_rules! elementwise {
    ($($operator:ident $method:ident,)*) => {$(
        impl $operator for F32x8 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, f32::$method)
            }
        }

        impl $operator<f32> for F32x8 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: f32) -> Self {
                self.map(|v| v.$method(other))
            }
        }
    )*};
}

elementwise! { Add add, Sub sub, Mul mul, Div div, }

impl Neg for F32x8 {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|v| -v)
    }
}
