//! Pulses that arrive at a row and are put among those that wait, in slots or in rounds.

use std::slice::Iter;

use crate::pulsed::PulsedDevice;
use crate::pulsed::row::Row;
use crate::pulsed::slots::WORD;
use crate::rng::{FIRST, RngKey, Stream, first_normals};

/// Pulses that have arrived and do not wait yet.
pub(super) enum Incoming<'a> {
    /// Slots that are to wait as they are, one after another, with the stream of their draws.
    Slots { fired: &'a [u64], up: &'a [u64], draws: &'a mut Stream },
    /// Slots whose pulses are to wait in rounds, with their draws.
    Sparse { fired: &'a [u64], up: &'a [u64], noise: Iter<'a, f32> },
    /// None; nothing is to wait any more.
    Nothing,
}

/// Vector pairs with few pulses whose draws have not been made: those of several are made at once.
#[derive(Default)]
pub(super) struct Undrawn {
    pairs: Vec<Pair>,
    /// For each pair, which columns fire, slot after slot, and then which of them upwards.
    bits: Vec<u64>,
    /// Keys of the pairs, and the normals with which their streams begin.
    keys: Vec<[u64; 2]>,
    normals: Vec<[f32; FIRST]>,
    /// Draws of a pair with more pulses.
    noise: Vec<f32>,
}

/// A vector pair, with its number of pulses and of words for its slots.
#[derive(Clone, Copy)]
struct Pair {
    pulses: usize,
    fired: usize,
}

impl Undrawn {
    /// Pairs that wait, at most.
    const MOST: usize = 24;

    /// Adds a pair, and says whether that is the last one for which there is room.
    #[inline(always)]
    pub(super) fn push(&mut self, fired: &[u64], up: &[u64], pulses: usize, key: RngKey) -> bool {
        self.pairs.push(Pair { pulses, fired: fired.len() });
        self.bits.extend_from_slice(fired);
        self.bits.extend_from_slice(up);
        self.keys.push(key.words());
        self.pairs.len() == Self::MOST
    }

    #[inline(always)]
    fn clear(&mut self) {
        self.pairs.clear();
        self.bits.clear();
        self.keys.clear();
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// Makes the draws of vector pairs that wait for them; `last` if no pulses will follow.
    #[inline(always)]
    pub(super) fn draw_all(&mut self, last: bool) {
        if self.scratch.undrawn.pairs.is_empty() {
            return;
        }
        let (row, words) = (self.lists.row as u64, self.lists.persistent.len().div_ceil(WORD));
        let mut undrawn = std::mem::take(&mut self.scratch.undrawn);
        let Undrawn { pairs, bits, keys, normals, noise } = &mut undrawn;
        // A slot alone is a round.
        let nothing = self.scratch.rounds.is_empty() && self.scratch.slots.number() == 0;
        let alone = last && nothing && pairs.len() == 1 && pairs[0].fired == words;
        let streams_go_on = !self.lists.apparent.is_empty();
        if self.shared.noisy && !streams_go_on && !alone {
            normals.resize(pairs.len(), [0.0; FIRST]);
            first_normals(keys, row, normals);
        }
        let mut bits = &bits[..];
        for (k, pair) in pairs.iter().enumerate() {
            let (fired, rest) = bits.split_at(pair.fired);
            let (up, rest) = rest.split_at(words);
            bits = rest;
            if pair.pulses <= FIRST && !streams_go_on && !alone {
                let noise = if self.shared.noisy { &normals[k][..pair.pulses] } else { &[] };
                self.take(Incoming::Sparse { fired, up, noise: noise.iter() });
                continue;
            }
            let mut draws = RngKey::from_words(keys[k]).stream(row);
            if alone {
                self.take(Incoming::Slots { fired, up, draws: &mut draws });
            } else {
                noise.resize(if self.shared.noisy { pair.pulses } else { 0 }, 0.0);
                draws.fill_normal(noise);
                self.take(Incoming::Sparse { fired, up, noise: noise.iter() });
            }
            if streams_go_on {
                self.read_later(fired, words, draws);
            }
        }
        undrawn.clear();
        self.scratch.undrawn = undrawn;
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
                    slots.push(next, up, self.shared.noisy.then_some(&mut **draws));
                    *fired = rest;
                }
                false
            }
            Incoming::Sparse { fired, up, noise } => {
                while !fired.is_empty() {
                    if slots.number() > 0 || !rounds.has_room() {
                        return true;
                    }
                    let (next, rest) = fired.split_at(up.len());
                    rounds.push(next, up, noise);
                    *fired = rest;
                }
                false
            }
            Incoming::Nothing => slots.number() > 0 || !rounds.is_empty(),
        }
    }
}
