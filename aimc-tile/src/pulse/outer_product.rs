//! The pulsed outer-product update: the one loop in which trains meet at the devices.
//!
//! A device at the crossing of two lines that fire in the same slot gets one pulse, up where x·d < 0 and down
//! where x·d > 0, so that on average W changes by -lr·d xᵀ; a negative learning rate turns directions round. Rows go to
//! different threads; within a row the samples, and within a sample the slots, stay in order.

use aimc_device::RngKey;
use aimc_device::parallel;
use aimc_device::pulsed::{DeviceArray, Direction, Way};
use aimc_device::rng::label;
use rayon::prelude::*;

use crate::periphery::quantiser::quantise;
use crate::pulse::count::Counts;
use crate::pulse::management::TrainPlan;
use crate::pulse::train::{Probabilities, Source, Trains};
use crate::pulse::{PulseType, UpdateConfig};
use crate::tile::{SampleKeys, largest_size};
use crate::unit_cell::OuterProducts;

/// Samples whose trains are held in memory at a time.
const BLOCK: usize = 32;

/// Which part of the pulses an array of devices takes. Arrays that share lines see the same trains.
pub(crate) struct Receiver<'a> {
    /// Mean weight change of a pulse with which the trains are planned.
    pub(crate) granularity: f32,
    /// Label of the devices' own noise.
    pub(crate) noise: u64,
    /// Whether the array takes the pulses of a sample of the call.
    pub(crate) takes: &'a (dyn Fn(usize) -> bool + Sync),
    /// What becomes of a pulse that is to move the weight in a direction; `None`: it does not reach the array.
    pub(crate) route: fn(Direction) -> Option<Direction>,
}

/// What the lines of one vector pair carry.
enum Lines {
    Trains(Trains),
    Counts(Counts),
}

impl Lines {
    /// The pulses of a vector pair; `None` if there are none.
    fn new(config: &UpdateConfig, granularity: f32, (x, d, lr): Pair<'_>, key: RngKey) -> Option<Self> {
        let plan = TrainPlan::new(config, lr.abs(), granularity, largest_size(x), largest_size(d))?;
        let (x_bin, d_bin) = config.bins();
        let dithers = |values: &[f32], bin: f32, purpose| {
            let drawn = config.sto_round && bin > 0.0;
            drawn.then(|| {
                let mut dithers = vec![0.0; values.len()];
                key.fold_in(label(purpose)).stream(0).fill_uniform(&mut dithers);
                dithers
            })
        };
        let (x_dithers, d_dithers) = (dithers(x, x_bin, "x rounding"), dithers(d, d_bin, "d rounding"));
        let x = probabilities(x, plan.x_scale, x_bin, x_dithers.as_deref());
        let d = probabilities(d, plan.d_scale, d_bin, d_dithers.as_deref());
        Some(match config.pulse_type {
            PulseType::MeanCount => Self::Counts(Counts::mean_count(plan.length, &singles(x), &singles(d))),
            PulseType::DeterministicImplicit => {
                Self::Counts(Counts::implicit(plan.length, &singles(x), &singles(d)))
            }
            _ => {
                let rounds = config.sto_round && x_bin > 0.0;
                let source = Source { kind: config.pulse_source, rounds };
                Self::Trains(Trains::draw(source, plan.length, x, d, key))
            }
        })
    }

    fn row_fires(&self, row: usize) -> bool {
        match self {
            Self::Trains(trains) => trains.row_fires(row),
            Self::Counts(counts) => counts.row_fires(row),
        }
    }

    fn work(&self) -> usize {
        match self {
            Self::Trains(trains) => trains.work(),
            Self::Counts(counts) => counts.work(),
        }
    }

    /// The columns whose product x·d with a row is above 0, a bit for each.
    fn positive(&self, row: usize, d_is_positive: bool, into: &mut Vec<u64>) {
        into.clear();
        match self {
            Self::Trains(trains) if d_is_positive => into.extend(trains.positive()),
            Self::Trains(trains) => into.extend(trains.positive().iter().map(|word| !word)),
            Self::Counts(counts) => into.extend(counts.positive(row)),
        }
    }

    /// The pulses of a row, slot by slot: which columns fire, a bit for each.
    fn deliver(&self, row: usize, emit: impl FnMut(&[u64])) {
        match self {
            Self::Trains(trains) => trains.coincidences(row).for_each(emit),
            Self::Counts(counts) => counts.deliver(row, emit),
        }
    }
}

/// x, d and learning rate of one sample.
type Pair<'a> = (&'a [f32], &'a [f32], f32);

