//! How a product is spread over passes through the array: at once, by sign, or by groups of input bits.
//!
//! | type | passes | added up |
//! |---|---|---|
//! | `OnePass` | all of x̂ | – |
//! | `PosNegSeparate` | min(x̂, 0), then max(x̂, 0) | as currents, before the ADC |
//! | `PosNegSeparateDigitalSum` | the same | as numbers, behind the ADC |
//! | `SplitMode` | the lower b bits of x̂, then the upper ones (times 2ᵇ) | as numbers |
//! | `BitWise` | bit after bit (times 2ᵏ) | as numbers |
//!
//! The last two drive the lines with whole numbers of DAC steps, I = x̂/Δ, sign by sign: with
//! b = `split_mode_bit_shift`, x̂ = Δ·(fmod(I, 2ᵇ) + 2ᵇ·sign(I)⌊|I|/2ᵇ⌋) and x̂ = Δ·sign(I)·Σₖ 2ᵏ bitₖ(|I|). A DAC of
//! the resolution 1/(2ᵏ - 2) has k - 1 bits besides the sign. Bit-serial inputs: A. Shafiee et al. 2016, *ISAAC*,
//! doi:10.1145/3007787.3001139.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::periphery::io::IoConfig;
use crate::periphery::quantiser::step;

/// How a product is spread over passes, see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MvType {
    /// An exact product, as with `is_perfect`.
    Ideal,
    /// Everything at once.
    #[default]
    OnePass,
    /// Inputs below and above 0 one after the other; currents are added up.
    PosNegSeparate,
    /// The same; both are converted and the numbers added up.
    PosNegSeparateDigitalSum,
    /// Lower and upper bits of the inputs one after the other.
    SplitMode,
    /// One bit of the inputs after another.
    BitWise,
}

/// What of an input a pass drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Negative,
    Positive,
    /// The lower bits, their number.
    Low(u32),
    /// The bits above, shifted down by their number.
    High(u32),
    /// One bit.
    Bit(u32),
}

/// One pass through the array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pass {
    pub(crate) part: Part,
    /// Factor of its result.
    pub(crate) gain: f32,
}

impl Part {
    /// The part of the line `x̂`; `step` is that of the DAC.
    #[inline(always)]
    pub(crate) fn of(self, line: f32, step: f32) -> f32 {
        let whole = || (line.abs() / step).round_ties_even() as u32;
        let steps = match self {
            Self::All => return line,
            Self::Negative => return line.min(0.0),
            Self::Positive => return line.max(0.0),
            Self::Low(bits) => whole() & ((1 << bits) - 1),
            Self::High(bits) => whole() >> bits,
            Self::Bit(bit) => whole() >> bit & 1,
        };
        (step * steps as f32).copysign(line)
    }
}

impl MvType {
    /// Whether the lines carry whole numbers of DAC steps, pass by pass.
    pub(crate) fn is_bit_serial(self) -> bool {
        matches!(self, Self::SplitMode | Self::BitWise)
    }

    /// Whether every pass is converted on its own.
    pub(crate) fn sums_digitally(self) -> bool {
        self.is_bit_serial() || self == Self::PosNegSeparateDigitalSum
    }

    /// The passes of circuits with these parameters, which have been validated.
    pub(crate) fn passes(self, io: &IoConfig) -> Vec<Pass> {
        let pass = |part, power: u32| Pass { part, gain: 2.0_f32.powi(power as i32) };
        match self {
            Self::Ideal | Self::OnePass => vec![pass(Part::All, 0)],
            Self::PosNegSeparate | Self::PosNegSeparateDigitalSum => {
                vec![pass(Part::Negative, 0), pass(Part::Positive, 0)]
            }
            Self::SplitMode => {
                let shift = io.split_mode_bit_shift;
                vec![pass(Part::Low(shift), 0), pass(Part::High(shift), shift)]
            }
            Self::BitWise => {
                (0..magnitude_bits(io).unwrap_or(0)).map(|bit| pass(Part::Bit(bit), bit)).collect()
            }
        }
    }

    /// Refuses resolutions that have no bits.
    pub(crate) fn validate(self, io: &IoConfig) -> Result<(), ConfigError> {
        if !self.is_bit_serial() {
            return Ok(());
        }
        let Some(bits) = magnitude_bits(io) else {
            let requirement = "must be 1/(2^k - 2) for a number of bits k from 2 to 24 with a finite inp_bound: \
                               mv_type splits the inputs into bits";
            return Err(ConfigError::new("inp_res", io.inp_res, requirement));
        };
        let shift = io.split_mode_bit_shift;
        require::that(
            self != Self::SplitMode || (1..bits).contains(&shift),
            "split_mode_bit_shift",
            shift,
            &format!("must leave bits on both sides: 1 to {}", bits.saturating_sub(1)),
        )
    }
}

/// Bits of the DAC besides the sign: k - 1 for the resolution 1/(2ᵏ - 2).
fn magnitude_bits(io: &IoConfig) -> Option<u32> {
    let steps = io.inp_bound / step(io.inp_res, io.inp_bound);
    let bits = (1..24).find(|bits| {
        let full = ((1 << bits) - 1) as f32;
        // A printed resolution has about six digits.
        (steps / full - 1.0).abs() < 1e-5
    });
    bits.filter(|_| io.inp_bound > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seven_bits(mv_type: MvType) -> IoConfig {
        IoConfig { mv_type, inp_res: 1.0 / 126.0, ..IoConfig::default() }
    }

    /// Parts times gains add up to the line: exactly, since all are small multiples of a step that is a power of two
    /// here.
    #[test]
    fn parts_add_up_to_the_line() {
        for mv_type in [
            MvType::OnePass,
            MvType::PosNegSeparate,
            MvType::PosNegSeparateDigitalSum,
            MvType::SplitMode,
            MvType::BitWise,
        ] {
            let step = 0.25;
            for steps in -63_i16..=63 {
                let line = step * f32::from(steps);
                let passes = mv_type.passes(&seven_bits(mv_type));
                let sum: f32 = passes.iter().map(|pass| pass.gain * pass.part.of(line, step)).sum();
                assert_eq!(sum, line, "{mv_type:?}");
            }
        }
    }

    /// A DAC of 2ᵏ - 2 steps has k - 1 bits besides the sign; other resolutions have no bits.
    #[test]
    fn bits_are_counted_from_the_resolution() {
        assert_eq!(MvType::BitWise.passes(&seven_bits(MvType::BitWise)).len(), 6);
        assert_eq!(magnitude_bits(&IoConfig { inp_res: 254.0, ..IoConfig::default() }), Some(7));
        assert_eq!(magnitude_bits(&IoConfig { inp_res: 1.0 / 128.0, ..IoConfig::default() }), None);
        assert_eq!(magnitude_bits(&IoConfig { inp_res: -1.0, ..IoConfig::default() }), None);
    }

    #[test]
    fn what_has_no_bits_is_refused_by_name() {
        let refused = |io: IoConfig| io.validate().unwrap_err().field;
        assert_eq!(refused(IoConfig { inp_res: 0.01, ..seven_bits(MvType::BitWise) }), "inp_res");
        for shift in [0, 6, 40] {
            let io = IoConfig { split_mode_bit_shift: shift, ..seven_bits(MvType::SplitMode) };
            assert_eq!(refused(io), "split_mode_bit_shift");
        }
    }
}
