//! Time and residual of the nodal solver: 512x512 weights (two devices each), 32 input vectors.

use aimc_device::RngKey;
use aimc_tile::matmul::Weights;
use aimc_tile::periphery::ir_drop::{Nodal, PairConductance};

fn main() {
    let n = 512;
    let mut weights = vec![0.0; n * n];
    RngKey::root(1).stream(0).fill_uniform(&mut weights);
    weights.iter_mut().for_each(|w| *w = 2.0 * *w - 1.0);
    let mut lines = vec![0.0; n * 32];
    RngKey::root(2).stream(0).fill_uniform(&mut lines);
    for g_max in [5.0, 25.0, 100.0] {
        let conductance = PairConductance { g_max, ..PairConductance::default() };
        let start = std::time::Instant::now();
        let (y, residual) =
            Nodal { conductance, ..Nodal::default() }.solve(Weights::new(&weights, n, n), &lines, 1.0);
        println!(
            "g_max {g_max} µS: {:.2} s, residual {residual:.1e}, y[0] = {}",
            start.elapsed().as_secs_f64(),
            y[0]
        );
    }
}
