//! A tile whose weights lie in digital memory and whose products are analog: the tile of hardware-aware training.
//!
//! ```text
//! memory      W, exact                       devices would hold Ŵ = W/s, s = max|W|/ω at first
//! forward     y = s·circuits(Ŵ', x)          training: Ŵ' = modifier(Ŵ), drawn at the end of the last step
//!                                            evaluation: Ŵ' = Ŵ, unless `enable_during_test`
//! backward    z = circuitsᵀ(Ŵ', s·d)         with the Ŵ' of the forward pass
//! update      W ← W - lr·d xᵀ                exactly, or by the optimizer (`digital_weights`)
//! end of step Ŵ ← clip(Ŵ),  s ← remap(s),  Ŵ' ← modifier(Ŵ)
//! ```
//!
//! Learned output scales α around the tile become part of s when it is remapped, as in AIHWKit; afterwards α = 1. Otherwise
//! remapping moves s alone, so that W, and with it the momentum of an optimizer, keeps its meaning and every bit; AIHWKit keeps
//! Ŵ and s, so that momentum is in units that change from step to step, and Adam's steps in units of s.
//!
//! All vectors between two steps see the same Ŵ', however they are batched; with `per_batch_sample` vector number i sees a matrix
//! of its own, addressed by i, which the backward pass draws again. Before the first step Ŵ' = Ŵ, as in AIHWKit's C++ tile,
//! unless `from_first_batch`. With gradients accumulated over several batches Ŵ' stays until the step.
//!
//! Not modelled: devices; they come when the network is programmed.
//!
//! References: those of the [module](super).

use std::borrow::Cow;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::circuits::Circuits;
use crate::hardware_aware::scaled_weights::ScaledWeights;
use crate::hardware_aware::{
    HardwareAwareTileConfig, WeightClipConfig, WeightClipType, WeightModifierConfig, WeightRemapConfig,
    WeightRemapType,
};
use crate::ideal::{IdealTile, gathered, scale_lines};
use crate::mapping::{TileSettings, scales};
use crate::signals::{check_lines, check_shape};
use crate::tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

/// What a training pass sees instead of Ŵ.
#[derive(Clone, Debug)]
enum Modified {
    /// Nothing else.
    No,
    /// These weights, row by row.
    Shared(Vec<f32>),
    /// Weights of its own for every vector, drawn from this key.
    PerSample(RngKey),
}

/// The tile, see the [module](self).
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_tile::{HardwareAwareTile, HardwareAwareTileConfig, MatVec, ReadOut, SampleKeys, Shape, Tile};
/// use nalgebra::DMatrix;
/// let mut config = HardwareAwareTileConfig::ideal();
/// config.modifier = aimc_device::config::from_toml("type = \"Discretize\"\nres = 0.5")?;
/// let key = RngKey::root(1);
/// let mut tile = HardwareAwareTile::new(&config, Shape { outputs: 1, inputs: 2 }, key)?;
/// tile.set_weights(&DMatrix::from_row_slice(1, 2, &[1.0, 0.3]), key)?;
/// tile.end_of_step(key);
/// let (x, mut y) = (DMatrix::from_element(2, 1, 1.0), DMatrix::zeros(1, 1));
/// tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(key).in_training())?;
/// assert_eq!(y[0], 1.5); // 1 and 0.3, rounded to halves
/// tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(key))?;
/// assert_eq!(y[0], 1.3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HardwareAwareTile {
    shape: Shape,
    /// W and s, and with them Ŵ.
    weights: ScaledWeights,
    modified: Modified,
    circuits: Circuits,
    modifier: WeightModifierConfig,
    /// Steps so far.
    steps: u64,
    clip: WeightClipConfig,
    remap: WeightRemapConfig,
    /// ω, and whether every output has a scale of its own.
    scaling: (f32, bool),
}

