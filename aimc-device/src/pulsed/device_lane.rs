//! A lane of devices while it is stepped: neighbours, or devices gathered from anywhere in a row.

use pulp::Simd;

use crate::lane::{Lane, Wide};
use crate::pulsed::direction::Ways;
use crate::pulsed::packed;
use crate::pulsed::row::Row;
use crate::pulsed::slots::WORD;
use crate::pulsed::spread::{LINED_UP, all, chosen, spread};
use crate::pulsed::{Burst, Cell, Constants, Extra, PulsedDevice};

/// The constants of a device or a lane of them: list by list what `number` gives, counted as in [`packed`].
#[inline(always)]
pub(super) fn gather<D: PulsedDevice, L: Lane>(number: impl Fn(usize) -> L) -> (Cell<L>, Extra<D, L>) {
    let (up, down) = (number(0), number(1));
    (Cell { up, down, w_max: number(2), w_min: number(3) }, D::Extra::gather(|k| number(4 + k)))
}

/// A number for each column of some bursts, 0 where these are fewer than a lane.
#[inline(always)]
fn of_columns<S: Simd>(simd: S, bursts: &[Burst], number: impl Fn(usize) -> f32) -> Wide<S> {
    let mut numbers = [0.0; LINED_UP];
    for (place, burst) in numbers.iter_mut().zip(bursts) {
        *place = number(burst.column as usize);
    }
    Wide::load(simd, &numbers)
}

/// A lane of the devices of a row that get bursts, given the constants and weights of the row.
#[inline(always)]
pub(super) fn gathered<D: PulsedDevice, S: Simd>(
    simd: S,
    constants: &[f32],
    weights: &[f32],
    bursts: &[Burst],
) -> Devices<D, S> {
    let place = |list, column| packed::place::<D::Extra>(list, column);
    let (cell, extra) =
        gather::<D, _>(|list| of_columns(simd, bursts, |column| constants[place(list, column)]));
    Devices { cell, extra, weights: of_columns(simd, bursts, |column| weights[column]), shift: 0 }
}

/// A lane of devices that is stepped.
pub(super) struct Devices<D: PulsedDevice, S: Simd> {
    cell: Cell<Wide<S>>,
    extra: Extra<D, Wide<S>>,
    pub(super) weights: Wide<S>,
    /// Place of the first of them among the bits of its 64 columns, if they are neighbours.
    shift: usize,
}

impl<D: PulsedDevice, S: Simd> Devices<D, S> {
    /// A pulse on those of 64 columns that fire, with the draws from `place` on, which goes on to the next.
    #[inline(always)]
    pub(super) fn pulse(
        &mut self,
        simd: S,
        device: &D,
        (fired, up): (u64, u64),
        noise: &[f32],
        place: &mut usize,
    ) {
        let here = fired >> self.shift & all::<S>();
        if here == 0 {
            return;
        }
        let xi = Wide::new(simd, spread(simd, &noise[*place..], here));
        self.step(simd, device, (here, up >> self.shift & all::<S>()), xi);
        *place += here.count_ones() as usize;
    }

    /// A pulse on the chosen devices, with the draws `xi`.
    #[inline(always)]
    pub(super) fn step(&mut self, simd: S, device: &D, (here, up): (u64, u64), xi: Wide<S>) {
        let way = Ways::new(chosen(simd, up));
        let stepped = device.step(self.cell, self.extra, self.weights, way, xi);
        self.weights = stepped.where_chosen(chosen(simd, here), self.weights);
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// The lane of the devices from column `column` on, and where it stands among the bits of 64 columns.
    #[inline(always)]
    pub(super) fn lane<S: Simd>(&self, simd: S, column: usize, weights: &[f32]) -> Devices<D, S> {
        const { assert!(LINED_UP.is_multiple_of(S::F32_LANES)) };
        let weights = Wide::load_some(simd, weights);
        let (start, lists) = (packed::place::<D::Extra>(0, column), packed::lists::<D::Extra>());
        let numbers = &self.constants[start..][..(lists - 1) * LINED_UP + S::F32_LANES];
        let (cell, extra) = gather::<D, _>(|list| Wide::load(simd, &numbers[list * LINED_UP..]));
        Devices { cell, extra, weights, shift: column % WORD }
    }
}
