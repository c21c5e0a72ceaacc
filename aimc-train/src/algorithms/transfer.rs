//! What all transfer algorithms share: their parameters, and when which slice is transferred.
//!
//! Gradients are pulsed into a fast array A. Every so often one of its columns (or rows) is read through A's own
//! circuits and written to the slow array C, so that noise and asymmetry of single pulses average out before they reach
//! the weight. With more than two arrays each is transferred to the next. The weight is W = Σ γₖ wₖ.
//!
//! | symbol | field | meaning |
//! |---|---|---|
//! | γₖ | `gamma`, `gamma_vec` | share of array k in the weight: gammaⁿ⁻¹⁻ᵏ, so that the last one counts fully |
//! | E | `transfer_every`, `units_in_mbatch`, `transfer_every_vec` | vectors (or mini-batches) between two transfers |
//! | λ_A | `fast_lr`, `scale_fast_lr` | learning rate of A; 0: that of the optimiser; scaled: times that of the optimiser |
//! | λ_T | `transfer_lr`, `scale_transfer_lr`, `transfer_lr_vec` | learning rate of the transfer |
//!
//! Array k+1 is transferred as often as array k has been swept once: its period is larger by the number of slices over
//! `n_reads_per_transfer`.

use aimc_device::error::{ConfigError, require};
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::{IoConfig, Shape, UnitCell, UpdateConfig};

/// Parameters of a transfer, see the [module](self).
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    pub(crate) devices: Vec<UnitCell>,
    /// Arrays of the device of the tile, if no devices are listed.
    pub(crate) arrays: usize,
    pub(crate) gamma: f32,
    pub(crate) gamma_vec: Vec<f32>,
    pub(crate) transfer_every: f32,
    pub(crate) units_in_mbatch: bool,
    pub(crate) transfer_every_vec: Vec<f32>,
    pub(crate) n_reads_per_transfer: usize,
    pub(crate) transfer_columns: bool,
    pub(crate) with_reset_prob: f32,
    pub(crate) random_selection: bool,
    pub(crate) fast_lr: f32,
    pub(crate) scale_fast_lr: bool,
    pub(crate) transfer_lr: f32,
    pub(crate) transfer_lr_vec: Vec<f32>,
    pub(crate) scale_transfer_lr: bool,
    pub(crate) transfer_forward: IoConfig,
    pub(crate) transfer_update: UpdateConfig,
    pub(crate) as_aihwkit: bool,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            arrays: 2,
            gamma: 0.0,
            gamma_vec: Vec::new(),
            transfer_every: 1.0,
            units_in_mbatch: true,
            transfer_every_vec: Vec::new(),
            n_reads_per_transfer: 1,
            transfer_columns: true,
            with_reset_prob: 0.0,
            random_selection: false,
            fast_lr: 1.0,
            scale_fast_lr: true,
            transfer_lr: 1.0,
            transfer_lr_vec: Vec::new(),
            scale_transfer_lr: true,
            transfer_forward: IoConfig::default(),
            transfer_update: UpdateConfig::default(),
            as_aihwkit: false,
        }
    }
}

/// Transfers of the buffered algorithms: one pulse for each device that is to move.
pub(crate) fn single_pulses() -> UpdateConfig {
    UpdateConfig {
        desired_bl: 1,
        update_bl_management: false,
        update_management: false,
        ..UpdateConfig::default()
    }
}

