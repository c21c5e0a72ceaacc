//! The record of an optimizer and its recursion for one vector; equations in the [parent module](super).

use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// How digital parameters move, chosen by the field `model`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum OptimizerConfig {
    /// Gradient descent.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Sgd(Sgd::default())
    }
}

impl<'de> Deserialize<'de> for OptimizerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("Sgd", |table| config::decode(table).map(Self::Sgd)),
                ("Adam", |table| config::decode(table).map(Self::Adam)),
            ],
        )
    }
}

/// Gradient descent with momentum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Share of the last step that goes on, μ.
    pub momentum: f32,
    /// Decay λ of parameters.
    pub weight_decay: f32,
    /// Decay acts on the parameter itself instead of the gradient.
    pub decoupled: bool,
    /// Momentum looks ahead.
    pub nesterov: bool,
}

/// Adam; with `decoupled` decay AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Decay of the mean of the gradient, β₁.
    pub beta1: f32,
    /// Decay of the mean of its square, β₂.
    pub beta2: f32,
    /// Added to the root of the mean square, ε.
    pub eps: f32,
    /// Decay λ of parameters.
    pub weight_decay: f32,
    /// Decay acts on the parameter itself instead of the gradient.
    pub decoupled: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false }
    }
}

impl OptimizerConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let below_one = |field: &str, value: f32| {
            require::that((0.0..1.0).contains(&value), field, value, "must be from 0 to below 1")
        };
        match self {
            Self::Sgd(sgd) => {
                below_one("momentum", sgd.momentum)?;
                require::non_negative("weight_decay", sgd.weight_decay)?;
                require::that(!sgd.nesterov || sgd.momentum > 0.0, "nesterov", true, "needs momentum above 0")
            }
            Self::Adam(adam) => {
                below_one("beta1", adam.beta1)?;
                below_one("beta2", adam.beta2)?;
                require::positive("eps", adam.eps)?;
                require::non_negative("weight_decay", adam.weight_decay)
            }
        }
    }

    /// Whether this is gradient descent without momentum and decay.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Sgd(sgd) if sgd.momentum == 0.0 && sgd.weight_decay == 0.0)
    }

    /// Which moments are kept.
    pub(super) fn moments(&self) -> (bool, bool) {
        match self {
            Self::Sgd(sgd) => (sgd.momentum > 0.0, false),
            Self::Adam(_) => (true, true),
        }
    }

    /// Moves `p` against its gradient `g` in step t, from 1; moments are first and second.
    pub(super) fn step(
        &self,
        p: &mut [f32],
        g: &[f32],
        (first, second): (&mut [f32], &mut [f32]),
        lr: f32,
        t: u64,
    ) {
        let (decay, decoupled) = match self {
            Self::Sgd(sgd) => (sgd.weight_decay, sgd.decoupled),
            Self::Adam(adam) => (adam.weight_decay, adam.decoupled),
        };
        let correction = |beta: f32| (1.0 - f64::from(beta).powf(t as f64)) as f32;
        for (i, (p, g)) in p.iter_mut().zip(g).enumerate() {
            let g = if decoupled { *g } else { *g + decay * *p };
            if decoupled {
                *p -= lr * decay * *p;
            }
            *p -= lr
                * match self {
                    Self::Sgd(sgd) if sgd.momentum > 0.0 => {
                        first[i] = sgd.momentum * first[i] + g;
                        if sgd.nesterov { g + sgd.momentum * first[i] } else { first[i] }
                    }
                    Self::Sgd(_) => g,
                    Self::Adam(adam) => {
                        first[i] = adam.beta1 * first[i] + (1.0 - adam.beta1) * g;
                        second[i] = adam.beta2 * second[i] + (1.0 - adam.beta2) * g * g;
                        let mean = first[i] / correction(adam.beta1);
                        mean / ((second[i] / correction(adam.beta2)).sqrt() + adam.eps)
                    }
                };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::optimizer::Optimizer;
    use aimc_testkit::assert_close;

    fn path(toml: &str, p: f32, steps: usize, gradient: fn(f32) -> f32, lr: f32) -> Vec<f32> {
        let mut optimizer = Optimizer::for_vector(config::from_toml(toml).unwrap(), 1).unwrap();
        let mut p = [p];
        (0..steps)
            .map(|_| {
                let g = [gradient(p[0])];
                optimizer.step_vector(&mut p, &g, lr);
                p[0]
            })
            .collect()
    }

    /// Powers of two throughout, so that nothing is rounded.
    #[test]
    fn momentum_by_hand() {
        let plain = path("model = \"Sgd\"", 0.0, 2, |_| 1.0, 0.5);
        assert_eq!(plain, [-0.5, -1.0]);
        let heavy = path("model = \"Sgd\"\nmomentum = 0.5", 0.0, 3, |_| 1.0, 1.0);
        assert_eq!(heavy, [-1.0, -2.5, -4.25]);
        // v = 1, 1.5; steps 1 + 0.5 v = 1.5, 1.75.
        let ahead = path("model = \"Sgd\"\nmomentum = 0.5\nnesterov = true", 0.0, 2, |_| 1.0, 1.0);
        assert_eq!(ahead, [-1.5, -3.25]);
    }

    /// L = a p²/2 with decay λ: pₜ = (1 - η(a + λ))ᵗ p₀, or (1 - ηλ - ηa)ᵗ decoupled, which is the same for Sgd.
    #[test]
    fn decay_on_a_quadratic_follows_its_closed_form() {
        for decoupled in [false, true] {
            let toml = format!("model = \"Sgd\"\nweight_decay = 0.25\ndecoupled = {decoupled}");
            let found = path(&toml, 1.0, 6, |p| p, 0.5);
            for (t, found) in found.iter().enumerate() {
                assert_eq!(*found, 0.375_f32.powi(t as i32 + 1), "decoupled {decoupled}, step {t}");
            }
        }
    }

    /// With a constant gradient m̂ = g and v̂ = g², so that every step is η g/(|g| + ε). Each step rounds m and v
    /// at most three times, then the corrections, quotients, the root and p: at most 3t + 8 roundings.
    #[test]
    fn adam_with_a_constant_gradient_steps_by_the_learning_rate() {
        let found = path("model = \"Adam\"", 0.0, 20, |_| 3.0, 0.125);
        let mut before = 0.0;
        for (i, p) in found.into_iter().enumerate() {
            let bound = (0.125 * (3.0 * (i as f32 + 1.0) + 8.0) + p.abs()) * f32::EPSILON;
            assert_close!(before - p, 0.125, bound, "step {i}");
            before = p;
        }
    }

    /// Powers of two: g = 1, then 0. Second step: m = 1/4, m̂ = (1/4)/(3/4), v = 1/4, v̂ = (1/4)/(3/4).
    #[test]
    fn adam_by_hand() {
        let toml = "model = \"Adam\"\nbeta1 = 0.5\nbeta2 = 0.5\neps = 1.0";
        let mut optimizer = Optimizer::for_vector(config::from_toml(toml).unwrap(), 1).unwrap();
        let mut p = [0.0];
        optimizer.step_vector(&mut p, &[1.0], 1.0);
        assert_eq!(p, [-0.5]);
        optimizer.step_vector(&mut p, &[0.0], 1.0);
        let third = 1.0_f32 / 3.0;
        let expected = -0.5 - third / (third.sqrt() + 1.0);
        assert_close!(p[0], expected, f32::EPSILON);
    }

    /// With g = 0 decoupled decay is all that happens; coupled, Adam makes it a step of η.
    #[test]
    fn decoupled_decay_does_not_pass_through_adam() {
        let found = path("model = \"Adam\"\nweight_decay = 0.5\ndecoupled = true", 1.0, 3, |_| 0.0, 0.5);
        assert_eq!(found, [0.75, 0.5625, 0.421_875]);
        let toml = "model = \"Adam\"\nweight_decay = 0.5\nbeta1 = 0.5\nbeta2 = 0.5\neps = 0.5";
        assert_eq!(path(toml, 1.0, 1, |_| 0.0, 0.5), [0.75], "g = 0.5, step 0.5·0.5/(0.5 + 0.5)");
    }

    #[test]
    fn mistakes_are_named() {
        for (toml, field) in [
            ("model = \"Sgd\"\nmomentum = 1.0", "momentum"),
            ("model = \"Sgd\"\nnesterov = true", "nesterov"),
            ("model = \"Sgd\"\nweight_decay = nan", "weight_decay"),
            ("model = \"Adam\"\nbeta2 = -0.1", "beta2"),
            ("model = \"Adam\"\neps = 0.0", "eps"),
        ] {
            let error = config::from_toml::<OptimizerConfig>(toml).and_then(|record| record.validate());
            assert_eq!(error.unwrap_err().field, field);
        }
        assert_eq!(
            config::from_toml::<OptimizerConfig>("model = \"Sgd\"\nbeta1 = 0.5").unwrap_err().field,
            "beta1"
        );
    }
}
