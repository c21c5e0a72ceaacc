//! The exact solution of a resistive crossbar: Kirchhoff's laws at every crossing.
//!
//! ```text
//!        r_driver  r_word   r_word
//!  V_i ──/\/\──────/\/\──•──/\/\──•── …        word line i, node (i, j): V_i - u_ij
//!                        G        G             device from node (i, j) of the word line to that of the bit line
//!                        •        •             bit line j, node (i, j): b_ij
//!                        │ r_bit  │             … down to the last row, then r_bit and r_sense to ground
//! ```
//!
//! Unknowns are the voltage u that word lines have lost and the voltage b that bit lines have gained: both are small, so
//! that nothing cancels. With T_w, T_b the conductance matrices of the wires (tridiagonal line by line) and the device
//! currents I = G∘(V - u - b), the laws T_w u = I, T_b b = I become
//!
//! ```text
//! (T_w + G) u + G b = G V          S = T_b + G - G (T_w + G)⁻¹ G
//! G u + (T_b + G) b = G V          S b = G V - G (T_w + G)⁻¹ G V
//! ```
//!
//! S is positive definite. It is solved by conjugate gradients, preconditioned by T_b + G: both inverses are exact
//! elimination along lines. The number of iterations depends on the share of the voltage that the wires lose, not on the
//! size of the array. Every right-hand side is stopped by its own residual, so that a sample's result does not depend on the
//! samples beside it; there is no start value, hence no history.
//!
//! G in S, r in Ω, V in V, currents in A.

use rayon::prelude::*;

/// Right-hand sides solved side by side.
const LANES: usize = 8;

/// Residual at which a right-hand side is done, relative to its device currents.
const TOLERANCE: f64 = 1e-11;

/// Iterations after which the solver gives up: far beyond what any array of passive devices needs.
const MOST: usize = 10_000;

type Lane = [f64; LANES];

/// A crossbar of rows (word lines) x columns (bit lines).
#[derive(Clone, Debug)]
pub struct ResistiveGrid {
    rows: usize,
    columns: usize,
    /// Device conductances, row by row (S).
    g: Vec<f64>,
    /// Eliminated diagonals of T_w + G and T_b + G.
    word: Vec<f64>,
    bit: Vec<f64>,
    g_word: f64,
    g_bit: f64,
    g_sense: f64,
}

/// Resistances around and along the lines (Ω).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireResistance {
    /// Segment of a word line, above 0.
    pub word_line: f64,
    /// Segment of a bit line, above 0.
    pub bit_line: f64,
    /// Driver of a word line, 0 or above.
    pub driver: f64,
    /// Sense amplifier of a bit line, 0 or above.
    pub sense: f64,
}

/// Currents at the sense amplifiers (A), columns of one sample after another, and how well Kirchhoff's laws hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// Currents, one per column and sample.
    pub currents: Vec<f64>,
    /// Largest violation of Kirchhoff's laws at a node, relative to the largest device current without wires.
    pub residual: f64,
}

/// Diagonal of a line of `n` nodes: wires to both neighbours, the far end open, the near end behind `end`.
fn wires(k: usize, n: usize, segment: f64, end: f64, near: usize) -> f64 {
    let neighbours = usize::from(k > 0) + usize::from(k + 1 < n);
    neighbours as f64 * segment + if k == near { end } else { 0.0 }
}

impl ResistiveGrid {
    /// Prepares the solution for device conductances `g` (S), `columns` per row; factors along all lines.
    ///
    /// # Panics
    /// If `g` does not fill the rows, which is an error of the caller.
    #[must_use]
    pub fn new(g: Vec<f64>, columns: usize, resistance: WireResistance) -> Self {
        assert!(columns > 0 && g.len().is_multiple_of(columns), "conductances must fill the rows");
        let rows = g.len() / columns;
        let (g_word, g_bit) = (1.0 / resistance.word_line, 1.0 / resistance.bit_line);
        let g_driver = 1.0 / (resistance.driver + resistance.word_line);
        let g_sense = 1.0 / (resistance.sense + resistance.bit_line);
        let (mut word, mut bit) = (g.clone(), g.clone());
        for i in 0..rows {
            for j in 0..columns {
                let at = i * columns + j;
                word[at] += wires(j, columns, g_word, g_driver, 0);
                bit[at] += wires(i, rows, g_bit, g_sense, rows - 1);
                if j > 0 {
                    word[at] -= g_word * g_word / word[at - 1];
                }
                if i > 0 {
                    bit[at] -= g_bit * g_bit / bit[at - columns];
                }
            }
        }
        Self { rows, columns, g, word, bit, g_word, g_bit, g_sense }
    }

