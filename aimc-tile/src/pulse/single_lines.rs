//! Updates by vectors of which one line alone carries anything: single rows, single columns.

use std::borrow::Cow;

use aimc_device::RngKey;
use aimc_device::parallel;
use aimc_device::pulsed::{Burst, DeviceArray};
use aimc_device::rng::label;
use nalgebra::DMatrix;

use crate::pulse::certain_lines::CertainLines;
use crate::pulse::count::Counts;
use crate::pulse::outer_product::{
    Aim, FIRED, Firing, Lines, Planned, Receiver, Routes, directions, pulsed_update,
};
use crate::pulse::train::{Source, pulses_with_one};
use crate::pulse::{PulseSource, PulseType, UpdateConfig};
use crate::tile::SampleKeys;
use crate::unit_cell::{OuterProducts, RowProducts};

/// Whether lines draw their pulses whatever the others do, so that those without any can be left out.
fn lines_are_independent(config: &UpdateConfig) -> bool {
    config.pulse_source == PulseSource::Independent && config.pulse_type != PulseType::NoneWithDevice
}

/// Updates some rows; false, and nothing happens, where the pulses of lines depend on rows that do not fire.
pub(crate) fn pulsed_rows(
    array: &mut dyn DeviceArray,
    receiver: &Receiver<'_>,
    config: &UpdateConfig,
    RowProducts { rows, inputs, x, lr }: &RowProducts<'_>,
    draws: SampleKeys,
) -> bool {
    if !lines_are_independent(config) {
        return false;
    }
    let granularity = array.granularity();
    let routes = [Routes::new(directions(*lr).map(receiver.route))];
    let numbers: Vec<usize> = rows.clone().collect();
    array.for_rows(&numbers, parallel::worthwhile(rows.len() * inputs), &|row, port| {
        let key = draws.sample(row - rows.start);
        let mut vector = vec![0.0; *inputs];
        x(row, &mut vector);
        // Seen from its row, the tile has no other.
        let pair = (&vector[..], &[1.0][..], *lr);
        let Some(planned) = Planned::new(config, granularity, pair, key) else { return };
        let (mut fired, noise) = (FIRED.take(), key.fold_in(receiver.noise));
        if let Some(aim) = in_every_slot(config, &planned, &routes[0], &mut fired) {
            port.pulse_where(&fired, &aim.up, noise);
        } else {
            let lines = Lines::new(config, planned, &routes, key);
            if !lines.rows().is_empty() {
                lines.pulse((&routes, 0), (0, 0), port, &mut fired, noise);
            }
        }
        FIRED.set(fired);
    });
    true
}

/// Where the pulses of a row alone go, if chance decides nothing: `fired`, memory to be used, gets the slots.
fn in_every_slot(
    config: &UpdateConfig,
    Planned { length, x, d }: &Planned<'_>,
    routes: &Routes,
    fired: &mut Vec<u64>,
) -> Option<Aim> {
    if !matches!(config.pulse_type, PulseType::StochasticCompressed | PulseType::Stochastic)
        || !CertainLines::are(d)
    {
        return None;
    }
    let lines = CertainLines::of(x)?;
    let aim = routes.aim(lines.positive.iter().copied());
    fired.clear();
    (0..*length).for_each(|_| aim.keep_arriving(&lines.fire, fired));
    Some(aim)
}

/// A device of a column, and what is to be written to it, above 0.
pub(crate) type Write = (u32, f32);

/// Writes to some devices of each column, which get the pulses of an update by an input of 1 on that column only and errors of
/// the sizes that are to be written; a negative learning rate raises weights.
pub(crate) fn pulsed_columns(
    array: &mut Box<dyn DeviceArray>,
    config: &UpdateConfig,
    (writes, lr): (&[&[Write]], f32),
    key: RngKey,
) {
    let (rows, columns) = array.shape();
    let (draws, noise) = (SampleKeys::new(key.fold_in(label("trains"))), key.fold_in(label("devices")));
    let granularity = array.granularity();
    if !lines_are_independent(config) {
        let (unit, mut errors) = (DMatrix::identity(columns, columns), vec![0.0; rows * columns]);
        for (errors, writes) in errors.chunks_mut(rows).zip(writes) {
            writes.iter().for_each(|(row, size)| errors[*row as usize] = *size);
        }
        let receiver = Receiver { noise: label("devices"), takes: &|_| true, route: Some };
        let products = OuterProducts { x: unit.as_slice(), d: &errors, lr };
        let arrays = (std::slice::from_mut(array), &[receiver][..]);
        return pulsed_update(arrays, (config, granularity), products, draws);
    }
    let columns: Vec<_> = writes.iter().enumerate().collect();
    let work = writes.iter().map(|writes| 10 * config.desired_bl as usize * writes.len()).sum();
    let counts = parallel::map(work, &columns, |(column, writes)| {
        let sizes: Vec<f32> = writes.iter().map(|(_, size)| *size).collect();
        pulses_on_column(config, (&sizes, lr, granularity), draws.sample(*column))
    });
    let firing: Vec<Cow<'_, [u32]>> =
        writes.iter().map(|writes| writes.iter().map(|(row, _)| *row).collect()).collect();
    let firing = Firing::new(&firing, rows);
    let sign = if lr > 0.0 { -1 } else { 1 };
    let of = |row| {
        let burst = |[column, place]: [usize; 2]| Burst {
            column: column as u32,
            pulses: sign * counts[column][place] as i32,
        };
        firing.on(row).map(burst).collect()
    };
    array.pulse_each(&firing.rows, parallel::worthwhile(work), &of, noise);
}

