//! Update management and BL management: how a product lr·x·d becomes two pulse probabilities.
//!
//! A pulse of mean size G (granularity) is to occur lr·|x d|/G times. Trains of BL slots with probabilities
//! px = B|x| and pd = A|d| coincide BL·px·pd times, hence A·B = lr/(G·BL) always. With xm = max|x|,
//! D = `um_grad_scale`·max|d| and k = lr·xm·D/G, the pulses needed at the largest element:
//!
//! - BL management: BL = min(⌈k⌉, `desired_bl`);
//! - update management: A = √(lr/(G·BL)·xm/D), B = √(lr/(G·BL)·D/xm), with D reduced to D·`desired_bl`/k where
//!   k > `desired_bl`. Then B·xm = √(k/⌈k⌉) ≤ 1: x is never clipped, and d only where k > `desired_bl`.
//!
//! Gokmen, Onen & Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538; Rasch, Gokmen &
//! Haensch 2020, IEEE Design & Test 37(2), arXiv:1906.02698.

use crate::pulse::UpdateConfig;

/// Longest train where the learning rate sets the length: beyond it, every slot would pulse anyway.
const LONGEST: f64 = 1e6;

/// Length and scales of the trains of one vector pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainPlan {
    /// Number of time slots.
    pub length: u32,
    /// Pulse probability per unit of |x|, B.
    pub x_scale: f64,
    /// Pulse probability per unit of |d|, A.
    pub d_scale: f64,
}

impl TrainPlan {
    /// Plans the trains of a vector pair with largest sizes `x_max` and `d_max`; `None` if no pulse is needed.
    #[must_use]
    pub fn new(config: &UpdateConfig, lr: f32, granularity: f32, x_max: f32, d_max: f32) -> Option<Self> {
        if lr <= 0.0 || x_max <= 0.0 || d_max <= 0.0 {
            return None;
        }
        let [lr, granularity, x_max, d_max] = [lr, granularity, x_max, d_max].map(f64::from);
        let desired = f64::from(config.desired_bl);
        let managed = config.update_management || config.update_bl_management;
        let mut d_max = single(f64::from(config.um_grad_scale) * d_max);
        let needed = single(single(single(lr * x_max) * d_max) / granularity);
        let (length, scale) =
            if !config.fixed_bl && !config.update_bl_management && lr > granularity * desired {
                ((lr / granularity).ceil().min(LONGEST), 1.0)
            } else {
                let length =
                    if config.update_bl_management { needed.ceil().clamp(1.0, desired) } else { desired };
                (length, single(single(lr / single(granularity * length)).sqrt()))
            };
        if managed && needed > desired {
            d_max = single(single(d_max * desired) / needed);
        }
        let root = |ratio: f64| single(single(ratio).sqrt());
        let (for_d, for_x) = if managed { (root(x_max / d_max), root(d_max / x_max)) } else { (1.0, 1.0) };
        Some(Self { length: length as u32, x_scale: single(scale * for_x), d_scale: single(scale * for_d) })
    }
}

/// The number in single precision, in which AIHWKit plans: where a count lies halfway between two whole numbers, the
/// rounding errors decide. Numbers that single precision cannot hold stay as they are.
fn single(v: f64) -> f64 {
    let rounded = v as f32;
    if rounded.is_normal() { f64::from(rounded) } else { v }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;

    fn plan(config: &UpdateConfig, lr: f32, x: f32, d: f32) -> TrainPlan {
        TrainPlan::new(config, lr, 0.001, x, d).unwrap()
    }

    /// η = 0, max |x| = 0 or max |d| = 0: no train.
    #[test]
    fn nothing_to_do_needs_no_pulse() {
        let config = UpdateConfig::default();
        for (lr, x, d) in [(0.0, 1.0, 1.0), (0.1, 0.0, 1.0), (0.1, 1.0, 0.0)] {
            assert_eq!(TrainPlan::new(&config, lr, 0.001, x, d), None);
        }
    }

    /// BL = desired_bl; without fixed_bl ⌈lr/dw_min⌉ where that is more.
    #[test]
    fn lengths_without_management() {
        let plain =
            UpdateConfig { update_management: false, update_bl_management: false, ..Default::default() };
        assert_eq!(plan(&plain, 0.01, 1.0, 1.0).length, 31);
        let free = UpdateConfig { fixed_bl: false, ..plain };
        assert_eq!(plan(&free, 0.01, 1.0, 1.0).length, 31);
        assert_eq!(plan(&free, 0.05, 1.0, 1.0), TrainPlan { length: 50, x_scale: 1.0, d_scale: 1.0 });
    }

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// A·B = lr/(G·BL) to rounding: at most 8 roundings of relative size 2⁻²⁴ each.
        #[test]
        fn the_product_of_scales_is_fixed(lr in 1e-4_f32..10.0, x in 1e-3_f32..10.0, d in 1e-3_f32..10.0,
                                          um: bool, blm: bool, alpha in 0.1_f32..2.0) {
            let config = UpdateConfig { update_management: um, update_bl_management: blm, um_grad_scale: alpha, ..Default::default() };
            let plan = plan(&config, lr, x, d);
            let product = plan.x_scale * plan.d_scale * f64::from(0.001_f32) * f64::from(plan.length);
            assert_close!(product / f64::from(lr), 1.0, 8.0 * ROUNDOFF);
        }

        /// With both managements x is never clipped, and d only where the trains are too short.
        #[test]
        fn managed_trains_clip_only_d(lr in 1e-4_f32..10.0, x in 1e-3_f32..10.0, d in 1e-3_f32..10.0) {
            let config = UpdateConfig::default();
            let plan = plan(&config, lr, x, d);
            let [lr, x, d, g] = [lr, x, d, 0.001].map(f64::from);
            let k = lr * x * d / g;
            let slack = 1.0 + 8.0 * ROUNDOFF;
            prop_assert!((1..=31).contains(&plan.length));
            prop_assert!(plan.x_scale * x <= slack);
            prop_assert!(plan.d_scale * d <= slack.max(k / 31.0 * slack));
        }

        /// (x, d) → (c·x, d/c) leaves every probability as it is.
        #[test]
        fn rescaling_changes_no_probability(lr in 1e-3_f32..1.0, x in 0.1_f32..3.0, d in 0.1_f32..3.0, log_c in -8_i32..8) {
            // A power of two rescales without rounding.
            let c = 2.0_f32.powi(log_c);
            let config = UpdateConfig::default();
            let (one, other) = (plan(&config, lr, x, d), plan(&config, lr, c * x, d / c));
            prop_assert_eq!(one.length, other.length);
            assert_close!(one.x_scale / (f64::from(c) * other.x_scale), 1.0, 8.0 * ROUNDOFF);
        }
    }
}
