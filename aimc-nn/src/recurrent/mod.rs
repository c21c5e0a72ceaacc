//! Recurrent layers: RNN, LSTM and GRU over sequences of shape \[steps, features\]; several layers, both directions of
//! time, dropout between layers.
//!
//! The weights of input and state lie on tiles of their own, or side by side on one tile (`combined`, which AIHWKit calls
//! combined weight): then both share the converters. Gates and states are digital ([`Cell`]). States start at 0.
//! Gradients pass through all steps; every step of every sample is one vector of the tile's update, in the order of time.

mod cell;
mod direction;

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, gathered};

use crate::composite::stack;
use crate::dropout::{check_probability, mask};
use crate::layer::{Layer, Record, Site};
use crate::linear::{Convert, yes};
use crate::module::{
    Backward, Gradients, LayerError, Module, Saved, Visit, VisitMut, check_features, join, reread,
};

pub use cell::Cell;
pub use direction::Direction;
use direction::{Run, Through};

/// What a recurrent layer gives on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Given {
    /// The states of all steps.
    #[default]
    All,
    /// The last state of each direction.
    Last,
}

/// A recurrent layer, or several on top of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecurrentConfig {
    /// The equations.
    #[serde(default)]
    pub cell: Cell,
    /// Number of hidden units.
    pub hidden: usize,
    /// Layers on top of each other.
    #[serde(default = "one_layer")]
    pub layers: usize,
    /// Whether a second direction runs from the end to the beginning.
    #[serde(default)]
    pub bidirectional: bool,
    /// Probability that a feature is lost between layers while training.
    #[serde(default)]
    pub dropout: f32,
    /// What is given on.
    #[serde(default)]
    pub given: Given,
    /// Whether input and state share one tile; not for `Gru`, whose gates need the product with the state alone.
    #[serde(default)]
    pub combined: bool,
    /// Whether there are (digital) biases.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn one_layer() -> usize {
    1
}

impl RecurrentConfig {
    /// One layer in one direction that gives on all states.
    #[must_use]
    pub fn new(cell: Cell, hidden: usize) -> Self {
        let (layers, dropout, given) = (1, 0.0, Given::All);
        Self { cell, hidden, layers, bidirectional: false, dropout, given, combined: false, bias: true }
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    fn direction<T: MatVec + ReadOut>(
        &self,
        (steps, features): (usize, usize),
        reverse: bool,
        site: &mut Site<'_, T>,
    ) -> Result<Direction<T>, ConfigError> {
        let (hidden, outputs) = (self.hidden, self.cell.gates() * self.hidden);
        let inputs = features + if self.combined { hidden } else { 0 };
        let input = site.linear("input", Shape { outputs, inputs }, self.bias)?;
        let state = match self.combined {
            true => None,
            false => Some(site.linear("state", Shape { outputs, inputs: hidden }, self.bias)?),
        };
        Ok(Direction { input, state, cell: self.cell, hidden, steps, reverse })
    }
}

impl Record for RecurrentConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::that(inputs.len() == 2, "", inputs, "needs sequences of shape [steps, features]")?;
        require::at_least_one("hidden", self.hidden)?;
        require::at_least_one("layers", self.layers)?;
        check_probability("dropout", self.dropout)?;
        let fits = !(self.combined && self.cell == Cell::Gru);
        require::that(fits, "combined", self.combined, "must be false with the cell Gru")?;
        let features = self.hidden * self.directions();
        Ok(match self.given {
            Given::All => vec![inputs[0], features],
            Given::Last => vec![features],
        })
    }

    /// Per step and hidden unit: sums of the two products, functions of the gates, and the equations of the state.
    fn operations(&self, inputs: &[usize]) -> u64 {
        let per_unit = match self.cell {
            Cell::Rnn => 2,
            Cell::Gru => 12,
            Cell::Lstm => 13,
        };
        per_unit * (inputs[0] * self.hidden * self.layers * self.directions()) as u64
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let (steps, mut features) = (inputs[0], inputs[1]);
        let first = features;
        let mut levels = Vec::with_capacity(self.layers);
        for level in 0..self.layers {
            let mut directions = Vec::with_capacity(self.directions());
            for (name, reverse) in DIRECTIONS.iter().zip([false, true]).take(self.directions()) {
                let mut site = site.part(&format!("level{level}.{name}"));
                directions.push(self.direction((steps, features), reverse, &mut site)?);
            }
            levels.push(directions);
            features = self.hidden * self.directions();
        }
        let Self { dropout, given, .. } = *self;
        Ok(Layer::Recurrent(Recurrent { levels, steps, features: first, dropout, given }))
    }
}

const DIRECTIONS: [&str; 2] = ["forward", "backward"];

/// The layer.
#[derive(Clone, Debug)]
pub struct Recurrent<T> {
    /// Layer by layer, its one or two directions.
    pub levels: Vec<Vec<Direction<T>>>,
    steps: usize,
    features: usize,
    dropout: f32,
    given: Given,
}

/// Name of one direction of one level.
pub(crate) fn direction_name(name: &str, level: usize, k: usize) -> String {
    join(name, &format!("level{level}.{}", DIRECTIONS[k]))
}

fn direction_draws(draws: SampleKeys, level: usize, k: usize) -> SampleKeys {
    draws.fold_in(level as u64).fold_in(k as u64)
}

