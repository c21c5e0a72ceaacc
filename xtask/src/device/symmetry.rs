//! The symmetry point: the weight at which an up and a down pulse move the mean device equally far.
//!
//! Random pulses drive the weight there, and algorithms such as Tiki-Taka rest on it. It is found between the
//! bounds as a root of d(w) = Δ⁺(w) + Δ⁻(w), the noise-free steps with their signs. Weights have 24 bits, so that
//! d is known up to ε(w) = 14·2⁻²⁴(|w| + |reference| + |Δ⁺| + |Δ⁻|): for two directions, 7 roundings each (the
//! weight, 5 operations of a step, the result). The point is given as the middle of the interval in which
//! |d| ≤ ε, and its tolerance as half the length of that interval: the true root lies inside.

use aimc_device::ConfigError;
use aimc_device::pulsed::Direction;

use super::mean_device::MeanDevice;

/// Weights at which roots are looked for; two roots between neighbours are missed.
const GRID: usize = 401;

/// A weight at which up and down steps are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Where.
    pub(crate) weight: f64,
    /// How far off the true point may be because of rounding.
    pub(crate) tolerance: f64,
    /// Whether random pulses lead to it; otherwise they lead away.
    pub(crate) attracts: bool,
}

/// Where up and down steps are equal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Symmetry {
    /// At these weights.
    Points(Vec<Point>),
    /// At every weight, within rounding.
    Everywhere,
    /// Nowhere: steps in this direction are larger at every weight.
    Nowhere(Direction),
    /// From most weights no pulse moves the device, within rounding.
    Rigid,
    /// One pulse reaches a bound from every weight.
    Coarse,
}

/// Looks for the symmetry points of a device.
pub(crate) fn find(device: &MeanDevice) -> Result<Symmetry, ConfigError> {
    let weights: Vec<f32> = (0..GRID).map(|i| device.at(i as f64 / (GRID - 1) as f64)).collect();
    let balances: Vec<Balance> =
        Balance::at(device, &weights)?.into_iter().filter(|balance| balance.has_room).collect();
    if balances.is_empty() {
        return Ok(Symmetry::Coarse);
    }
    // Most, not all: near 0 weights are so fine that any step shows.
    if 2 * balances.iter().filter(|balance| balance.rigid).count() > balances.len() {
        return Ok(Symmetry::Rigid);
    }
    let tilted: Vec<&Balance> = balances.iter().filter(|balance| balance.sign != 0).collect();
    let Some(first) = tilted.first() else { return Ok(Symmetry::Everywhere) };
    let points = tilted
        .windows(2)
        .filter(|pair| pair[0].sign != pair[1].sign)
        .map(|pair| point(device, pair[0], pair[1]))
        .collect::<Result<Vec<_>, _>>()?;
    if points.is_empty() {
        let stronger = if first.sign > 0 { Direction::Up } else { Direction::Down };
        return Ok(Symmetry::Nowhere(stronger));
    }
    Ok(Symmetry::Points(points))
}

/// Up against down steps at one weight.
#[derive(Clone, Copy, Debug)]
struct Balance {
    weight: f32,
    /// +1 if the up step is larger, -1 if the down step is, 0 if rounding hides it.
    sign: i8,
    /// Neither step is more than rounding.
    rigid: bool,
    /// Neither step is cut by a bound.
    has_room: bool,
}

impl Balance {
    fn at(device: &MeanDevice, weights: &[f32]) -> Result<Vec<Self>, ConfigError> {
        let ups = device.steps(weights, Direction::Up)?;
        let downs = device.steps(weights, Direction::Down)?;
        let [up_pulses, down_pulses] = device.pulses_per_step.map(|pulses| pulses as f64);
        let balance = |((&weight, up), down): ((&f32, f64), f64)| {
            let w = f64::from(weight);
            let size = w.abs() + f64::from(device.reference).abs() + up.abs() + down.abs();
            let rounding = 14.0 * 2_f64.powi(-24) * size;
            Self {
                weight,
                sign: i8::from(up + down > rounding) - i8::from(up + down < -rounding),
                rigid: up.abs() <= rounding && down.abs() <= rounding,
                has_room: w + up * up_pulses < f64::from(device.high)
                    && w + down * down_pulses > f64::from(device.low),
            }
        };
        Ok(weights.iter().zip(ups).zip(downs).map(balance).collect())
    }
}

