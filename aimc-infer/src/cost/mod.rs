//! Energy, latency and area of an inference, as ranges.
//!
//! ```text
//! full product   E₀ = 2·inputs·outputs/(TOPS/W)            = E_array + E_dac + E_adc, by shares
//! at other bits  E_array, E_dac, time ∝ 2^(Δ input bits) (pulse width) or bits/bits₀ (bit-serial)
//!                E_adc ∝ 2^Δ … 4^Δ, Δ = output bits - those of the macro
//! a core in use  low: E_array ∝ used crossings, E_dac ∝ used inputs, E_adc ∝ used outputs;  high: all of it
//! energy         Σ products·cores·slices·E + digital operations + bytes moved
//! latency        one sample alone: Σ over matrices of products·time; of matrices of a layer the longest (low) or all (high)
//! interval       samples in a pipeline: the longest of any matrix
//! area           cores·area
//! ```
//!
//! The network is laid out on the cores of the macro, whatever the sizes of the simulated tiles are: a matrix needs
//! ⌈inputs/lines⌉·⌈outputs/lines⌉ cores, which work at the same time; products of one matrix (the patches of a convolution,
//! the steps of a recurrent layer) come one after the other. An ADC limited by its comparators costs 2 times more per bit (Walden), one
//! limited by thermal noise 4 times more (Schreier): R. H. Walden 1999, IEEE J. Sel. Areas Commun. 17:539, doi:10.1109/49.761034;
//! B. Murmann, *ADC Performance Survey 1997-2023*, github.com/bmurmann/ADC-survey.
//!
//! Bytes moved: inputs and outputs of every product, once for the matrix (low) or once for each core (high); the sample and the
//! result once between chip and outside. Weights do not move.
//!
//! Not modelled: programming and its energy, drift compensation's reads (their number is in
//! [`compensation`](crate::compensation)), repeated products of bound management, leakage while idle, the area of digital circuits, more
//! devices per weight than the macro has, congestion of the network on the chip. Published numbers are at room temperature,
//! nominal supply and the activity of the publication.

pub mod interval;
pub mod technology;

use serde::Serialize;

use aimc_device::error::ConfigError;
use aimc_nn::{NetworkConfig, Summary, summary::MatrixSummary};
use aimc_tile::{IoConfig, MappingConfig};

use crate::config::InferenceTileConfig;
pub use interval::Interval;
pub use technology::{Core, InputEncoding, MACROS, TECHNOLOGIES, Technology};

/// Energy of one inference (nJ) by where it goes. The shares of a core are ranges that add up to its energy, so the total is
/// narrower than the sum of the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Energy {
    /// Devices and bit lines.
    pub array: Interval,
    /// Input drivers.
    pub dac: Interval,
    /// Output converters.
    pub adc: Interval,
    /// Digital operations.
    pub digital: Interval,
    /// Data between cores.
    pub memory: Interval,
    /// The sample onto the chip, the result off it.
    pub off_chip: Interval,
    /// All of it.
    pub total: Interval,
}

/// What an inference costs on one chip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Name of the technology.
    pub technology: String,
    /// Cores for the weights, slices included.
    pub cores: u64,
    /// Chips for these cores.
    pub chips: u64,
    /// Share of the crossings of the cores that hold a weight.
    pub utilisation: f64,
    /// Bits of inputs and outputs.
    pub bits: [f64; 2],
    /// Energy of one sample (nJ).
    pub energy_nj: Energy,
    /// Time from sample to result (µs), if nothing else is on its way.
    pub latency_us: Interval,
    /// Time between two results in a pipeline (µs).
    pub interval_us: Interval,
    /// Area of the cores (mm²).
    pub area_mm2: Interval,
    /// Multiplications and additions of the weight matrices per energy (10¹² per joule).
    pub tops_per_watt: Interval,
}

/// The bits of converters with these levels: r = 1/(2^b - 2) has 2^b - 1 of them; `None` for one that does not round.
fn bits(resolution: f32) -> Option<f64> {
    let steps = if resolution > 1.0 { f64::from(resolution) } else { 1.0 / f64::from(resolution) };
    (resolution > 0.0).then(|| (steps + 2.0).log2())
}

