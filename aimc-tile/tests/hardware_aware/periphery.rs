//! The tile inside grids and digital periphery, and optimizers that reach its weights there.

use aimc_device::RngKey;
use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType};
use aimc_tile::{HardwareAwareTileConfig, IdealTile, MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile};
use nalgebra::DMatrix;

/// Multiples of 1/8 in ±1, of which sums and products are exact.
fn eighths(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * columns];
    RngKey::root(seed).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(rows, columns, values).map(|u| (16.0 * u - 8.0).round() / 8.0)
}

fn draws(seed: u64) -> SampleKeys {
    SampleKeys::new(RngKey::root(seed)).in_training()
}

/// Momentum ½ and learning rate ¼, as an optimizer keeps it: by the number of the weight.
fn momentum(moments: &mut [f32]) -> impl FnMut(usize, &mut [f32], &[f32]) + use<'_> {
    |first, weights, gradient| {
        for ((w, g), v) in weights.iter_mut().zip(gradient).zip(&mut moments[first..]) {
            *v = 0.5 * *v + g;
            *w -= 0.25 * *v;
        }
    }
}

fn config(text: &str) -> HardwareAwareTileConfig {
    let config: HardwareAwareTileConfig = aimc_device::config::from_toml(text).unwrap();
    HardwareAwareTileConfig { forward: aimc_tile::IoConfig::perfect(), ..config }
}

/// A matrix over 3 x 2 tiles with scales of its own each learns as one digital matrix.
#[test]
fn momentum_does_not_see_how_a_matrix_is_cut() {
    let shape = Shape { outputs: 7, inputs: 5 };
    let cut = config(
        "[periphery.mapping]\nmax_output_size = 3\nmax_input_size = 3\nweight_scaling_omega = 0.5\n\
         [modifier]\ntype = \"AddNormal\"\nstd_dev = 0.1\n[remap]\ntype = \"LayerwiseSymmetric\"",
    );
    let mut aware = cut.build(shape, RngKey::root(1)).unwrap();
    let mut digital = IdealTile::new(shape).unwrap();
    let start = eighths(7, 5, 1);
    aware.set_weights(&start, RngKey::root(2)).unwrap();
    digital.set_weights(&start, RngKey::root(2)).unwrap();
    assert_eq!((aware.digital_len(), aware.tiles().count()), (35, 6));
    let (mut cut_moments, mut moments) = (vec![0.0; 35], vec![0.0; 35]);
    for step in 0..4 {
        let (x, d) = (eighths(5, 3, 10 + step), eighths(7, 3, 20 + step));
        aware.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut momentum(&mut cut_moments)).unwrap();
        digital.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut momentum(&mut moments)).unwrap();
        aware.end_of_step(RngKey::root(step));
        assert_eq!(aware.weights(), digital.weights(), "step {step}");
    }
}

/// The optimizer sees weights, then α, then r, each once; α and r keep what they have of what is not finite.
#[test]
fn output_scales_and_input_ranges_move_by_the_optimizer() {
    let text = "[periphery.mapping]\nlearn_out_scaling = true\nout_scaling_columnwise = true\nmax_input_size = 2\n\
                [periphery.input_range]\nenable = true\ninit_value = 0.5\ninit_from_data = 0";
    let mut tile = config(text).build(Shape { outputs: 2, inputs: 4 }, RngKey::root(1)).unwrap();
    tile.set_weights(&eighths(2, 4, 1), RngKey::root(2)).unwrap();
    // Two tiles of 2 x 2 weights, two scales and a range each.
    assert_eq!(tile.digital_len(), 14);
    let start: Vec<f32> = tile.tiles().map(|tile| tile.input_range().unwrap()).collect();
    let (x, d) = (eighths(4, 4, 2), eighths(2, 4, 3));
    let mut seen = [0; 14];
    let mut adam: Box<StepWeights<'_>> = Box::new(|first, values, gradient| {
        // The first step of Adam: the rate, against the sign.
        for (i, (value, g)) in values.iter_mut().zip(gradient).enumerate() {
            seen[first + i] += 1;
            *value -= 0.125 * g.signum();
        }
    });
    tile.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *adam).unwrap();
    drop(adam);
    assert_eq!(seen, [1; 14]);
    for (tile, start) in tile.tiles().zip(start) {
        assert!(tile.out_scales().iter().all(|alpha| (alpha - 1.0).abs() == 0.125));
        assert_eq!((tile.input_range().unwrap() - start).abs(), 0.125);
    }
    let before: Vec<_> = tile.tiles().map(|tile| (tile.out_scales().to_vec(), tile.input_range())).collect();
    let mut mad: Box<StepWeights<'_>> = Box::new(|first, values, _| {
        if first % 7 >= 4 {
            values.fill(f32::NAN);
        }
    });
    tile.update_by(x.as_view(), d.as_view(), 0.25, draws(2), &mut *mad).unwrap();
    let after: Vec<_> = tile.tiles().map(|tile| (tile.out_scales().to_vec(), tile.input_range())).collect();
    assert_eq!(before, after);
}

