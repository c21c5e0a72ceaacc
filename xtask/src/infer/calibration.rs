//! The table of a calibration.

use aimc_infer::Calibration;

use crate::report::Report;

pub(crate) const HEADERS: [&str; 6] =
    ["tile", "vectors", "input range", "range of the ADC", "error before", "error after"];

/// A row per tile, for [`HEADERS`].
pub(crate) fn rows(found: &Calibration) -> Vec<Vec<String>> {
    let tiles = found.matrices.iter().flat_map(|matrix| {
        let name =
            |i| if matrix.tiles.len() == 1 { matrix.name.clone() } else { format!("{} {i}", matrix.name) };
        matrix.tiles.iter().enumerate().map(move |(i, tile)| (name(i), tile))
    });
    let row = tiles.map(|(name, tile)| {
        let error =
            |error: Option<f64>| error.map_or("none".to_owned(), |error| format!("{:.2} %", 100.0 * error));
        let input = match (tile.before.input, tile.after.input) {
            (Some(before), Some(after)) => change(before, after),
            _ => "none".to_owned(),
        };
        let output = change(tile.before.output, tile.after.output);
        vec![name, tile.vectors.to_string(), input, output, error(tile.error_before), error(tile.error_after)]
    });
    row.collect()
}

fn change(before: f32, after: f32) -> String {
    if before == after { format!("{before:.3}") } else { format!("{before:.3} → {after:.3}") }
}

/// The part of the page.
pub(crate) fn section(report: &mut Report, found: &Calibration) {
    report.section("Calibration");
    report.table(
        &HEADERS,
        &rows(found),
        "Ranges of the converters of each tile before and after calibration on training samples, and the relative error of its \
         products on the cached vectors with real circuits and ideal devices.",
    );
}
