//! The ideal device: stores any weight exactly and has no pulses, no bounds and no spread.
//!
//! Updates are exact. Decay w ← w(1 - α/lifetime) acts for lifetime > 1, diffusion adds `diffusion`·ξ per
//! mini-batch, reset leaves `reset_std`·ξ; drift is the power law of [`super::drift`]. The limit of every
//! pulsed device for vanishing step, infinite bounds and no noise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, require};
use crate::pulsed::PowerLawDrift;
use crate::pulsed::drift::DriftClock;
use crate::rng::{RngKey, label};
use crate::state::{State, StateError, StatePart};

/// Parameters of the ideal device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ideal {
    /// Std of the random walk of the weight per mini-batch.
    pub diffusion: f32,
    /// Time constant of the decay in mini-batches; 0 switches decay off.
    pub lifetime: f32,
    /// Std of the weight after a reset.
    pub reset_std: f32,
    /// Power-law drift; acts only when the drift operation is called.
    pub drift: PowerLawDrift,
}

impl Default for Ideal {
    fn default() -> Self {
        Self { diffusion: 0.0, lifetime: 0.0, reset_std: 0.01, drift: PowerLawDrift::default() }
    }
}

impl Ideal {
    /// Refuses values outside their range; a lifetime between 0 and 1 is no mini-batch and has no meaning.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("diffusion", self.diffusion)?;
        require::non_negative("lifetime", self.lifetime)?;
        let whole = self.lifetime == 0.0 || self.lifetime > 1.0;
        require::that(whole, "lifetime", self.lifetime, "must be 0 (no decay) or above 1 mini-batch")?;
        require::non_negative("reset_std", self.reset_std)?;
        self.drift.validate().map_err(|error| error.within("drift"))?;
        let spread = self.drift.nu_dtod;
        require::that(spread == 0.0, "drift.nu_dtod", spread, "must be 0: ideal devices are all alike")
    }
}

/// Exactly stored weights, row by row.
#[derive(Clone, Debug)]
pub struct IdealArray {
    device: Ideal,
    weights: Vec<f32>,
    clock: DriftClock,
}

impl IdealArray {
    /// Validates the parameters and makes `n` weights of 0.
    pub fn new(device: Ideal, n: usize) -> Result<Self, ConfigError> {
        device.validate()?;
        Ok(Self { device, weights: vec![0.0; n], clock: DriftClock::default() })
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The weights, to be changed at will.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }

    /// Decay by `alpha` mini-batches.
    pub fn decay(&mut self, alpha: f32) {
        if self.device.lifetime > 1.0 {
            let factor = 1.0 - alpha / self.device.lifetime;
            self.weights.iter_mut().for_each(|w| *w *= factor);
        }
    }

    /// One step of diffusion.
    pub fn diffuse(&mut self, key: RngKey) {
        if self.device.diffusion > 0.0 {
            let mut noise = vec![0.0; self.weights.len()];
            key.stream(0).fill_normal(&mut noise);
            for (w, xi) in self.weights.iter_mut().zip(noise) {
                *w += self.device.diffusion * xi;
            }
        }
    }

    /// Resets all weights to `reset_std`·ξ.
    pub fn reset(&mut self, key: RngKey) {
        key.stream(0).fill_normal(&mut self.weights);
        self.weights.iter_mut().for_each(|w| *w *= self.device.reset_std);
    }

    /// Lets `elapsed` time pass (unit: that of `drift.t_0`).
    pub fn drift(&mut self, elapsed: f32, key: RngKey) {
        let drift = self.device.drift;
        if drift.is_on() {
            let n = self.weights.len();
            let (mut exponent, mut noise) = (vec![0.0; n], vec![0.0; n]);
            key.fold_in(label("exponent")).stream(0).fill_normal(&mut exponent);
            key.stream(0).fill_normal(&mut noise);
            self.clock.advance(&drift, elapsed, &self.weights);
            for i in 0..n {
                let w = self.clock.drifted(&drift, i, self.weights[i], drift.nu, exponent[i]);
                self.weights[i] = w + drift.w_noise_std * noise[i];
            }
            self.clock.last.copy_from_slice(&self.weights);
        }
    }

    /// Everything needed to continue later.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.put("weights", self.weights.clone());
        state.nest("drift", self.clock.state());
        state
    }

    /// Takes over a state that [`IdealArray::state`] gave.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let n = self.weights.len();
        let weights = state.floats("weights", n)?.to_vec();
        self.clock = DriftClock::restore(&state.part("drift"), n)?;
        self.weights = weights;
        Ok(())
    }
}