/// Plain descent gives the same, whoever does it.
#[test]
fn digital_scales_learn_beside_an_optimizer() {
    let text = "[periphery.mapping]\nlearn_out_scaling = true\nout_scaling_columnwise = true\n\
                [periphery.input_range]\nenable = true\ninit_value = 0.5\ninit_from_data = 0";
    let build = || {
        let mut tile = config(text).build(Shape { outputs: 2, inputs: 3 }, RngKey::root(1)).unwrap();
        tile.set_weights(&eighths(2, 3, 1), RngKey::root(2)).unwrap();
        tile
    };
    let (x, d) = (eighths(3, 4, 2), eighths(2, 4, 3));
    let (mut plain, mut by, start) = (build(), build(), build());
    plain.update(x.as_view(), d.as_view(), 0.25, draws(1)).unwrap();
    let mut descent: Box<StepWeights<'_>> = Box::new(|_, weights, gradient| {
        weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= 0.25 * g);
    });
    by.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *descent).unwrap();
    let scales = |tile: &aimc_tile::TileGrid<aimc_tile::LogicalTile<_>>| {
        let tile = tile.tiles().next().unwrap();
        (tile.out_scales().to_vec(), tile.input_range())
    };
    assert_eq!(scales(&by), scales(&plain));
    assert_ne!(scales(&by), scales(&start));
    assert_eq!(by.weights(), plain.weights());
}

/// An optimizer elsewhere sees the same numbers in the same places: a step that only notes its gradients, then a visit that
/// moves the numbers, is plain descent.
#[test]
fn digital_numbers_may_be_moved_after_the_step() {
    let text = "[periphery.mapping]\nlearn_out_scaling = true\nout_scaling_columnwise = true\nmax_input_size = 2\n\
                [periphery.input_range]\nenable = true\ninit_value = 0.5\ninit_from_data = 0";
    let build = || {
        let mut tile = config(text).build(Shape { outputs: 2, inputs: 4 }, RngKey::root(1)).unwrap();
        tile.set_weights(&eighths(2, 4, 1), RngKey::root(2)).unwrap();
        tile
    };
    let (x, d) = (eighths(4, 4, 2), eighths(2, 4, 3));
    let (mut plain, mut later) = (build(), build());
    let mut descent: Box<StepWeights<'_>> = Box::new(|_, numbers, gradient| {
        numbers.iter_mut().zip(gradient).for_each(|(number, g)| *number -= 0.25 * g);
    });
    plain.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *descent).unwrap();
    let mut gradients = vec![f32::NAN; later.digital_len()];
    let mut note: Box<StepWeights<'_>> =
        Box::new(|first, _, gradient| gradients[first..][..gradient.len()].copy_from_slice(gradient));
    later.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *note).unwrap();
    drop(note);
    assert_eq!(later.weights(), build().weights());
    later.visit_digital(&mut |first, numbers| {
        numbers.iter_mut().zip(&gradients[first..]).for_each(|(number, g)| *number -= 0.25 * g);
    });
    assert!(gradients.iter().all(|g| g.is_finite()), "{gradients:?}");
    assert_ne!(later.weights(), build().weights());
    assert_eq!(later.state(), plain.state());
}