/// Declares the record of a transfer algorithm: the fields of [`Transfer`], with other defaults where given, and its own.
macro_rules! transfer_record {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* $own:ident: $type:ty = $default:expr,)* }
        defaults { $($other:ident: $value:expr,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
            pub devices: Vec<aimc_tile::UnitCell>,
            /// Share of an array in the weight relative to that of the next one; 0 hides all but the last.
            pub gamma: f32,
            /// The shares one by one, instead of `gamma`.
            pub gamma_vec: Vec<f32>,
            /// Period of the transfers; 0 is never.
            pub transfer_every: f32,
            /// The period counts mini-batches, otherwise vectors.
            pub units_in_mbatch: bool,
            /// The periods array by array, instead of those that follow from `transfer_every`.
            pub transfer_every_vec: Vec<f32>,
            /// Slices read in a transfer.
            pub n_reads_per_transfer: usize,
            /// Slices are columns, read forward; otherwise rows, read backward.
            pub transfer_columns: bool,
            /// Probability that the devices of a column are reset after it was read.
            pub with_reset_prob: f32,
            /// The first slice of a transfer is random; otherwise slices come in turn.
            pub random_selection: bool,
            /// Learning rate of the fast array; 0 is that of the optimiser.
            pub fast_lr: f32,
            /// Multiply it by that of the optimiser, as AIHWKit does after 1.1.
            pub scale_fast_lr: bool,
            /// Learning rate of the transfer.
            pub transfer_lr: f32,
            /// The same array by array.
            pub transfer_lr_vec: Vec<f32>,
            /// Multiply it by that of the optimiser.
            pub scale_transfer_lr: bool,
            /// Circuits that read an array for its transfer; noise and bound management are off.
            pub transfer_forward: aimc_tile::IoConfig,
            /// Pulses that write the transfer.
            pub transfer_update: aimc_tile::UpdateConfig,
            /// Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
            pub as_aihwkit: bool,
            $($(#[$doc])* pub $own: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                let common = $crate::algorithms::transfer::Transfer {
                    $($other: $value,)*
                    ..Default::default()
                };
                Self {
                    devices: common.devices,
                    gamma: common.gamma,
                    gamma_vec: common.gamma_vec,
                    transfer_every: common.transfer_every,
                    units_in_mbatch: common.units_in_mbatch,
                    transfer_every_vec: common.transfer_every_vec,
                    n_reads_per_transfer: common.n_reads_per_transfer,
                    transfer_columns: common.transfer_columns,
                    with_reset_prob: common.with_reset_prob,
                    random_selection: common.random_selection,
                    fast_lr: common.fast_lr,
                    scale_fast_lr: common.scale_fast_lr,
                    transfer_lr: common.transfer_lr,
                    transfer_lr_vec: common.transfer_lr_vec,
                    scale_transfer_lr: common.scale_transfer_lr,
                    transfer_forward: common.transfer_forward,
                    transfer_update: common.transfer_update,
                    as_aihwkit: common.as_aihwkit,
                    $($own: $default,)*
                }
            }
        }

        impl $name {
            /// The parameters shared by all transfer algorithms.
            pub(crate) fn transfer(&self) -> $crate::algorithms::transfer::Transfer {
                $crate::algorithms::transfer::Transfer {
                    devices: self.devices.clone(),
                    arrays: 2,
                    gamma: self.gamma,
                    gamma_vec: self.gamma_vec.clone(),
                    transfer_every: self.transfer_every,
                    units_in_mbatch: self.units_in_mbatch,
                    transfer_every_vec: self.transfer_every_vec.clone(),
                    n_reads_per_transfer: self.n_reads_per_transfer,
                    transfer_columns: self.transfer_columns,
                    with_reset_prob: self.with_reset_prob,
                    random_selection: self.random_selection,
                    fast_lr: self.fast_lr,
                    scale_fast_lr: self.scale_fast_lr,
                    transfer_lr: self.transfer_lr,
                    transfer_lr_vec: self.transfer_lr_vec.clone(),
                    scale_transfer_lr: self.scale_transfer_lr,
                    transfer_forward: self.transfer_forward.clone(),
                    transfer_update: self.transfer_update.clone(),
                    as_aihwkit: self.as_aihwkit,
                }
            }
        }
    };
}

pub(crate) use transfer_record;

impl Transfer {
    /// Refuses parameters outside their range, for `n` arrays.
    pub(crate) fn validate(&self, n: usize) -> Result<(), ConfigError> {
        require::that(n >= 2, "devices", n, "must be two or more, the fast one first")?;
        require::finite("gamma", self.gamma)?;
        let per_array = |field: &str, list: &[f32]| {
            list.iter().enumerate().try_for_each(|(k, v)| require::finite(&format!("{field}[{k}]"), *v))?;
            let length = format!("must have one entry for each of the {n} devices, or none");
            require::that(list.is_empty() || list.len() == n, field, list.len(), &length)
        };
        per_array("gamma_vec", &self.gamma_vec)?;
        per_array("transfer_every_vec", &self.transfer_every_vec)?;
        per_array("transfer_lr_vec", &self.transfer_lr_vec)?;
        let last = self.gamma_vec.last().copied().unwrap_or(1.0);
        require::that(last != 0.0, &format!("gamma_vec[{}]", n - 1), last, "must not be 0")?;
        require::finite("transfer_every", self.transfer_every)?;
        require::at_least_one("n_reads_per_transfer", self.n_reads_per_transfer)?;
        require::probability("with_reset_prob", self.with_reset_prob)?;
        require::that(
            self.with_reset_prob == 0.0 || self.transfer_columns,
            "with_reset_prob",
            self.with_reset_prob,
            "must be 0 where rows are transferred: devices are reset by columns",
        )?;
        require::non_negative("fast_lr", self.fast_lr)?;
        require::non_negative("transfer_lr", self.transfer_lr)?;
        for (k, lr) in self.transfer_lr_vec.iter().enumerate() {
            require::non_negative(&format!("transfer_lr_vec[{k}]"), *lr)?;
        }
        self.reading().validate().map_err(|error| error.within("transfer_forward"))?;
        self.transfer_update.validate().map_err(|error| error.within("transfer_update"))
    }

    /// Circuits that read an array for its transfer.
    pub(crate) fn reading(&self) -> IoConfig {
        IoConfig {
            noise_management: NoiseManagement::None,
            bound_management: BoundManagement::None,
            ..self.transfer_forward.clone()
        }
    }

    /// γ of the `n` arrays.
    pub(crate) fn gammas(&self, n: usize) -> Vec<f32> {
        if self.gamma_vec.is_empty() {
            (0..n).map(|k| self.gamma.powi((n - 1 - k) as i32)).collect()
        } else {
            self.gamma_vec.clone()
        }
    }

