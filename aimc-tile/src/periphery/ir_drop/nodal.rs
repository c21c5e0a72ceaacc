//! IR drop by Kirchhoff's laws: the whole crossbar, word lines, bit lines, drivers and sense amplifiers.
//!
//! A weight is a pair of devices on neighbouring bit lines; inputs are voltages x̂·`v_read` on the word lines, and an output
//! is the difference of the currents of its two bit lines, which virtual grounds collect:
//!
//! ```text
//! y = (I⁺ - I⁻)/(k·v_read)        k: µS per unit of weight
//! ```
//!
//! | symbol | field | unit | typical |
//! |---|---|---|---|
//! | segment of a word line, of a bit line | `r_word_line`, `r_bit_line` | Ω | 0.35 … 5 |
//! | driver, sense amplifier | `r_driver`, `r_sense` | Ω | 0 … 1000 |
//! | g_max, g_min | `conductance` | µS | 25, 0 |
//!
//! The solution is exact up to a residual of 10⁻⁹ (see [`resistive_grid`](super::resistive_grid)). Not modelled:
//! capacitances, select transistors, dependence of devices on their voltage. The effect of wires on neural networks:
//! T. P. Xiao et al. 2021, *Analog architectures for neural network acceleration based on non-volatile memory*,
//! Appl. Phys. Rev. 7:031301, doi:10.1063/1.5143815.
//!
//! ```
//! use aimc_tile::matmul::Weights;
//! use aimc_tile::periphery::ir_drop::Nodal;
//! // One device of 25 µS between a driver of 20 kΩ (wire included) and a sense amplifier of 20 kΩ: 1/(1 + 40 kΩ·25 µS).
//! let (r_driver, r_sense) = (19_999.0, 19_999.0);
//! let nodal = Nodal { r_word_line: 1.0, r_bit_line: 1.0, r_driver, r_sense, ..Nodal::default() };
//! let (y, residual) = nodal.solve(Weights::new(&[1.0], 1, 1), &[1.0], 1.0);
//! assert!((y[0] - 0.5).abs() < 1e-6 && residual < 1e-9);
//! ```

use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PairConductance;
use super::resistive_grid::{ResistiveGrid, WireResistance};
use crate::matmul::Weights;

/// A crossbar with all its wires, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nodal {
    /// Resistance of a word line from one bit line to the next (Ω).
    pub r_word_line: f32,
    /// Resistance of a bit line from one word line to the next (Ω).
    pub r_bit_line: f32,
    /// Resistance of a driver (Ω).
    pub r_driver: f32,
    /// Resistance of a sense amplifier (Ω).
    pub r_sense: f32,
    /// From weights to conductances.
    pub conductance: PairConductance,
}

impl Default for Nodal {
    fn default() -> Self {
        let conductance = PairConductance::default();
        Self { r_word_line: 0.35, r_bit_line: 0.35, r_driver: 0.0, r_sense: 0.0, conductance }
    }
}

impl Nodal {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::positive("r_word_line", self.r_word_line)?;
        require::positive("r_bit_line", self.r_bit_line)?;
        require::non_negative("r_driver", self.r_driver)?;
        require::non_negative("r_sense", self.r_sense)?;
        self.conductance.validate().map_err(|error| error.within("conductance"))
    }

    /// Outputs of all samples for their `lines`, and the residual of Kirchhoff's laws; `scale` multiplies all resistances.
    #[must_use]
    pub fn solve(&self, weights: Weights<'_>, lines: &[f32], scale: f32) -> (Vec<f32>, f64) {
        let (inputs, outputs) = (weights.inputs(), weights.outputs());
        let k = f64::from(self.conductance.per_weight(weights));
        let g_min = f64::from(self.conductance.g_min);
        let mut g = Vec::with_capacity(2 * inputs * outputs);
        for input in 0..inputs {
            for output in 0..outputs {
                let w = f64::from(weights.at(output, input));
                g.extend([w.max(0.0), (-w).max(0.0)].map(|w| 1e-6 * (k * w + g_min)));
            }
        }
        let ohms = |r: f32| f64::from(scale) * f64::from(r);
        let resistance = WireResistance {
            word_line: ohms(self.r_word_line),
            bit_line: ohms(self.r_bit_line),
            driver: ohms(self.r_driver),
            sense: ohms(self.r_sense),
        };
        let voltages: Vec<f64> = lines.iter().map(|&x| f64::from(x)).collect();
        let solution = ResistiveGrid::new(g, 2 * outputs, resistance).solve(&voltages);
        let pairs = solution.currents.chunks_exact(2);
        let y = pairs.map(|pair| ((pair[0] - pair[1]) / (1e-6 * k)) as f32).collect();
        (y, solution.residual)
    }
}
