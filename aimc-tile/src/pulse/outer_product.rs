//! The pulsed outer-product update: the one loop in which trains meet at the devices.
//!
//! A device at the crossing of two lines that fire in the same slot gets one pulse, up where x·d < 0 and down
//! where x·d > 0, so that on average W changes by -lr·d xᵀ; a negative learning rate turns directions round. Rows go to
//! different threads; within a row the samples, and within a sample the slots, stay in order.

use std::borrow::Cow;
use std::cell::Cell;

use aimc_device::RngKey;
use aimc_device::parallel;
use aimc_device::pulsed::{DeviceArray, Direction, RowPort, Way};
use aimc_device::rng::label;
use rayon::prelude::*;

use crate::pulse::count::Counts;
use crate::pulse::management::TrainPlan;
use crate::pulse::notes::{Notebook, take_before};
use crate::pulse::probabilities::Probabilities;
use crate::pulse::train::{Source, Trains};
use crate::pulse::{PulseType, UpdateConfig};
use crate::signals::largest_size;
use crate::tile::SampleKeys;
use crate::unit_cell::{OuterProducts, Steps};

/// Samples whose trains are held in memory at a time, at least.
const BLOCK: usize = 128;

/// Lines of the samples whose trains are held in memory at a time, at least: enough for several threads.
const LINES: usize = 1 << 14;

/// What it takes to begin with a sample on a row, as many elementary operations.
const OPENING: usize = 200;

thread_local! {
    /// Memory for the slots of a row, which a thread hands from row to row.
    pub(super) static FIRED: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Which part of the pulses an array of devices takes. Arrays that share lines see the same trains.
pub(crate) struct Receiver<'a> {
    /// Label of the devices' own noise.
    pub(crate) noise: u64,
    /// Whether the array takes the pulses of a sample of the call.
    pub(crate) takes: &'a (dyn Fn(usize) -> bool + Sync),
    /// What becomes of a pulse that is to move the weight in a direction; `None`: it does not reach the array.
    pub(crate) route: fn(Direction) -> Option<Direction>,
}

/// Length of the trains of a vector pair, and with which probability each line fires in a slot.
pub(super) struct Planned<'a> {
    pub(super) length: u32,
    pub(super) x: Probabilities<'a>,
    pub(super) d: Probabilities<'a>,
}

impl<'a> Planned<'a> {
    /// `None` if there are no pulses.
    pub(super) fn new(
        config: &UpdateConfig,
        granularity: f32,
        (x, d, lr): Pair<'a>,
        key: RngKey,
    ) -> Option<Self> {
        let plan = TrainPlan::new(config, lr.abs(), granularity, largest_size(x), largest_size(d))?;
        let (x_bin, d_bin) = config.bins();
        let probabilities = |values, scale, bin, purpose| {
            let drawn = config.sto_round && bin > 0.0;
            let dithers = drawn.then(|| {
                let mut dithers = vec![0.0; <[f32]>::len(values)];
                key.fold_in(label(purpose)).stream(0).fill_uniform(&mut dithers);
                dithers
            });
            Probabilities { values, scale, bin, dithers }
        };
        let x = probabilities(x, plan.x_scale, x_bin, "x rounding");
        let d = probabilities(d, plan.d_scale, d_bin, "d rounding");
        Some(Self { length: plan.length, x, d })
    }
}

/// What the lines of one vector pair carry.
pub(super) enum Lines {
    /// With the aims of rows whose d is below and above 0, for each of some routes.
    Trains(Trains, Vec<[Aim; 2]>),
    Counts(Counts),
}

impl Lines {
    /// The pulses of a vector pair that is planned, which take some routes.
    pub(super) fn new(
        config: &UpdateConfig,
        Planned { length, x, d }: Planned<'_>,
        routes: &[Routes],
        key: RngKey,
    ) -> Self {
        if let Some(counts) = Counts::new(config.pulse_type, length, &x, &d) {
            return Self::Counts(counts);
        }
        let trains = Trains::draw(Source::of(config), length, &x, &d, key);
        let positive = trains.positive().iter().copied();
        let aims =
            |routes: &Routes| [routes.aim(positive.clone().map(|word| !word)), routes.aim(positive.clone())];
        let aims = routes.iter().map(aims).collect();
        Self::Trains(trains, aims)
    }

