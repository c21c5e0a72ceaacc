//! IR drop: the nodal solver against closed forms and a dense solve, and the other models against the nodal solver.

use super::{backward, keys, product, transparent, uniform};
use aimc_device::RngKey;
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::matmul::Weights;
use aimc_tile::periphery::ir_drop::resistive_grid::{ResistiveGrid, WireResistance};
use aimc_tile::periphery::ir_drop::{IrDropModel, Ladder, Nodal, PairConductance};
use aimc_tile::periphery::noise_management::NoiseManagement::{self, AbsMax};
use aimc_tile::{IoConfig, MatVec, ReadOut, SampleKeys, Shape, TileConfig, UnitCell};
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

/// Wires of every kind at random.
fn resistance() -> impl Strategy<Value = WireResistance> {
    (0.01_f64..200.0, 0.01_f64..200.0, 0.0_f64..1e4, 0.0_f64..1e4).prop_map(
        |(word_line, bit_line, driver, sense)| WireResistance { word_line, bit_line, driver, sense },
    )
}

/// Kirchhoff's laws in node voltages (not in losses, as the solver has them), solved densely.
fn dense(g: &[f64], columns: usize, r: WireResistance, voltages: &[f64]) -> Vec<f64> {
    let (rows, n) = (g.len() / columns, g.len());
    let mut laws = DMatrix::<f64>::zeros(2 * n, 2 * n);
    let mut sources = DVector::zeros(2 * n);
    let mut join = |a: usize, b: usize, g: f64| {
        laws[(a, a)] += g;
        laws[(b, b)] += g;
        laws[(a, b)] -= g;
        laws[(b, a)] -= g;
    };
    for i in 0..rows {
        for j in 0..columns {
            let at = i * columns + j;
            join(at, n + at, g[at]);
            if j + 1 < columns {
                join(at, at + 1, 1.0 / r.word_line);
            }
            if i + 1 < rows {
                join(n + at, n + at + columns, 1.0 / r.bit_line);
            }
        }
    }
    let (g_driver, g_sense) = (1.0 / (r.driver + r.word_line), 1.0 / (r.sense + r.bit_line));
    for i in 0..rows {
        laws[(i * columns, i * columns)] += g_driver;
        sources[i * columns] += g_driver * voltages[i];
    }
    let last = |j: usize| n + (rows - 1) * columns + j;
    (0..columns).for_each(|j| laws[(last(j), last(j))] += g_sense);
    let v = laws.lu().solve(&sources).unwrap();
    (0..columns).map(|j| g_sense * v[last(j)]).collect()
}

proptest! {
    #![proptest_config(strategies::config(64))]

    /// The dense solution loses digits where wires conduct far better than devices: its condition number is about the
    /// ratio of the largest to the smallest conductance times the number of nodes, each digit of which costs one.
    #[test]
    fn the_grid_obeys_kirchhoff(rows in 1_usize..6, columns in 1_usize..6, r in resistance(), seed in strategies::seed()) {
        let mut draws = RngKey::root(seed).stream(0);
        let g: Vec<f64> = (0..rows * columns).map(|_| 1e-6 * (1.0 + 99.0 * f64::from(draws.uniform()))).collect();
        let voltages: Vec<f64> = (0..rows).map(|_| f64::from(draws.normal())).collect();
        let ours = ResistiveGrid::new(g.clone(), columns, r).solve(&voltages);
        prop_assert!(ours.residual < 1e-9, "{}", ours.residual);
        let condition = (1.0 / r.word_line.min(r.bit_line)) / 1e-6 * (rows * columns) as f64;
        let largest = voltages.iter().map(|v| v.abs()).sum::<f64>() * 1e-4;
        for (a, b) in ours.currents.iter().zip(dense(&g, columns, r, &voltages)) {
            assert_close!(*a, b, largest * (1e-9 + f64::EPSILON * condition));
        }
    }

    /// A sample's result does not depend on the samples beside it, bit for bit.
    #[test]
    fn samples_do_not_see_each_other(r in resistance(), seed in strategies::seed()) {
        let mut draws = RngKey::root(seed).stream(0);
        let g: Vec<f64> = (0..20).map(|_| 1e-4 * f64::from(draws.uniform())).collect();
        let grid = ResistiveGrid::new(g, 4, r);
        let voltages: Vec<f64> = (0..5 * 11).map(|_| f64::from(draws.normal())).collect();
        let together = grid.solve(&voltages).currents;
        for (alone, together) in voltages.chunks(5).zip(together.chunks(4)) {
            prop_assert_eq!(&grid.solve(alone).currents, together);
        }
    }
}