/// How many pulses each device of a column gets that errors of these sizes are for.
fn pulses_on_column(
    config: &UpdateConfig,
    (sizes, lr, granularity): (&[f32], f32, f32),
    key: RngKey,
) -> Vec<u32> {
    let Some(Planned { length, x, d }) = Planned::new(config, granularity, (&[1.0], sizes, lr), key) else {
        return vec![0; sizes.len()];
    };
    match Counts::new(config.pulse_type, length, &x, &d) {
        Some(counts) => counts.on_column(0),
        None => pulses_with_one(Source::of(config), length, &d, &x, key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::config;
    use aimc_device::pulsed::PulsedDeviceConfig;
    use aimc_testkit::stats;

    const SHAPE: (usize, usize) = (70, 90);

    /// Sizes for a third of the devices, column by column, as lists and as errors of all.
    fn writes() -> (Vec<Vec<Write>>, Vec<f32>) {
        let (rows, columns) = SHAPE;
        let mut errors = vec![0.0; rows * columns];
        RngKey::root(2).stream(0).fill_normal(&mut errors);
        errors.iter_mut().enumerate().for_each(|(k, d)| *d = if k % 3 > 0 { 0.0 } else { d.abs() });
        let of_column =
            |errors: &[f32]| (0..).zip(errors.iter().copied()).filter(|(_, d)| *d > 0.0).collect();
        (errors.chunks(rows).map(of_column).collect(), errors)
    }

    /// What unit vectors as inputs make of the columns: bit for bit where chance decides nothing, as it is where no lines are left out.
    #[test]
    fn columns_are_updated_as_by_unit_vectors() {
        let ((rows, columns), (writes, errors)) = (SHAPE, writes());
        let unit = DMatrix::<f32>::identity(columns, columns);
        let check = |noise: f32, update: UpdateConfig, lr: f32| {
            let text = format!("model = \"ExpStep\"\ndw_min_std = {noise:?}\ncount_pulses = true");
            let device: PulsedDeviceConfig = config::from_toml(&text).unwrap();
            let mut arrays = [1, 1].map(|seed| device.build(rows, columns, RngKey::root(seed)).unwrap());
            let [single, whole] = &mut arrays;
            let key = RngKey::root(3);
            let writes: Vec<_> = writes.iter().map(Vec::as_slice).collect();
            pulsed_columns(single, &update, (&writes, lr), key);
            let (granularity, noise) = (whole.granularity(), label("devices"));
            let receiver = Receiver { noise, takes: &|_| true, route: Some };
            let products = OuterProducts { x: unit.as_slice(), d: &errors, lr };
            let draws = SampleKeys::new(key.fold_in(label("trains")));
            let arrays = (std::slice::from_mut(whole), &[receiver][..]);
            pulsed_update(arrays, (&update, granularity), products, draws);
            assert!(whole.pulses().total() > 1000);
            assert_eq!(single.state(), whole.state(), "{update:?}");
        };
        for pulse_type in [PulseType::MeanCount, PulseType::DeterministicImplicit] {
            let update = UpdateConfig { pulse_type, ..UpdateConfig::default() };
            check(0.0, update.clone(), 0.02);
            check(0.0, update, -0.02);
        }
        let shared = UpdateConfig { pulse_source: PulseSource::LaggedFibonacci, ..UpdateConfig::default() };
        check(0.3, shared, -0.02);
    }

    /// E[n] = lr·size/G and n binomial, n = 31·size for lr = 31·G, with trains that count pulses as with longer ones.
    #[test]
    fn pulses_are_those_that_sizes_ask_for() {
        let (granularity, trials, sizes) = (0.01, 2000, [0.8_f32, 0.0, 0.3]);
        for length in [31, 100] {
            let config = UpdateConfig {
                desired_bl: length,
                update_management: false,
                update_bl_management: false,
                ..UpdateConfig::default()
            };
            let lr = granularity * length as f32;
            let mut totals = [0; 3];
            for trial in 0..trials {
                let pulses =
                    pulses_on_column(&config, (&sizes, lr, granularity), RngKey::root(6).fold_in(trial));
                totals.iter_mut().zip(pulses).for_each(|(total, n)| *total += u64::from(n));
            }
            assert_eq!(totals[1], 0);
            for line in [0, 2] {
                let p =
                    stats::proportion_test(totals[line], trials * u64::from(length), f64::from(sizes[line]));
                stats::assert_p(p, stats::FALSE_ALARM / 4.0);
            }
        }
    }

    /// Two devices of a column differ as often as lines of their own make them in slots that they share, 1 - √½, not in ½ of all.
    #[test]
    fn devices_share_the_slots_of_their_column() {
        // k = 0.5 pulses at the largest size: one slot, in which the column fires with probability √½.
        let config = UpdateConfig::default();
        let mut differ = 0;
        for trial in 0..200 {
            let of = |sizes: &[f32]| pulses_on_column(&config, (sizes, 0.005, 0.01), RngKey::root(trial));
            let pulses = of(&[1.0, 1.0]);
            assert!(pulses.iter().all(|n| *n <= 1));
            differ += u32::from(pulses[0] != pulses[1]);
        }
        // Given that the column fires, each device does with probability √½: they differ with √½·2·√½(1 - √½) = 0.293.
        let p = stats::proportion_test(u64::from(differ), 200, 1.0 - 0.5_f64.sqrt());
        stats::assert_p(p, stats::FALSE_ALARM);
    }
}
