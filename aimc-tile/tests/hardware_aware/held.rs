//! What devices would hold follows the weights and their scales, whatever moves them.

use aimc_testkit::strategies;
use aimc_tile::hardware_aware::{WeightClipConfig, WeightClipType, WeightRemapConfig};
use aimc_tile::{HardwareAwareTile, HardwareAwareTileConfig, ReadOut, Tile};
use proptest::prelude::*;

use crate::tile::{channelwise, evaluation, key, noise, scaled, seen, tile, training, uniform};

/// What can happen to a tile.
#[derive(Clone, Copy, Debug)]
enum Event {
    Update,
    UpdateBy,
    Digital,
    Absorb,
    Step,
    Set,
    Restore,
}

fn event() -> impl Strategy<Value = Event> {
    use Event::{Absorb, Digital, Restore, Set, Step, Update, UpdateBy};
    prop::sample::select(vec![Update, UpdateBy, Digital, Absorb, Step, Set, Restore])
}

fn happen(event: Event, config: &HardwareAwareTileConfig, tile: &mut HardwareAwareTile, seed: u64) {
    let (x, d) = (uniform(5, 4, seed), uniform(3, 4, seed + 500));
    match event {
        Event::Update => tile.update(x.as_view(), d.as_view(), 0.1, training(seed)).unwrap(),
        Event::UpdateBy => {
            let mut step = |_: usize, weights: &mut [f32], g: &[f32]| {
                weights.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.01 * g);
            };
            tile.update_by(x.as_view(), d.as_view(), 0.1, training(seed), &mut step).unwrap();
        }
        Event::Digital => tile.digital_weights().unwrap()[7] += 0.25,
        Event::Absorb => {
            tile.absorb_factors(&[0.5, -2.0, 1.5]);
        }
        Event::Step => tile.end_of_step(key(seed)),
        Event::Set => tile.set_weights(&uniform(3, 5, seed), key(seed)).unwrap(),
        Event::Restore => {
            let mut other = self::tile(config, &uniform(3, 5, seed));
            other.end_of_step(key(seed));
            tile.restore(&other.state().root()).unwrap();
        }
    }
}

fn config(remaps: bool) -> HardwareAwareTileConfig {
    let remap = if remaps { channelwise() } else { WeightRemapConfig::default() };
    let clip =
        WeightClipConfig { kind: WeightClipType::LayerGaussian, sigma: 1.0, ..WeightClipConfig::default() };
    HardwareAwareTileConfig { clip, modifier: noise(0.1), remap, ..scaled(0.6, true) }
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// Ŵ = W/s to the bit after any of the events, and products in evaluation are those with it.
    #[test]
    fn quotients_follow(events in prop::collection::vec(event(), 1..12), remaps: bool, seed in 0_u64..1000) {
        let config = config(remaps);
        let mut tile = tile(&config, &uniform(3, 5, seed));
        for (event, seed) in events.into_iter().zip(seed..) {
            happen(event, &config, &mut tile, seed);
            let weights = tile.weights();
            let found = tile.held().into_owned();
            for (i, scale) in tile.scales().iter().enumerate() {
                for j in 0..5 {
                    prop_assert_eq!(found[5 * i + j], weights[(i, j)] / scale, "{:?}", event);
                }
            }
            let products = seen(&tile, evaluation(1));
            for (i, scale) in tile.scales().iter().enumerate() {
                for j in 0..5 {
                    prop_assert_eq!(products[(i, j)], found[5 * i + j] * scale);
                }
            }
        }
    }
}