impl HardwareAwareTile {
    /// Validates `config`, then builds the circuits; weights start at 0. Of the periphery only the weight scaling is used.
    pub fn new(config: &HardwareAwareTileConfig, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        config.validate()?;
        let mapping = &config.periphery.mapping;
        let circuits =
            Circuits::new(&config.forward, &config.backward, shape, key.fold_in(label("circuits")))?;
        let mut tile = Self {
            shape,
            weights: ScaledWeights::new(IdealTile::new(shape)?, shape.inputs),
            modified: Modified::No,
            circuits,
            modifier: config.modifier.clone(),
            steps: 0,
            clip: config.clip.clone(),
            remap: config.remap.clone(),
            scaling: (mapping.weight_scaling_omega, mapping.weight_scaling_columnwise),
        };
        tile.begin(key);
        Ok(tile)
    }

    /// The scale s of every output.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        self.weights.scales()
    }

    /// What devices would hold, Ŵ = W/s, row by row.
    #[must_use]
    pub fn held(&self) -> Cow<'_, [f32]> {
        self.weights.held()
    }

    /// The circuits.
    #[must_use]
    pub fn circuits(&self) -> &Circuits {
        &self.circuits
    }

    /// What the first training pass sees.
    fn begin(&mut self, key: RngKey) {
        self.weights.keep_held();
        self.modified = Modified::No;
        if self.modifier.from_first_batch {
            self.modify(key);
        }
    }

    /// Draws what training passes see from now on.
    fn modify(&mut self, key: RngKey) {
        let key = key.fold_in(label("modifier"));
        let before = std::mem::replace(&mut self.modified, Modified::No);
        self.modified = match (self.modifier.is_active(), self.modifier.per_batch_sample) {
            (false, _) => Modified::No,
            (true, true) => Modified::PerSample(key),
            (true, false) => {
                let mut modified = if let Modified::Shared(before) = before { before } else { Vec::new() };
                modified.resize(self.weights.clean().values().len(), 0.0);
                let modifier = self.modifier.after(self.steps);
                modifier.modify_into(&self.held(), self.shape.inputs, key, &mut modified);
                Modified::Shared(modified)
            }
        };
    }

    /// Cuts W where Ŵ is too large.
    fn clip(&mut self) {
        if self.clip.kind == WeightClipType::None {
            return;
        }
        self.weights.keep_held();
        let inputs = self.shape.inputs;
        let Some(value) = self.clip.value(&self.held(), inputs) else { return };
        let (clean, scales) = self.weights.moving();
        for (row, scale) in clean.values_mut().chunks_mut(inputs).zip(scales) {
            let limit = value * *scale;
            row.iter_mut().for_each(|w| *w = w.clamp(-limit, limit));
        }
    }

    /// One product, through `read`, with the weights that `draws` ask for.
    fn product(
        &self,
        modified: &Modified,
        (x, mut y): (DMatrixView<f32>, DMatrixViewMut<f32>),
        draws: SampleKeys,
        read: Read,
    ) -> Result<(), TileError> {
        match modified {
            Modified::No => read(&self.circuits, &self.held(), x, y, draws),
            Modified::Shared(weights) => read(&self.circuits, weights, x, y, draws),
            Modified::PerSample(key) => {
                let (held, modifier) = (self.held(), self.modifier.after(self.steps));
                for i in 0..x.ncols() {
                    let key = key.fold_in(draws.number(i));
                    let weights = modifier.modified(&held, self.shape.inputs, key);
                    let (x, y) = (x.columns(i, 1), y.columns_mut(i, 1));
                    read(&self.circuits, &weights, x, y, draws.skip(i as u64))?;
                }
                Ok(())
            }
        }
    }
}

/// A direction of the circuits.
type Read = fn(&Circuits, &[f32], DMatrixView<f32>, DMatrixViewMut<f32>, SampleKeys) -> Result<(), TileError>;

