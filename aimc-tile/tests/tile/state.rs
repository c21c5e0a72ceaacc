//! Checkpoints of tiles.

use super::{keys, uniform};
use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::state::State;
use aimc_tile::{IdealTile, Shape, TileConfig, TrainableTile};

const SHAPE: Shape = Shape { outputs: 4, inputs: 6 };

/// Tiles with ideal and pulsed storage; `seed` fabricates.
fn tiles(seed: u64) -> Vec<Box<dyn TrainableTile>> {
    let forgetful =
        "[device]\nmodel = \"SoftBounds\"\nwrite_noise_std = 0.5\ndiffusion = 0.01\nlifetime = 30";
    let ideal = "[device]\nmodel = \"Ideal\"\ndiffusion = 0.01\nlifetime = 30";
    let build = |text| {
        let config: TileConfig = config::from_toml(text).unwrap();
        Box::new(config.build(SHAPE, RngKey::root(seed)).unwrap())
    };
    vec![Box::new(IdealTile::new(SHAPE).unwrap()), build(""), build(forgetful), build(ideal)]
}

fn train(tile: &mut dyn TrainableTile, steps: u64) {
    for step in 0..steps {
        let (x, d) = (uniform(6, 3, step), uniform(4, 3, step + 100));
        tile.update(x.as_view(), d.as_view(), 0.02, keys(step)).unwrap();
        tile.end_of_step(RngKey::root(step));
    }
}

/// A tile restored onto other devices continues bit for bit.
#[test]
fn a_restored_tile_continues_bit_for_bit() {
    for (mut original, mut copy) in tiles(1).into_iter().zip(tiles(2)) {
        train(original.as_mut(), 5);
        let state = original.state();
        assert_ne!(state, copy.state());
        copy.restore(&state.root()).unwrap();
        assert_eq!(state, copy.state());
        train(original.as_mut(), 7);
        train(copy.as_mut(), 7);
        assert_eq!(original.state(), copy.state());
        assert_ne!(original.state(), state);
    }
}

/// A state with an array missing, or of another kind of tile, is refused and changes nothing.
#[test]
fn states_that_do_not_fit_are_refused() {
    for mut tile in tiles(1) {
        let before = tile.state();
        assert!(tile.restore(&State::default().root()).is_err());
        assert!(tile.restore(&before.part("no such part")).is_err());
        assert_eq!(tile.state(), before);
    }
    let (ideal, pulsed) = (tiles(1).remove(3), tiles(1).remove(1));
    assert!(tiles(1)[1].restore(&ideal.state().root()).is_err());
    assert!(tiles(1)[3].restore(&pulsed.state().root()).is_err());
}

/// Diffusion and decay act once per end_of_step: w ← (w + ρξ)(1 - 1/T); with T = 2 and no diffusion exactly w/2.
#[test]
fn the_end_of_a_step_forgets() {
    let config: TileConfig = config::from_toml("[device]\nmodel = \"Ideal\"\nlifetime = 2").unwrap();
    let mut tile = config.build(SHAPE, RngKey::root(1)).unwrap();
    let weights = uniform(4, 6, 1);
    aimc_tile::ReadOut::set_weights(&mut tile, &weights, RngKey::root(1)).unwrap();
    aimc_tile::Tile::end_of_step(&mut tile, RngKey::root(2));
    assert_eq!(aimc_tile::ReadOut::weights(&tile), weights / 2.0);
}
