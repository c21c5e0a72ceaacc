//! The constants of a chip: published macros and technologies as data, each number with its source.
//!
//! One file per macro in `technologies/`; `preset = "NAME"` in a configuration stands for one of them, entries beside it override
//! it. What could not be checked against the publication says so in its `source`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use aimc_device::presets::{self, Preset};

use super::interval::Interval;

/// Macros and technologies by name.
pub const TECHNOLOGIES: &[Preset] = &[
    Preset {
        name: "LeGallo2023OnePhase",
        text: include_str!("../../technologies/le_gallo_2023_one_phase.toml"),
    },
    Preset {
        name: "LeGallo2023FourPhase",
        text: include_str!("../../technologies/le_gallo_2023_four_phase.toml"),
    },
    Preset { name: "KhaddamAljameh2022", text: include_str!("../../technologies/khaddam_aljameh_2022.toml") },
    Preset { name: "Ambrogio2023", text: include_str!("../../technologies/ambrogio_2023.toml") },
    Preset { name: "Wan2022", text: include_str!("../../technologies/wan_2022.toml") },
    Preset {
        name: "Horowitz2014Digital",
        text: include_str!("../../technologies/horowitz_2014_digital.toml"),
    },
    Preset { name: "Horowitz2014Memory", text: include_str!("../../technologies/horowitz_2014_memory.toml") },
];

/// The names of those that are whole chips.
pub const MACROS: [&str; 5] =
    ["LeGallo2023OnePhase", "LeGallo2023FourPhase", "KhaddamAljameh2022", "Ambrogio2023", "Wan2022"];

/// A constant: a range and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Least value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
    /// Where it comes from.
    pub source: String,
}

impl Constant {
    /// The range.
    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval { low: self.low, high: self.high }
    }

    fn check(&self, field: &str, least: f64, most: f64) -> Result<(), ConfigError> {
        let given = [self.low, self.high];
        let ordered = self.low <= self.high && self.low >= least && self.high <= most;
        let requirement = match (most.is_finite(), least > 0.0) {
            (true, _) => format!("must be low <= high, both between {least} and {most}"),
            (false, true) => "must be low <= high, both finite and above 0".to_owned(),
            (false, false) => "must be low <= high, both finite and not below 0".to_owned(),
        };
        require::that(ordered && self.high.is_finite(), field, given, &requirement)?;
        require::that(
            !self.source.trim().is_empty(),
            &format!("{field}.source"),
            "",
            "must say where it comes from",
        )
    }

    /// Refuses ranges that are not above 0.
    fn positive(&self, field: &str) -> Result<(), ConfigError> {
        self.check(field, f64::MIN_POSITIVE, f64::INFINITY)
    }
}

/// How inputs reach the word lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InputEncoding {
    /// By the duration of one pulse: a bit more doubles time and energy of the array.
    PulseWidth,
    /// Bit after bit: time and energy of the array grow by one step.
    BitSerial,
}

/// A crossbar with its converters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// Input lines.
    pub inputs: usize,
    /// Output lines.
    pub outputs: usize,
    /// Bits of the inputs at which the numbers below hold.
    pub input_bits: f64,
    /// Bits of the outputs at which the numbers below hold.
    pub output_bits: f64,
    /// How inputs are encoded.
    pub encoding: InputEncoding,
    /// Operations (two per weight) per energy of a full core (10¹² operations per joule).
    pub tops_per_watt: Constant,
    /// Time of a product (ns).
    pub product_ns: Constant,
    /// Share of the energy that the ADCs take.
    pub adc_share: Constant,
    /// Share of the energy that the input drivers take.
    pub dac_share: Constant,
    /// Area with converters (mm²).
    pub area_mm2: Constant,
    /// Cores on a chip.
    pub cores_per_chip: usize,
}

/// Digital circuits beside the cores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digital {
    /// Energy of an operation (pJ).
    pub operation_pj: Constant,
    /// Operations per time, of all units of a chip (1/ns).
    pub operations_per_ns: Constant,
}

/// Where data between cores lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Energy to read or write a byte on the chip (pJ).
    pub byte_pj: Constant,
    /// Energy to bring a byte of a sample onto the chip, or of the result off it (pJ).
    pub off_chip_byte_pj: Constant,
}

/// A chip, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Technology {
    /// What it is.
    pub name: String,
    /// The publication of the macro.
    pub source: String,
    /// Its cores.
    pub core: Core,
    /// Its digital circuits.
    pub digital: Digital,
    /// Its memory.
    pub memory: Memory,
}

impl Technology {
    /// A preset by its name.
    ///
    /// ```
    /// use aimc_infer::Technology;
    /// let chip = Technology::preset("LeGallo2023OnePhase")?;
    /// assert_eq!((chip.core.inputs, chip.core.cores_per_chip), (256, 64));
    /// assert!(Technology::preset("Unobtainium").is_err());
    /// # Ok::<(), aimc_device::ConfigError>(())
    /// ```
    pub fn preset(name: &str) -> Result<Self, ConfigError> {
        let tree = config::parse_toml(&format!("preset = {name:?}"))?;
        let technology: Self = config::decode(presets::resolve(tree, &[TECHNOLOGIES])?)?;
        technology.validate()?;
        Ok(technology)
    }

    /// The published macros, [`MACROS`].
    #[must_use]
    pub fn published() -> Vec<Self> {
        // That all of them pass is tested.
        MACROS.iter().filter_map(|name| Self::preset(name).ok()).collect()
    }

    /// Refuses ranges without order, numbers that are not above 0, and numbers without a source.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let at = |error: ConfigError| error.within("core");
        let core = &self.core;
        require::at_least_one("inputs", core.inputs).map_err(at)?;
        require::at_least_one("outputs", core.outputs).map_err(at)?;
        require::at_least_one("cores_per_chip", core.cores_per_chip).map_err(at)?;
        for (field, bits) in [("input_bits", core.input_bits), ("output_bits", core.output_bits)] {
            require::within(field, bits as f32, 1.0, 32.0).map_err(at)?;
        }
        core.tops_per_watt.positive("tops_per_watt").map_err(at)?;
        core.product_ns.positive("product_ns").map_err(at)?;
        core.area_mm2.positive("area_mm2").map_err(at)?;
        core.adc_share.check("adc_share", 0.0, 1.0).map_err(at)?;
        core.dac_share.check("dac_share", 0.0, 1.0).map_err(at)?;
        let most = core.adc_share.high + core.dac_share.high;
        require::that(most <= 1.0, "adc_share", most, "must be at most 1 together with dac_share")
            .map_err(at)?;
        self.digital.operation_pj.positive("digital.operation_pj")?;
        self.digital.operations_per_ns.positive("digital.operations_per_ns")?;
        self.memory.byte_pj.check("memory.byte_pj", 0.0, f64::INFINITY)?;
        self.memory.off_chip_byte_pj.check("memory.off_chip_byte_pj", 0.0, f64::INFINITY)
    }
}
