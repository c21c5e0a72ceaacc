//! Pulses that arrive at a row and are put among those that wait, in slots or in rounds.

use crate::pulsed::PulsedDevice;
use crate::pulsed::row::Row;
use crate::pulsed::slots::WORD;
use crate::rng::{FirstNormals, RngKey};

/// Pulses that have arrived and do not wait yet, and the number of their first draw among those of [`Slots`](super::slots::Slots).
pub(super) enum Incoming<'a> {
    /// Slots that are to wait as they are, one after another.
    Slots { fired: &'a [u64], up: &'a [u64], first: usize },
    /// Slots whose pulses are to wait in rounds.
    Sparse { fired: &'a [u64], up: &'a [u64], first: usize },
    /// None; nothing is to wait any more.
    Nothing,
}

/// Vector pairs whose draws have not been made: those of several are made at once.
#[derive(Default)]
pub(super) struct Undrawn {
    pairs: Vec<Pair>,
    /// For each pair, which columns fire, slot after slot, and then which of them upwards.
    bits: Vec<u64>,
    /// Keys of the pairs, and how many pulses they have.
    keys: Vec<[u64; 2]>,
    pulses: Vec<usize>,
    /// Columns whose weight is to be noted once so many of the pairs have arrived.
    notes: Vec<(usize, usize)>,
    normals: FirstNormals,
}

/// A vector pair: number of words for its slots, and whether these are to wait in rounds.
#[derive(Clone, Copy)]
struct Pair {
    fired: usize,
    sparse: bool,
}

impl Undrawn {
    /// Pairs that wait, at most, and their pulses, but for those of the last one: their draws stay in the first-level cache.
    const MOST: usize = 24;
    const MOST_PULSES: usize = 2048;

    /// Adds a pair, and says whether that is the last one for which there is room.
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        (fired, up): (&[u64], &[u64]),
        pulses: usize,
        sparse: bool,
        key: RngKey,
    ) -> bool {
        self.pairs.push(Pair { fired: fired.len(), sparse });
        self.bits.extend_from_slice(fired);
        self.bits.extend_from_slice(up);
        self.keys.push(key.words());
        self.pulses.push(pulses);
        self.pairs.len() == Self::MOST || self.pulses.iter().sum::<usize>() >= Self::MOST_PULSES
    }

    /// Adds a column whose weight is to be noted as it is after the pairs that are here.
    #[inline(always)]
    pub(super) fn note(&mut self, column: usize) {
        self.notes.push((self.pairs.len(), column));
    }

    #[inline(always)]
    fn clear(&mut self) {
        self.pairs.clear();
        self.bits.clear();
        self.keys.clear();
        self.pulses.clear();
        self.notes.clear();
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// Makes the draws of vector pairs that wait for them, and the notes due on the way; `last` if no pulses will follow.
    #[inline(always)]
    pub(super) fn draw_all(&mut self, last: bool) {
        if self.scratch.undrawn.pairs.is_empty() && self.scratch.undrawn.notes.is_empty() {
            return;
        }
        let (row, words) = (self.lists.row as u64, self.lists.persistent.len().div_ceil(WORD));
        let mut undrawn = std::mem::take(&mut self.scratch.undrawn);
        let Undrawn { pairs, bits, keys, pulses, notes, normals } = &mut undrawn;
        // A slot alone is a round.
        let nothing = self.scratch.rounds.is_empty() && self.scratch.slots.number() == 0;
        let alone = last && nothing && pairs.len() == 1 && pairs[0].fired == words;
        let mut number = 0;
        for pulses in &*pulses {
            number += FirstNormals::whole(*pulses);
        }
        let (mut first, noise) = self.scratch.slots.make_room(number);
        if self.shared.noisy {
            normals.draw(keys, pulses, row, noise);
        }
        let (mut bits, mut notes) = (&bits[..], &notes[..]);
        for (k, pair) in pairs.iter().enumerate() {
            self.note_those(&mut notes, k);
            let (fired, rest) = bits.split_at(pair.fired);
            let (up, rest) = rest.split_at(words);
            bits = rest;
            if pair.sparse && !alone {
                self.take(Incoming::Sparse { fired, up, first });
            } else {
                self.take(Incoming::Slots { fired, up, first });
            }
            first += FirstNormals::whole(pulses[k]);
            if !self.lists.apparent.is_empty() {
                let before = if self.shared.noisy { pulses[k] } else { 0 };
                self.read_later(fired, words, RngKey::from_words(keys[k]), before);
            }
        }
        self.note_those(&mut notes, pairs.len());
        undrawn.clear();
        self.scratch.undrawn = undrawn;
    }

    /// Notes the weights that are due after so many of the pairs.
    #[inline(always)]
    fn note_those(&mut self, notes: &mut &[(usize, usize)], arrived: usize) {
        while let Some(((after, column), rest)) = notes.split_first()
            && *after == arrived
        {
            let weight = self.weight_now(*column);
            self.scratch.noted.push(weight);
            *notes = rest;
        }
    }

    /// Puts pulses among those that wait, as many as there is room for; true if these must be delivered before the others can.
    #[inline(always)]
    pub(super) fn queue(&mut self, incoming: &mut Incoming<'_>) -> bool {
        let (slots, rounds) = (&mut self.scratch.slots, &mut self.scratch.rounds);
        match incoming {
            Incoming::Slots { fired, up, first } => {
                while !fired.is_empty() {
                    if !rounds.is_empty() || slots.room() == 0 {
                        return true;
                    }
                    let (next, rest) = fired.split_at(fired.len().min(slots.room() * up.len()));
                    slots.push(next, up, first);
                    *fired = rest;
                }
                false
            }
            Incoming::Sparse { fired, up, first } => {
                while !fired.is_empty() {
                    if slots.number() > 0 || !rounds.has_room() {
                        return true;
                    }
                    let (next, rest) = fired.split_at(up.len());
                    let mut noise = slots.noise()[*first..].iter();
                    rounds.push(next, up, &mut noise);
                    *first = slots.noise().len() - noise.len();
                    *fired = rest;
                }
                false
            }
            Incoming::Nothing => slots.number() > 0 || !rounds.is_empty(),
        }
    }
}