/// One word line: a voltage divider chain has the closed form of continued fractions, here for two devices.
#[test]
fn one_row_and_one_column_by_hand() {
    let r = WireResistance { word_line: 10.0, bit_line: 20.0, driver: 30.0, sense: 40.0 };
    let (g1, g2) = (1e-3, 2e-3);
    // Each device continues into its bit line: a series of 1/g, wire and sense amplifier.
    let branch = |g: f64| 1.0 / g + 60.0;
    let second = 10.0 + branch(g2);
    let parallel = 1.0 / (1.0 / branch(g1) + 1.0 / second);
    let node = parallel / (parallel + 40.0);
    let row = ResistiveGrid::new(vec![g1, g2], 2, r).solve(&[1.0]);
    assert_close!(row.currents[0], node / branch(g1), 1e-12);
    assert_close!(row.currents[1], node / second, 1e-12);
    // A column is a row seen from its sense amplifier: by reciprocity each driver alone gives what the mirrored row would.
    let mirrored = WireResistance { word_line: 20.0, bit_line: 10.0, driver: 40.0, sense: 30.0 };
    let row = ResistiveGrid::new(vec![g2, g1], 2, mirrored).solve(&[1.0]);
    let column = ResistiveGrid::new(vec![g1, g2], 1, r);
    assert_close!(column.solve(&[1.0, 0.0]).currents[0], row.currents[1], 1e-12);
    assert_close!(column.solve(&[0.0, 1.0]).currents[0], row.currents[0], 1e-12);
}

fn weights(outputs: usize, inputs: usize) -> Vec<f32> {
    let mut values = vec![0.0; outputs * inputs];
    RngKey::root(3).stream(0).fill_uniform(&mut values);
    values.iter_mut().for_each(|w| *w = 2.0 * *w - 1.0);
    values
}

/// With a thousandth of the resistance, the error is a thousandth to first order; with none of it, only rounding.
#[test]
fn wires_without_resistance_give_the_ideal_product() {
    let w = weights(6, 9);
    let matrix = Weights::new(&w, 6, 9);
    let x: Vec<f32> = (0..9).map(|i| 0.1 * i as f32 - 0.3).collect();
    let mut ideal = vec![0.0; 6];
    matrix.multiply(&x, &mut ideal);
    let error = |scale: f32| {
        let (y, residual) = Nodal::default().solve(matrix, &x, scale);
        assert!(residual < 1e-9);
        y.iter().zip(&ideal).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max)
    };
    let ratio = error(100.0) / error(10.0);
    assert!((9.0..=10.5).contains(&ratio), "{ratio}");
    assert!(error(1e-5) < 16.0 * f64::from(f32::EPSILON));
}

/// Where bit lines alone have resistance and every row is a node, the ladder is exact up to the half segment at the ADC
/// and the pull of conductances that virtual grounds share: the devices of a pair lie on one line in the ladder, on two in
/// the nodal solver. For weights of one sign the empty line carries nothing, and both are one ladder.
#[test]
fn the_ladder_is_a_bit_line_of_the_nodal_solver() {
    let w: Vec<f32> = weights(4, 16).iter().map(|w| w.abs()).collect();
    let x: Vec<f32> = (0..16).map(|i| 0.05 * i as f32).collect();
    let conductance = PairConductance { g_max: 25.0, g_min: 0.0, w_at_g_max: 1.0 };
    let ladder =
        Ladder { r_row: 50.0, rows: 0, segments: 16, conductance: conductance.clone(), ..Ladder::default() };
    let (values, _) = ladder.attenuated(Weights::new(&w, 4, 16), 1.0);
    // One array of four bit lines, read at one end or at the other; the wire to the ADC is half a segment in the ladder.
    let nodal = |flipped: bool| {
        let row = |i: usize| if flipped { 15 - i } else { i };
        let g = (0..16).flat_map(|i| (0..4).map(move |column| (row(i), column)));
        let g: Vec<f64> = g.map(|(i, column)| 25e-6 * f64::from(w[column * 16 + i])).collect();
        let r = WireResistance { word_line: 1e-9, bit_line: 50.0, driver: 0.0, sense: -25.0 };
        let voltages: Vec<f64> = (0..16).map(|i| f64::from(x[row(i)])).collect();
        ResistiveGrid::new(g, 4, r).solve(&voltages).currents
    };
    let ends = [nodal(false), nodal(true)];
    for column in 0..4 {
        let y: f64 = (0..16).map(|j| f64::from(values[column * 16 + j]) * f64::from(x[j])).sum();
        let exact = ends[column % 2][column] / 25e-6;
        assert_close!(y, exact, 1e-6 * exact.abs());
    }
}

/// For lines of one sign, small loads and word lines without resistance, the closed form is the nodal solution to within the
/// share that it approximates: at a load a it claims to lose c(a) of the current near the far end; the exact loss of an
/// all-on line is a/3 - 2a²/15 + O(a³) (tanh √a/√a for a line with distributed load a = R_wire·G_line).
#[test]
fn the_closed_form_agrees_for_even_lines() {
    let n = 64;
    for load in [0.05_f64, 0.2] {
        let g = vec![1e-5; n];
        let r = load / (n as f64 * n as f64 * 1e-5);
        let grid = ResistiveGrid::new(
            g,
            1,
            WireResistance { word_line: 1e-9, bit_line: r, driver: 0.0, sense: 0.0 },
        );
        let share = grid.solve(&vec![1.0; n]).currents[0] / (n as f64 * 1e-5);
        let exact = load.sqrt().tanh() / load.sqrt();
        // A chain of n nodes is the continuous line up to 1/n of the loss.
        assert_close!(share, exact, (1.0 - exact) * 3.0 / n as f64);
        let position = 1.0 - ((n + 1) * (2 * n + 1)) as f64 / (6 * n * n) as f64;
        let lost = aimc_tile::periphery::ir_drop::closed_form::lost_share(load as f32);
        let closed = 1.0 - f64::from(lost) * position;
        // c(a)·2/3 = a/3 - 2a²/15 + …: equal to both orders; the rest is the cubic term and the 3/n above.
        assert_close!(closed, exact, (1.0 - exact) * 3.0 / n as f64 + 0.2 * load.powi(3));
    }
}

