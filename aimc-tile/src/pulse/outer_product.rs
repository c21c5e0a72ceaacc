//! The pulsed outer-product update: the one loop in which trains meet at the devices.
//!
//! A device at the crossing of two lines that fire in the same slot gets one pulse, up where x·d < 0 and down
//! where x·d > 0, so that on average W changes by -lr·d xᵀ. Rows go to different threads; within a row the
//! samples, and within a sample the slots, stay in order.

use aimc_device::parallel;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_device::rng::label;
use rayon::prelude::*;

use crate::pulse::UpdateConfig;
use crate::pulse::management::TrainPlan;
use crate::pulse::train::Trains;
use crate::tile::SampleKeys;

/// Samples whose trains are held in memory at a time.
const BLOCK: usize = 32;

/// Updates `array` by every sample in turn; `x` and `d` hold the samples one after another.
pub fn pulsed_update(
    array: &mut dyn DeviceArray,
    config: &UpdateConfig,
    x: &[f32],
    d: &[f32],
    lr: f32,
    draws: SampleKeys,
) {
    let (rows, columns) = array.shape();
    let granularity = array.granularity();
    let samples: Vec<_> = x.chunks(columns).zip(d.chunks(rows)).enumerate().collect();
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
                let mut noise = draws.sample(*sample).fold_in(label("devices")).stream(row as u64);
                let d_is_positive = d[sample * rows + row] > 0.0;
                let (for_plus, for_minus) = directions(d_is_positive);
                for (plus, minus) in trains.coincidences(row) {
                    port.pulse(plus, for_plus, &mut noise);
                    port.pulse(minus, for_minus, &mut noise);
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