impl MatVec for HardwareAwareTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("x", &x, self.shape.inputs, x.ncols())?;
        check_shape("y", y.shape(), (self.shape.outputs, x.ncols()))?;
        let meets_errors = draws.is_training() || self.modifier.enable_during_test;
        let modified = if meets_errors { &self.modified } else { &Modified::No };
        self.product(modified, (x, y.as_view_mut()), draws, Circuits::read)?;
        scale_lines(&mut y, self.scales());
        Ok(())
    }
}

impl Tile for HardwareAwareTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("d", &d, self.shape.outputs, d.ncols())?;
        check_shape("z", z.shape(), (self.shape.inputs, d.ncols()))?;
        let mut scaled = gathered(&d);
        scale_lines(&mut scaled.as_view_mut(), self.scales());
        self.product(&self.modified, (scaled.as_view(), z), draws, Circuits::read_back)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.weights.moving().0.update(x, d, lr, draws)
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.clip();
        self.weights.keep_held();
        if self.remap.kind != WeightRemapType::None {
            *self.weights.moving().1 = self.remap.scales(&self.held(), self.shape.inputs, self.scales());
            self.weights.keep_held();
        }
        self.steps += 1;
        self.modify(key);
    }

    /// Remapping deals with all that scales an output: s ← |α|·s, W ← α·W, so that Ŵ keeps its size.
    fn absorb_factors(&mut self, factors: &[f32]) -> bool {
        let moves = self.remap.kind != WeightRemapType::None;
        if !moves || self.scales().iter().zip(factors).any(|(scale, factor)| !(scale * factor).is_normal()) {
            return false;
        }
        let (clean, scales) = self.weights.moving();
        let rows = clean.values_mut().chunks_mut(self.shape.inputs).zip(scales);
        for ((row, scale), factor) in rows.zip(factors) {
            row.iter_mut().for_each(|w| *w *= factor);
            *scale *= factor.abs();
        }
        true
    }

    fn digital_weights(&mut self) -> Option<&mut [f32]> {
        self.weights.moving().0.digital_weights()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("clean", self.weights.clean().state());
        state.put("scales", self.scales().to_vec());
        state.put("steps", vec![self.steps]);
        state.nest("circuits", self.circuits.state());
        match &self.modified {
            Modified::No => {}
            Modified::Shared(weights) => state.put("modified", weights.clone()),
            Modified::PerSample(key) => state.put("modifier_key", key.words().to_vec()),
        }
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let scales = state.floats("scales", self.shape.outputs)?.to_vec();
        if let Some(scale) = scales.iter().find(|scale| **scale <= 0.0) {
            return Err(StateError::new("scales", format!("holds {scale}, must be above 0")));
        }
        let steps = state.counts("steps", 1)?[0];
        let modified = if state.has("modified") {
            Modified::Shared(state.floats("modified", self.weights.clean().values().len())?.to_vec())
        } else if state.has("modifier_key") {
            let words = state.counts("modifier_key", 2)?;
            Modified::PerSample(RngKey::from_words([words[0], words[1]]))
        } else {
            Modified::No
        };
        let mut circuits = self.circuits.clone();
        circuits.restore(&state.part("circuits"))?;
        let moving = self.weights.moving();
        moving.0.restore(&state.part("clean"))?;
        *moving.1 = scales;
        (self.steps, self.modified, self.circuits) = (steps, modified, circuits);
        self.weights.keep_held();
        Ok(())
    }
}

impl ReadOut for HardwareAwareTile {
    /// The clean weights W.
    fn weights(&self) -> DMatrix<f32> {
        self.weights.clean().weights()
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let (omega, columnwise) = self.scaling;
        let (clean, own) = self.weights.moving();
        clean.set_weights(weights, key)?;
        // Without ω the quotient is infinite, which means a scale of 1.
        *own = scales(clean.values(), self.shape.inputs, omega, columnwise);
        self.begin(key);
        Ok(())
    }

    /// Remapping moves the scales here, where learned output scales end up, too.
    fn settings(&self) -> Vec<TileSettings> {
        vec![TileSettings { scales: self.scales().to_vec(), ..TileSettings::default() }]
    }
}
