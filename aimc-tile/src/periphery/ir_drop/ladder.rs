//! IR drop along a bit line, as a ladder of segments that share their wire.
//!
//! Word lines and converters are ideal; the rows of a bit line are put together in groups, each at one node of the wire,
//! and the ADC holds its end at `v_read`. A row of input x is on for the share |x| of the read time: then the two devices
//! of a pair see `v_read` ± V, else both see `v_read`. A group so is a source of conductance g = Σ(G⁺ + G⁻) whose voltage
//! above `v_read` is V·Σ sign(x)(G⁺ - G⁻)/g, and from the far end on sources are joined by wires of resistance r:
//!
//! ```text
//! R₀ = 1/g₀     R ← (R + r) ∥ 1/g      u ← ((u/(R + r)) + u_s·g)·R       at the ADC: i = u/(R + r/2)
//! ```
//!
//! **The charge is linear in the inputs.** Whether a row is on or off, its pair hangs at the same wire with the same
//! G⁺ + G⁻, so no resistance depends on time. Integrating i over the read time replaces "on" by |x|, and the product is
//!
//! ```text
//! y = (W ∘ A) x̂        A of a group: what share of its current reaches the ADC
//! ```
//!
//! without any step in time, for every way of sending x̂ (at once, split or bit by bit). The odd bit lines of a chip are
//! read at the other end.
//!
//! | symbol | field | unit | typical |
//! |---|---|---|---|
//! | resistance of the wire per row | `r_row` | Ω | 0.15 |
//! | rows of the array, with unused rows at both ends; 0: as many as inputs | `rows` | | 512 |
//! | nodes per bit line | `segments` | | 8 |
//! | g_max, g_min | `conductance` | µS | 25, 0 |
//!
//! Turns into the ideal product for `r_row` → 0. Not modelled: resistance of word lines, drivers and converters.
//!
//! [`LadderTime::Aihwkit`] counts time as AIHWKit does (`IOParametersIRDropT`): on a grid of ticks, trapezoids with an extra
//! one in front, the ADC 0.5 mV off, whole counts of its oscillator.
//!
//! Reference: M. Le Gallo et al. 2023, *A 64-core mixed-signal in-memory compute chip based on phase-change memory for
//! deep neural network inference*, Nat. Electron. 6:680, doi:10.1038/s41928-023-01010-1, for the array that is read so.

use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PairConductance;
use crate::matmul::Weights;

/// Voltage of a row that is on, above that of one that is off (V).
const V_ON: f64 = 0.2;

/// A ladder per bit line, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ladder {
    /// Resistance of the wire from row to row (Ω).
    pub r_row: f32,
    /// Rows of the array; 0 for as many as there are inputs.
    pub rows: usize,
    /// Nodes per bit line; must divide the rows.
    pub segments: usize,
    /// From weights to conductances.
    pub conductance: PairConductance,
    /// How time is counted.
    pub time: LadderTime,
}

impl Default for Ladder {
    fn default() -> Self {
        let conductance = PairConductance::default();
        Self { r_row: 0.15, rows: 512, segments: 8, conductance, time: LadderTime::Exact }
    }
}

/// How the read time is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum LadderTime {
    /// Exactly.
    #[default]
    Exact,
    /// In AIHWKit's ticks, for its `OnePass`.
    Aihwkit {
        /// Voltage at the ADC (V); 0.4 is right.
        v_read: f32,
        /// Ticks per DAC step.
        time_step_scale: f32,
        /// Sum over ticks instead of trapezoids.
        integration_sum: bool,
        /// Frequency of the oscillator in the ADC (GHz) whose whole counts are read; 0 for exact charges.
        adc_frequency: f32,
    },
}