/// Signed pulse probabilities of lines: values times scale, in bins where there is a width, dithered where there are numbers for it.
fn probabilities<'a>(
    values: &'a [f32],
    scale: f64,
    bin: f32,
    dithers: Option<&'a [f32]>,
) -> impl Probabilities + use<'a> {
    values.iter().enumerate().map(move |(line, v)| {
        let p = f64::from(v.abs()) * scale;
        let dither = dithers.map_or(0.5, |dithers| dithers[line]);
        let binned = if bin > 0.0 { f64::from(quantise(p as f32, bin, dither - 0.5)) } else { p };
        binned.copysign(f64::from(*v))
    })
}

/// In single precision.
fn singles(probabilities: impl Probabilities) -> Vec<f32> {
    probabilities.map(|p| p as f32).collect()
}

/// Updates `array` by every sample in turn, as far as `receiver` takes it.
pub(crate) fn pulsed_update(
    array: &mut dyn DeviceArray,
    receiver: &Receiver<'_>,
    config: &UpdateConfig,
    products: OuterProducts<'_>,
    draws: SampleKeys,
) {
    let (rows, columns) = array.shape();
    let OuterProducts { x, d, lr } = products;
    let samples = x.chunks(columns).zip(d.chunks(rows)).enumerate();
    let samples: Vec<_> = samples.filter(|(sample, _)| (receiver.takes)(*sample)).collect();
    if config.pulse_type == PulseType::NoneWithDevice {
        return samples.into_iter().for_each(|(sample, (x, d))| {
            exact_update(array, receiver, (x, d, lr), draws.sample(sample));
        });
    }
    let routes = Routes::new(directions(lr).map(receiver.route));
    for block in samples.chunks(BLOCK) {
        let prepare = |&(sample, (x, d)): &(usize, (&[f32], &[f32]))| {
            Some((sample, Lines::new(config, receiver.granularity, (x, d, lr), draws.sample(sample))?))
        };
        let lines: Vec<_> = if parallel::worthwhile(block.len() * (rows + columns) * 4) {
            block.par_iter().filter_map(prepare).collect()
        } else {
            block.iter().filter_map(prepare).collect()
        };
        let work = lines.iter().map(|(_, lines)| lines.work()).sum();
        let fires = |row: &usize| lines.iter().any(|(_, lines)| lines.row_fires(*row));
        let firing: Vec<usize> = (0..rows).filter(fires).collect();
        array.for_rows(&firing, parallel::worthwhile(work), &|row, port| {
            let mut aim = Aim::default();
            for (sample, lines) in lines.iter().filter(|(_, lines)| lines.row_fires(row)) {
                let mut noise = draws.sample(*sample).fold_in(receiver.noise).stream(row as u64);
                lines.positive(row, d[sample * rows + row] > 0.0, &mut aim.positive);
                routes.aim(&mut aim);
                aim.fired.clear();
                lines.deliver(row, |fired| routes.keep_arriving(&mut aim, fired));
                port.pulse_where(&aim.fired, &aim.up, &mut noise);
            }
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
                *w = direction.apply(*w, (lr * product).abs());
            }
        }
    }
    array.set_weights(&weights, key.fold_in(receiver.noise));
}

/// What becomes of pulses with products above and below 0, as masks of all bits or none.
struct Routes {
    /// Of those above and below 0: whether they arrive, and whether they go up.
    arrive: [u64; 2],
    up: [u64; 2],
}

/// The columns of a row, a bit for each.
#[derive(Default)]
struct Aim {
    /// Whose product x·d is above 0.
    positive: Vec<u64>,
    /// Whose pulses arrive, and go up.
    arrive: Vec<u64>,
    up: Vec<u64>,
    /// Those that arrive, slot after slot.
    fired: Vec<u64>,
}

impl Routes {
    fn new(routes: [Option<Direction>; 2]) -> Self {
        let mask = |yes: bool| if yes { u64::MAX } else { 0 };
        Self {
            arrive: routes.map(|route| mask(route.is_some())),
            up: routes.map(|route| mask(route == Some(Direction::Up))),
        }
    }

    /// Where the pulses of the columns go.
    fn aim(&self, columns: &mut Aim) {
        let choose = |[above, below]: [u64; 2], positive: &u64| above & positive | below & !positive;
        columns.up.clear();
        columns.up.extend(columns.positive.iter().map(|positive| choose(self.up, positive)));
        columns.arrive.clear();
        columns.arrive.extend(columns.positive.iter().map(|positive| choose(self.arrive, positive)));
    }

    /// Adds a slot: those of the columns that fire whose pulses arrive.
    fn keep_arriving(&self, columns: &mut Aim, fired: &[u64]) {
        if self.arrive == [u64::MAX; 2] {
            columns.fired.extend(fired);
        } else {
            columns.fired.extend(fired.iter().zip(&columns.arrive).map(|(fired, arrive)| fired & arrive));
        }
    }
}

/// Directions for products above and below 0.
fn directions(lr: f32) -> [Direction; 2] {
    if lr > 0.0 { [Direction::Down, Direction::Up] } else { [Direction::Up, Direction::Down] }
}
