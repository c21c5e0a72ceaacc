//! One number, or a lane of numbers: what the equations of devices are written for.
//!
//! A model writes its equation once, for any [`Lane`]. With `f32` it is the equation of one cell; with the vector
//! registers of the processor the same operations act on several cells side by side. Both give the same bits: every
//! operation is that of `f32`, element by element.
//!
//! ```
//! use aimc_device::lane::Lane;
//! fn half_way<L: Lane>(from: L, to: L) -> L {
//!     from + (to - from) * 0.5
//! }
//! assert_eq!(half_way(1.0, 2.0), 1.5);
//! ```

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use crate::math::{self, Base};

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
    /// The same value everywhere, in a lane like this one.
    #[must_use]
    fn splat(self, value: f32) -> Self;

    /// `f` of every element.
    #[must_use]
    fn map(self, f: impl Fn(f32) -> f32) -> Self;

    /// `f` of every element and the one of `other` at the same place.
    #[must_use]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self;

    /// The element of `then` where this one is above 0, otherwise that of `otherwise`.
    #[must_use]
    fn if_positive(self, then: Self, otherwise: Self) -> Self;

    /// This or the bound, whichever is larger.
    #[must_use]
    fn at_least(self, bound: Self) -> Self;

    /// This or the bound, whichever is smaller.
    #[must_use]
    fn at_most(self, bound: Self) -> Self;

    /// This times `factor` plus `summand`, rounded once.
    #[must_use]
    fn mul_add(self, factor: Self, summand: Self) -> Self;

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

    /// ln x, see [`math::log`].
    #[inline(always)]
    #[must_use]
    fn logarithm(self) -> Self {
        math::logarithm(self)
    }

    /// √x.
    #[inline(always)]
    #[must_use]
    fn root(self) -> Self {
        self.map(f32::sqrt)
    }

    /// This, but between the bounds.
    #[inline(always)]
    #[must_use]
    fn between(self, low: f32, high: f32) -> Self {
        self.at_least(self.splat(low)).at_most(self.splat(high))
    }

    /// This, but not below 0.
    #[inline(always)]
    #[must_use]
    fn not_negative(self) -> Self {
        self.at_least(self.splat(0.0))
    }

    /// xʸ of elements x ≥ 0, see [`math::pow`].
    #[inline(always)]
    #[must_use]
    fn power(self, exponent: Self) -> Self {
        Base::new(self).to(exponent)
    }
}

impl Lane for f32 {
    #[inline(always)]
    fn splat(self, value: f32) -> Self {
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

    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        if self > bound { self } else { bound }
    }

    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        if self < bound { self } else { bound }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, summand: Self) -> Self {
        f32::mul_add(self, factor, summand)
    }
}

/// `simd` as the instructions `V` of a kind of processors, if it stands for them.
#[inline(always)]
#[must_use]
pub fn instructions<V: 'static>(simd: &impl Simd) -> Option<&V> {
    (simd as &dyn std::any::Any).downcast_ref()
}

/// Numbers side by side in a vector register of the processor that `S` stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide<S: Simd> {
    simd: S,
    pub(crate) values: S::f32s,
}

impl<S: Simd> Wide<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S, values: S::f32s) -> Self {
        Self { simd, values }
    }

    /// The first of `numbers`, which must be enough.
    #[inline(always)]
    pub(crate) fn load(simd: S, numbers: &[f32]) -> Self {
        Self::new(simd, S::as_simd_f32s(&numbers[..S::F32_LANES]).0[0])
    }

    /// The first of `numbers`, or 0 where there are fewer.
    #[inline(always)]
    pub(crate) fn load_some(simd: S, numbers: &[f32]) -> Self {
        if numbers.len() >= S::F32_LANES {
            return Self::load(simd, numbers);
        }
        let mut values = simd.splat_f32s(0.0);
        let elements: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut values));
        elements[..numbers.len()].copy_from_slice(numbers);
        Self::new(simd, values)
    }

    /// Puts this to the first of `numbers`, as many as there are.
    #[inline(always)]
    pub(crate) fn store_some(self, numbers: &mut [f32]) {
        let number = numbers.len().min(S::F32_LANES);
        if number == S::F32_LANES {
            S::as_mut_simd_f32s(&mut numbers[..number]).0[0] = self.values;
            return;
        }
        numbers[..number]
            .copy_from_slice(&bytemuck::cast_slice(std::slice::from_ref(&self.values))[..number]);
    }

    /// This where `chosen`, otherwise `other`.
    #[inline(always)]
    pub(crate) fn where_chosen(self, chosen: S::m32s, other: Self) -> Self {
        Self::new(self.simd, self.simd.select_f32s(chosen, self.values, other.values))
    }
}

