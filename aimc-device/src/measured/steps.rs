//! Single steps out of a table, and the bounds that cut some of them short.
//!
//! A device is at a hard bound where pulses towards it leave the largest (smallest) weight of the device
//! exactly as it is. Noise decides which of the steps that begin near a bound are cut, so all that begin
//! within reach are left out: nearer than the largest step of the last quarter of the range. This depends on
//! the weight before the pulse alone and so biases nothing; it is the same for all models, so that they can
//! be compared.

use super::{MeasuredError, Measurements};
use crate::pulsed::Direction;

/// Fewest usable steps in each direction that a device must have.
pub const MIN_STEPS: usize = 20;

/// One pulse on one device. Down pulses are mirrored (x = -w), so that every pulse pushes x upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) pulse: u64,
    pub(crate) x: f64,
    pub(crate) dx: f64,
}

/// All usable steps of one device in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) steps: Vec<Step>,
    /// Largest x of the device, and whether pulses rested there.
    pub(crate) top: f64,
    pub(crate) rests: bool,
}

/// Bounds of the devices, as pulses in each direction met them.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Bound of each device in the direction of up (0) and down (1) pulses, in mirrored weights.
    pub(crate) tops: [Vec<f64>; 2],
    /// Whether all devices rested at their bounds.
    pub(crate) seen: [bool; 2],
}

impl Bounds {
    /// Mean bound.
    pub(crate) fn mean(&self, side: usize) -> f64 {
        self.tops[side].iter().sum::<f64>() / self.tops[side].len() as f64
    }
}

/// The table in single steps.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    /// Names of the devices.
    pub(crate) names: Vec<String>,
    /// Up (0) and down (1) steps by device.
    pub(crate) runs: [Vec<Run>; 2],
    pub(crate) bounds: Bounds,
    /// Smallest change that the table can show, as std of a step: q/√6 for readings rounded to q.
    pub(crate) tau: f64,
    pub(crate) left_out: usize,
}

/// Up or down, by the index of a side.
pub(crate) const SIDES: [&str; 2] = ["up", "down"];

/// The sign that mirrors a side.
pub(crate) fn sign(side: usize) -> f64 {
    if side == 0 { 1.0 } else { -1.0 }
}

impl Steps {
    /// Takes a table apart; refuses devices with fewer than [`MIN_STEPS`] usable steps a side.
    pub(crate) fn of(table: &Measurements) -> Result<Self, MeasuredError> {
        let devices = table.devices();
        let mut left_out = 0;
        let mut runs = [Vec::new(), Vec::new()];
        for device in devices {
            for (side, direction) in [Direction::Up, Direction::Down].into_iter().enumerate() {
                let mut run = raw(&device.readings, direction, sign(side));
                let before = run.steps.len();
                run.leave_out_cut_steps();
                left_out += before - run.steps.len();
                let found = run.steps.len();
                if found < MIN_STEPS {
                    let (device, direction) = (device.name.clone(), SIDES[side]);
                    return Err(MeasuredError::TooFew { device, direction, found, required: MIN_STEPS });
                }
                runs[side].push(run);
            }
        }
        let bounds = bounds(&runs)?;
        let names = devices.iter().map(|device| device.name.clone()).collect();
        let tau = resolution(&runs) / 6.0_f64.sqrt();
        Ok(Self { names, runs, bounds, tau, left_out })
    }

    /// All usable steps.
    pub(crate) fn count(&self) -> usize {
        self.runs.iter().flatten().map(|run| run.steps.len()).sum()
    }
}

fn raw(readings: &[super::Reading], direction: Direction, sign: f64) -> Run {
    let pairs = readings
        .windows(2)
        .filter(|pair| pair[1].direction == direction && pair[0].pulse.checked_add(1) == Some(pair[1].pulse));
    let steps: Vec<Step> = pairs
        .map(|pair| Step {
            pulse: pair[1].pulse,
            x: sign * pair[0].weight,
            dx: sign * (pair[1].weight - pair[0].weight),
        })
        .collect();
    let top = readings.iter().map(|reading| sign * reading.weight).fold(f64::NEG_INFINITY, f64::max);
    let rests = steps.iter().filter(|step| step.x == top && step.dx == 0.0).count() >= 2;
    Run { steps, top, rests }
}

impl Run {
    fn leave_out_cut_steps(&mut self) {
        if !self.rests {
            return;
        }
        let bottom = self.steps.iter().map(|step| step.x).fold(f64::INFINITY, f64::min);
        let near = self.top - 0.25 * (self.top - bottom);
        let nearby = self.steps.iter().filter(|step| step.x >= near);
        let reach = nearby.map(|step| step.dx.abs()).fold(0.0, f64::max);
        self.steps.retain(|step| self.top - step.x > reach);
    }
}

/// Each device's own bounds where all devices rest at theirs; otherwise the extreme of all.
fn bounds(runs: &[Vec<Run>; 2]) -> Result<Bounds, MeasuredError> {
    let seen = [0, 1].map(|side| runs[side].iter().all(|run| run.rests));
    let tops = [0, 1].map(|side| {
        let own: Vec<f64> = runs[side].iter().map(|run| run.top).collect();
        let extreme = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if seen[side] { own } else { vec![extreme; own.len()] }
    });
    let bounds = Bounds { tops, seen };
    let (high, low) = (bounds.mean(0), -bounds.mean(1));
    if low < 0.0 && high > 0.0 { Ok(bounds) } else { Err(MeasuredError::OneSided { low, high }) }
}

/// The smallest change above 0 in the table, at least the rounding of single precision.
fn resolution(runs: &[Vec<Run>; 2]) -> f64 {
    let steps = || runs.iter().flatten().flat_map(|run| &run.steps);
    let rounding = f64::from(f32::EPSILON) * steps().map(|step| step.x.abs()).fold(0.0, f64::max);
    let smallest = steps().map(|step| step.dx.abs()).filter(|&dx| dx > 0.0).fold(f64::INFINITY, f64::min);
    if smallest.is_finite() { rounding.max(smallest) } else { rounding }
}