    /// Rows that carry pulses.
    pub(super) fn rows(&self) -> Cow<'_, [u32]> {
        match self {
            Self::Trains(trains, _) => trains.rows().into(),
            Self::Counts(counts) => counts.rows().collect(),
        }
    }

    /// Largest possible number of pulses, for judging the amount of work.
    pub(super) fn work(&self) -> usize {
        match self {
            Self::Trains(trains, _) => trains.work(),
            Self::Counts(counts) => counts.work(),
        }
    }

    /// Pulses a row, number `place` of [`Lines::rows`], by number `way` of the routes; `fired` is memory to be used.
    pub(super) fn pulse(
        &self,
        (routes, way): (&[Routes], usize),
        (row, place): (usize, usize),
        port: &mut dyn RowPort,
        fired: &mut Vec<u64>,
        noise: RngKey,
    ) {
        fired.clear();
        match self {
            Self::Trains(trains, aims) => {
                let aim = &aims[way][usize::from(trains.row_is_positive(row))];
                trains.coincidences(place).for_each(|slot| aim.keep_arriving(slot, fired));
                port.pulse_where(fired, &aim.up, noise);
            }
            Self::Counts(counts) => {
                let aim = routes[way].aim(counts.positive(row).into_iter());
                counts.deliver(row, |slot| aim.keep_arriving(slot, fired));
                port.pulse_where(fired, &aim.up, noise);
            }
        }
    }
}

/// x, d and learning rate of one sample.
pub(super) type Pair<'a> = (&'a [f32], &'a [f32], f32);

/// Which samples fire on which rows.
pub(super) struct Firing {
    /// Rows that any sample fires on, in ascending order.
    pub(super) rows: Vec<usize>,
    /// Numbers of the samples, and of the row among those of the sample, row after row in order; those of row k begin at
    /// `starts[k]`.
    samples: Vec<[u32; 2]>,
    starts: Vec<usize>,
}

