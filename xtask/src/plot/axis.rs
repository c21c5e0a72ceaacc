//! Axes: which part of the numbers is shown, where the ticks are, and what stands beside them.

use super::PlotError;
use super::text::{fixed, superscript};

/// How numbers are laid along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal steps.
    Linear,
    /// Equal factors, labelled 1, 10, 10², ...
    Log10,
    /// Seconds by equal factors, labelled 1 s, 1 min, 1 h, 1 day, ...
    LogSeconds,
}

/// An axis with what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// The quantity.
    pub(crate) label: String,
    /// Its unit; empty for a pure number.
    pub(crate) unit: String,
    /// How numbers are laid along it.
    pub(crate) scale: Scale,
    /// Values to show even where there is no data, such as 0 and 100 %.
    pub(crate) include: Option<(f64, f64)>,
}

impl Axis {
    /// An axis of equal steps.
    pub(crate) fn linear(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), scale: Scale::Linear, include: None }
    }

    /// A logarithmic axis.
    pub(crate) fn log10(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { scale: Scale::Log10, ..Self::linear(label, unit) }
    }

    /// A logarithmic axis of times in seconds.
    pub(crate) fn log_seconds(label: impl Into<String>) -> Self {
        Self { scale: Scale::LogSeconds, ..Self::linear(label, "s") }
    }

    /// The same axis, showing at least these two values.
    pub(crate) fn including(mut self, lo: f64, hi: f64) -> Self {
        self.include = Some((lo, hi));
        self
    }

    /// Position of a value before it is scaled to pixels.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log10 | Scale::LogSeconds => value.log10(),
        }
    }

    /// Refuses what cannot be placed; `what` names the value.
    pub(super) fn check(&self, chart: &str, what: &str, value: f64) -> Result<(), PlotError> {
        let (chart, what) = (chart.to_owned(), what.to_owned());
        if !value.is_finite() {
            return Err(PlotError::NotFinite { chart, what, value });
        }
        if self.scale != Scale::Linear && value <= 0.0 {
            return Err(PlotError::NotPositive { chart, what, value });
        }
        if value != 0.0 && !(1e-290..=1e290).contains(&value.abs()) {
            return Err(PlotError::Extreme { chart, what, value });
        }
        Ok(())
    }

    /// Chooses the range for checked values, and at most about `max_labels` labelled ticks.
    pub(super) fn resolve(&self, values: impl IntoIterator<Item = f64>, max_labels: usize) -> Resolved {
        let (lo, hi) = self.bounds(values);
        let ticks = match self.scale {
            Scale::Linear => return self.resolve_linear(lo, hi, max_labels),
            Scale::Log10 => log_ticks(lo, hi, max_labels),
            Scale::LogSeconds => {
                let times = time_ticks(lo, hi);
                if times.len() >= 3 {
                    return Resolved { lo, hi, ticks: times, title: format!("{} (log scale)", self.label) };
                }
                log_ticks(lo, hi, max_labels)
            }
        };
        Resolved { lo, hi, ticks, title: titled(&self.label, &self.unit) }
    }

    /// Lowest and highest position to show: the data with a little air, and exactly the values to include.
    fn bounds(&self, values: impl IntoIterator<Item = f64>) -> (f64, f64) {
        let span = |(lo, hi): (f64, f64), value: f64| (lo.min(value), hi.max(value));
        let nothing = (f64::INFINITY, f64::NEG_INFINITY);
        let data = values.into_iter().map(|value| self.place(value)).fold(nothing, span);
        let wanted = self.include.map_or(nothing, |(a, b)| span(span(nothing, self.place(a)), self.place(b)));
        let (mut lo, mut hi) = (data.0.min(wanted.0), data.1.max(wanted.1));
        let size = lo.abs().max(hi.abs());
        // Below this, neighbouring ticks would differ only in rounding errors.
        let least = if self.scale == Scale::Linear { size * 1e-9 } else { 1e-3 };
        if hi - lo <= least {
            let half = match self.scale {
                Scale::Linear if size > 0.0 => size * 0.05,
                _ => 0.5,
            };
            return (lo - half, hi + half);
        }
        let air = 0.04 * (hi - lo);
        if data.0 < wanted.0 {
            lo -= air;
        }
        if data.1 > wanted.1 {
            hi += air;
        }
        (lo, hi)
    }

    fn resolve_linear(&self, lo: f64, hi: f64, max_labels: usize) -> Resolved {
        let size = lo.abs().max(hi.abs());
        // Common powers of ten move to the axis title, so that ticks stay short.
        let power = if (1e-2..1e5).contains(&size) { 0 } else { (size.log10() / 3.0).floor() as i32 * 3 };
        let factor = 10_f64.powi(power);
        let ticks = linear_steps(lo / factor, hi / factor, max_labels)
            .into_iter()
            .map(|(at, label)| Tick { at: at * factor, label: Some(label) })
            .collect();
        let unit = match power {
            0 => self.unit.clone(),
            _ => format!("×10{} {}", superscript(power), self.unit).trim_end().to_owned(),
        };
        Resolved { lo, hi, ticks, title: titled(&self.label, &unit) }
    }
}