/// Where weights are remapped, learned output scales become part of the scales of the tile; what is computed stays.
#[test]
fn remapping_takes_output_scales_in() {
    let learn = "[periphery.mapping]\nlearn_out_scaling = true\nout_scaling_columnwise = true\n";
    for (remap, factors) in [("[remap]\ntype = \"ChannelwiseSymmetric\"", [1.0, 1.0]), ("", [2.0, -0.5])] {
        let mut tile = config(&format!("{learn}{remap}"))
            .build(Shape { outputs: 2, inputs: 2 }, RngKey::root(1))
            .unwrap();
        tile.set_weights(&DMatrix::from_row_slice(2, 2, &[0.5, 0.25, -1.0, 0.0]), RngKey::root(2)).unwrap();
        // α ← 1 - ¼·Σ d·y with y = (½, -1), while the optimizer leaves the weights alone.
        let x = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 0.0]);
        let d = DMatrix::from_row_slice(2, 2, &[-8.0, 0.0, -6.0, 0.0]);
        let mut scales_only: Box<StepWeights<'_>> = Box::new(|first, values, gradient| {
            if first >= 4 {
                values.iter_mut().zip(gradient).for_each(|(value, g)| *value -= 0.25 * g);
            }
        });
        tile.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *scales_only).unwrap();
        let before = tile.weights();
        assert_eq!(before, DMatrix::from_row_slice(2, 2, &[1.0, 0.5, 0.5, -0.0]));
        tile.end_of_step(RngKey::root(3));
        assert_eq!(tile.weights(), before);
        let logical = tile.tiles().next().unwrap();
        assert_eq!(logical.out_scales(), factors);
        if factors == [1.0, 1.0] {
            assert_eq!(
                (logical.tile().scales(), &logical.tile().held()[..]),
                (&[1.0, 0.5][..], &[1.0, 0.5, 1.0, 0.0][..])
            );
        }
    }
}

/// The gradient of α belongs to the product of training: with all weights dropped it is 0.
#[test]
fn the_gradient_of_output_scales_meets_the_modifier() {
    let alpha = |pdrop: f32| {
        let mut config = config("[periphery.mapping]\nlearn_out_scaling = true");
        config.modifier = WeightModifierConfig {
            kind: WeightModifierType::DropConnect,
            pdrop,
            from_first_batch: true,
            ..WeightModifierConfig::default()
        };
        let mut tile = config.build(Shape { outputs: 1, inputs: 1 }, RngKey::root(1)).unwrap();
        tile.set_weights(&DMatrix::from_element(1, 1, 0.5), RngKey::root(2)).unwrap();
        let one = DMatrix::from_element(1, 1, 1.0);
        tile.update(one.as_view(), one.as_view(), 0.25, draws(1)).unwrap();
        tile.tiles().next().unwrap().out_scales()[0]
    };
    assert_eq!((alpha(0.0), alpha(1.0)), (0.875, 1.0));
}

/// Analog tiles have no weights for an optimizer, and learn by their own update.
#[test]
fn analog_tiles_leave_nothing_to_an_optimizer() {
    let shape = Shape { outputs: 2, inputs: 3 };
    let mut tile = aimc_tile::TileConfig::default().build(shape, RngKey::root(1)).unwrap();
    assert_eq!(tile.digital_len(), 0);
    let (x, d) = (eighths(3, 1, 2), eighths(2, 1, 3));
    let mut never: Box<StepWeights<'_>> = Box::new(|_, _, _| panic!("there are no digital weights"));
    tile.update_by(x.as_view(), d.as_view(), 0.25, draws(1), &mut *never).unwrap();
    assert!(tile.weights().amax() > 0.0);
    assert_eq!(tile.shape(), shape);
}
