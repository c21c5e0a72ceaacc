//! One recurrent layer in one direction of time: forward, and backpropagation through time.

use nalgebra::DMatrix;

use aimc_device::rng::label;
use aimc_tile::{MatVec, SampleKeys, Tile, TileError, gathered};

use super::cell::{Cell, Step, StepBack};
use crate::composite::stack;
use crate::linear::Linear;
use crate::module::{Gradients, join};

/// The weights of one direction: for input and state apart, or for both side by side on one tile.
#[derive(Clone, Debug)]
pub struct Direction<T> {
    /// W, or (W V) of input and state.
    pub input: Linear<T>,
    /// V; none where `input` holds it.
    pub state: Option<Linear<T>>,
    pub(super) cell: Cell,
    pub(crate) hidden: usize,
    pub(super) steps: usize,
    pub(super) reverse: bool,
}

/// Sequences of several samples: step t of sample i is column i·steps + t.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// h of every step.
    pub(super) states: DMatrix<f32>,
    /// What the steps kept.
    pub(super) kept: DMatrix<f32>,
}

impl<T> Direction<T> {
    /// Steps in the order in which they are taken.
    fn order(&self) -> Box<dyn DoubleEndedIterator<Item = usize>> {
        if self.reverse { Box::new((0..self.steps).rev()) } else { Box::new(0..self.steps) }
    }

    /// Column of step `t` of every sample.
    fn columns(&self, samples: usize, t: usize) -> impl Iterator<Item = usize> + use<T> {
        let steps = self.steps;
        (0..samples).map(move |i| i * steps + t)
    }

    /// Step `t` of every sample, a column each.
    fn at(&self, sequences: &DMatrix<f32>, t: usize) -> DMatrix<f32> {
        let samples = sequences.ncols() / self.steps;
        let mut out = DMatrix::zeros(sequences.nrows(), samples);
        for (mut column, from) in out.column_iter_mut().zip(self.columns(samples, t)) {
            column.copy_from(&sequences.column(from));
        }
        out
    }

    /// Writes step `t` of every sample.
    fn put(&self, values: &DMatrix<f32>, t: usize, sequences: &mut DMatrix<f32>) {
        for (column, to) in values.column_iter().zip(self.columns(values.ncols(), t)) {
            sequences.set_column(to, &column);
        }
    }

    /// The states h' before every step, 0 at the first.
    fn states_before(&self, states: &DMatrix<f32>) -> DMatrix<f32> {
        let samples = states.ncols() / self.steps;
        let mut before = DMatrix::zeros(states.nrows(), states.ncols());
        let order: Vec<usize> = self.order().collect();
        for pair in order.windows(2) {
            for (from, to) in self.columns(samples, pair[0]).zip(self.columns(samples, pair[1])) {
                before.set_column(to, &states.column(from));
            }
        }
        before
    }
}

fn input_draws(draws: SampleKeys) -> SampleKeys {
    draws.fold_in(label("input"))
}

fn state_draws(draws: SampleKeys) -> SampleKeys {
    draws.fold_in(label("state"))
}

impl<T: MatVec> Direction<T> {
    /// All states for sequences of inputs.
    pub(super) fn run(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<Run, TileError> {
        let (n, samples) = (self.hidden, x.ncols() / self.steps);
        // Inputs are known beforehand: one product for all steps.
        let inputs = match &self.state {
            Some(_) => Some(self.input.product(x.as_view(), input_draws(draws).each(self.steps))?),
            None => None,
        };
        let (mut h, mut c) = (DMatrix::zeros(n, samples), DMatrix::zeros(n, samples));
        let mut states = DMatrix::zeros(n, x.ncols());
        let mut kept = DMatrix::zeros(self.cell.kept() * n, x.ncols());
        for t in self.order() {
            let (a, u) = match (&self.state, &inputs) {
                (Some(state), Some(inputs)) => {
                    let u = state.product(h.as_view(), state_draws(draws).fold_in(t as u64))?;
                    (self.at(inputs, t), u)
                }
                _ => {
                    let both = stack(&[&self.at(x, t), &h]);
                    let a = self.input.product(both.as_view(), input_draws(draws).fold_in(t as u64))?;
                    let u = DMatrix::zeros(a.nrows(), samples);
                    (a, u)
                }
            };
            for (i, column) in self.columns(samples, t).enumerate() {
                self.cell.step(Step {
                    input: a.column(i).as_slice(),
                    state: u.column(i).as_slice(),
                    h: h.column_mut(i).as_mut_slice(),
                    c: c.column_mut(i).as_mut_slice(),
                    kept: kept.column_mut(column).as_mut_slice(),
                });
            }
            self.put(&h, t, &mut states);
        }
        Ok(Run { states, kept })
    }
}

/// What backpropagation through time is given.
#[derive(Debug)]
pub(super) struct Through<'a> {
    pub(super) name: &'a str,
    pub(super) x: &'a DMatrix<f32>,
    pub(super) states: &'a DMatrix<f32>,
    pub(super) kept: &'a DMatrix<f32>,
    pub(super) draws: SampleKeys,
}

impl<T: Tile> Direction<T> {
    /// Gradient with respect to the inputs, from `d` with respect to the states of all steps.
    pub(super) fn back(
        &self,
        through: &Through<'_>,
        d: &DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, TileError> {
        let (n, samples, gates) = (self.hidden, d.ncols() / self.steps, self.cell.gates() * self.hidden);
        let before = self.states_before(through.states);
        let (mut d_input, mut d_state) = (DMatrix::zeros(gates, d.ncols()), DMatrix::zeros(gates, d.ncols()));
        let (mut dh, mut dc) = (DMatrix::zeros(n, samples), DMatrix::zeros(n, samples));
        let mut dx = DMatrix::zeros(through.x.nrows(), d.ncols());
        for t in self.order().rev() {
            dh += self.at(d, t);
            for (i, column) in self.columns(samples, t).enumerate() {
                self.cell.step_back(StepBack {
                    dh: dh.column_mut(i).as_mut_slice(),
                    dc: dc.column_mut(i).as_mut_slice(),
                    h: through.states.column(column).as_slice(),
                    h_before: before.column(column).as_slice(),
                    kept: through.kept.column(column).as_slice(),
                    d_input: d_input.column_mut(column).as_mut_slice(),
                    d_state: d_state.column_mut(column).as_mut_slice(),
                });
            }
            match &self.state {
                Some(state) => {
                    let draws = state_draws(through.draws).fold_in(t as u64);
                    dh += state.product_back(self.at(&d_state, t).as_view(), draws)?;
                }
                None => {
                    let draws = input_draws(through.draws).fold_in(t as u64);
                    let both = self.input.product_back(self.at(&d_input, t).as_view(), draws)?;
                    self.put(&gathered(&both.rows(0, dx.nrows())), t, &mut dx);
                    dh += both.rows(dx.nrows(), n);
                }
            }
        }
        let (name, steps) = (join(through.name, "input"), self.steps);
        match &self.state {
            Some(state) => {
                let draws = input_draws(through.draws).each(steps);
                dx = self.input.product_back(d_input.as_view(), draws)?;
                state.gradients(&join(through.name, "state"), before, d_state, steps, into);
                self.input.gradients(&name, through.x.clone(), d_input, steps, into);
            }
            None => {
                self.input.gradients(&name, stack(&[through.x, &before]), d_input, steps, into);
            }
        }
        Ok(dx)
    }
}
