//! The additive feedback generator behind the C library's `rand`, for comparison with AIHWKit.
//!
//! rᵢ = rᵢ₋₃ + rᵢ₋₃₁ mod 2³², of which the upper 31 bits are used (the default `TYPE_3` of the GNU C library).
//! AIHWKit draws the slots of one line after another from it, so that with trains of 31 slots a line and its
//! neighbour meet at the lag 31: whether the one fires then tells something about the other. Our own pulses do
//! not come from here unless [`PulseSource::LaggedFibonacci`](super::PulseSource) asks for it.

use aimc_device::Stream;

const LONG: usize = 31;
const SHORT: usize = 3;

/// The generator, started from an addressed stream.
#[derive(Clone, Debug)]
pub struct LaggedFibonacci {
    state: [u32; LONG],
    next: usize,
}

impl LaggedFibonacci {
    /// A generator in a random state.
    #[must_use]
    pub fn new(draws: &mut Stream) -> Self {
        let mut state = [0; LONG];
        draws.fill_u32(&mut state);
        Self { state, next: 0 }
    }

    /// The next number of 31 bits.
    pub fn next_u31(&mut self) -> u32 {
        let short = self.state[(self.next + LONG - SHORT) % LONG];
        let sum = self.state[self.next].wrapping_add(short);
        self.state[self.next] = sum;
        self.next = (self.next + 1) % LONG;
        sum >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;

    /// The recurrence on the outputs: oᵢ = oᵢ₋₃ + oᵢ₋₃₁ (+ 1) mod 2³¹.
    #[test]
    fn outputs_follow_the_recurrence() {
        let mut generator = LaggedFibonacci::new(&mut RngKey::root(1).stream(0));
        let outputs: Vec<u32> = (0..200).map(|_| generator.next_u31()).collect();
        for i in LONG..outputs.len() {
            let sum = outputs[i - SHORT].wrapping_add(outputs[i - LONG]);
            let carry = outputs[i].wrapping_sub(sum) & 0x7FFF_FFFF;
            assert!(carry <= 1, "output {i}");
        }
    }
}
