//! The pulsed outer-product update: the one loop in which trains meet at the devices.
//!
//! A device at the crossing of two lines that fire in the same slot gets one pulse, up where x·d < 0 and down
//! where x·d > 0, so that on average W changes by -lr·d xᵀ. Rows go to different threads; within a row the
//! samples, and within a sample the slots, stay in order.

use aimc_device::parallel;
use aimc_device::pulsed::{DeviceArray, Direction};
use rayon::prelude::*;

use crate::pulse::UpdateConfig;
use crate::pulse::management::TrainPlan;
use crate::pulse::train::Trains;
use crate::tile::SampleKeys;
use crate::unit_cell::OuterProducts;

/// Samples whose trains are held in memory at a time.
const BLOCK: usize = 32;

/// Which part of the pulses an array of devices takes. Arrays that share lines see the same trains.
pub(crate) struct Receiver<'a> {
    /// Mean weight change of a pulse with which the trains are planned.
    pub(crate) granularity: f32,
    /// Label of the devices' own noise.
    pub(crate) noise: u64,
    /// Whether the array takes the pulses of a sample of the call.
    pub(crate) takes: &'a (dyn Fn(usize) -> bool + Sync),
    /// What becomes of a pulse that is to move the weight in a direction; `None`: it does not reach the array.
    pub(crate) route: fn(Direction) -> Option<Direction>,
}

/// Updates `array` by every sample in turn, as far as `receiver` takes it.
pub(crate) fn pulsed_update(
    array: &mut dyn DeviceArray,
    receiver: &Receiver<'_>,
    config: &UpdateConfig,
    products: OuterProducts<'_>,
    draws: SampleKeys,
) {
    let (rows, columns) = array.shape();
    let OuterProducts { x, d, lr } = products;
    let granularity = receiver.granularity;
    let samples = x.chunks(columns).zip(d.chunks(rows)).enumerate();
    let samples: Vec<_> = samples.filter(|(sample, _)| (receiver.takes)(*sample)).collect();
    for block in samples.chunks(BLOCK) {
        let prepare = |&(sample, (x, d)): &(usize, (&[f32], &[f32]))| {
            let plan = TrainPlan::new(config, lr, granularity, largest(x), largest(d))?;
            Some((sample, Trains::draw(config.pulse_source, &plan, x, d, draws.sample(sample))))
        };
        let trains: Vec<_> = if parallel::worthwhile(block.len() * (rows + columns) * 4) {
            block.par_iter().filter_map(prepare).collect()
        } else {
            block.iter().filter_map(prepare).collect()
        };
        let work = trains.iter().map(|(_, trains)| trains.work()).sum();
        array.for_each_row(parallel::worthwhile(work), &|row, port| {
            for (sample, trains) in trains.iter().filter(|(_, trains)| trains.row_fires(row)) {
                let mut noise = draws.sample(*sample).fold_in(receiver.noise).stream(row as u64);
                let d_is_positive = d[sample * rows + row] > 0.0;
                let (for_plus, for_minus) = directions(d_is_positive);
                let (for_plus, for_minus) = ((receiver.route)(for_plus), (receiver.route)(for_minus));
                for (plus, minus) in trains.coincidences(row) {
                    for (columns, direction) in [(plus, for_plus), (minus, for_minus)] {
                        if let Some(direction) = direction {
                            port.pulse(columns, direction, &mut noise);
                        }
                    }
                }
            }
        });
    }
}

/// Directions for inputs above and below 0.
fn directions(d_is_positive: bool) -> (Direction, Direction) {
    if d_is_positive { (Direction::Down, Direction::Up) } else { (Direction::Up, Direction::Down) }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, v| largest.max(v.abs()))
}
