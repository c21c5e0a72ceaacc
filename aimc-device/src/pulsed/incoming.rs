//! Pulses that arrive at a row and are put among those that wait, in slots or in rounds.

use std::slice::Iter;

use crate::pulsed::row::Row;
use crate::pulsed::{PulsedDevice, rounds};
use crate::rng::Stream;

/// Pulses that have arrived and do not wait yet.
pub(super) enum Incoming<'a> {
    /// Slots that are to wait as they are, one after another, with the stream of their draws.
    Slots { fired: &'a [u64], up: &'a [u64], draws: &'a mut Stream },
    /// Slots whose pulses are to wait in rounds, with their draws.
    Sparse { fired: &'a [u64], up: &'a [u64], noise: Iter<'a, f32> },
    /// None; nothing is to wait any more.
    Nothing,
}

impl<D: PulsedDevice> Row<'_, D> {
    /// Slots with `pulses` pulses together; `noise` is memory to be used.
    #[inline(always)]
    pub(super) fn slots<'a>(
        &self,
        (fired, up): (&'a [u64], &'a [u64]),
        pulses: usize,
        draws: &'a mut Stream,
        noise: &'a mut Vec<f32>,
    ) -> Incoming<'a> {
        let slots = fired.len() / up.len();
        // A slot alone is a round.
        let alone = slots == 1 && self.scratch.rounds.is_empty() && self.scratch.slots.number() == 0;
        if alone || !rounds::pay::<D>(pulses, slots * self.persistent.len()) {
            return Incoming::Slots { fired, up, draws };
        }
        Incoming::Sparse { fired, up, noise: self.draw(pulses, draws, noise) }
    }

    /// The draws of pulses, none where there is no noise.
    #[inline(always)]
    pub(super) fn draw<'a>(
        &self,
        pulses: usize,
        draws: &mut Stream,
        noise: &'a mut Vec<f32>,
    ) -> Iter<'a, f32> {
        noise.resize(if self.noisy { pulses } else { 0 }, 0.0);
        draws.fill_normal(noise);
        noise.iter()
    }

    /// Puts pulses among those that wait, as many as there is room for; true if these must be delivered before the others can.
    #[inline(always)]
    pub(super) fn queue(&mut self, incoming: &mut Incoming<'_>) -> bool {
        let (slots, rounds) = (&mut self.scratch.slots, &mut self.scratch.rounds);
        match incoming {
            Incoming::Slots { fired, up, draws } => {
                while !fired.is_empty() {
                    if !rounds.is_empty() || slots.room() == 0 {
                        return true;
                    }
                    let (next, rest) = fired.split_at(fired.len().min(slots.room() * up.len()));
                    slots.push(next, up, self.noisy.then_some(&mut **draws));
                    *fired = rest;
                }
                false
            }
            Incoming::Sparse { fired, up, noise } => {
                let devices = self.persistent.len();
                if slots.number() == 1 && rounds::pay::<D>(slots.draws(0).len(), devices) {
                    // It was alone until now.
                    rounds.push(slots.slot(0), &mut slots.draws(0).iter());
                    slots.clear();
                }
                while !fired.is_empty() {
                    if slots.number() > 0 || !rounds.has_room() {
                        return true;
                    }
                    let (next, rest) = fired.split_at(up.len());
                    rounds.push(next.iter().copied().zip(up.iter().copied()), noise);
                    *fired = rest;
                }
                false
            }
            Incoming::Nothing => slots.number() > 0 || !rounds.is_empty(),
        }
    }
}
