//! Bits of the converters against error and accuracy.
//!
//! A converter of b bits has 2^b - 2 steps of Δ = 2·out_bound/(2^b - 2); its error is even over a step, Δ/√12, as long as outputs
//! spread over several steps. Hence the error of a product halves with every bit, exactly as (2^b - 2) grows:
//!
//! ```text
//! e(5)/e(9) = (2⁹ - 2)/(2⁵ - 2) = 17
//! ```
//!
//! Reference of the setting, 8 bits in and out at iso-accuracy (within 1 % of floating point): M. J. Rasch et al. 2023, Nat. Commun.
//! 14:5282, doi:10.1038/s41467-023-40770-4, from recollection.

use aimc_device::rng::label;
use aimc_device::{RngKey, config};
use aimc_infer::{InferenceTileConfig, accuracy, matrix_errors, network_at, program_network};
use aimc_tile::SampleKeys;
use serde_json::json;

use super::claim::{Basis, Claim, Outcome};
use super::{Context, ReproError, Reproduction};
use crate::data::Split;
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};
use crate::train::{self, tiles::AnyNetwork};

pub(super) const REPRODUCTION: Reproduction = Reproduction {
    name: "adc-bits",
    citation: "M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4; error of an even quantiser",
    what: "Bits of the ADC against the error of products and the accuracy",
    minutes: 1,
    run,
};

const BITS: [i32; 9] = [2, 3, 4, 5, 6, 7, 8, 9, 10];
const BATCH: usize = 256;

/// Exact devices; only the ADC makes errors.
const TILE: &str = "
    compensation = \"None\"
    periphery.mapping = { weight_scaling_omega = 1.0 }
    device = { model = \"StateIndependent\", prog_noise_scale = 0.0, drift_scale = 0.0, read_noise_scale = 0.0 }
    forward = { inp_res = 0.0, out_noise = 0.0, out_bound = 10.0 }
";

fn run(context: &Context) -> Result<Outcome, ReproError> {
    let mut tree = context.training();
    tree["seed"] = json!(1);
    let training = train::decode(tree)?;
    let data = training.data.load()?;
    let network = train::trained(&training, &data)?;
    let exact = accuracy(&network, &data.test, BATCH, SampleKeys::new(RngKey::root(1)))?;
    let at = |bits: i32| {
        measure(&network, &data, bits).map(|(error, accuracy)| (f64::from(bits), error, accuracy))
    };
    let found = BITS.iter().map(|&bits| at(bits)).collect::<Result<Vec<_>, _>>()?;
    let error = |bits: i32| {
        found.iter().find(|(b, ..)| *b == f64::from(bits)).map_or(f64::NAN, |(_, error, _)| *error)
    };
    let (_, _, at_8) = found[6];
    let even = "17, the ratio of the steps; 5 % for outputs that do not spread over whole steps.";
    let iso = "8 bits are what the publication's chip has at iso-accuracy, within 1 % of floating point.";
    let claims = vec![
        Claim::new(
            "error at 5 bits over error at 9 bits, first matrix",
            (17.0 * 0.95, 17.0 * 1.05),
            (Basis::Physics, even),
            error(5) / error(9),
        ),
        Claim::new(
            "accuracy with 8 bits below floating point (% accuracy)",
            (f64::NEG_INFINITY, 1.0),
            (Basis::Recollection, iso),
            100.0 * (exact - at_8),
        ),
    ];
    let charts = charts(&found, exact);
    Ok(Outcome { claims, charts, parameters: json!({ "training": training, "tile": TILE, "bits": BITS }) })
}

/// Relative error of the first matrix, and accuracy.
fn measure(network: &AnyNetwork, data: &Split, bits: i32) -> Result<(f64, f64), ReproError> {
    let mut tile: InferenceTileConfig = config::from_toml(TILE)?;
    tile.forward.out_res = 1.0 / (2.0_f32.powi(bits) - 2.0);
    let key = RngKey::root(1).fold_in(label("adc bits"));
    let programmed = program_network(network, &tile, key)?;
    let chip = network_at(&programmed, 0.0, key)?;
    let errors = matrix_errors(network, &chip, &data.test, SampleKeys::new(key))?;
    let accuracy = accuracy(&chip, &data.test, BATCH, SampleKeys::new(key))?;
    Ok((errors[0].relative, accuracy))
}

fn charts(found: &[(f64, f64, f64)], exact: f64) -> Vec<(LineChart, String)> {
    let bits = || Axis::linear("bits of the ADC", "number");
    let mut errors = LineChart::new("Error of products", bits(), Axis::log10("relative error", ""));
    errors.series.push(Series::new(
        "measured",
        found.iter().map(|&(b, e, _)| (b, e)).collect(),
        SeriesStyle::Markers,
    ));
    let (_, at_9, _) = found[7];
    let law = found.iter().map(|&(b, ..)| (b, at_9 * 510.0 / (b.exp2() - 2.0))).collect();
    errors.series.push(Series::new("law, through the value at 9 bits", law, SeriesStyle::Dashed));
    let mut accuracies = LineChart::new("Accuracy", bits(), Axis::linear("test accuracy", "%"));
    accuracies.series.push(Series::new(
        "measured",
        found.iter().map(|&(b, _, a)| (b, 100.0 * a)).collect(),
        SeriesStyle::Solid,
    ));
    accuracies.references.push(Mark::new(100.0 * exact, "floating point"));
    vec![
        (errors, "First matrix, on the test samples.".to_owned()),
        (accuracies, "Only the ADC makes errors; the same bits in every matrix.".to_owned()),
    ]
}
