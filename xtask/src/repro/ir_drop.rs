//! IR drop against the size of the array.
//!
//! A bit line of n devices of conductance G, all driven by V, with segments of resistance r between them and to the virtual
//! ground. Kirchhoff's laws for the node k from the far end, u = V - v:
//!
//! ```text
//! u_(k+1) - 2u_k + u_(k-1) = rG·u_k   ⇒   u_k ∝ cosh(λ(k - 1/2)),  2cosh λ - 2 = rG
//! y/y₀ = (1 - cosh(λ(n - 1/2))/cosh(λ(n + 1/2)))/(n·rG)   →   tanh(a)/a with a = n√(rG)
//! ```
//!
//! For a ≪ 1 the loss is a²/3: four times as much in an array of twice the size. Reference of the law without a solver: M. J. Rasch et
//! al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, as in AIHWKit.

use aimc_tile::matmul::Weights;
use aimc_tile::periphery::ir_drop::closed_form::{lost_share, position_weight};
use aimc_tile::periphery::ir_drop::{Nodal, PairConductance};
use serde_json::json;

use super::claim::{Basis, Claim, Outcome};
use super::{Context, ReproError, Reproduction};
use crate::plot::{Axis, LineChart, Series, SeriesStyle};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "ir-drop",
    citation: "Kirchhoff's laws; M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4",
    what: "Share of the current that wires leave, against the size of the array",
    minutes: 1,
    run,
};

/// A segment of wire (Ω) and a device (µS), as in AIHWKit.
const SEGMENT: f32 = 0.35;
const DEVICE: f32 = 5.0;
const SIZES: [usize; 6] = [16, 32, 64, 128, 256, 512];

/// Share of the current that is read (%), for sizes.
type Curve = Vec<(f64, f64)>;

fn run(_context: &Context) -> Result<Outcome, ReproError> {
    let at = |sizes: &[usize], share: fn(usize) -> f64| -> Curve {
        sizes.iter().map(|&n| (n as f64, 100.0 * share(n))).collect()
    };
    let curves = Curves {
        exact: at(&SIZES, exact),
        nodal: at(&SIZES, |n| solved(n, 1, 1e-6)),
        law: at(&SIZES, closed_form),
        both: at(&SIZES[..4], |n| solved(n, n, SEGMENT)),
    };
    let parameters = json!({ "segment (Ω)": SEGMENT, "device (µS)": DEVICE, "sizes": SIZES });
    Ok(Outcome { claims: curves.claims(), charts: vec![curves.chart()], parameters })
}

/// The law, exactly, by the solver for bit lines, by the closed form, and by the solver for both lines.
struct Curves {
    exact: Curve,
    nodal: Curve,
    law: Curve,
    both: Curve,
}

impl Curves {
    fn claims(&self) -> Vec<Claim> {
        let largest = |curve: &Curve| {
            let pairs = curve.iter().zip(&self.exact);
            pairs.map(|(a, b)| (a.1 / b.1 - 1.0).abs()).fold(0.0, f64::max)
        };
        let loss = |i: usize| 100.0 - self.both[i].1;
        let rounding = "Sums of up to 512 single-precision terms round by at most 512·2⁻²⁴ = 3.05·10⁻⁵; word lines of \
                        10⁻⁶ Ω change less than that.";
        let fit = "The closed form is a fit of third order; 1 % of the current is what converters of 7 bits can tell.";
        let stated = "AIHWKit's law gives 0.8721 for 512 devices of 5 µS on segments of 0.35 Ω.";
        let square = "The loss grows as n² while it is small; what is lost already lowers the currents that cause it, so \
                      slightly less than 4.";
        let solver = "solver against the exact line, largest relative deviation";
        let closed = "closed form against the exact line, largest relative deviation";
        vec![
            Claim::new(solver, (0.0, 3.1e-5), (Basis::Physics, rounding), largest(&self.nodal)),
            Claim::new(closed, (0.0, 0.01), (Basis::Aihwkit, fit), largest(&self.law)),
            Claim::new(
                "closed form at 512 devices (share read)",
                (0.8716, 0.8726),
                (Basis::Aihwkit, stated),
                self.law[5].1 / 100.0,
            ),
            Claim::new(
                "loss of 128x128 over that of 64x64, both wires",
                (3.5, 4.0),
                (Basis::Physics, square),
                loss(3) / loss(2),
            ),
        ]
    }

    fn chart(&self) -> (LineChart, String) {
        let x = Axis::log10("devices on a line", "number");
        let mut chart =
            LineChart::new("Current that arrives", x, Axis::linear("share of the ideal current", "%"));
        let series = |name, points: &Curve, style| Series::new(name, points.clone(), style);
        chart.series = vec![
            series("exact line", &self.exact, SeriesStyle::Dashed),
            series("Kirchhoff's laws, bit line", &self.nodal, SeriesStyle::Markers),
            series("closed form (Rasch et al. 2023)", &self.law, SeriesStyle::Solid),
            series("Kirchhoff's laws, both lines", &self.both, SeriesStyle::Solid),
        ];
        (chart, "All devices of 5 µS, all inputs driven, segments of 0.35 Ω.".to_owned())
    }
}

/// Mean share read of an array of `n` inputs and `outputs`, by the nodal solver.
fn solved(n: usize, outputs: usize, r_word_line: f32) -> f64 {
    let conductance = PairConductance { g_max: DEVICE, g_min: 0.0, w_at_g_max: 1.0 };
    let nodal = Nodal { r_word_line, r_bit_line: SEGMENT, r_driver: 0.0, r_sense: 0.0, conductance };
    let (weights, lines) = (vec![1.0; n * outputs], vec![1.0; n]);
    let (y, _) = nodal.solve(Weights::new(&weights, outputs, n), &lines, 1.0);
    y.iter().map(|&y| f64::from(y)).sum::<f64>() / (n * outputs) as f64
}

/// The exact solution of the line.
fn exact(n: usize) -> f64 {
    let rg = f64::from(SEGMENT) * f64::from(DEVICE) * 1e-6;
    let lambda = (1.0 + rg / 2.0).acosh();
    let n = n as f64;
    (1.0 - (lambda * (n - 0.5)).cosh() / (lambda * (n + 0.5)).cosh()) / (n * rg)
}

/// The closed form for a line that is all on.
fn closed_form(n: usize) -> f64 {
    let load = n as f32 * n as f32 * SEGMENT * DEVICE * 1e-6;
    let weights: f32 = (0..n).map(|j| position_weight(j, n)).sum();
    f64::from(1.0 - lost_share(load) * weights / n as f32)
}
