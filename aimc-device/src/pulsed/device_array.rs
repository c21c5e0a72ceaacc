//! An array of devices as a tile sees it, whatever the model.

use std::ops::Range;

use crate::error::ConfigError;
use crate::pulsed::{Burst, Direction, PulseCount};
use crate::rng::{RngKey, Stream};
use crate::state::{State, StateError, StatePart};

/// The devices of one row (bit line) while pulses arrive.
pub trait RowPort {
    /// Gives the pulses of one vector pair: one pulse to each device whose bit is set in `fired`, upwards where it is set in
    /// `up` as well; bit k of word n stands for column 64·n + k. `fired` may hold several slots, one after another. Noise
    /// comes from the stream of `key` with the number of the row, slot by slot in the order of the columns; then that of
    /// reading, once for each device that fired in any of the slots.
    fn pulse_where(&mut self, fired: &[u64], up: &[u64], key: RngKey);

    /// Gives one pulse in `direction` to each device in `columns`, with the next numbers of `draws`.
    fn pulse(&mut self, columns: &[u32], direction: Direction, draws: &mut Stream);

    /// Notes the weight of the device in a column as it would be read now. Nothing changes, whatever the implementation puts off.
    fn note(&mut self, column: usize);

    /// The weights noted since the row was opened, in order.
    fn noted(&mut self) -> &[f32];
}

/// An array of devices of one model, whatever the model: `rows` x `columns` weights, stored row by row.
///
/// Operations act on the persistent weights and cut them to each device's bounds.
pub trait DeviceArray: std::fmt::Debug + Send + Sync {
    /// Number of rows and columns.
    fn shape(&self) -> (usize, usize);

    /// Weights as they are read now (with write noise where the model has it).
    fn weights(&self) -> &[f32];

    /// Weights on which pulses act.
    fn persistent_weights(&self) -> &[f32];

    /// Writes all weights, cut to the bounds; `values` has rows · columns entries.
    ///
    /// # Panics
    /// If it has not, which is an error of the caller.
    fn set_weights(&mut self, values: &[f32], key: RngKey);

    /// Lets `work` pulse each of `rows` (ascending); rows may run on different threads where `parallel`.
    ///
    /// # Panics
    /// If they do not ascend within the array, which is an error of the caller.
    fn for_rows(&mut self, rows: &[usize], parallel: bool, work: &(dyn Fn(usize, &mut dyn RowPort) + Sync));

    /// Lets `work` pulse each row; rows may run on different threads where `parallel`.
    fn for_each_row(&mut self, parallel: bool, work: &(dyn Fn(usize, &mut dyn RowPort) + Sync)) {
        let rows: Vec<usize> = (0..self.shape().0).collect();
        self.for_rows(&rows, parallel, work);
    }

    /// Gives devices of each of `rows` (ascending) the bursts that `of` says, whose columns ascend: what [`RowPort::pulse_where`] does with
    /// slots in the n-th of which those fire that get n pulses or more. Rows may run on different threads where `parallel`.
    ///
    /// # Panics
    /// If rows do not ascend within the array or a column does not lie in it, which is an error of the caller.
    fn pulse_each(
        &mut self,
        rows: &[usize],
        parallel: bool,
        of: &(dyn Fn(usize) -> Vec<Burst> + Sync),
        key: RngKey,
    );

    /// Mean weight change of one pulse at w = 0.
    fn granularity(&self) -> f32;

    /// Decay by `alpha` mini-batches.
    fn decay(&mut self, alpha: f32, key: RngKey);

    /// One step of diffusion.
    fn diffuse(&mut self, key: RngKey);

    /// Cuts all weights to ± `limit` as well as to their bounds; a limit below 0 leaves the bounds alone.
    fn clip(&mut self, limit: f32, key: RngKey);

    /// Resets the devices of `columns`, each with the given probability.
    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey);

    /// Resets the marked devices: row after row, bit k of word n stands for column 64·n + k.
    ///
    /// # Panics
    /// If `marked` has fewer words than the rows take, which is an error of the caller.
    fn reset_marked(&mut self, marked: &[u64], key: RngKey);

    /// Lets `elapsed` time pass (unit: that of `drift.t_0`).
    fn drift(&mut self, elapsed: f32, key: RngKey);

    /// Turns every device into its mirror image: what raised its weight now lowers it. Reset, decay and diffusion
    /// stay as they are; weights are cut to the new bounds.
    fn mirror(&mut self, key: RngKey);

    /// Whether the configuration asks for decay and for diffusion once per mini-batch.
    fn forgets(&self) -> (bool, bool);

    /// Per-device constants by name, rows · columns entries each.
    fn constants(&self) -> Vec<(&'static str, Vec<f32>)>;

    /// Takes constants over, measured ones for example: any of those that [`DeviceArray::constants`] names, rows ·
    /// columns finite numbers each. Weights are cut to the new bounds, and where the mean step has changed beyond
    /// its spread, the granularity follows. An error names the list or the entry, and changes nothing.
    ///
    /// ```
    /// use aimc_device::pulsed::{DeviceArray, PulsedDeviceConfig};
    /// use aimc_device::{RngKey, config};
    /// let device: PulsedDeviceConfig = config::from_toml("model = \"SoftBounds\"\ndw_min = 0.01").unwrap();
    /// let mut array = device.build(1, 2, RngKey::root(1)).unwrap();
    /// let measured = [0.02, 0.04];
    /// array.set_constants(&[("dwmin_up", &measured), ("dwmin_down", &measured)], RngKey::root(2)).unwrap();
    /// assert!((array.granularity() - 0.03).abs() < 1e-8);
    /// ```
    fn set_constants(&mut self, constants: &[(&str, &[f32])], key: RngKey) -> Result<(), ConfigError>;

    /// Pulses that the devices have received since fabrication, all together.
    fn pulses(&self) -> PulseCount;

    /// Up and down pulses that each device has received; `None` unless the device record counts them.
    fn pulse_counts(&self) -> Option<(&[u64], &[u64])>;

    /// Everything needed to continue later: weights, constants, clocks, counters.
    fn state(&self) -> State;

    /// Takes over a state that [`DeviceArray::state`] gave.
    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError>;
}
