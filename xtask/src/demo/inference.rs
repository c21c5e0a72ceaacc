//! The floating-point network on an inference chip: accuracy from the first second to ten years.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::{InferenceTileConfig, network_at, program_network};
use aimc_nn::Network;
use aimc_tile::{AnalogTile, ReadOut};
use serde::Serialize;

use super::DemoError;
use super::config::DemoConfig;
use crate::data::Split;
use crate::plot::{Axis, Group, Histogram};
use crate::timeline::{self, Timeline, compared_with, spoken};

/// How far the weights are from what they should be, at one time.
#[derive(Debug, Serialize)]
pub(crate) struct WeightErrors {
    /// When, and whether compensated.
    name: String,
    /// Error of every weight as read, in units of the largest weight of its tile.
    errors: Vec<f32>,
}

/// Errors of one programmed copy of `network`: at the first time, and at the last with and without compensation.
pub(crate) fn weight_errors(
    config: &DemoConfig,
    network: &Network<AnalogTile>,
) -> Result<Vec<WeightErrors>, DemoError> {
    let key = RngKey::root(config.seed).fold_in(label("weight errors"));
    let (compensation, _) = compared_with(config.inference.tile.compensation);
    let tile = InferenceTileConfig { compensation, ..config.inference.tile.clone() };
    let programmed = program_network(network, &tile, key.fold_in(label("program")))?;
    let times = &config.inference.times_seconds;
    let (first, last) = (times[0], times[times.len() - 1]);
    let mut all = Vec::new();
    for (t, compensated) in [(first, false), (last, false), (last, true)] {
        let aged = network_at(&programmed, t, key.fold_in(label("read")))?;
        let mut errors = Vec::new();
        for ((_, target), (_, aged)) in network.tiles().zip(aged.tiles()) {
            let target = target.weights();
            let read = if compensated { aged.compensated_weights() } else { aged.weights() };
            errors.extend((read - &target).iter().map(|error| error / target.amax()));
        }
        let name = format!("{}{}", spoken(t), if compensated { ", compensated" } else { "" });
        all.push(WeightErrors { name, errors });
    }
    Ok(all)
}

/// Distribution of the weight errors.
pub(crate) fn error_chart(errors: &[WeightErrors]) -> Histogram {
    let group = |errors: &WeightErrors| Group {
        name: errors.name.clone(),
        values: errors.errors.iter().map(|&error| 100.0 * f64::from(error)).collect(),
    };
    Histogram {
        title: "Errors of the weights".to_owned(),
        x: Axis::linear("weight error", "% of the largest weight"),
        groups: errors.iter().map(group).collect(),
        bins: Some(60),
        marks: Vec::new(),
    }
}

/// Evaluates `network`, whose accuracy in floating point is given.
pub(crate) fn run(
    config: &DemoConfig,
    network: &Network<AnalogTile>,
    floating_point: f64,
    data: &Split,
) -> Result<Timeline, DemoError> {
    let key = RngKey::root(config.seed).fold_in(label("inference"));
    let (tile, plan) = (&config.inference.tile, config.inference.plan());
    Ok(Timeline::measure(network, tile, &plan, floating_point, &data.test, key, &timeline::bar(&plan))?)
}
