//! The equation of every model, written down a second time in double precision, against the array: steps,
//! their noise, and the point where up and down steps cancel.
//!
//! All devices have a⁺ = 2⁻⁵, a⁻ = ¾·2⁻⁵, b⁺ = 0.75, b⁻ = -0.5 (R = 1.25) and no spread.

use super::{REGISTERED, ROUNDOFF, UNIFORM, array, pulse_all, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{self, Down, Up};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_normal;

const A_UP: f64 = 0.031_25;
const A_DOWN: f64 = 0.75 * A_UP;
const HIGH: f64 = 0.75;
const LOW: f64 = -0.5;
const MEANS: &str = "dw_min = 0.03125\nup_down = 0.25\nw_max = 0.75\nw_min = -0.5\n";

/// How the noise of a pulse depends on its mean Δ and on the weight.
#[derive(Clone, Copy)]
enum Noise {
    /// σ_c|Δ|
    Step,
    /// σ_c·a±
    Constant,
    /// σ_c(|Δ| + add + slope·|w|)
    Complex(f64, f64),
}

/// One model: its entries, its weight changes and its noise.
pub(super) struct Equation {
    pub(super) model: &'static str,
    entries: &'static str,
    pub(super) up: fn(f64) -> f64,
    pub(super) down: fn(f64) -> f64,
    noise: Noise,
}

fn pmax_share() -> f64 {
    1.0 - (-0.0625_f64).exp()
}

fn pmax_full() -> f64 {
    1.25 / (1.0 - (-1.25_f64).exp())
}

/// Linear interpolation of three factors over the range.
fn table(factors: [f64; 3], w: f64) -> f64 {
    let u = 2.0 * (w - LOW) / (HIGH - LOW);
    if u < 1.0 {
        factors[0] + u * (factors[1] - factors[0])
    } else {
        factors[1] + (u - 1.0) * (factors[2] - factors[1])
    }
}

const EQUATIONS: &[Equation] = &[
    Equation { model: "ConstantStep", entries: "", up: |_| A_UP, down: |_| -A_DOWN, noise: Noise::Step },
    Equation {
        model: "SoftBounds",
        entries: "",
        up: |w| A_UP * (1.0 - w / HIGH),
        down: |w| -A_DOWN * (1.0 - w / LOW),
        noise: Noise::Step,
    },
    // Up pulses close the share r of the distance to range_min + B, down pulses of that to range_max - B.
    Equation {
        model: "SoftBoundsPmax",
        entries: "p_max = 20\nalpha = 0.0625\nrange_min = -0.5\nrange_max = 0.75\n",
        up: |w| pmax_share() * (LOW + pmax_full() - w),
        down: |w| -pmax_share() * (w - (HIGH - pmax_full())),
        noise: Noise::Step,
    },
    Equation {
        model: "SoftBoundsReference",
        entries: "reference_mean = 0.125\n",
        up: |w| A_UP * (1.0 - (w + 0.125) / HIGH),
        down: |w| -A_DOWN * (1.0 - (w + 0.125) / LOW),
        noise: Noise::Constant,
    },
    Equation {
        model: "LinearStep",
        entries: "gamma_up = 0.5\ngamma_down = 0.25\ngamma_up_dtod = 0\ngamma_down_dtod = 0\nmult_noise = false\n",
        up: |w| A_UP * (1.0 - 0.5 * w / HIGH),
        down: |w| -A_DOWN * (1.0 - 0.25 * w / LOW),
        noise: Noise::Constant,
    },
    Equation {
        model: "ExpStep",
        entries: "A_up = 0.25\nA_down = 0.125\ngamma_up = 1\ngamma_down = 2\na = 0.5\nb = 0.125\n\
                  dw_min_std_add = 0.0625\ndw_min_std_slope = 0.25\n",
        up: |w| A_UP * (1.0 - 0.25 * (w / 1.25 + 0.125).exp()),
        down: |w| -A_DOWN * (1.0 - 0.125 * (-2.0 * (w / 1.25 + 0.125)).exp()),
        noise: Noise::Complex(0.0625, 0.25),
    },
    Equation {
        model: "PowStep",
        entries: "pow_gamma = 1.5\npow_gamma_dtod = 0\npow_up_down = 0.5\n",
        up: |w| A_UP * ((HIGH - w) / 1.25).powf(1.5),
        down: |w| -A_DOWN * ((w - LOW) / 1.25).powf(0.75),
        noise: Noise::Step,
    },
    Equation {
        model: "PowStepReference",
        entries: "pow_gamma = 1.5\npow_gamma_dtod = 0\nreference_mean = -0.125\n",
        up: |w| A_UP * ((HIGH - (w - 0.125)) / 1.25).powf(1.5),
        down: |w| -A_DOWN * ((w - 0.125 - LOW) / 1.25).powf(1.5),
        noise: Noise::Step,
    },
    Equation {
        model: "PiecewiseStep",
        entries: "piecewise_up = [1.5, 1, 0.25]\npiecewise_down = [0.25, 1, 2]\n",
        up: |w| A_UP * table([1.5, 1.0, 0.25], w),
        down: |w| -A_DOWN * table([0.25, 1.0, 2.0], w),
        noise: Noise::Step,
    },
    Equation {
        model: "TableStep",
        entries: "step_up = [1.5, 1, 0.25]\nstep_down = [0.25, 1, 2]\nstd_up = [1, 1, 1]\nstd_down = [1, 1, 1]\n",
        up: |w| A_UP * table([1.5, 1.0, 0.25], w),
        down: |w| -A_DOWN * table([0.25, 1.0, 2.0], w),
        noise: Noise::Constant,
    },
    // One hidden state: the second pulse of a kind releases the step.
    Equation {
        model: "HiddenStep",
        entries: "hs_dw_min_dtod = 0\nhs_up_down_dtod = 0\n",
        up: |_| A_UP,
        down: |_| -A_DOWN,
        noise: Noise::Step,
    },
];

/// The equations of models whose steps cancel somewhere.
pub(super) fn with_symmetry_point() -> impl Iterator<Item = &'static Equation> {
    EQUATIONS.iter().filter(|equation| (equation.up)(0.0) != (equation.up)(0.25))
}