/// A place on an axis; without a label it is a faint grid line only.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

/// An axis ready to be drawn, in positions (logarithms where the scale is logarithmic).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) title: String,
}

impl Resolved {
    /// Share of the axis below a position, 0 to 1.
    pub(super) fn share(&self, at: f64) -> f64 {
        (at - self.lo) / (self.hi - self.lo)
    }
}

fn titled(label: &str, unit: &str) -> String {
    if unit.is_empty() { label.to_owned() } else { format!("{label} ({unit})") }
}

/// Multiples of 1, 2, 2.5 or 5 times a power of ten within a range, with their labels.
fn linear_steps(lo: f64, hi: f64, max_labels: usize) -> Vec<(f64, String)> {
    let least = (hi - lo) / (max_labels as f64 + 0.5);
    let power = least.log10().floor() as i32;
    let (mantissa, power) = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|mantissa| mantissa * 10_f64.powi(power) >= least)
        .map_or((1.0, power + 1), |mantissa| (mantissa, power));
    let step = mantissa * 10_f64.powi(power);
    let quarter = if mantissa == 2.5 { 1 } else { 0 };
    let decimals = usize::try_from(quarter - power).unwrap_or(0);
    let (first, last) = ((lo / step - 1e-6).ceil(), (hi / step + 1e-6).floor());
    let count = (last - first) as usize + 1;
    (0..count).map(|k| (first + k as f64) * step).map(|at| (at, fixed(at, decimals))).collect()
}

fn log_ticks(lo: f64, hi: f64, max_labels: usize) -> Vec<Tick> {
    let (first, last) = ((lo - 1e-9).ceil() as i32, (hi + 1e-9).floor() as i32);
    if last - first < 2 {
        return dense_log_ticks(lo, hi, max_labels);
    }
    let stride = ((last - first) / max_labels.max(1) as i32 + 1).max(1);
    let mut ticks = Vec::new();
    for power in first - 1..=last {
        if power >= first {
            let label = (power.rem_euclid(stride) == 0).then(|| decade(power));
            ticks.push(Tick { at: f64::from(power), label });
        }
        if last - first <= 5 {
            let between = (2..10).map(|m| f64::from(power) + f64::from(m).log10());
            ticks.extend(between.filter(|at| (lo..=hi).contains(at)).map(|at| Tick { at, label: None }));
        }
    }
    ticks
}

/// Ticks where there are at most two powers of ten in view.
fn dense_log_ticks(lo: f64, hi: f64, max_labels: usize) -> Vec<Tick> {
    let powers = lo.floor() as i32..=hi.floor() as i32;
    let round = powers.flat_map(|power| [1.0_f64, 2.0, 5.0].map(|m| (m, power)));
    let ticks: Vec<Tick> = round
        .map(|(m, power)| Tick { at: m.log10() + f64::from(power), label: Some(scientific(m, power)) })
        .filter(|tick| (lo - 1e-9..=hi + 1e-9).contains(&tick.at))
        .collect();
    if ticks.len() >= 3 {
        return ticks;
    }
    // So little is in view that equal steps do better; a common power keeps the numbers short.
    let power = hi.floor() as i32;
    let part = |at: f64| 10_f64.powf(at - f64::from(power));
    linear_steps(part(lo), part(hi), max_labels)
        .into_iter()
        .filter(|(value, _)| *value > 0.0)
        .map(|(value, label)| {
            let label = if power == 0 { label } else { format!("{label}×10{}", superscript(power)) };
            Tick { at: value.log10() + f64::from(power), label: Some(label) }
        })
        .collect()
}

fn decade(power: i32) -> String {
    match power {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ => format!("10{}", superscript(power)),
    }
}

fn scientific(mantissa: f64, power: i32) -> String {
    match power {
        -2..=3 => fixed(mantissa * 10_f64.powi(power), usize::try_from(-power).unwrap_or(0)),
        _ if mantissa == 1.0 => decade(power),
        _ => format!("{mantissa}×10{}", superscript(power)),
    }
}

const YEAR: f64 = 365.25 * 86_400.0;
const TIMES: [(f64, &str); 13] = [
    (1e-9, "1 ns"),
    (1e-6, "1 µs"),
    (1e-3, "1 ms"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (3600.0, "1 h"),
    (86_400.0, "1 day"),
    (YEAR / 12.0, "1 month"),
    (YEAR, "1 year"),
    (10.0 * YEAR, "10 years"),
    (100.0 * YEAR, "100 years"),
    (1000.0 * YEAR, "1000 years"),
];

fn time_ticks(lo: f64, hi: f64) -> Vec<Tick> {
    TIMES
        .iter()
        .map(|&(seconds, label)| Tick { at: seconds.log10(), label: Some(label.to_owned()) })
        .filter(|tick| (lo..=hi).contains(&tick.at))
        .collect()
}

#[cfg(test)]
#[path = "axis_tests.rs"]
mod tests;