/// Returns what an instruction of x86-64 makes of two lanes, where there is one: with AVX2 the first, with AVX-512 the second.
macro_rules! x86 {
    ($a:ident, $b:ident, $avx2:ident, $avx512:ident) => {
        #[cfg(target_arch = "x86_64")]
        {
            let (simd, a, b) = ($a.simd, $a.values, $b.values);
            if let Some(v4) = instructions::<V4>(&simd) {
                return Self::new(
                    simd,
                    bytemuck::cast(v4.avx512f.$avx512(bytemuck::cast(a), bytemuck::cast(b))),
                );
            }
            if let Some(v3) = instructions::<V3>(&simd) {
                return Self::new(simd, bytemuck::cast(v3.avx.$avx2(bytemuck::cast(a), bytemuck::cast(b))));
            }
        }
    };
}

impl<S: Simd> Lane for Wide<S> {
    #[inline(always)]
    fn splat(self, value: f32) -> Self {
        Self::new(self.simd, self.simd.splat_f32s(value))
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let mut mapped = self.values;
        let elements: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut mapped));
        elements.iter_mut().for_each(|v| *v = f(*v));
        Self::new(self.simd, mapped)
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut mapped = self.values;
        let elements: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut mapped));
        let others: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&other.values));
        elements.iter_mut().zip(others).for_each(|(v, other)| *v = f(*v, *other));
        Self::new(self.simd, mapped)
    }

    #[inline(always)]
    fn if_positive(self, then: Self, otherwise: Self) -> Self {
        let positive = self.simd.less_than_f32s(self.simd.splat_f32s(0.0), self.values);
        Self::new(self.simd, self.simd.select_f32s(positive, then.values, otherwise.values))
    }

    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        // One instruction, which gives the second number unless the first is above it.
        x86!(self, bound, _mm256_max_ps, _mm512_max_ps);
        let above = self.simd.less_than_f32s(bound.values, self.values);
        Self::new(self.simd, self.simd.select_f32s(above, self.values, bound.values))
    }

    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        x86!(self, bound, _mm256_min_ps, _mm512_min_ps);
        let below = self.simd.less_than_f32s(self.values, bound.values);
        Self::new(self.simd, self.simd.select_f32s(below, self.values, bound.values))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, summand: Self) -> Self {
        Self::new(self.simd, self.simd.mul_add_f32s(self.values, factor.values, summand.values))
    }

    #[inline(always)]
    fn magnitude(self) -> Self {
        Self::new(self.simd, self.simd.abs_f32s(self.values))
    }
}

/// Arithmetic of lanes with lanes and with single numbers.
macro_rules! elementwise {
    ($($operator:ident $method:ident $vector:ident,)*) => {$(
        impl<S: Simd> $operator for Wide<S> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::new(self.simd, self.simd.$vector(self.values, other.values))
            }
        }

        impl<S: Simd> $operator<f32> for Wide<S> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: f32) -> Self {
                self.$method(self.splat(other))
            }
        }
    )*};
}

elementwise! { Add add add_f32s, Sub sub sub_f32s, Mul mul mul_f32s, Div div div_f32s, }

impl<S: Simd> Neg for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(self.simd, self.simd.neg_f32s(self.values))
    }
}

/// Every kind of vector unit that this processor has, for tests.
#[cfg(test)]
pub(crate) fn units() -> Vec<pulp::Arch> {
    let mut units = vec![pulp::Arch::new()];
    #[cfg(target_arch = "x86_64")]
    units.extend(V3::try_new().map(pulp::Arch::V3));
    units
}