impl Equation {
    /// All entries, with the given cycle-to-cycle noise.
    fn text(&self, std: f64) -> String {
        let means = if self.model == "SoftBoundsPmax" { "" } else { MEANS };
        let quiet = UNIFORM.replacen("dw_min_std = 0\n", "", 1);
        format!("{quiet}dw_min_std = {std:?}\n{means}{}", self.entries)
    }

    fn change(&self, w: f64, direction: Direction) -> f64 {
        if direction == Up { (self.up)(w) } else { (self.down)(w) }
    }

    /// Changes of the weights of `n` devices by one step from `w0`.
    fn measured(&self, std: f64, w0: f32, direction: Direction, n: (usize, usize), seed: u64) -> Vec<f64> {
        let mut array = array(self.model, &self.text(std), n, 1);
        set_all(array.as_mut(), w0);
        for pulse in 0..if self.model == "HiddenStep" { 2 } else { 1 } {
            pulse_all(array.as_mut(), direction, RngKey::root(seed).fold_in(pulse));
        }
        array.persistent_weights().iter().map(|&w| f64::from(w) - f64::from(w0)).collect()
    }

    /// The root of up + down, which falls with the weight.
    pub(super) fn symmetry_point(&self) -> f64 {
        let (mut low, mut high) = (LOW, HIGH);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if (self.up)(middle) + (self.down)(middle) > 0.0 { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

/// The list above holds every model.
#[test]
fn every_model_has_its_equation() {
    assert_eq!(EQUATIONS.iter().map(|equation| equation.model).collect::<Vec<_>>(), REGISTERED);
}

/// Without noise every pulse is the equation; up to 16 roundings of numbers below 1 (`powf` and `exp` err by
/// a few).
#[test]
fn steps_follow_the_equation() {
    for equation in EQUATIONS {
        for k in -12..=20_i8 {
            let w0 = f32::from(k) / 32.0;
            for direction in [Up, Down] {
                let expected = equation.change(f64::from(w0), direction);
                let found = equation.measured(0.0, w0, direction, (1, 1), 1)[0];
                let model = equation.model;
                assert_close!(found, expected, 16.0 * ROUNDOFF, "{model} at {w0}");
            }
        }
    }
}

/// Cycle-to-cycle noise: Δw is normal about the equation, with the std that the model states.
#[test]
fn noise_follows_the_law_of_the_model() {
    for (k, equation) in EQUATIONS.iter().enumerate() {
        for (w0, seed) in [(0.0_f32, 1), (0.25, 2), (-0.1875, 3)] {
            for (direction, full) in [(Up, A_UP), (Down, A_DOWN)] {
                let mean = equation.change(f64::from(w0), direction);
                let std = 0.25
                    * match equation.noise {
                        Noise::Step => mean.abs(),
                        Noise::Constant => full,
                        Noise::Complex(add, slope) => mean.abs() + add + slope * f64::from(w0.abs()),
                    };
                let seed = 100 * seed + 2 * k as u64 + u64::from(direction == Up);
                expect_normal(&equation.measured(0.25, w0, direction, (100, 200), seed), mean, std);
            }
        }
    }
}

/// Up and down steps cancel where the equations say; 32 roundings: two steps and the rounded weight.
#[test]
fn steps_cancel_at_the_root_of_the_equations() {
    for equation in with_symmetry_point() {
        let root = equation.symmetry_point();
        let step = |direction| equation.measured(0.0, root as f32, direction, (1, 1), 1)[0];
        let (up, down) = (step(Up), step(Down));
        assert_close!(up, -down, 32.0 * ROUNDOFF);
        assert!(up > 0.005, "{}: {up}", equation.model);
    }
}