impl Estimate {
    /// The cost of one sample of `network` on `technology`, with converters and slices of `tile`; converters that do not
    /// round count as those of the technology.
    ///
    /// ```
    /// use aimc_infer::{Estimate, InferenceTileConfig, Technology};
    /// use aimc_nn::{Activation, NetworkConfig};
    /// let network = NetworkConfig::mlp(&[784, 256, 10], Activation::Sigmoid);
    /// let chip = Technology::preset("LeGallo2023OnePhase")?;
    /// let estimate = Estimate::of(&network, &InferenceTileConfig::default(), &chip)?;
    /// // 784 x 256 needs four cores of 256 x 256, 256 x 10 needs one.
    /// assert_eq!((estimate.cores, estimate.chips), (5, 1));
    /// assert!(estimate.energy_nj.total.low > 0.0);
    /// # Ok::<(), aimc_device::ConfigError>(())
    /// ```
    pub fn of(
        network: &NetworkConfig,
        tile: &InferenceTileConfig,
        technology: &Technology,
    ) -> Result<Self, ConfigError> {
        let (inputs, outputs) = network.validate()?;
        let ends = inputs.iter().product::<usize>() + outputs.iter().product::<usize>();
        Self::with_summary(|mapping| network.summary(mapping), ends, tile, technology)
    }

    /// As [`Estimate::of`], for any network that can be laid out on the cores of `technology`, with `ends` numbers in a sample and its
    /// result together.
    pub fn with_summary(
        lay_out: impl FnOnce(&MappingConfig) -> Result<Summary, ConfigError>,
        ends: usize,
        tile: &InferenceTileConfig,
        technology: &Technology,
    ) -> Result<Self, ConfigError> {
        technology.validate()?;
        let core = &technology.core;
        let mapping = MappingConfig {
            max_input_size: core.inputs,
            max_output_size: core.outputs,
            ..tile.periphery.mapping.clone()
        };
        let summary = lay_out(&mapping)?;
        let slices = tile.slices.as_ref().map_or(1, |slices| slices.slices);
        Ok(Load { summary: &summary, ends, slices: f64::from(slices), forward: &tile.forward, technology }
            .cost())
    }
}

/// What a network asks of a chip.
struct Load<'a> {
    summary: &'a Summary,
    /// Numbers of a sample and its result.
    ends: usize,
    slices: f64,
    forward: &'a IoConfig,
    technology: &'a Technology,
}

/// Energy of products by part, for given shares (nJ).
#[derive(Clone, Copy, Default)]
struct Parts {
    array: f64,
    dac: f64,
    adc: f64,
}

