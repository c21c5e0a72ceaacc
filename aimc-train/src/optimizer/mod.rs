//! How parameters move: digital ones (biases, weights of digital tiles) by the optimizer, analog ones only through
//! their tile's own update.
//!
//! ```text
//! g ← ∇L + λp,                                       or p ← p - ηλp if decay is decoupled
//! Sgd:   v ← μv + g,     p ← p - ηv,                 with Nesterov p ← p - η(g + μv)
//! Adam:  m ← β₁m + (1 - β₁)g,  v ← β₂v + (1 - β₂)g²,  p ← p - η m̂/(√v̂ + ε),  m̂ = m/(1 - β₁ᵗ),  v̂ = v/(1 - β₂ᵗ)
//! ```
//!
//! η is the learning rate that the [`schedule`] gives, λ `weight_decay`, μ `momentum`. Moments start at 0, t at 1. An analog
//! tile gets the vectors x and d of the step in order, as one batch, and η; momentum, decay and Adam do not act on it, because
//! its weights cannot be read and written exactly. Without momentum and decay, `Sgd`
//! lets digital tiles take their own exact update, too.
//!
//! References: I. Sutskever et al. 2013, *On the importance of initialization and momentum in deep learning*, ICML;
//! D. Kingma & J. Ba 2015, *Adam*, arXiv:1412.6980; I. Loshchilov & F. Hutter 2019, *Decoupled Weight Decay Regularization*,
//! arXiv:1711.05101.

pub mod config;
pub mod schedule;

use std::collections::BTreeMap;

use aimc_device::error::ConfigError;
use aimc_device::state::{State, StateError, StatePart};
use aimc_nn::{Gradients, Network, NetworkError, PartMut};
use aimc_tile::{SampleKeys, Tile};

pub use config::{Adam, OptimizerConfig, Sgd};
pub use schedule::{LearningRate, Schedule};

/// Moments of some digital parameters.
#[derive(Clone, Debug, Default)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Moments {
    fn new(config: &OptimizerConfig, size: usize) -> Self {
        let (first, second) = config.moments();
        let zeros = |used: bool| if used { vec![0.0; size] } else { Vec::new() };
        Self { first: zeros(first), second: zeros(second) }
    }

    /// The moments of `size` parameters from number `start` on; none where they are not used.
    fn of(&mut self, start: usize, size: usize) -> (&mut [f32], &mut [f32]) {
        let range = |moments: &[f32]| if moments.is_empty() { 0..0 } else { start..start + size };
        let (first, second) = (range(&self.first), range(&self.second));
        (&mut self.first[first], &mut self.second[second])
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("first", self.first.clone());
        state.put("second", self.second.clone());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.first = state.floats("first", self.first.len())?.to_vec();
        self.second = state.floats("second", self.second.len())?.to_vec();
        Ok(())
    }
}

/// Moves the parameters of a network.
///
/// ```
/// use aimc_train::{Optimizer, OptimizerConfig};
/// let config: OptimizerConfig = aimc_device::config::from_toml("model = \"Sgd\"\nmomentum = 0.5")?;
/// let mut optimizer = Optimizer::for_vector(config, 1)?;
/// let mut p = [0.0];
/// for expected in [-1.0, -2.5, -4.25] {
///     optimizer.step_vector(&mut p, &[1.0], 1.0);
///     assert_eq!(p, [expected]); // v = 1, 1.5, 1.75
/// }
/// # Ok::<(), aimc_device::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    steps: u64,
    /// By the name of the parameters or of the digital tile.
    moments: BTreeMap<String, Moments>,
}

impl Optimizer {
    /// Validates, then makes the moments for the digital parameters of `network`.
    pub fn new<T: Tile>(config: OptimizerConfig, network: &mut Network<T>) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut moments = BTreeMap::new();
        for (name, part) in network.parts_mut() {
            let size = match part {
                PartMut::Parameters(values) => values.len(),
                PartMut::Tile(tile) => tile.digital_len(),
                PartMut::Statistics(_) => 0,
            };
            if size > 0 {
                moments.insert(name, Moments::new(&config, size));
            }
        }
        Ok(Self { config, steps: 0, moments })
    }

    /// An optimizer of one vector of parameters, outside a network.
    pub fn for_vector(config: OptimizerConfig, size: usize) -> Result<Self, ConfigError> {
        config.validate()?;
        let moments = BTreeMap::from([(String::new(), Moments::new(&config, size))]);
        Ok(Self { config, steps: 0, moments })
    }

    /// One step of the vector of [`Optimizer::for_vector`], against its gradient `g`.
    pub fn step_vector(&mut self, p: &mut [f32], g: &[f32], lr: f32) {
        self.steps += 1;
        self.advance("", 0, p, g, lr);
    }

    /// One step of those of the parameters `name` that begin with number `start`; nothing where there are no moments, that is no
    /// such parameters.
    fn advance(&mut self, name: &str, start: usize, p: &mut [f32], g: &[f32], lr: f32) {
        if let Some(moments) = self.moments.get_mut(name) {
            self.config.step(p, g, moments.of(start, p.len()), lr, self.steps);
        }
    }

    /// Steps done so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step of the whole network with the learning rate `lr`.
    pub fn step<T: Tile>(
        &mut self,
        network: &mut Network<T>,
        gradients: &Gradients,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), NetworkError> {
        self.steps += 1;
        if self.config.is_plain() {
            return network.update(gradients, lr, draws);
        }
        network.step_tiles(gradients, draws, &mut |name, tile, gradient, draws| {
            let mut step =
                |start: usize, weights: &mut [f32], g: &[f32]| self.advance(name, start, weights, g, lr);
            tile.update_by(gradient.x.as_view(), gradient.d.as_view(), lr, draws, &mut step)
        })?;
        network.step_parameters(gradients, &mut |name, p, g| self.advance(name, 0, p, g, lr));
        network.update_statistics(gradients);
        Ok(())
    }

    /// Everything needed to continue later.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.put("steps", vec![self.steps]);
        for (name, moments) in &self.moments {
            state.nest(&format!("moments.{name}"), moments.state());
        }
        state
    }

    /// Takes over a state that [`Optimizer::state`] gave for a network of the same configuration; an error changes nothing.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let mut next = self.clone();
        next.steps = state.counts("steps", 1)?[0];
        for (name, moments) in &mut next.moments {
            moments.restore(&state.part(&format!("moments.{name}")))?;
        }
        *self = next;
        Ok(())
    }
}
