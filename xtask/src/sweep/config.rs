//! A sweep file: which command, with which configuration, over which fields.
//!
//! | entry | what it says |
//! |---|---|
//! | `command` | what is swept: `train`, `infer` or `hwa` (with `seeds = 1` of its own) |
//! | `base` | its configuration: a table, or the name of a file, relative to the sweep file |
//! | `model` | the network of `infer`, relative to the sweep file |
//! | `seeds` | runs of every point, with the seed of the base and those that follow it |
//! | `[[axis]]` | a `field` of the configuration by its path, and its `values`, or a `range` for a random search |
//! | `[random]` | `points` drawn with a `seed`, instead of the grid of all values |
//! | `[[column]]` | a number of the results by its `path`, its `name`, and whether it is to be `maximise`d or `minimise`d |

use aimc_device::ConfigError;
use aimc_device::error::require;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field_path::FieldPath;

/// Everything that a sweep file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SweepConfig {
    /// The command: `train`, `infer` or `hwa`.
    pub(crate) command: String,
    /// Its configuration, or the file that holds it, relative to this one.
    pub(crate) base: Value,
    /// The trained network of `infer`, relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<PathBuf>,
    /// Runs of every point: their seeds follow that of the base.
    #[serde(default = "one")]
    pub(crate) seeds: u64,
    /// What differs from point to point.
    pub(crate) axis: Vec<Axis>,
    /// Random search; without it, all combinations of all values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) random: Option<Random>,
    /// What is compared.
    pub(crate) column: Vec<Column>,
}

fn one() -> u64 {
    1
}

/// A field of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Axis {
    /// Its path, such as `tile.device.dw_min`.
    pub(crate) field: String,
    /// Its values, of any kind; a table replaces the whole table of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<Value>,
    /// Where a random search draws from, instead of `values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<Range>,
}

/// Numbers between two ends, drawn evenly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// The smallest.
    pub(crate) low: f64,
    /// The largest.
    pub(crate) high: f64,
    /// In what sense evenly.
    #[serde(default)]
    pub(crate) scale: Scale,
    /// Whether to round to whole numbers.
    #[serde(default)]
    pub(crate) integer: bool,
}

/// How numbers lie in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scale {
    /// Equal steps are equally likely.
    #[default]
    Linear,
    /// Equal factors are equally likely.
    Log,
}

/// A random search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Random {
    /// How many points.
    pub(crate) points: u64,
    /// Seed of the points; more points keep those of fewer.
    #[serde(default)]
    pub(crate) seed: u64,
}

/// A number of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// What to call it, with its unit.
    pub(crate) name: String,
    /// Its path, such as `history[-1].test_accuracy`.
    pub(crate) path: String,
    /// Which way is better; one without a goal is only shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    /// More is better.
    Maximise,
    /// Less is better.
    Minimise,
}

impl SweepConfig {
    /// Refuses sweeps without points or columns, and fields that cannot be meant.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::that(self.seeds >= 1, "seeds", self.seeds, "must be at least 1")?;
        let given = self.base.is_object() || self.base.is_string();
        require::that(given, "base", &self.base, "must be a table or the name of a file")?;
        require::that(!self.axis.is_empty(), "axis", "", "is missing: at least one [[axis]]")?;
        require::that(!self.column.is_empty(), "column", "", "is missing: at least one [[column]]")?;
        for (i, axis) in self.axis.iter().enumerate() {
            let at = |error: ConfigError| error.within(format!("axis[{i}]"));
            axis.validate(self.random.is_some()).map_err(at)?;
            let twice = self.axis[..i].iter().any(|other| other.field == axis.field);
            require::that(!twice, "field", &axis.field, "must not come twice").map_err(at)?;
            let seeds = "must not be the seed, which `seeds` counts up";
            require::that(axis.field != "seed", "field", &axis.field, seeds).map_err(at)?;
        }
        for (i, column) in self.column.iter().enumerate() {
            let at = |error: ConfigError| error.within(format!("column[{i}]"));
            FieldPath::parse(&column.path).map_err(|error| at(error.within("path")))?;
            let twice = self.column[..i].iter().any(|other| other.name == column.name);
            require::that(!twice, "name", &column.name, "must not come twice").map_err(at)?;
        }
        let points = self.random.as_ref().map_or(1, |random| random.points);
        require::that(points >= 1, "random.points", points, "must be at least 1")
    }

    /// Columns that have a goal, by their numbers.
    pub(crate) fn goals(&self) -> Vec<(usize, Goal)> {
        let columns = self.column.iter().enumerate();
        columns.filter_map(|(i, column)| column.goal.map(|goal| (i, goal))).collect()
    }
}

impl Axis {
    fn validate(&self, random: bool) -> Result<(), ConfigError> {
        FieldPath::parse(&self.field).map_err(|error| error.within("field"))?;
        let Some(range) = &self.range else {
            let requirement = "is missing: a list of values, or a range for a random search";
            return require::that(!self.values.is_empty(), "values", "", requirement);
        };
        require::that(self.values.is_empty(), "values", self.values.len(), "must be left out beside range")?;
        require::that(random, "range", "", "needs a random search: [random] with its points")?;
        let Range { low, high, scale, .. } = *range;
        require::that(low.is_finite(), "range.low", low, "must be a finite number")?;
        let lowest = "must be above 0 on a log scale";
        require::that(scale == Scale::Linear || low > 0.0, "range.low", low, lowest)?;
        let requirement = format!("must be a finite number above {low}");
        require::that(high.is_finite() && high > low, "range.high", high, &requirement)
    }
}