impl Ladder {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("r_row", self.r_row)?;
        require::at_least_one("segments", self.segments)?;
        self.conductance.validate().map_err(|error| error.within("conductance"))?;
        if let LadderTime::Aihwkit { v_read, time_step_scale, adc_frequency, .. } = self.time {
            require::finite("time.v_read", v_read)?;
            require::positive("time.time_step_scale", time_step_scale)?;
            require::non_negative("time.adc_frequency", adc_frequency)?;
        }
        Ok(())
    }

    /// Refuses arrays that the rows do not hold; `inputs` is the number of rows in use.
    pub fn check_rows(&self, inputs: usize) -> Result<(), ConfigError> {
        let rows = if self.rows == 0 { inputs } else { self.rows };
        require::that(rows >= inputs, "rows", rows, &format!("must be at least the {inputs} inputs"))?;
        let requirement = format!("must divide the {rows} rows of the array");
        require::that(rows.is_multiple_of(self.segments), "segments", self.segments, &requirement)
    }

    /// The group of an input, counted from the far end of bit line `output`.
    fn group(&self, input: usize, inputs: usize, output: usize) -> usize {
        let rows = if self.rows == 0 { inputs } else { self.rows };
        let input = if output % 2 == 1 { inputs - 1 - input } else { input };
        ((rows - inputs) / 2 + input) * self.segments / rows
    }

    /// The share of every group's current that reaches the ADC of bit line `output`, and the resistance seen there (MΩ).
    fn attenuation(&self, weights: Weights<'_>, output: usize, r_group: f64) -> (Vec<f64>, f64) {
        let (inputs, k) = (weights.inputs(), f64::from(self.conductance.per_weight(weights)));
        // A tiny conductance keeps empty groups finite.
        let mut g = vec![1e-12; self.segments];
        for input in 0..inputs {
            let pair =
                k * f64::from(weights.at(output, input).abs()) + 2.0 * f64::from(self.conductance.g_min);
            g[self.group(input, inputs, output)] += pair;
        }
        let mut shares = vec![0.0; self.segments];
        let mut resistance = 1.0 / g[0];
        shares[0] = resistance;
        for s in 1..self.segments {
            let wired = resistance + r_group;
            let next = 1.0 / (1.0 / wired + g[s]);
            shares[..s].iter_mut().for_each(|share| *share *= next / wired);
            shares[s] = next;
            resistance = next;
        }
        resistance += 0.5 * r_group;
        shares.iter_mut().for_each(|share| *share /= resistance);
        (shares, resistance)
    }

    /// W ∘ A in the layout of `weights`, and for every output the resistance at its ADC (MΩ); `scale` multiplies the
    /// resistance of the wire.
    #[must_use]
    pub fn attenuated(&self, weights: Weights<'_>, scale: f32) -> (Vec<f32>, Vec<f64>) {
        let inputs = weights.inputs();
        let rows = if self.rows == 0 { inputs } else { self.rows };
        let r_group = 1e-6 * f64::from(scale) * f64::from(self.r_row) * (rows / self.segments) as f64;
        let mut values = weights.values().to_vec();
        let mut resistances = Vec::with_capacity(weights.outputs());
        for output in 0..weights.outputs() {
            let (shares, resistance) = self.attenuation(weights, output, r_group);
            for input in 0..inputs {
                let share = shares[self.group(input, inputs, output)];
                values[weights.index(output, input)] = (f64::from(weights.at(output, input)) * share) as f32;
            }
            resistances.push(resistance);
        }
        (values, resistances)
    }

    /// Currents of all samples for their `lines`; `step` is that of the DAC.
    pub(crate) fn currents(&self, weights: Weights<'_>, lines: &[f32], scale: f32, step: f32) -> Vec<f32> {
        let (values, resistances) = self.attenuated(weights, scale);
        let mut currents = vec![0.0; lines.len() / weights.inputs() * weights.outputs()];
        let LadderTime::Aihwkit { v_read, time_step_scale, integration_sum, adc_frequency } = self.time
        else {
            weights.with_values(&values).multiply(lines, &mut currents);
            return currents;
        };
        let levels = 1.0 / step;
        let ticks = ((levels + 1.0) * time_step_scale + 1e-3) as usize;
        let grid = linspace(ticks);
        let counted: Vec<f32> = lines
            .iter()
            .map(|&x| {
                let on = grid.iter().take_while(|&&t| x.abs() > t).count();
                let half = if !integration_sum && on > 0 && on < ticks { 0.5 } else { 0.0 };
                ((on as f32 + half) / levels).copysign(x)
            })
            .collect();
        weights.with_values(&values).multiply(&counted, &mut currents);
        let k = f64::from(self.conductance.per_weight(weights));
        let per_charge = 1.0 / (k * V_ON * f64::from(levels));
        for currents in currents.chunks_mut(weights.outputs()) {
            for (y, resistance) in currents.iter_mut().zip(&resistances) {
                let off = (0.4 - f64::from(v_read)) / resistance * ticks as f64;
                let mut charge = f64::from(*y) / per_charge + off;
                if adc_frequency > 0.0 {
                    let counts = charge / 100.0 * f64::from(adc_frequency);
                    charge = counts.trunc() * 100.0 / f64::from(adc_frequency);
                }
                *y = (charge * per_charge) as f32;
            }
        }
        currents
    }
}

/// `n` numbers from 0 to 1, computed from both ends with one rounding each as torch does: ties with inputs depend on it.
fn linspace(n: usize) -> Vec<f32> {
    let step = 1.0 / (n.max(2) - 1) as f32;
    (0..n)
        .map(|m| if m < n / 2 { step * m as f32 } else { (-step).mul_add((n - 1 - m) as f32, 1.0) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// Without resistance nothing is lost, and more resistance loses more.
    #[test]
    fn resistance_takes_current() {
        let w: Vec<f32> = (0..64).map(|i| 0.01 * i as f32).collect();
        let weights = Weights::new(&w, 2, 32);
        let ladder = |r_row| Ladder { r_row, rows: 0, ..Ladder::default() };
        let (exact, _) = ladder(0.0).attenuated(weights, 1.0);
        for (w, ideal) in exact.iter().zip(&w) {
            assert_close!(*w, *ideal, 2.0 * f32::EPSILON * ideal);
        }
        let sum = |r_row| ladder(r_row).attenuated(weights, 1.0).0.iter().sum::<f32>();
        assert!(sum(0.1) < sum(0.0) && sum(1.0) < sum(0.1));
    }

    /// One group at the ADC: a source of conductance g behind half a segment passes 1/(1 + g·r/2).
    #[test]
    fn one_segment_by_hand() {
        let conductance = PairConductance { w_at_g_max: 1.0, ..PairConductance::default() };
        let ladder = Ladder { r_row: 100.0, rows: 0, segments: 1, conductance, time: LadderTime::Exact };
        let w = [1.0, -0.5];
        let (values, _) = ladder.attenuated(Weights::new(&w, 1, 2), 1.0);
        // g = 37.5 µS behind 100 Ω, half of the two rows' wire.
        let share = 1.0 / (1.0 + 37.5e-6 * 100.0);
        assert_close!(values[0], share as f32, 2.0 * f32::EPSILON);
        assert_close!(values[1], -(0.5 * share as f32), 2.0 * f32::EPSILON);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_by_name() {
        assert_eq!(Ladder::default().check_rows(513).unwrap_err().field, "rows");
        assert_eq!(Ladder { segments: 7, ..Ladder::default() }.check_rows(10).unwrap_err().field, "segments");
        assert_eq!(Ladder { r_row: -1.0, ..Ladder::default() }.validate().unwrap_err().field, "r_row");
    }
}