/// The point between two weights that tilt opposite ways.
fn point(device: &MeanDevice, below: &Balance, above: &Balance) -> Result<Point, ConfigError> {
    let left = edge(device, below.weight, above.weight, below.sign)?;
    let right = edge(device, above.weight, below.weight, above.sign)?;
    let (left, right) = (f64::from(left), f64::from(right));
    // The edges themselves are tilted, so that the root lies between them.
    Ok(Point {
        weight: 0.5 * (left + right),
        tolerance: 0.5 * (right - left).abs(),
        attracts: below.sign > 0,
    })
}

/// The last weight from `inside` towards `outside` that tilts as `inside` does, by bisection.
fn edge(device: &MeanDevice, inside: f32, outside: f32, sign: i8) -> Result<f32, ConfigError> {
    let (mut inside, mut outside) = (inside, outside);
    loop {
        let middle = (0.5 * (f64::from(inside) + f64::from(outside))) as f32;
        if middle == inside || middle == outside {
            return Ok(inside);
        }
        if Balance::at(device, &[middle])?[0].sign == sign {
            inside = middle;
        } else {
            outside = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::config;

    fn symmetry(text: &str) -> Symmetry {
        find(&MeanDevice::of(&config::from_toml(text).unwrap()).unwrap()).unwrap()
    }

    /// SP = (a⁺ - a⁻)/(a⁺/b⁺ + a⁻/|b⁻|), whatever the variation between devices and the noise of pulses.
    #[test]
    fn soft_bounds_have_their_closed_form() {
        for (dw, up_down, high, low) in [
            (0.04, 0.4, 0.6, -0.9),
            (0.001, -0.3, 1.0, -1.0),
            (0.01, 0.05, 0.3, -0.5),
            (0.002, 0.0, 1.0, -0.5),
        ] {
            let text = format!(
                "model = \"SoftBounds\"\ndw_min = {dw}\nup_down = {up_down}\nw_max = {high}\nw_min = {low}"
            );
            let (up, down) = (dw * (1.0 + f64::min(up_down, 0.0)), dw * (1.0 - f64::max(up_down, 0.0)));
            let expected = (up - down) / (up / high - down / low);
            let Symmetry::Points(points) = symmetry(&text) else { panic!("{text}") };
            assert_eq!(points.len(), 1);
            let Point { weight, tolerance, attracts } = points[0];
            assert!((weight - expected).abs() <= tolerance, "{weight} ± {tolerance}, not {expected}");
            assert!(tolerance < 1e-3 * (high - low) && attracts, "{tolerance}");
        }
    }

    #[test]
    fn devices_without_a_point_say_why() {
        let constant = "model = \"ConstantStep\"\nw_max = 1.0\nw_min = -1.0\n";
        assert_eq!(symmetry(constant), Symmetry::Everywhere);
        assert_eq!(symmetry(&format!("{constant}up_down = 0.6")), Symmetry::Nowhere(Direction::Up));
        assert_eq!(symmetry(&format!("{constant}up_down = -1.0")), Symmetry::Nowhere(Direction::Down));
        assert_eq!(symmetry(&format!("{constant}dw_min = 5.0")), Symmetry::Coarse);
        assert_eq!(symmetry(&format!("{constant}dw_min = 1e-12")), Symmetry::Rigid);
        assert_eq!(symmetry("model = \"ConstantStep\"\nw_max = 0.0\nw_min = 0.0"), Symmetry::Coarse);
        assert_eq!(symmetry("model = \"HiddenStep\""), Symmetry::Everywhere);
    }

    /// A device that is read against its own symmetry point has it at 0.
    #[test]
    fn a_subtracted_symmetry_point_is_zero() {
        let text = "model = \"SoftBoundsReference\"\nsubtract_symmetry_point = true\nup_down = 0.4\nreference_std = 0.1";
        let Symmetry::Points(points) = symmetry(text) else { panic!() };
        assert!(points[0].weight.abs() <= points[0].tolerance, "{points:?}");
    }
}