/// Lines of one sign lose current, the more the longer the wire: 0 ≤ y ≤ y₀, falling with `ir_drop`, in both directions.
#[test]
fn the_closed_form_only_takes_current() {
    let weights = uniform(5, 40, 3).abs();
    let x = uniform(40, 6, 4).abs();
    let read = |ir_drop: f32| {
        // Loads of 40 lines of at most 1: a ≤ 40·40/5000 = 0.32, where c(a) grows with a.
        let io = IoConfig { ir_drop, ir_drop_g_ratio: 5000.0, ..transparent(AbsMax) };
        (
            product(&io, &weights, &x, 1),
            backward(&super::tile(&io, &weights), &x.rows(0, 5).into_owned(), keys(1)),
        )
    };
    let mut last = read(0.0);
    for ir_drop in [0.5, 1.0, 2.0] {
        let now = read(ir_drop);
        for (now, last) in now.0.iter().chain(now.1.iter()).zip(last.0.iter().chain(last.1.iter())) {
            assert!(*now >= 0.0 && now < last, "{now} {last} at {ir_drop}");
        }
        last = now;
    }
}

/// 512 full devices of 25 µS behind 8 segments, all inputs at 0.5, which the DAC of seven bits makes 31/63: three figures
/// of AIHWKit 1.1 in its sum of ticks, given with three digits.
#[test]
fn full_ladders_read_the_known_shares() {
    let weights = DMatrix::from_element(1, 512, 1.0_f32);
    for (r_row, share) in [(0.15, 0.751), (0.35, 0.587), (1.0, 0.375)] {
        let io = IoConfig {
            ir_drop: 1.0,
            ir_drop_model: IrDropModel::Ladder(Ladder { r_row, ..Ladder::default() }),
            inp_res: 1.0 / 126.0,
            inp_bound: 1.0,
            ..transparent(NoiseManagement::None)
        };
        let y = product(&io, &weights, &DMatrix::from_element(512, 1, 0.5), 1)[0] / 256.0;
        assert_close!(y, share, 5e-4);
    }
}

/// As part of a tile: any model, any thread count, split batches; a model that does not fit is refused by name.
#[test]
fn tiles_use_the_models() {
    let tile = |model: IrDropModel, ir_drop| {
        let io = IoConfig { ir_drop, ir_drop_model: model, out_noise: 0.0, ..IoConfig::default() };
        let config = TileConfig { device: UnitCell::ideal(), forward: io, ..TileConfig::default() };
        let mut tile = config.build(Shape { outputs: 6, inputs: 9 }, RngKey::root(1)).unwrap();
        tile.set_weights(&DMatrix::from_row_slice(6, 9, &weights(6, 9)), RngKey::root(1)).unwrap();
        tile
    };
    let x = DMatrix::from_fn(9, 4, |i, j| 0.1 * (i as f32 - 4.0) * (j as f32 + 1.0));
    let read = |model: IrDropModel, ir_drop: f32, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut y = DMatrix::zeros(6, 4);
        let draws = SampleKeys::new(RngKey::root(2));
        pool.install(|| tile(model, ir_drop).forward(x.as_view(), y.as_view_mut(), draws).unwrap());
        y
    };
    let ladder = Ladder { rows: 0, segments: 3, r_row: 500.0, ..Ladder::default() };
    let nodal = Nodal { r_bit_line: 500.0, ..Nodal::default() };
    for model in [IrDropModel::ClosedForm, IrDropModel::Ladder(ladder), IrDropModel::Nodal(nodal)] {
        let scale = if model == IrDropModel::ClosedForm { 500.0 } else { 1.0 };
        let one = read(model.clone(), scale, 1);
        assert_eq!(one, read(model.clone(), scale, 2));
        assert!(one.norm() < 0.999 * read(model.clone(), 0.0, 1).norm(), "{model:?} takes current");
    }
    let io = IoConfig {
        ir_drop: 1.0,
        ir_drop_model: IrDropModel::Ladder(Ladder::default()),
        ..IoConfig::default()
    };
    let config = TileConfig { forward: io, ..TileConfig::default() };
    let error = config.build(Shape { outputs: 2, inputs: 513 }, RngKey::root(1)).unwrap_err();
    assert_eq!(error.field, "forward.ir_drop_model.rows");
}