    /// (T + G)⁻¹ in place, along lines whose nodes are `stride` apart.
    fn eliminate(&self, x: &mut [Lane], pivots: &[f64], wire: f64, along_rows: bool) {
        let (n, stride) = if along_rows { (self.columns, 1) } else { (self.rows, self.columns) };
        // Both directions walk through memory in order: row by row.
        for at in 0..x.len() {
            let k = if along_rows { at % n } else { at / self.columns };
            if k > 0 {
                let (before, factor) = (x[at - stride], wire / pivots[at - stride]);
                x[at].iter_mut().zip(before).for_each(|(x, before)| *x += factor * before);
            }
        }
        for at in (0..x.len()).rev() {
            let k = if along_rows { at % n } else { at / self.columns };
            let inverse = 1.0 / pivots[at];
            if k + 1 < n {
                let after = x[at + stride];
                x[at].iter_mut().zip(after).for_each(|(x, after)| *x = (*x + wire * after) * inverse);
            } else {
                x[at].iter_mut().for_each(|x| *x *= inverse);
            }
        }
    }

    fn solve_word(&self, x: &mut [Lane]) {
        self.eliminate(x, &self.word, self.g_word, true);
    }

    fn solve_bit(&self, x: &mut [Lane]) {
        self.eliminate(x, &self.bit, self.g_bit, false);
    }

    /// (T_b + G) x.
    fn apply_bit(&self, x: &[Lane]) -> Vec<Lane> {
        let (n, c) = (self.rows, self.columns);
        let mut y = vec![[0.0; LANES]; x.len()];
        for (at, y) in y.iter_mut().enumerate() {
            let i = at / c;
            let diagonal = self.g[at] + wires(i, n, self.g_bit, self.g_sense, n - 1);
            for l in 0..LANES {
                let above = if i > 0 { x[at - c][l] } else { 0.0 };
                let below = if i + 1 < n { x[at + c][l] } else { 0.0 };
                y[l] = diagonal * x[at][l] - self.g_bit * (above + below);
            }
        }
        y
    }

    /// S x.
    fn apply(&self, x: &[Lane]) -> Vec<Lane> {
        let mut through = self.through_devices(x);
        self.solve_word(&mut through);
        let mut y = self.apply_bit(x);
        for (at, (y, through)) in y.iter_mut().zip(&through).enumerate() {
            y.iter_mut().zip(through).for_each(|(y, through)| *y -= self.g[at] * through);
        }
        y
    }

    /// G∘x.
    fn through_devices(&self, x: &[Lane]) -> Vec<Lane> {
        x.iter().zip(&self.g).map(|(x, g)| x.map(|x| g * x)).collect()
    }

    /// Currents for the voltages of the word lines, `rows` of one sample after another.
    ///
    /// # Panics
    /// If the voltages do not fill whole samples, which is an error of the caller.
    #[must_use]
    pub fn solve(&self, voltages: &[f64]) -> Solution {
        assert!(voltages.len().is_multiple_of(self.rows), "voltages must fill whole samples");
        let parts: Vec<(Vec<f64>, f64)> =
            voltages.par_chunks(self.rows * LANES).map(|voltages| self.solve_lanes(voltages)).collect();
        let residual = parts.iter().fold(0.0_f64, |most, (_, residual)| most.max(*residual));
        Solution { currents: parts.into_iter().flat_map(|(currents, _)| currents).collect(), residual }
    }

