//! The equations of recurrent cells, one sample and one step at a time; gates in PyTorch's order.
//!
//! With the products a = W x + b of the input and u = V h' + c of the state h' before:
//!
//! ```text
//! Rnn    h = tanh(a + u)
//! Lstm   i, f, o = σ(a + u)   g = tanh(a + u)    c = f·c' + i·g    h = o·tanh c        (gates i, f, g, o)
//! Gru    r, z = σ(a + u)      n = tanh(a + r·u)  h = (1 - z)·n + z·h'                  (gates r, z, n)
//! ```
//!
//! Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Cho et al. 2014, arXiv:1406.1078.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::activation::sigmoid;

/// Which equations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Cell {
    /// Elman's network.
    Rnn,
    /// Long short-term memory.
    #[default]
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

/// What one step of one sample reads and writes; slices of `hidden` numbers per gate or state.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// a, from the input.
    pub(super) input: &'a [f32],
    /// u, from the state before.
    pub(super) state: &'a [f32],
    /// h' before, h after.
    pub(super) h: &'a mut [f32],
    /// c' before, c after.
    pub(super) c: &'a mut [f32],
    /// What the backward step needs, [`Cell::kept`] numbers per hidden unit.
    pub(super) kept: &'a mut [f32],
}

/// The same backwards.
#[derive(Debug)]
pub(super) struct StepBack<'a> {
    /// Gradient with respect to h; becomes the part of that of h' that does not pass the tile.
    pub(super) dh: &'a mut [f32],
    /// Gradient with respect to c; becomes that of c'.
    pub(super) dc: &'a mut [f32],
    /// h of this step.
    pub(super) h: &'a [f32],
    /// h' of the step before.
    pub(super) h_before: &'a [f32],
    /// What the forward step kept.
    pub(super) kept: &'a [f32],
    /// Gradient with respect to a.
    pub(super) d_input: &'a mut [f32],
    /// Gradient with respect to u.
    pub(super) d_state: &'a mut [f32],
}

impl Cell {
    /// Gates per hidden unit.
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// Numbers that a step keeps per hidden unit.
    pub(super) fn kept(self) -> usize {
        match self {
            Self::Rnn => 0,
            // i, f, g, o, c', tanh c
            Self::Lstm => 6,
            // r, z, n, u of n
            Self::Gru => 4,
        }
    }

    pub(super) fn step(self, step: Step<'_>) {
        let n = step.h.len();
        let Step { input, state, h, c, kept } = step;
        let sum = |gate: usize, j: usize| input[gate * n + j] + state[gate * n + j];
        for j in 0..n {
            match self {
                Self::Rnn => h[j] = sum(0, j).tanh(),
                Self::Lstm => {
                    let gates =
                        [sigmoid(sum(0, j)), sigmoid(sum(1, j)), sum(2, j).tanh(), sigmoid(sum(3, j))];
                    let before = c[j];
                    c[j] = gates[1] * before + gates[0] * gates[2];
                    let squashed = c[j].tanh();
                    h[j] = gates[3] * squashed;
                    let all = [gates[0], gates[1], gates[2], gates[3], before, squashed];
                    all.iter().enumerate().for_each(|(k, value)| kept[k * n + j] = *value);
                }
                Self::Gru => {
                    let (r, z) = (sigmoid(sum(0, j)), sigmoid(sum(1, j)));
                    let u = state[2 * n + j];
                    let new = (input[2 * n + j] + r * u).tanh();
                    h[j] = (1.0 - z) * new + z * h[j];
                    [r, z, new, u].iter().enumerate().for_each(|(k, value)| kept[k * n + j] = *value);
                }
            }
        }
    }

    pub(super) fn step_back(self, step: StepBack<'_>) {
        let n = step.dh.len();
        let StepBack { dh, dc, h, h_before, kept, d_input, d_state } = step;
        for j in 0..n {
            let k = |i: usize| kept[i * n + j];
            match self {
                Self::Rnn => {
                    d_input[j] = dh[j] * (1.0 - h[j] * h[j]);
                    d_state[j] = d_input[j];
                    dh[j] = 0.0;
                }
                Self::Lstm => {
                    let (i, f, g, o, before, squashed) = (k(0), k(1), k(2), k(3), k(4), k(5));
                    let cell = dc[j] + dh[j] * o * (1.0 - squashed * squashed);
                    let gates = [
                        cell * g * i * (1.0 - i),
                        cell * before * f * (1.0 - f),
                        cell * i * (1.0 - g * g),
                        dh[j] * squashed * o * (1.0 - o),
                    ];
                    for (gate, d) in gates.iter().enumerate() {
                        d_input[gate * n + j] = *d;
                        d_state[gate * n + j] = *d;
                    }
                    (dc[j], dh[j]) = (cell * f, 0.0);
                }
                Self::Gru => {
                    let (r, z, new, u) = (k(0), k(1), k(2), k(3));
                    let d_new = dh[j] * (1.0 - z) * (1.0 - new * new);
                    let d_reset = d_new * u * r * (1.0 - r);
                    let d_update = dh[j] * (h_before[j] - new) * z * (1.0 - z);
                    for (gate, d) in [d_reset, d_update, d_new].iter().enumerate() {
                        d_input[gate * n + j] = *d;
                        d_state[gate * n + j] = *d;
                    }
                    d_state[2 * n + j] = d_new * r;
                    dh[j] *= z;
                }
            }
        }
    }
}