impl Load<'_> {
    fn core(&self) -> &Core {
        &self.technology.core
    }

    fn input_bits(&self) -> f64 {
        bits(self.forward.inp_res).unwrap_or(self.core().input_bits)
    }

    fn output_bits(&self) -> f64 {
        bits(self.forward.out_res).unwrap_or(self.core().output_bits)
    }

    /// Time of a product over that at the macro's own bits.
    fn stretch(&self) -> f64 {
        let own = self.core().input_bits;
        match self.core().encoding {
            InputEncoding::PulseWidth => (self.input_bits() - own).exp2(),
            InputEncoding::BitSerial => self.input_bits() / own,
        }
    }

    /// Energy of an ADC over that at the macro's own bits.
    fn adc_factor(&self) -> Interval {
        let more = self.output_bits() - self.core().output_bits;
        let (walden, schreier) = (more.exp2(), (2.0 * more).exp2());
        Interval { low: walden.min(schreier), high: walden.max(schreier) }
    }

    /// The energy of all products for one choice of shares, at the low or the high end of everything else.
    fn products(&self, (adc, dac): (f64, f64), high: bool) -> Parts {
        let core = self.core();
        let operations = 2.0 * (core.inputs * core.outputs) as f64;
        // TOPS/W is operations per pJ.
        let whole = core.tops_per_watt.interval().dividing(operations).times(1e-3);
        let (whole, factor) =
            if high { (whole.high, self.adc_factor().high) } else { (whole.low, self.adc_factor().low) };
        let mut sum = Parts::default();
        for matrix in self.summary.matrices() {
            let (rows, columns) = matrix.grid;
            let used = |lines: usize, cores: usize, size: usize| lines as f64 / (cores * size) as f64;
            let (outputs, inputs) = match high {
                true => (1.0, 1.0),
                false => {
                    (used(matrix.shape.0, rows, core.outputs), used(matrix.shape.1, columns, core.inputs))
                }
            };
            let each = (matrix.products * matrix.crossbars()) as f64 * self.slices * whole;
            sum.array += each * (1.0 - adc - dac) * inputs * outputs * self.stretch();
            sum.dac += each * dac * inputs * self.stretch();
            sum.adc += each * adc * outputs * factor;
        }
        sum
    }

    /// Energy of the parts of all products, and of all of them together (nJ).
    fn product_energy(&self) -> ([Interval; 3], Interval) {
        let (adc, dac) = (self.core().adc_share.interval(), self.core().dac_share.interval());
        // The energy is linear in the shares: its extremes lie at the corners.
        let corners = [(adc.low, dac.low), (adc.low, dac.high), (adc.high, dac.low), (adc.high, dac.high)];
        let over = |part: fn(&Parts) -> f64| {
            let end = |high| corners.map(|shares| part(&self.products(shares, high)));
            let low = end(false).into_iter().fold(f64::INFINITY, f64::min);
            Interval { low, high: end(true).into_iter().fold(0.0, f64::max) }
        };
        let parts = [over(|parts| parts.array), over(|parts| parts.dac), over(|parts| parts.adc)];
        (parts, over(|parts| parts.array + parts.dac + parts.adc))
    }

    /// Shift and add of slices.
    fn slice_operations(&self) -> f64 {
        let sums = |matrix: &MatrixSummary| (matrix.products * matrix.shape.0 as u64) as f64;
        self.summary.matrices().map(sums).sum::<f64>() * (self.slices - 1.0)
    }

    fn digital_operations(&self) -> f64 {
        self.summary.digital_operations() as f64 + self.slice_operations()
    }

    /// Bytes between cores and memory.
    fn bytes(&self) -> Interval {
        let (input, output) = (self.input_bits() / 8.0, self.output_bits() / 8.0);
        let of_matrix = |matrix: &MatrixSummary| {
            let (outputs, inputs) = (matrix.shape.0 as f64 * output, matrix.shape.1 as f64 * input);
            let (rows, columns) = (matrix.grid.0 as f64, matrix.grid.1 as f64);
            let each =
                Interval { low: inputs + outputs, high: rows * inputs + columns * self.slices * outputs };
            each.times(matrix.products as f64)
        };
        self.summary.matrices().map(of_matrix).sum()
    }

    fn energy(&self) -> Energy {
        let ([array, dac, adc], products) = self.product_energy();
        let Technology { digital, memory, .. } = self.technology;
        let digital = digital.operation_pj.interval().times(1e-3 * self.digital_operations());
        let (byte, bytes) = (memory.byte_pj.interval().times(1e-3), self.bytes());
        let moved = Interval { low: byte.low * bytes.low, high: byte.high * bytes.high };
        let ends = self.ends as f64 * self.input_bits() / 8.0;
        let off_chip = memory.off_chip_byte_pj.interval().times(1e-3 * ends);
        let total = products + digital + moved + off_chip;
        Energy { array, dac, adc, digital, memory: moved, off_chip, total }
    }

    /// Time of one sample alone, and between two in a pipeline (µs).
    fn times(&self) -> (Interval, Interval) {
        let product = self.core().product_ns.interval().times(1e-3 * self.stretch());
        let (mut latency, mut interval) = (Interval::default(), Interval::default());
        for layer in &self.summary.layers {
            let each: Vec<f64> = layer.matrices.iter().map(|matrix| matrix.products as f64).collect();
            let longest = each.iter().copied().fold(0.0, f64::max);
            let all: f64 = each.iter().sum();
            latency = latency + Interval { low: product.low * longest, high: product.high * all };
            interval = interval.max(product.times(longest));
        }
        let rate = self.technology.digital.operations_per_ns.interval();
        let digital = rate.dividing(1e-3 * self.digital_operations());
        (latency + digital, interval.max(digital))
    }

    fn cost(&self) -> Estimate {
        let core = self.core();
        let cores = self.summary.crossbars() * self.slices as u64;
        let energy_nj = self.energy();
        let (latency_us, interval_us) = self.times();
        let crossings = (self.summary.crossbars() * (core.inputs * core.outputs) as u64) as f64;
        Estimate {
            technology: self.technology.name.clone(),
            cores,
            chips: cores.div_ceil(core.cores_per_chip as u64),
            utilisation: self.summary.weights() as f64 / crossings,
            bits: [self.input_bits(), self.output_bits()],
            latency_us,
            interval_us,
            area_mm2: core.area_mm2.interval().times(cores as f64),
            tops_per_watt: energy_nj.total.dividing(1e-3 * self.summary.analog_operations() as f64),
            energy_nj,
        }
    }
}

#[cfg(test)]
#[path = "../cost_tests.rs"]
mod tests;