    /// Up to [`LANES`] samples.
    fn solve_lanes(&self, voltages: &[f64]) -> (Vec<f64>, f64) {
        let samples = voltages.len() / self.rows;
        let driven = |at: usize| {
            let mut lane = [0.0; LANES];
            lane.iter_mut().take(samples).enumerate().for_each(|(l, value)| {
                *value = self.g[at] * voltages[l * self.rows + at / self.columns];
            });
            lane
        };
        let gv: Vec<Lane> = (0..self.g.len()).map(driven).collect();
        let largest = gv
            .iter()
            .fold([0.0_f64; LANES], |most, lane| std::array::from_fn(|l| most[l].max(lane[l].abs())));
        let b = self.conjugate_gradients(&self.reduced(&gv), &largest);
        let residual = self.residual(&gv, &b, &largest);
        let last = &b[(self.rows - 1) * self.columns..];
        let currents = (0..samples).flat_map(|l| last.iter().map(move |lane| lane[l] * self.g_sense));
        (currents.collect(), residual)
    }

    /// G V - G (T_w + G)⁻¹ G V.
    fn reduced(&self, gv: &[Lane]) -> Vec<Lane> {
        let mut lost = gv.to_vec();
        self.solve_word(&mut lost);
        let lost = self.through_devices(&lost);
        gv.iter().zip(&lost).map(|(gv, lost)| std::array::from_fn(|l| gv[l] - lost[l])).collect()
    }

    fn conjugate_gradients(&self, right: &[Lane], largest: &Lane) -> Vec<Lane> {
        let mut b = vec![[0.0; LANES]; right.len()];
        let mut r = right.to_vec();
        let mut z = r.clone();
        self.solve_bit(&mut z);
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        for _ in 0..MOST {
            let active = unfinished(&r, largest);
            if !active.contains(&true) {
                break;
            }
            let sp = self.apply(&p);
            let psp = dot(&p, &sp);
            let alpha: Lane = std::array::from_fn(|l| if active[l] { rz[l] / psp[l] } else { 0.0 });
            for at in 0..b.len() {
                for l in 0..LANES {
                    b[at][l] += alpha[l] * p[at][l];
                    r[at][l] -= alpha[l] * sp[at][l];
                }
            }
            z.copy_from_slice(&r);
            self.solve_bit(&mut z);
            let next = dot(&r, &z);
            let beta: Lane = std::array::from_fn(|l| if active[l] { next[l] / rz[l] } else { 0.0 });
            for (p, z) in p.iter_mut().zip(&z) {
                p.iter_mut().zip(z).zip(beta).for_each(|((p, z), beta)| *p = z + beta * *p);
            }
            rz = next;
        }
        b
    }

    /// Violation of both laws, with u from the first of them.
    fn residual(&self, gv: &[Lane], b: &[Lane], largest: &Lane) -> f64 {
        let gb = self.through_devices(b);
        let mut u: Vec<Lane> =
            gv.iter().zip(&gb).map(|(gv, gb)| std::array::from_fn(|l| gv[l] - gb[l])).collect();
        self.solve_word(&mut u);
        let (gu, bit) = (self.through_devices(&u), self.apply_bit(b));
        let mut worst = 0.0_f64;
        for at in 0..b.len() {
            let j = at % self.columns;
            let g_driver = self.driver();
            let diagonal = self.g[at] + wires(j, self.columns, self.g_word, g_driver, 0);
            for l in 0..LANES {
                let left = if j > 0 { u[at - 1][l] } else { 0.0 };
                let right = if j + 1 < self.columns { u[at + 1][l] } else { 0.0 };
                let word = diagonal * u[at][l] - self.g_word * (left + right) + gb[at][l] - gv[at][l];
                let law = word.abs().max((bit[at][l] + gu[at][l] - gv[at][l]).abs());
                if largest[l] > 0.0 {
                    worst = worst.max(law / largest[l]);
                }
            }
        }
        worst
    }

    /// Conductance to the driver: the first pivot is G plus it plus the wire onwards.
    fn driver(&self) -> f64 {
        let onwards = if self.columns > 1 { self.g_word } else { 0.0 };
        self.word[0] - self.g[0] - onwards
    }
}

/// Products lane by lane, summed in the order of nodes.
fn dot(a: &[Lane], b: &[Lane]) -> Lane {
    let mut sum = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        sum.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sum
}

/// Which lanes have a residual above the tolerance.
fn unfinished(r: &[Lane], largest: &Lane) -> [bool; LANES] {
    let most = r.iter().fold([0.0_f64; LANES], |most, r| std::array::from_fn(|l| most[l].max(r[l].abs())));
    std::array::from_fn(|l| most[l] > TOLERANCE * largest[l])
}