impl Firing {
    /// From the rows of each sample.
    pub(super) fn new(samples: &[Cow<'_, [u32]>], rows: usize) -> Self {
        if let [alone] = samples {
            return Self::of_one(alone, rows);
        }
        let mut ends = vec![0; rows];
        samples.iter().flat_map(|rows| &**rows).for_each(|row| ends[*row as usize] += 1);
        let firing = (0..rows).filter(|row| ends[*row] > 0).collect();
        let mut starts = vec![0; rows + 1];
        for (row, end) in ends.iter_mut().enumerate() {
            starts[row + 1] = starts[row] + *end;
            *end = starts[row];
        }
        let mut by_row = vec![[0; 2]; starts[rows]];
        for (sample, rows) in (0..).zip(samples) {
            for (place, row) in (0..).zip(&**rows) {
                by_row[ends[*row as usize]] = [sample, place];
                ends[*row as usize] += 1;
            }
        }
        Self { rows: firing, samples: by_row, starts }
    }

    /// The same of a sample alone, for which nothing needs to be counted.
    fn of_one(fired: &[u32], rows: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        for (place, row) in fired.iter().enumerate() {
            starts.resize(*row as usize + 1, place);
        }
        starts.resize(rows + 1, fired.len());
        let samples = (0..fired.len() as u32).map(|place| [0, place]).collect();
        Self { rows: fired.iter().map(|row| *row as usize).collect(), samples, starts }
    }

    /// What it takes to begin with each sample on each row, as many elementary operations.
    pub(super) fn opening(&self) -> usize {
        OPENING * self.samples.len()
    }

    /// The samples that fire on a row, and its number among those of the sample.
    pub(super) fn on(&self, row: usize) -> impl Iterator<Item = [usize; 2]> {
        self.samples[self.starts[row]..self.starts[row + 1]]
            .iter()
            .map(|pair| pair.map(|number| number as usize))
    }
}

/// Updates `arrays` by every sample in turn, each as far as its receiver takes it: the same trains for all, planned for pulses of mean
/// weight change `granularity`.
pub(crate) fn pulsed_update(
    (arrays, receivers): (&mut [Box<dyn DeviceArray>], &[Receiver<'_>]),
    (config, granularity): (&UpdateConfig, f32),
    products: OuterProducts<'_>,
    draws: SampleKeys,
) {
    let (rows, columns) = arrays[0].shape();
    let OuterProducts { x, d, lr } = products;
    let samples = x.chunks(columns).zip(d.chunks(rows)).map(|(x, d)| (x, d, lr)).enumerate();
    if config.pulse_type == PulseType::NoneWithDevice {
        for (sample, pair) in samples {
            for (array, receiver) in arrays.iter_mut().zip(receivers) {
                if (receiver.takes)(sample) {
                    exact_update(array.as_mut(), receiver, pair, draws.sample(sample));
                }
            }
        }
        return;
    }
    let samples: Vec<_> = samples.collect();
    let notebook = Notebook::new(&[], rows);
    pulse_in_turn((arrays, receivers), (config, granularity), (&samples, lr), draws, &notebook);
}

/// The same of one array with a learning rate for each sample, 0 or above, and notes: the columns asked for, one after another. `None`,
/// and nothing happens, where there are no pulses on whose way to take notes.
pub(crate) fn pulsed_steps(
    (array, receiver): (&mut Box<dyn DeviceArray>, Receiver<'_>),
    config: &UpdateConfig,
    steps: Steps<'_>,
    draws: SampleKeys,
) -> Option<Vec<f32>> {
    if config.pulse_type == PulseType::NoneWithDevice {
        return None;
    }
    let ((rows, columns), granularity) = (array.shape(), array.granularity());
    let pairs = steps.x.chunks(columns).zip(steps.d.chunks(rows));
    let samples: Vec<_> = pairs.zip(steps.lr).map(|((x, d), lr)| (x, d, *lr)).enumerate().collect();
    let notebook = Notebook::new(steps.notes, rows);
    let arrays = (std::slice::from_mut(array), &[receiver][..]);
    pulse_in_turn(arrays, (config, granularity), (&samples, 1.0), draws, &notebook);
    Some(notebook.into_weights())
}

/// Pulses arrays by numbered samples in turn, whose learning rates have the sign of `sign`.
fn pulse_in_turn(
    (arrays, receivers): (&mut [Box<dyn DeviceArray>], &[Receiver<'_>]),
    (config, granularity): (&UpdateConfig, f32),
    (samples, sign): (&[(usize, Pair<'_>)], f32),
    draws: SampleKeys,
    notebook: &Notebook<'_>,
) {
    let (rows, columns) = arrays[0].shape();
    let routes: Vec<_> =
        receivers.iter().map(|receiver| Routes::new(directions(sign).map(receiver.route))).collect();
    for block in samples.chunks(BLOCK.max(LINES / (rows + columns))) {
        let prepare = |&(sample, pair): &(usize, Pair<'_>)| {
            let key = draws.sample(sample);
            let planned = Planned::new(config, granularity, pair, key)?;
            Some((Lines::new(config, planned, &routes, key), key, sample))
        };
        let operations = block.len() * (rows + columns) * 4;
        let lines: Vec<_> = if parallel::worthwhile(operations) {
            block.par_iter().filter_map(prepare).collect()
        } else {
            block.iter().filter_map(prepare).collect()
        };
        let (first, last) = (block[0].0, block[block.len() - 1].0);
        let noted = notebook.has(first, last).then(|| (0..rows).collect::<Vec<_>>());
        parallel::each_chunk(operations, arrays, 1, |(way, array)| {
            let receiver = &receivers[way];
            let taken = lines.iter().filter(|(.., sample)| (receiver.takes)(*sample));
            let taken: Vec<_> =
                taken.map(|(lines, key, sample)| (lines, key.fold_in(receiver.noise), *sample)).collect();
            let pulses: usize = taken.iter().map(|(lines, ..)| lines.work()).sum();
            let firing: Vec<_> = taken.iter().map(|(lines, ..)| lines.rows()).collect();
            let firing = Firing::new(&firing, rows);
            let work = pulses + firing.opening();
            let rows = noted.as_ref().unwrap_or(&firing.rows);
            array[0].for_rows(rows, parallel::worthwhile(work), &|row, port| {
                let (mut fired, mut due) = (FIRED.take(), notebook.due_from(first));
                for [line, place] in firing.on(row) {
                    let (lines, noise, sample) = taken[line];
                    take_before(sample, &mut due, port);
                    lines.pulse((&routes, way), (row, place), port, &mut fired, noise);
                }
                FIRED.set(fired);
                if noted.is_some() {
                    take_before(last + 1, &mut due, port);
                    notebook.keep(row, first, port.noted());
                }
            });
        });
    }
}

/// The exact update of one sample, cut to what the devices can hold.
fn exact_update(array: &mut dyn DeviceArray, receiver: &Receiver<'_>, (x, d, lr): Pair<'_>, key: RngKey) {
    let mut weights = array.persistent_weights().to_vec();
    let [plus, minus] = directions(lr).map(receiver.route);
    for (row, d) in weights.chunks_mut(x.len()).zip(d) {
        for (w, x) in row.iter_mut().zip(x) {
            let product = d * x;
            let direction = if product > 0.0 { plus } else { minus };
            if let Some(direction) = direction {
                let step = (lr * product).abs();
                *w += direction.signed(step, step);
            }
        }
    }
    array.set_weights(&weights, key.fold_in(receiver.noise));
}

/// What becomes of pulses with products above and below 0, as masks of all bits or none.
pub(super) struct Routes {
    /// Of those above and below 0: whether they arrive, and whether they go up.
    arrive: [u64; 2],
    up: [u64; 2],
}

impl Routes {
    pub(super) fn new(routes: [Option<Direction>; 2]) -> Self {
        let mask = |yes: bool| if yes { u64::MAX } else { 0 };
        Self {
            arrive: routes.map(|route| mask(route.is_some())),
            up: routes.map(|route| mask(route == Some(Direction::Up))),
        }
    }

    /// Where the pulses of the columns go, given those whose product x·d is above 0.
    pub(super) fn aim(&self, positive: impl Iterator<Item = u64> + Clone) -> Aim {
        let choose = |[above, below]: [u64; 2]| {
            positive.clone().map(move |positive| above & positive | below & !positive).collect()
        };
        let arrive = (self.arrive != [u64::MAX; 2]).then(|| choose(self.arrive));
        Aim { arrive, up: choose(self.up) }
    }
}

/// Where the pulses of a row's columns go, a bit for each.
pub(super) struct Aim {
    /// Whose pulses arrive; `None` if all do.
    arrive: Option<Vec<u64>>,
    /// Whose pulses go up.
    pub(super) up: Vec<u64>,
}

impl Aim {
    /// Adds a slot: those of the columns that fire whose pulses arrive.
    pub(super) fn keep_arriving(&self, fired: &[u64], slots: &mut Vec<u64>) {
        match &self.arrive {
            None => slots.extend_from_slice(fired),
            Some(arrive) => slots.extend(fired.iter().zip(arrive).map(|(fired, arrive)| fired & arrive)),
        }
    }
}

/// Directions for products above and below 0.
pub(super) fn directions(lr: f32) -> [Direction; 2] {
    if lr > 0.0 { [Direction::Down, Direction::Up] } else { [Direction::Up, Direction::Down] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample alone is one of two of which the other fires nowhere.
    #[test]
    fn a_sample_alone_fires_where_it_would_beside_a_silent_one() {
        for fired in [&[][..], &[0], &[3], &[0, 1, 3, 4]] {
            let [alone, beside] =
                [vec![fired.into()], vec![fired.into(), Cow::default()]].map(|all| Firing::new(&all, 5));
            assert_eq!(alone.rows, beside.rows);
            for row in 0..5 {
                assert!(alone.on(row).eq(beside.on(row)), "{fired:?} {row}");
            }
        }
    }
}