    /// Slices of an array, and entries of a slice.
    pub(crate) fn slices(&self, shape: Shape) -> (usize, usize) {
        if self.transfer_columns { (shape.inputs, shape.outputs) } else { (shape.outputs, shape.inputs) }
    }

    /// λ_A at the learning rate `lr`.
    pub(crate) fn fast_rate(&self, lr: f32) -> f32 {
        match (self.fast_lr > 0.0, self.scale_fast_lr) {
            (false, _) => lr,
            (true, true) => self.fast_lr * lr,
            (true, false) => self.fast_lr,
        }
    }

    /// λ_T of array `k` at the learning rate `lr`.
    pub(crate) fn transfer_rate(&self, k: usize, lr: f32) -> f32 {
        let rate = self.transfer_lr_vec.get(k).copied().unwrap_or(self.transfer_lr);
        if self.scale_transfer_lr { rate * lr } else { rate }
    }

    /// Vectors between two transfers of array `k` of `n` at `batch` vectors per mini-batch; 0 is never. `states` is the
    /// number of states of the fast device, in which a negative period is counted.
    pub(crate) fn period(&self, k: usize, n: usize, shape: Shape, batch: usize, states: f32) -> u64 {
        let (slices, entries) = self.slices(shape);
        if k + 1 == n {
            return 0;
        }
        // AIHWKit 1.1 multiplies by the entries of a slice, which is the same for square tiles only.
        let sweep = if self.as_aihwkit { entries } else { slices } as f32 / self.reads(shape) as f32;
        let every = self.transfer_every_vec.get(k).copied();
        let every = every.unwrap_or_else(|| self.transfer_every * sweep.powi(k as i32));
        if every < 0.0 {
            (states / slices as f32 * -every).round().max(1.0) as u64
        } else if self.units_in_mbatch {
            (every * batch as f32).ceil() as u64
        } else {
            every.round() as u64
        }
    }

    /// Slices that one transfer reads.
    pub(crate) fn reads(&self, shape: Shape) -> usize {
        self.n_reads_per_transfer.min(self.slices(shape).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { outputs: 3, inputs: 4 };

    fn periods(transfer: &Transfer, batch: usize) -> Vec<u64> {
        (0..3).map(|k| transfer.period(k, 3, SHAPE, batch, 100.0)).collect()
    }

    /// Period of array k + 1 = period of array k times the reads of a sweep, ⌈inputs/reads per transfer⌉; in batches
    /// times their size.
    #[test]
    fn later_arrays_wait_for_a_sweep_of_the_one_before() {
        let vectors = Transfer { units_in_mbatch: false, transfer_every: 2.0, ..Transfer::default() };
        assert_eq!(periods(&vectors, 5), [2, 8, 0]);
        assert_eq!(periods(&Transfer { n_reads_per_transfer: 2, ..vectors.clone() }, 5), [2, 4, 0]);
        assert_eq!(periods(&Transfer { as_aihwkit: true, ..vectors.clone() }, 5), [2, 6, 0]);
        assert_eq!(periods(&Transfer { units_in_mbatch: true, ..vectors.clone() }, 5), [10, 40, 0]);
        assert_eq!(periods(&Transfer { transfer_every: 1.5, ..vectors.clone() }, 1), [2, 6, 0]);
        assert_eq!(
            periods(&Transfer { transfer_every_vec: vec![3.0, 0.0, 1.0], ..vectors.clone() }, 1),
            [3, 0, 0]
        );
        // A tenth of the 100 states spread over 4 slices.
        assert_eq!(periods(&Transfer { transfer_every: -0.1, ..vectors }, 1)[0], 3);
    }

    /// γₖ = γ^(n - 1 - k), the last array counting 1.
    #[test]
    fn shares_count_from_the_last_array() {
        assert_eq!(Transfer::default().gammas(3), [0.0, 0.0, 1.0]);
        assert_eq!(Transfer { gamma: 0.5, ..Transfer::default() }.gammas(3), [0.25, 0.5, 1.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let refused = |transfer: Transfer| transfer.validate(2).unwrap_err().field;
        let base = Transfer::default;
        assert_eq!(base().validate(1).unwrap_err().field, "devices");
        assert_eq!(refused(Transfer { gamma_vec: vec![1.0], ..base() }), "gamma_vec");
        assert_eq!(refused(Transfer { gamma_vec: vec![1.0, 0.0], ..base() }), "gamma_vec[1]");
        assert_eq!(refused(Transfer { n_reads_per_transfer: 0, ..base() }), "n_reads_per_transfer");
        let rows = Transfer { with_reset_prob: 0.5, transfer_columns: false, ..base() };
        assert_eq!(refused(rows), "with_reset_prob");
        let io = IoConfig { out_noise: -1.0, ..IoConfig::default() };
        assert_eq!(refused(Transfer { transfer_forward: io, ..base() }), "transfer_forward.out_noise");
    }
}
