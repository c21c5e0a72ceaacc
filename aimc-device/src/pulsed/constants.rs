//! The constants that a model gives each device beyond [`Cell`](super::Cell): named numbers.

use crate::lane::Lane;

/// Named constants of one device, as numbers that can be exported, stored side by side and put into lanes.
pub trait Constants: Copy + Send + Sync + std::fmt::Debug + 'static {
    /// The same constants of a lane of devices.
    type Lanes<L: Lane>: Copy;

    /// Names under which the numbers are exported.
    const NAMES: &'static [&'static str];

    /// The constants whose number k is `number(k)`, in the order of [`Constants::NAMES`].
    fn gather<L: Lane>(number: impl FnMut(usize) -> L) -> Self::Lanes<L>;

    /// The constants of one device, as [`Constants::gather`].
    fn of(number: impl FnMut(usize) -> f32) -> Self;

    /// Number k.
    fn number(&self, k: usize) -> f32;

    /// The constants of the mirror image of the device, see [`DeviceArray::mirror`](super::DeviceArray::mirror).
    #[must_use]
    fn mirrored(self) -> Self;
}

/// For models without constants of their own.
impl Constants for () {
    type Lanes<L: Lane> = ();

    const NAMES: &'static [&'static str] = &[];

    fn gather<L: Lane>(_number: impl FnMut(usize) -> L) {}

    fn of(_number: impl FnMut(usize) -> f32) {}

    fn number(&self, _k: usize) -> f32 {
        0.0
    }

    fn mirrored(self) {}
}

/// Declares a record of constants: fields with the names of their export, and the mirror image.
macro_rules! device_constants {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $export:literal,)* }
        mirrored($own:ident) $mirrored:block
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<L = f32> { $($(#[$doc])* pub $field: L,)* }

        impl $crate::pulsed::constants::Constants for $name {
            type Lanes<L: $crate::lane::Lane> = $name<L>;

            const NAMES: &'static [&'static str] = &[$($export),*];

            #[inline(always)]
            fn gather<L: $crate::lane::Lane>(mut number: impl FnMut(usize) -> L) -> $name<L> {
                let mut next = 0..;
                $name { $($field: number(next.next().unwrap_or(0)),)* }
            }

            #[inline(always)]
            fn of(number: impl FnMut(usize) -> f32) -> Self {
                Self::gather(number)
            }

            fn number(&self, k: usize) -> f32 {
                [$(self.$field),*][k]
            }

            fn mirrored(self) -> Self {
                let $own = self;
                $mirrored
            }
        }
    };
}

pub(crate) use device_constants;