impl<T> Recurrent<T> {
    /// The same layer with other tiles.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<Recurrent<U>, E> {
        let mut levels = Vec::with_capacity(self.levels.len());
        for (level, directions) in self.levels.iter().enumerate() {
            let mut mapped = Vec::with_capacity(directions.len());
            for (k, direction) in directions.iter().enumerate() {
                let name = direction_name(name, level, k);
                let state = direction.state.as_ref();
                let Direction { cell, hidden, steps, reverse, .. } = *direction;
                mapped.push(Direction {
                    input: direction.input.try_map(&join(&name, "input"), convert)?,
                    state: state.map(|state| state.try_map(&join(&name, "state"), convert)).transpose()?,
                    cell,
                    hidden,
                    steps,
                    reverse,
                });
            }
            levels.push(mapped);
        }
        let Self { steps, features, dropout, given, .. } = *self;
        Ok(Recurrent { levels, steps, features, dropout, given })
    }

    /// The output, from the states of the last level.
    fn given(&self, states: DMatrix<f32>) -> DMatrix<f32> {
        let (rows, samples) = (states.nrows(), states.ncols() / self.steps);
        if self.given == Given::All {
            return reread(states, rows * self.steps);
        }
        let hidden = rows / self.levels[0].len();
        DMatrix::from_fn(rows, samples, |row, i| states[(row, i * self.steps + self.last(row, hidden))])
    }

    /// The last step of the direction that a row belongs to.
    fn last(&self, row: usize, hidden: usize) -> usize {
        if row < hidden { self.steps - 1 } else { 0 }
    }

    /// The transpose of [`Recurrent::given`].
    fn taken(&self, d: DMatrix<f32>) -> DMatrix<f32> {
        let directions = self.levels[0].len();
        let rows = self.levels[0][0].hidden * directions;
        if self.given == Given::All {
            return reread(d, rows);
        }
        let mut states = DMatrix::zeros(rows, self.steps * d.ncols());
        for ((row, i), value) in (0..d.ncols()).flat_map(|i| (0..rows).map(move |row| (row, i))).zip(d.iter())
        {
            states[(row, i * self.steps + self.last(row, rows / directions))] = *value;
        }
        states
    }

    fn sequences(&self, x: &DMatrix<f32>) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.steps * self.features)?;
        Ok(reread(x.clone(), self.features))
    }
}

impl<T: MatVec> Recurrent<T> {
    fn level(&self, level: usize, x: &DMatrix<f32>, draws: SampleKeys) -> Result<Vec<Run>, LayerError> {
        let directions = self.levels[level].iter().enumerate();
        let runs = directions.map(|(k, direction)| direction.run(x, direction_draws(draws, level, k)));
        Ok(runs.collect::<Result<_, _>>()?)
    }
}

fn states(runs: &[Run]) -> DMatrix<f32> {
    stack(&runs.iter().map(|run| &run.states).collect::<Vec<_>>())
}

impl<T> Module<T> for Recurrent<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        for (level, directions) in self.levels.iter().enumerate() {
            for (k, direction) in directions.iter().enumerate() {
                let name = direction_name(name, level, k);
                direction.input.visit(&join(&name, "input"), visit);
                if let Some(state) = &direction.state {
                    state.visit(&join(&name, "state"), visit);
                }
            }
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        for (level, directions) in self.levels.iter_mut().enumerate() {
            for (k, direction) in directions.iter_mut().enumerate() {
                let name = direction_name(name, level, k);
                direction.input.visit_mut(&join(&name, "input"), visit);
                if let Some(state) = &mut direction.state {
                    state.visit_mut(&join(&name, "state"), visit);
                }
            }
        }
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        let mut value = self.sequences(x)?;
        for level in 0..self.levels.len() {
            value = states(&self.level(level, &value, draws)?);
        }
        Ok(self.given(value))
    }

    /// Keeps for every level its input, the states and what was kept of every direction, and the mask of the dropout
    /// before the next level.
    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        let (mut value, mut saved) = (self.sequences(x)?, Vec::new());
        for level in 0..self.levels.len() {
            let runs = self.level(level, &value, draws)?;
            let next = states(&runs);
            saved.push(value);
            saved.extend(runs.into_iter().flat_map(|run| [run.states, run.kept]));
            let inner = level + 1 < self.levels.len();
            let p = if inner { self.dropout } else { 0.0 };
            let (rows, samples) = (next.nrows() * self.steps, x.ncols());
            let lost = draws.fold_in(label("dropout between levels")).fold_in(level as u64);
            let mask = reread(mask(p, (rows, samples), lost), next.nrows());
            value = next.component_mul(&mask);
            saved.push(mask);
        }
        Ok((self.given(value), Saved::Matrices(saved)))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let per_level = 2 + 2 * self.levels[0].len();
        let mut d = self.taken(d);
        for (level, saved) in pass.saved.matrices().chunks(per_level).enumerate().rev() {
            d.component_mul_assign(&saved[per_level - 1]);
            let mut dx = DMatrix::zeros(saved[0].nrows(), saved[0].ncols());
            for (k, direction) in self.levels[level].iter().enumerate() {
                let through = Through {
                    name: &direction_name(pass.name, level, k),
                    x: &saved[0],
                    states: &saved[1 + 2 * k],
                    kept: &saved[2 + 2 * k],
                    draws: direction_draws(pass.draws, level, k),
                };
                let hidden = direction.hidden;
                dx += direction.back(&through, &gathered(&d.rows(k * hidden, hidden)), into)?;
            }
            d = dx;
        }
        let rows = d.nrows() * self.steps;
        Ok(reread(d, rows))
    }
}
