//! Updates by vectors of which one line alone carries anything: single rows, single columns.

use std::borrow::Cow;
use std::ops::Range;

use aimc_device::parallel;
use aimc_device::pulsed::DeviceArray;

use crate::pulse::outer_product::{Firing, Lines, Receiver, Routes, directions};
use crate::pulse::{PulseSource, PulseType, UpdateConfig};
use crate::tile::SampleKeys;

/// Whether lines draw their pulses whatever the others do, so that those without any can be left out.
fn lines_are_independent(config: &UpdateConfig) -> bool {
    config.pulse_source == PulseSource::Independent && config.pulse_type != PulseType::NoneWithDevice
}

/// Updates some rows, each by a vector of its own, of `x`, and an error of 1 on that row only; false, and nothing happens, where
/// the pulses of lines depend on rows that do not fire.
pub(crate) fn pulsed_rows(
    array: &mut dyn DeviceArray,
    receiver: &Receiver<'_>,
    config: &UpdateConfig,
    rows: Range<usize>,
    (x, lr): (&[f32], f32),
    draws: SampleKeys,
) -> bool {
    if !lines_are_independent(config) {
        return false;
    }
    let columns = array.shape().1;
    let routes = Routes::new(directions(lr).map(receiver.route));
    let numbers: Vec<usize> = rows.clone().collect();
    array.for_rows(&numbers, parallel::worthwhile(x.len()), &|row, port| {
        let sample = row - rows.start;
        let key = draws.sample(sample);
        // Seen from its row, the tile has no other.
        let pair = (&x[sample * columns..][..columns], &[1.0][..], lr);
        if let Some(lines) = Lines::new(config, receiver, &routes, pair, key)
            && !lines.rows().is_empty()
        {
            lines.pulse(&routes, (0, 0), port, &mut Vec::new(), key.fold_in(receiver.noise));
        }
    });
    true
}

/// Updates all columns, each by an input of 1 on that column only and an error of its own, of `d`; false, and nothing happens,
/// where the pulses of lines depend on columns that do not fire.
pub(crate) fn pulsed_columns(
    array: &mut dyn DeviceArray,
    receiver: &Receiver<'_>,
    config: &UpdateConfig,
    (d, lr): (&[f32], f32),
    draws: SampleKeys,
) -> bool {
    if !lines_are_independent(config) {
        return false;
    }
    let (rows, columns) = array.shape();
    let routes = Routes::new(directions(lr).map(receiver.route));
    let errors: Vec<_> = d.chunks(rows).enumerate().collect();
    let prepare = |&(column, d): &(usize, &[f32])| {
        let key = draws.sample(column);
        // Seen from its column, the tile has no other.
        let lines = Lines::new(config, receiver, &routes, (&[1.0], d, lr), key)?;
        Some((lines, key.fold_in(receiver.noise), column))
    };
    let lines: Vec<_> = parallel::map(rows * columns, &errors, prepare).into_iter().flatten().collect();
    let pulses: usize = lines.iter().map(|(lines, ..)| lines.work()).sum();
    let firing: Vec<Cow<'_, [u32]>> = lines.iter().map(|(lines, ..)| lines.rows()).collect();
    let firing = Firing::new(&firing, rows);
    array.for_rows(&firing.rows, parallel::worthwhile(pulses + firing.opening()), &|row, port| {
        for [line, place] in firing.on(row) {
            let (lines, noise, column) = &lines[line];
            let (pulses, direction) = lines.on_first_column(&routes, row, place);
            port.pulse_one(*column, pulses, direction, *noise);
        }
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::outer_product::pulsed_update;
    use crate::unit_cell::OuterProducts;
    use aimc_device::RngKey;
    use aimc_device::config;
    use aimc_device::pulsed::PulsedDeviceConfig;
    use nalgebra::DMatrix;

    /// Bit for bit what unit vectors as inputs make of the columns, whatever the type of pulses; where lines share their chance,
    /// nothing happens.
    #[test]
    fn columns_are_updated_as_by_unit_vectors() {
        let (rows, columns) = (70, 90);
        let device: PulsedDeviceConfig =
            config::from_toml("model = \"ExpStep\"\nwrite_noise_std = 0.1").unwrap();
        let fabricate = || device.build(rows, columns, RngKey::root(1)).unwrap();
        // Two thirds of the errors are 0.
        let mut d = vec![0.0; rows * columns];
        RngKey::root(2).stream(0).fill_normal(&mut d);
        d.iter_mut().enumerate().filter(|(k, _)| k % 3 > 0).for_each(|(_, d)| *d = 0.0);
        let unit = DMatrix::<f32>::identity(columns, columns);
        let draws = SampleKeys::new(RngKey::root(3));
        let receiver = Receiver { granularity: 0.01, noise: 5, takes: &|_| true, route: Some };
        for pulse_type in
            [PulseType::StochasticCompressed, PulseType::MeanCount, PulseType::DeterministicImplicit]
        {
            let config = UpdateConfig { pulse_type, ..UpdateConfig::default() };
            let (mut single, mut whole) = (fabricate(), fabricate());
            assert!(pulsed_columns(single.as_mut(), &receiver, &config, (&d, 0.02), draws));
            let products = OuterProducts { x: unit.as_slice(), d: &d, lr: 0.02 };
            pulsed_update(whole.as_mut(), &receiver, &config, products, draws);
            assert!(whole.pulses().total() > 1000);
            assert_eq!(single.state(), whole.state(), "{pulse_type:?}");
        }
        let shared = UpdateConfig { pulse_source: PulseSource::LaggedFibonacci, ..UpdateConfig::default() };
        let mut untouched = fabricate();
        assert!(!pulsed_columns(untouched.as_mut(), &receiver, &shared, (&d, 0.02), draws));
        assert_eq!(untouched.state(), fabricate().state());
    }
}
